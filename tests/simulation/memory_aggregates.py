"""What aggregates.lua does, over the keys of a Redis in memory."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from redis.exceptions import ResponseError

from streams.domain.aggregated import EXACT_MEMBERS, MAX_FIELDS, MAX_SETS, MAX_SUM
from streams.domain.hyperloglog import HyperLogLog, from_redis, to_redis
from streams.state.keys import CUT

_Set = tuple[str, list[str], str]
_unpack = msgspec.msgpack.Decoder(list[tuple[str, int, list[str], list[int], list[_Set]]]).decode
_CUT = CUT.encode()


class Planned(NamedTuple):
    """The keys as they will be, and the day of each place that is new."""

    writes: dict[bytes, Any]
    places: dict[bytes, float]


def plan_aggregates(
    data: dict[bytes, Any], keys: Sequence[bytes], packed: bytes, kept_from: int
) -> Planned:
    """Changes nothing yet. Raises ResponseError."""
    planned = Planned({}, {})
    names = iter(keys)
    for name, day, fields, amounts, sets in _unpack(packed) if packed else []:
        place = [next(names, None) for _ in range(2 + len(sets))]
        if None in place:
            raise ResponseError(f"MALFORMED keys {len(keys)}")
        if day >= kept_from:
            writer = _Place(data, planned.writes, place)
            for field, amount in zip(fields, amounts, strict=True):
                writer.add(field.encode(), amount)
            for key, (title, members, body) in zip(place[2:], sets, strict=True):
                writer.see(key or b"", title, members, body)
            if writer.new:
                planned.places[name.encode()] = float(day)
    if next(names, None) is not None:
        raise ResponseError(f"MALFORMED keys {len(keys)}")
    return planned


def sweep(data: dict[bytes, Any], days: bytes, kept_from: int) -> None:
    """Drop the days before ``kept_from``."""
    index, base = data.get(days, {}), days.removesuffix(b"days")
    for place in [place for place, day in index.items() if day < kept_from]:
        del index[place]
        names = data.pop(base + b"sets:" + place, {})
        data.pop(base + b"sums:" + place, None)
        for name in names:
            data.pop(base + b"set:" + place + b"/" + name, None)


class _Place:
    def __init__(
        self, data: dict[bytes, Any], writes: dict[bytes, Any], keys: list[bytes | None]
    ) -> None:
        sums, names = keys[0] or b"", keys[1] or b""
        self._data, self._writes = data, writes
        self._sums = dict(data.get(sums, {}))
        self._names = dict(data.get(names, {}))
        self._keys = (sums, names)
        self.new = False

    def add(self, field: bytes, amount: int) -> None:
        before = self._sums.get(field)
        after = int(before or 0) + amount
        if (before is None and len(self._sums) >= MAX_FIELDS) or abs(after) > MAX_SUM:
            return self._cut()
        self.new = self.new or before is None
        self._sums[field] = b"%d" % after
        self._writes[self._keys[0]] = self._sums
        return None

    def see(self, key: bytes, name: str, members: list[str], body: str) -> None:
        found = self._data.get(key)
        if found is None:
            if len(self._names.keys() - {_CUT}) >= MAX_SETS:
                return self._cut()
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

    def _cut(self) -> None:
        self._name(_CUT)

    def _name(self, name: bytes) -> None:
        self.new = True
        self._names[name] = b""
        self._writes[self._keys[1]] = self._names
