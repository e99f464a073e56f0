"""What a commit adds to the aggregates, as its script takes it."""

from typing import NamedTuple

import msgspec

from streams.domain.aggregated import text_of
from streams.domain.hyperloglog import to_redis
from streams.domain.increments import Increments

_encode = msgspec.msgpack.Encoder().encode

#: Name, members, a whole HyperLogLog in hexadecimal or nothing: Redis's msgpack knows no bytes.
_Set = tuple[str, list[str], str]
_Place = tuple[str, int, list[str], list[int], list[_Set]]


class PackedIncrements(NamedTuple):
    """``data`` for the script, empty for no increments; ``keys`` behind the partition's base."""

    data: bytes
    keys: list[str]


NOTHING_ADDED = PackedIncrements(b"", [])


def pack_increments(increments: Increments) -> PackedIncrements:
    """The same bytes for the same increments in the same order; members stand sorted."""
    if not increments.counts and not increments.members and not increments.bodies:
        return NOTHING_ADDED
    places: dict[tuple[str, int], _Place] = {}
    for (shop_id, day), fields in increments.counts.items():
        places[shop_id, day] = (shop_id, day, list(fields), list(fields.values()), [])
    for (shop_id, day, name), members in increments.members.items():
        texts = [text_of(member) for member in sorted(members)]
        _place(places, shop_id, day)[4].append((name, texts, ""))
    for (shop_id, day, name), body in increments.bodies.items():
        _place(places, shop_id, day)[4].append((name, [], to_redis(body).hex()))
    keys: list[str] = []
    for shop_id, day, _, _, sets in places.values():
        place = f"{shop_id}/{day}"
        keys += (f"days:{shop_id}", f"sums:{place}", f"sets:{place}")
        keys += [f"set:{place}/{name}" for name, _, _ in sets]
    return PackedIncrements(_encode(list(places.values())), keys)


def _place(places: dict[tuple[str, int], _Place], shop_id: str, day: int) -> _Place:
    found = places.get((shop_id, day))
    if found is None:
        found = places[shop_id, day] = (shop_id, day, [], [], [])
    return found
