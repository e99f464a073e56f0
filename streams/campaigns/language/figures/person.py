"""Figures of who the customer is: the shop, the profile, consents, membership; and what time it is."""

from collections.abc import Callable
from datetime import date
from typing import Final, get_args

from schemas.click import Channel
from schemas.profile import ContactChannel, Gender
from streams.campaigns.language.figures.figure import Figure, Reading, Seen, Unknown, text
from streams.campaigns.language.figures.scene import Scene
from streams.campaigns.language.quantities.duration import DAY
from streams.domain.names import cut
from streams.domain.profile import FIELDS, STAMP_BYTES, consents_of
from streams.domain.shop import date_of, day_of, day_of_date, hour_of_day
from streams.domain.summary import CHANNELS, interest_name

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TAGS_AT: Final = FIELDS.index("tags") * STAMP_BYTES
#: 1970-01-01 was a Thursday.
_FIRST_WEEKDAY: Final = WEEKDAYS.index("thu")
_NEVER: Final = "the customer never said so"


def _said(name: str) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        profile = scene.state.profile
        return text("" if profile is None else getattr(profile, name), _NEVER)

    return read


def _tags(scene: Scene) -> Reading:
    profile = scene.state.profile
    if profile is None or not any(profile.stamps[_TAGS_AT : _TAGS_AT + STAMP_BYTES]):
        return Unknown("nothing was said of tags")
    return Seen(frozenset(profile.tags))


def _birthday(scene: Scene) -> date | None:
    profile = scene.state.profile
    return (
        date.fromisoformat(profile.birthday) if profile is not None and profile.birthday else None
    )


def _birthday_in(scene: Scene) -> Reading:
    born = _birthday(scene)
    if born is None:
        return Unknown(_NEVER)
    today = date_of(day_of(scene.at, scene.settings.time_zone))
    following = _anniversary(born, today.year)
    if following < today:
        following = _anniversary(born, today.year + 1)
    return Seen((day_of_date(following) - day_of_date(today)) * DAY)


def _age(scene: Scene) -> Reading:
    born = _birthday(scene)
    if born is None:
        return Unknown(_NEVER)
    today = date_of(day_of(scene.at, scene.settings.time_zone))
    return Seen(max(today.year - born.year - (_anniversary(born, today.year) > today), 0))


def _anniversary(born: date, year: int) -> date:
    """Who was born on February 29 has it on the 28th in other years."""
    try:
        return born.replace(year=year)
    except ValueError:
        return born.replace(year=year, day=28)


def _is_member(scene: Scene) -> Reading:
    profile = scene.state.profile
    return Seen(profile is not None and profile.joined_at is not None)


def _member_for(scene: Scene) -> Reading:
    profile = scene.state.profile
    if profile is None or profile.joined_at is None:
        return Unknown("no member")
    return Seen(scene.since(profile.joined_at))


def _consent(given: bool) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        profile = scene.state.profile
        said = {} if profile is None else consents_of(profile)
        return Seen(frozenset(name for name, (agreed, _) in said.items() if agreed == given))

    return read


def _first_seen(scene: Scene) -> Reading:
    first = scene.state.first_seen
    return Unknown("never seen") if first is None else Seen(scene.since(first), scene.is_erased)


def _last_seen(scene: Scene) -> Reading:
    last = scene.state.last_seen
    return Unknown("never seen") if last is None else Seen(scene.since(last))


def _channels(scene: Scene) -> Reading:
    interests = scene.state.interests
    bits = 0 if interests is None else interests.channels
    return Seen(
        frozenset(name for at, name in enumerate(CHANNELS) if bits & 1 << at), scene.is_erased
    )


def _region(scene: Scene) -> Reading:
    regions = scene.interests.regions
    if not regions:
        return Unknown("no event told a region")
    return Seen(max(regions, key=lambda name: (regions[name], name)))


def _hour(scene: Scene) -> Reading:
    return Seen(hour_of_day(scene.at, scene.settings.time_zone))


def _weekday(scene: Scene) -> Reading:
    day = day_of(scene.at, scene.settings.time_zone)
    return Seen(WEEKDAYS[(day + _FIRST_WEEKDAY) % 7])


PERSON: Final = (
    Figure("shop", "text", "The shop's id: whose customers the campaign is for.", "[tea]",
           lambda scene: Seen(scene.state.shop_id)),
    Figure("now.hour", "count", "The hour on the shop's clock at the moment of judging.", '">=9"', _hour,
           bounds=(0, 23)),
    Figure("now.weekday", "choice", "The day of the week on the shop's clock.", "[sat, sun]", _weekday,
           choices=WEEKDAYS),
    Figure("first_seen.ago", "duration", "Since the first event of the customer.", '"<=1d"', _first_seen),
    Figure("last_seen.ago", "duration", "Since the last event of the customer.", '"<=7d"', _last_seen),
    Figure("channels", "set", "Where the customer was ever seen.", "[app, miniapp]", _channels,
           choices=get_args(Channel)),
    Figure("region", "text", "The region in which the customer was seen last.", "[CN-31, CN-33]",
           _region, known_as=interest_name),
    Figure("profile.gender", "choice", "As the customer said last.", "female", _said("gender"),
           choices=get_args(Gender)),
    Figure("profile.age_band", "text", "As the customer said last.", "[18-24, 25-29]",
           _said("age_band"), known_as=cut),
    Figure("profile.income_band", "text", "As the customer said last.", "10k-15k",
           _said("income_band"), known_as=cut),
    Figure("profile.education", "text", "As the customer said last.", "bachelor",
           _said("education"), known_as=cut),
    Figure("profile.region", "text", "As the customer said last.", "CN-31",
           _said("region"), known_as=cut),
    Figure("profile.tags", "set", "The tags that the shop gave.", "[vip]", _tags),
    Figure("profile.age", "count", "Full years since the birthday.", '">=18"', _age, "years"),
    Figure("profile.birthday.in", "duration", "Until the next birthday, in whole days; 0d: it is today.",
           '"<=3d"', _birthday_in, "whole days"),
    Figure("member", "flag", "Whether the customer joined the membership.", "true", _is_member),
    Figure("member.for", "duration", "Since the customer joined.", '">=30d"', _member_for),
    Figure("consent.given", "set", "Channels to which the customer's last word was yes.", "[sms]",
           _consent(given=True), choices=get_args(ContactChannel)),
    Figure("consent.refused", "set", "Channels to which the customer's last word was no.", "{none_of: [sms]}",
           _consent(given=False), choices=get_args(ContactChannel)),
)  # fmt: skip
