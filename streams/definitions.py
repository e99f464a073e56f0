"""Shops' definitions (shop.settings): the versions of each, and which of them count.

A shop's first version holds since ever, a later one from its ``effective_from``. What a version does
not say comes from the stack's own record (shop id ``_stack``), then from ShopSettings' defaults.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec

from schemas.decoding import UNREADABLE, refusal
from schemas.envelope import BODY_BYTES
from schemas.settings import STACK, ReviewTheme, SettingsEvent
from schemas.settings import Settings as Version
from streams.definition_checks import BadDefinitionError, check_version
from streams.domain.shop import ShopSettings

#: Shops whose timeline is remembered; ids come from events, so there may be any number.
_REMEMBERED_SHOPS: Final = 10_000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NO_OFFSETS: Final[Mapping[str, int]] = MappingProxyType({})
_Timeline = tuple[list[int], list[ShopSettings]]


class DefinitionsError(Exception):
    """The definitions cannot be read as far as needed; the message says from where and what to do."""


def _moment(version: Version) -> int:
    """``effective_from`` in ms since 1970."""
    since = version.effective_from - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


class Definitions:
    """One consistent view of all shops' versions; never changes.

    ``versions`` are accepted versions (see ``accept``) in any order between shops, rising within one.
    ``offsets`` maps the definition topic's Kafka name to the offset up to which it was read.
    """

    def __init__(
        self, versions: Iterable[Version] = (), offsets: Mapping[str, int] = _NO_OFFSETS
    ) -> None:
        self._offsets = MappingProxyType(dict(offsets))
        self._versions: dict[str, list[Version]] = {}
        for version in versions:
            self._versions.setdefault(version.shop_id, []).append(version)
        self._timelines: dict[str, _Timeline] = {}

    @property
    def offsets(self) -> Mapping[str, int]:
        """Kafka topic -> offset up to which it was read."""
        return self._offsets

    @property
    def lateness_ms(self) -> int | None:
        """How far the watermark stays behind the ticks, ms; None where the stack does not say.

        The newest version's, from when it is read whatever its ``effective_from``: the watermarks
        that come of it are in the journal.
        """
        stack = self._versions.get(STACK)
        seconds = stack[-1].lateness_s if stack else None
        return None if seconds is None else round(seconds * 1000)

    def at(self, shop_id: str, time: int, /) -> ShopSettings:
        """What holds for the shop at ``time`` (ms since 1970); defaults for a shop never heard of."""
        timeline = self._timelines.get(shop_id)
        if timeline is None:
            timeline = self._learn(shop_id)
        moments, settings = timeline
        return settings[bisect_right(moments, time)] if moments else settings[0]

    def versions(self, shop_id: str) -> Sequence[Version]:
        """The shop's versions, oldest first."""
        return tuple(self._versions.get(shop_id, ()))

    def review_themes(self, shop_id: str) -> tuple[ReviewTheme, ...] | None:
        """The newest list of the shop's own, else of the stack's; None: neither has one.

        Of all versions, whenever they take effect: no fold reads it, and all reviews are judged by one list.
        """
        for one in (shop_id, STACK):
            for version in reversed(self._versions.get(one, ())):
                if version.review_themes is not None:
                    return version.review_themes
        return None

    def shops(self) -> Sequence[str]:
        """The shops that have versions, in order, ``_stack`` among them."""
        return sorted(self._versions)

    def digest(self) -> str:
        """Names the content: equal for equal versions, in every process."""
        digest = hashlib.blake2b(digest_size=8)
        for shop_id in self.shops():
            for one in self._versions[shop_id]:
                fields = (shop_id, one.version, _moment(one), *_values(one), one.lateness_s)
                digest.update(msgspec.msgpack.encode(fields))
                if one.review_themes is not None:
                    digest.update(msgspec.msgpack.encode(one.review_themes))
        return digest.hexdigest()

    def _learn(self, shop_id: str) -> _Timeline:
        own, stack = self._versions.get(shop_id, []), self._versions.get(STACK, [])
        # The first versions hold since ever, so their own moments change nothing.
        moments = sorted({_moment(version) for version in (*own[1:], *stack[1:])})
        # One settings object before the first moment, and one from each on.
        settings = [
            _settings(shop_id, _in_force(own, moment), _in_force(stack, moment))
            for moment in (None, *moments)
        ]
        if len(self._timelines) >= _REMEMBERED_SHOPS:
            self._timelines.clear()
        self._timelines[shop_id] = timeline = (moments, settings)
        return timeline


#: What ShopSettings has of a version, in the order of the digest.
_OF_SHOPS: Final = ("time_zone", "currency", "rfm", "tiers", "brushing", "category", "liking",
    "contacting",
)  # fmt: skip


def _values(version: Version) -> tuple[object, ...]:
    return tuple(getattr(version, name) for name in _OF_SHOPS)


def _in_force(versions: Sequence[Version], moment: int | None) -> Version | None:
    """The newest version that holds at ``moment`` (None: before all moments); None of none."""
    for version in reversed(versions[1:]):
        if moment is not None and _moment(version) <= moment:
            return version
    return versions[0] if versions else None


def _settings(shop_id: str, own: Version | None, stack: Version | None) -> ShopSettings:
    said: dict[str, Any] = {}
    for version in (stack, own):
        if version is not None:
            named = zip(_OF_SHOPS, _values(version), strict=True)
            said.update({name: value for name, value in named if value is not None})
    return ShopSettings(shop_id=shop_id, **said)


_decode_event: Final = msgspec.json.Decoder(SettingsEvent).decode


def accept(key: bytes | None, value: bytes | None, newest: Mapping[str, Version]) -> Version | None:
    """The version in a record of shop.settings; None for one that repeats the shop's newest.

    ``newest`` is each shop's newest accepted version. Raises BadDefinitionError.
    """
    if key is None or value is None:
        raise BadDefinitionError("the record has no key or no value: definitions are not deleted")
    if len(value) > BODY_BYTES:
        raise BadDefinitionError(f"{len(value)} bytes, at most {BODY_BYTES} are read")
    try:
        event = _decode_event(value)
    except UNREADABLE as error:
        raise BadDefinitionError(": ".join(refusal(error))) from None
    version = event.data
    if not key == event.subject.encode() == version.shop_id.encode():
        raise BadDefinitionError("key, subject and data.shop_id must be the same shop id")
    before = newest.get(version.shop_id)
    if version == before:
        return None
    check_version(version, before)
    return version
