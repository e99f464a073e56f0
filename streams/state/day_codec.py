"""A day of a partition's aggregates as bytes, for snapshots and for another generation."""

from collections.abc import Iterable, Iterator

import msgspec

from streams.domain.aggregated import Members
from streams.domain.increments import MEMBER_BYTES
from streams.state.days import Place, StoredDay

#: Shop, day, sums, names of the exact sets with their members one after another, those of the others with
#: their registers, and whether something was left out; all of it sorted.
_PackedDay = tuple[str, int, dict[str, int], dict[str, bytes], dict[str, bytes], bool]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[_PackedDay]).decode


def pack_days(days: Iterable[tuple[Place, StoredDay]]) -> bytes:
    """The same bytes for the same days in the same order."""
    return _encode([_packed(place, day) for place, day in days])


def _packed(place: Place, day: StoredDay) -> _PackedDay:
    sets = sorted(day.sets.items())
    exact = {name: b"".join(sorted(one.exact)) for name, one in sets if not one.body}
    bodies = {name: one.body for name, one in sets if one.body}
    return (place.shop_id, place.day, dict(sorted(day.sums.items())), exact, bodies, day.cut)


def unpack_days(packed: bytes) -> Iterator[tuple[Place, StoredDay]]:
    """What ``pack_days`` was given. Raises msgspec.MsgspecError."""
    for shop_id, number, sums, exact, bodies, cut in _decode(packed):
        sets = {name: Members(body=body) for name, body in bodies.items()}
        for name, joined in exact.items():
            starts = range(0, len(joined), MEMBER_BYTES)
            sets[name] = Members(frozenset(joined[at : at + MEMBER_BYTES] for at in starts))
        yield Place(shop_id, number), StoredDay(sums, sorted(sets), sets, cut)
