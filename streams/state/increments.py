"""What a commit adds to the aggregates, as its script takes it."""

import struct
from typing import NamedTuple

import msgspec

from streams.domain.hyperloglog import to_redis
from streams.domain.increments import Increments

_encode = msgspec.msgpack.Encoder().encode

#: Name, members, a whole HyperLogLog in hexadecimal or nothing: Redis's msgpack knows no bytes.
_Set = tuple[str, list[str], str]
#: Shop, day, fields, amounts, sets, whether something had been left out.
_Place = tuple[str, int, list[str], list[int], list[_Set], bool]


class PackedIncrements(NamedTuple):
    """``data`` for the script, empty for no increments; ``keys`` behind the partition's base."""

    data: bytes
    keys: list[str]


NOTHING_ADDED = PackedIncrements(b"", [])


def pack_increments(increments: Increments) -> PackedIncrements:
    """The same bytes for the same increments in the same order; members stand sorted."""
    if not increments.size:
        return NOTHING_ADDED
    places: dict[tuple[str, int], _Place] = {}
    for place, fields in increments.counts.items():
        cut = place in increments.cut
        places[place] = (*place, list(fields), list(fields.values()), [], cut)
    for shop_id, day in sorted(increments.cut - increments.counts.keys()):
        places[shop_id, day] = (shop_id, day, [], [], [], True)
    for (shop_id, day, name), members in increments.members.items():
        # As text_of each of them, at a third of its cost.
        texts = list(map(str, struct.unpack(f">{len(members)}q", b"".join(sorted(members)))))
        _place(places, shop_id, day)[4].append((name, texts, ""))
    for (shop_id, day, name), body in increments.bodies.items():
        _place(places, shop_id, day)[4].append((name, [], to_redis(body).hex()))
    keys: list[str] = []
    for shop_id, day, _, _, sets, _ in places.values():
        whose = f"{shop_id}/{day}"
        keys += (f"days:{shop_id}", f"sums:{whose}", f"sets:{whose}")
        keys += [f"set:{whose}/{name}" for name, _, _ in sets]
    return PackedIncrements(_encode(list(places.values())), keys)


def _place(places: dict[tuple[str, int], _Place], shop_id: str, day: int) -> _Place:
    found = places.get((shop_id, day))
    if found is None:
        found = places[shop_id, day] = (shop_id, day, [], [], [], False)
    return found
