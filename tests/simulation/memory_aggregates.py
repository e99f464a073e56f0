"""What aggregates.lua does, over the keys of a Redis in memory."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from redis.exceptions import ResponseError

from streams.domain.aggregated import (
    EXACT_MEMBERS,
    MAX_FIELDS,
    MAX_SETS,
    MAX_SUM,
    PartitionAggregates,
    text_of,
)
from streams.domain.aggregates.names import is_open
from streams.domain.hyperloglog import HyperLogLog, from_redis, to_redis
from streams.state.keys import CUT

_Set = tuple[str, list[str], str]
_unpack = msgspec.msgpack.Decoder(
    list[tuple[str, int, list[str], list[int], list[_Set], bool]]
).decode
_CUT = CUT.encode()


class Planned(NamedTuple):
    """The keys as they will be, and the shops that anything is added to."""

    writes: dict[bytes, Any]
    kept_from: dict[bytes, int]


def plan_aggregates(
    data: dict[bytes, Any], keys: Sequence[bytes], packed: bytes, kept: bytes, kept_days: int
) -> Planned:
    """Changes nothing yet. Raises ResponseError."""
    planned = Planned({}, {})
    names = iter(keys)
    places = _unpack(packed) if packed else []
    stored, kept_from = data.get(kept, {}), planned.kept_from
    for name, day, *_ in places:
        shop = name.encode()
        before = kept_from.get(shop, int(stored.get(shop, b"0")))
        kept_from[shop] = max(before, day - kept_days)
    for name, day, fields, amounts, sets, cut in places:
        place = [next(names, None) for _ in range(3 + len(sets))]
        if None in place:
            raise ResponseError(f"MALFORMED keys {len(keys)}")
        if day >= kept_from[name.encode()]:
            writer = _Place(data, planned.writes, place)
            for field, amount in zip(fields, amounts, strict=True):
                writer.add(field.encode(), amount)
            for key, (title, members, body) in zip(place[3:], sets, strict=True):
                writer.see(key or b"", title, members, body)
            if cut:
                writer.cut()
            if writer.new:
                days = place[0] or b""
                held = planned.writes.get(days) or data.get(days, {})
                planned.writes[days] = held | {b"%d" % day: float(day)}
    if next(names, None) is not None:
        raise ResponseError(f"MALFORMED keys {len(keys)}")
    return planned


def write_aggregates(data: dict[bytes, Any], kept: bytes, planned: Planned) -> None:
    """Write what is planned, and drop what is then too old."""
    data.update(planned.writes)
    for shop, kept_from in planned.kept_from.items():
        data.setdefault(kept, {})[shop] = b"%d" % kept_from
        _sweep(data, kept.removesuffix(b"kept"), shop, kept_from)


def _sweep(data: dict[bytes, Any], base: bytes, shop: bytes, kept_from: int) -> None:
    index = data.get(base + b"days:" + shop, {})
    for day in [day for day, number in index.items() if number < kept_from]:
        del index[day]
        place = shop + b"/" + day
        names = data.pop(base + b"sets:" + place, {})
        data.pop(base + b"sums:" + place, None)
        for name in names:
            data.pop(base + b"set:" + place + b"/" + name, None)


def put_aggregates(data: dict[bytes, Any], base: str, aggregates: PartitionAggregates) -> None:
    """Write the keys of a whole partition, of which none is there."""
    if aggregates.kept_from:
        data[f"{base}kept".encode()] = {
            shop_id.encode(): b"%d" % day for shop_id, day in aggregates.kept_from.items()
        }
    for (shop_id, number), day in aggregates.days.items():
        place = f"{shop_id}/{number}"
        index = data.setdefault(f"{base}days:{shop_id}".encode(), {})
        index[b"%d" % number] = float(number)
        names = [*day.sets, CUT] if day.cut else [*day.sets]
        if day.sums:
            data[f"{base}sums:{place}".encode()] = {
                name.encode(): b"%d" % amount for name, amount in day.sums.items()
            }
        if names:
            data[f"{base}sets:{place}".encode()] = {name.encode(): b"" for name in names}
        for name, seen in day.sets.items():
            members = seen.members()
            data[f"{base}set:{place}/{name}".encode()] = (
                to_redis(members.body)
                if members.body
                else {text_of(member).encode(): b"" for member in members.exact}
            )


class _Place:
    def __init__(
        self, data: dict[bytes, Any], writes: dict[bytes, Any], keys: list[bytes | None]
    ) -> None:
        sums, names = keys[1] or b"", keys[2] or b""
        self._data, self._writes = data, writes
        self._sums = dict(data.get(sums, {}))
        self._names = dict(data.get(names, {}))
        self._keys = (sums, names)
        self.new = False

    def add(self, field: bytes, amount: int) -> None:
        before = self._sums.get(field)
        after = int(before or 0) + amount
        if (before is None and len(self._sums) >= MAX_FIELDS and is_open(field.decode())) or abs(
            after
        ) > MAX_SUM:
            return self.cut()
        self.new = self.new or before is None
        self._sums[field] = b"%d" % after
        self._writes[self._keys[0]] = self._sums
        return None

    def see(self, key: bytes, name: str, members: list[str], body: str) -> None:
        found = self._data.get(key)
        if found is None:
            if len(self._names.keys() - {_CUT}) >= MAX_SETS and is_open(name):
                return self.cut()
            self._name(name.encode())
            found = bytes.fromhex(body) or {}
        elif body:
            raise ResponseError(f"MALFORMED set {name}")
        texts = [member.encode() for member in members]
        if isinstance(found, dict):
            found = found | dict.fromkeys(texts, b"")
            if len(found) > EXACT_MEMBERS:
                found = to_redis(HyperLogLog(found).body())
        else:
            registers = HyperLogLog.of_body(from_redis(found))
            for text in texts:
                registers.add(text)
            found = to_redis(registers.body())
        self._writes[key] = found
        return None

    def cut(self) -> None:
        self._name(_CUT)

    def _name(self, name: bytes) -> None:
        self.new = True
        self._names[name] = b""
        self._writes[self._keys[1]] = self._names
