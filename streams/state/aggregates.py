"""A shop's live aggregates, read from Redis over all partitions.

>>> from streams.settings import Settings
>>> from streams.state.connection import connect
>>> settings = Settings()
>>> aggregates = RedisAggregates(connect(settings.redis_url), settings)
>>> aggregates.counts("shop", range(20_000, 20_007))  # doctest: +SKIP
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from schemas.journal import ClockState
from streams.domain.aggregated import Coverage, Distinct, Members, number_of, union
from streams.state.connection import Client
from streams.state.days import (
    DAYS_AT_A_TIME,
    Days,
    Place,
    StoredDay,
    days_command,
    parse_days,
)
from streams.state.keys import PartitionKeys
from streams.state.reader import ReaderSettings

_decode_clock = msgspec.msgpack.Decoder(ClockState).decode


class RedisAggregates:
    """``streams.domain.aggregated.Aggregates``. One round trip for 16 days of all partitions.

    Every call blocks. Each partition's days of one round trip are of one moment, partitions are not of the
    same one; ``coverage``, asked first, says what is in them at least. Calls raise ``redis.RedisError``.
    """

    def __init__(self, redis: Client, settings: ReaderSettings) -> None:
        """``redis`` answers bytes (the default)."""
        self._redis = redis
        self._partitions = [
            PartitionKeys(settings.redis_prefix, number) for number in range(settings.partitions)
        ]

    def counts(self, shop_id: str, days: range) -> dict[int, dict[str, int]]:
        found: dict[int, dict[str, int]] = {}
        for number, day in self._days(shop_id, days, sums=True):
            fields = found.setdefault(number, {}) if day.sums else {}
            for name, amount in day.sums.items():
                fields[name] = fields.get(name, 0) + amount
        return found

    def names(self, shop_id: str, days: range) -> list[str]:
        return sorted({name for _, day in self._days(shop_id, days) for name in day.names})

    def distinct(self, shop_id: str, days: range, names: Sequence[str]) -> dict[str, Distinct]:
        """Holds the sets of the names asked for in memory, at most 12 KB a name, day and partition."""
        parts: dict[str, list[Members]] = {name: [] for name in names}
        for _, day in self._days(shop_id, days, sets=names):
            for name, members in day.sets.items():
                parts[name].append(members)
        return {name: number_of(union(members)) for name, members in parts.items()}

    def united(
        self, shop_id: str, days: range, groups: Mapping[str, Sequence[str]]
    ) -> dict[str, Distinct]:
        """Holds these sets in memory as ``distinct`` does."""
        parts: dict[str, list[Members]] = {}
        names = list(dict.fromkeys(name for names in groups.values() for name in names))
        for _, day in self._days(shop_id, days, sets=names):
            for name, members in day.sets.items():
                parts.setdefault(name, []).append(members)
        return {
            group: number_of(union(part for name in names for part in parts.get(name, ())))
            for group, names in groups.items()
        }

    def distinct_by_day(
        self, shop_id: str, days: range, names: Sequence[str]
    ) -> dict[int, dict[str, Distinct]]:
        parts: dict[int, dict[str, list[Members]]] = {
            day: {name: [] for name in names} for day in days
        }
        for number, day in self._days(shop_id, days, sets=names):
            for name, members in day.sets.items():
                parts[number][name].append(members)
        return {
            day: {name: number_of(union(members)) for name, members in named.items()}
            for day, named in parts.items()
        }

    def coverage(self, shop_id: str, days: range) -> Coverage:
        watermarks: dict[int, int] = {}
        kept_from = 0
        since: list[int] = []
        cut: set[int] = set()

        def look(partition: int, found: Days) -> None:
            nonlocal kept_from
            meta = found.meta
            if clock := meta.get("clock"):
                watermarks[partition] = _decode_clock(clock).watermark
            kept_from = max(kept_from, *(day.kept_from for day in found.days))
            if found.aggregated_from > 1:
                since.append(int(meta.get("aggregated_since", watermarks.get(partition, 0))))

        for number, day in self._days(shop_id, days, look=look):
            if day.cut:
                cut.add(number)
        known = len(watermarks) == len(self._partitions)
        watermark = min(watermarks.values()) if known else 0
        return Coverage(watermark or None, kept_from, max(since, default=None), frozenset(cut))

    def _days(
        self,
        shop_id: str,
        days: range,
        *,
        sums: bool = False,
        sets: Sequence[str] = (),
        look: Callable[[int, Days], None] | None = None,
    ) -> Iterator[tuple[int, StoredDay]]:
        """Each day of each partition that has anything of it, but for those not kept everywhere."""
        for at in range(0, len(days), DAYS_AT_A_TIME):
            some = days[at : at + DAYS_AT_A_TIME]
            places = [Place(shop_id, day) for day in some]
            with self._redis.pipeline(transaction=False) as pipe:
                for keys in self._partitions:
                    pipe.execute_command(*days_command(keys, places, sums=sums, sets=sets))
                found = [parse_days(reply, sets) for reply in pipe.execute()]
            kept_from = max(day.kept_from for part in found for day in part.days)
            for partition, part in enumerate(found):
                if look is not None:
                    look(partition, part)
                for day, stored in zip(some, part.days, strict=True):
                    if stored and day >= kept_from:
                        yield day, stored
