"""What a customer said of themselves, agreed to and joined, each the last by event time.

Every field, and every channel's consent, has a stamp: the event time and the hash of source and event
id of what set it. The greater stamp wins, so the order of arrival makes no difference, and a repeat
changes nothing. An action takes only what it is about: ``updated`` the fields, ``consent`` the
consents. ``alias`` and ``erase`` are not of the profile but of the whole state (streams.domain.handover,
streams.domain.erasure).
"""

from struct import Struct
from typing import Any, get_args

import msgspec

from schemas.profile import ContactChannel
from schemas.profile import Profile as ProfileData
from streams.domain.facts import ConsentChanged, Fact, MembershipJoined, ProfileChanged
from streams.domain.names import cut

#: In the order of their stamps; new ones come last.
FIELDS = (
    "birthday", "gender", "age_band", "income_band", "education", "region", "tags", "alias_of",
)  # fmt: skip
#: In the order of their consents; new ones come last.
CHANNELS: tuple[str, ...] = get_args(ContactChannel)
#: UTF-8 bytes of all tags; of the sorted tags those that no longer fit are left out.
TAGS_BYTES = 256

#: event time in ms, hash of source and event id
_STAMP = Struct("<q8s")
STAMP_BYTES = _STAMP.size
#: 1 given, 2 withdrawn, 0 never said; and its stamp
_CONSENT = Struct("<Bq8s")
CONSENT_BYTES = _CONSENT.size
GIVEN, REFUSED = 1, 2
_STAMPS = len(FIELDS) * STAMP_BYTES
_CONSENTS = len(CHANNELS) * CONSENT_BYTES


class Profile(msgspec.Struct, array_like=True, gc=False):
    """Texts are empty where nothing was said."""

    #: YYYY-MM-DD
    birthday: str = ""
    gender: str = ""
    #: This and the next three cut to 64 bytes.
    age_band: str = ""
    income_band: str = ""
    education: str = ""
    region: str = ""
    #: Sorted, each once.
    tags: list[str] = []
    #: As ``alias`` left it before visitors were handed over; such a visitor's next alias does it.
    alias_of: str = ""
    #: Earliest time of ``joined_membership``, ms.
    joined_at: int | None = None
    #: One for each of FIELDS, packed; empty before the first.
    stamps: bytes = b""
    #: One for each of CHANNELS, packed; empty before the first.
    consents: bytes = b""


def fold_profile(
    profile: Profile, data: ProfileData, time: int, event_key: bytes
) -> tuple[Fact, ...]:
    """Fold one event of ``time`` (ms), no ``alias`` or ``erase``; ``event_key``: hash of source and id."""
    action = data.action
    if action == "updated":
        return _update(profile, data, time, event_key)
    if action == "consent":
        consents = (data.consent or {}).items()
        changed = [_consent(profile, name, given, time, event_key) for name, given in consents]
        return tuple(fact for fact in changed if fact is not None)
    if action == "joined_membership":
        joined = profile.joined_at
        profile.joined_at = time if joined is None else min(joined, time)
        return (MembershipJoined(),) if joined is None else ()
    return ()


def _update(profile: Profile, data: ProfileData, time: int, event_key: bytes) -> tuple[Fact, ...]:
    said: dict[str, Any] = {
        name: cut(value)
        for name in ("gender", "age_band", "income_band", "education", "region")
        if (value := getattr(data, name)) is not None
    }
    if data.birthday is not None:
        said["birthday"] = data.birthday.isoformat()
    if data.tags is not None:
        said["tags"] = _fitting(data.tags)
    changed = [
        name for name in FIELDS if name in said and _set(profile, name, said[name], time, event_key)
    ]
    return (ProfileChanged(tuple(changed)),) if changed else ()


def _set(profile: Profile, name: str, value: Any, time: int, event_key: bytes) -> bool:
    """Set a field unless something later did; whether it has another value now."""
    stamps = profile.stamps or bytes(_STAMPS)
    at = FIELDS.index(name) * STAMP_BYTES
    # A later build's stamps are more; an earlier one's were fewer.
    stamps += bytes(max(0, _STAMPS - len(stamps)))
    if (time, event_key) <= _STAMP.unpack_from(stamps, at):
        return False
    profile.stamps = stamps[:at] + _STAMP.pack(time, event_key) + stamps[at + STAMP_BYTES :]
    changed = bool(getattr(profile, name) != value)
    setattr(profile, name, value)
    return changed


def _consent(
    profile: Profile, channel: str, given: bool, time: int, event_key: bytes
) -> Fact | None:
    consents = profile.consents or bytes(_CONSENTS)
    consents += bytes(max(0, _CONSENTS - len(consents)))
    at = CHANNELS.index(channel) * CONSENT_BYTES
    known, *stamp = _CONSENT.unpack_from(consents, at)
    if known and [time, event_key] <= stamp:
        return None
    value = GIVEN if given else REFUSED
    packed = _CONSENT.pack(value, time, event_key)
    profile.consents = consents[:at] + packed + consents[at + CONSENT_BYTES :]
    return ConsentChanged(channel, given) if value != known else None


def consents_of(profile: Profile) -> dict[str, tuple[bool, int]]:
    """Channel -> whether it was agreed to and when that was said (ms), where anything was."""
    found = {}
    for channel, entry in zip(CHANNELS, _CONSENT.iter_unpack(profile.consents), strict=False):
        if entry[0]:
            found[channel] = (entry[0] == GIVEN, entry[1])
    return found


def _fitting(tags: list[str]) -> list[str]:
    """The tags that fit, in order."""
    kept, size = [], 0
    for tag in sorted(set(tags)):
        size += len(tag.encode())
        if size > TAGS_BYTES:
            break
        kept.append(tag)
    return kept


def merge_profile(profile: Profile, other: Profile) -> None:
    """Bring the profile of one who was the same into ``profile``, in place: the last word counts."""
    for index, (time, event_key) in enumerate(_STAMP.iter_unpack(other.stamps)):
        if time or any(event_key):
            _set(profile, FIELDS[index], getattr(other, FIELDS[index]), time, event_key)
    for channel, entry in zip(CHANNELS, _CONSENT.iter_unpack(other.consents), strict=False):
        known, time, event_key = entry
        if known:
            _consent(profile, channel, known == GIVEN, time, event_key)
    joined = [time for time in (profile.joined_at, other.joined_at) if time is not None]
    profile.joined_at = min(joined, default=None)
