"""shop.settings: a shop's definitions; one partition, kept for ever, read whole by every worker."""

from typing import Annotated

import msgspec

from schemas.envelope import Envelope, Id, Moment, Money, ShopId
from schemas.profile import ContactChannel

#: The shop id that stands for the whole stack: its values are every shop's defaults.
STACK = "_stack"
#: Tiers of one shop; more is a bad definition.
TIERS = 20
#: What a customer in no tier is shown to be in, so no tier's name.
NO_TIER = "none"

_FOUR = msgspec.Meta(min_length=4, max_length=4)
_Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class RfmThresholds(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """Four rising limits between the five scores of recency, frequency and money.

    ``recency_days``: at most so many days since the last order score 5, 4, 3 and 2; ``orders`` and
    ``amount`` (minor units): at least so much in 365 days scores 2, 3, 4 and 5. All else scores 1.
    """

    recency_days: Annotated[tuple[_Count, ...], _FOUR]
    orders: Annotated[tuple[_Count, ...], _FOUR]
    amount: Annotated[tuple[Money, ...], _FOUR]


class Tier(msgspec.Struct, kw_only=True, frozen=True, gc=False, omit_defaults=True):
    """A tier of the membership: ``orders`` and ``amount`` (minor units) that it takes, both."""

    name: Id
    orders: _Count = 0
    amount: Money = 0


#: Themes of one shop's reviews, and words of one theme; more is a bad definition.
THEMES = 20
THEME_WORDS = 100
#: A word that makes a theme, or a few with spaces between them; not blank (streams.definition_checks).
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class ReviewTheme(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """What reviews are about that have one of ``words`` in them (streams.domain.themes)."""

    name: Id
    words: Annotated[tuple[_Word, ...], msgspec.Meta(min_length=1, max_length=THEME_WORDS)]


_Points = Annotated[int, msgspec.Meta(ge=0, le=1_000)]


class Brushing(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """From when on an order looks brushed (刷单), and how much each sign of it weighs.

    Half of a sign's points (rounded down) is given for what comes near it: see
    streams.domain.integrity.score. An order of ``verdict_points`` or more is brushed: by the defaults
    no single sign is enough, and of pairs only the rate with the phone. Sharing an address weighs
    little, since families, dormitories and neighbours who buy together do.
    """

    #: More orders of a product by one buyer within an hour than this; near: two or more.
    orders_in_an_hour: Annotated[int, msgspec.Meta(ge=1, le=15)] = 3
    rate_points: _Points = 30
    #: The buyer never looked at the product; near: for fewer seconds than this in all.
    glance_s: Annotated[int, msgspec.Meta(ge=0, le=3_600)] = 15
    unviewed_points: _Points = 20
    #: So many buyers of a product share a phone or an address, or fewer than these with
    #: ``shared_orders`` orders of it; near: two buyers.
    buyers: Annotated[int, msgspec.Meta(ge=2, le=15)] = 3
    shared_orders: Annotated[int, msgspec.Meta(ge=2, le=15)] = 4
    device_points: _Points = 30
    address_points: _Points = 10
    #: Five stars without a word or photo so soon after receipt; near: within a day.
    praise_minutes: Annotated[int, msgspec.Meta(ge=0, le=1_440)] = 10
    praise_points: _Points = 20
    verdict_points: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 55


class Liking(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """From when on a like of a wish looks bought, and how much each sign of it weighs.

    A like of ``verdict_points`` or more does not count: see streams.domain.integrity.likes. By the
    defaults it takes two signs, since an enthusiast likes fast and a friend who was asked to come is new;
    but for the phone, which is one that passed through too many hands within a day.
    """

    #: More wishes that the liker likes within an hour, or a day, than this.
    likes_in_an_hour: Annotated[int, msgspec.Meta(ge=1, le=40)] = 10
    likes_in_a_day: Annotated[int, msgspec.Meta(ge=1, le=40)] = 15
    rate_points: _Points = 40
    #: The shop first heard of the liker less than this before the like.
    young_hours: Annotated[int, msgspec.Meta(ge=0, le=8_760)] = 24
    young_points: _Points = 20
    #: So many likers of an owner's wishes share a phone within twelve hours of the like, or two or more
    #: who are all young; near, for half the points: two.
    likers: Annotated[int, msgspec.Meta(ge=2, le=32)] = 4
    device_points: _Points = 60
    #: The like came from a phone of the wish's owner.
    own_device_points: _Points = 40
    verdict_points: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 55


_PerDay = Annotated[int, msgspec.Meta(ge=0, le=100)]


class Contacting(msgspec.Struct, kw_only=True, frozen=True, gc=False, omit_defaults=True):
    """What the shop allows of all its campaigns together; they are asked one customer at a time."""

    #: Contacts by a channel on one day of the shop's calendar, at most. Not named: as many as there are.
    per_day: dict[ContactChannel, _PerDay] = {}
    #: From one contact to the next, of whatever campaigns and channels, at least.
    rest_minutes: Annotated[int, msgspec.Meta(ge=0, le=43_200)] = 0
    #: Of 10,000 customers, so many get nothing of any campaign, to compare with.
    holdout: Annotated[int, msgspec.Meta(ge=0, le=5_000)] = 0


class Settings(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """``lateness_s`` is read from the stack's own record only: one watermark serves all shops."""

    shop_id: ShopId
    version: Annotated[int, msgspec.Meta(ge=1)]
    effective_from: Moment
    #: An IANA name, as Asia/Shanghai.
    time_zone: str | None = None
    #: An ISO 4217 code, as CNY.
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)")] | None = None
    lateness_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None
    rfm: RfmThresholds | None = None
    #: The lowest first; an empty list: the shop has none.
    tiers: Annotated[tuple[Tier, ...], msgspec.Meta(max_length=TIERS)] | None = None
    #: Of a shop that sends clicks and wants brushed orders out of its figures: {} for the defaults.
    brushing: Brushing | None = None
    #: What the shop sells, in words of the platform's own: it is compared with the shops of the same.
    category: Id | None = None
    #: An empty list: the shop has none. No fold reads them: reports go by the newest list.
    review_themes: Annotated[tuple[ReviewTheme, ...], msgspec.Meta(max_length=THEMES)] | None = None
    #: Of a shop that wants bought likes of wishes not to count: {} for the defaults.
    liking: Liking | None = None
    #: {} for no limits.
    contacting: Contacting | None = None


class SettingsEvent(Envelope, tag="shop.settings.v1"):
    data: Settings
