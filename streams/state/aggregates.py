"""A shop's live aggregates, read from Redis over all partitions.

>>> from streams.settings import Settings
>>> from streams.state.connection import connect
>>> settings = Settings()
>>> aggregates = RedisAggregates(connect(settings.redis_url), settings)
>>> aggregates.counts("shop", range(20_000, 20_007))  # doctest: +SKIP
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from schemas.journal import ClockState
from streams.domain.members import Distinct, Members, number_of, union
from streams.domain.reading import Coverage, Gathering, Reading, Wanted
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
    same one; ``coverage`` says what is in them at least. Calls raise ``redis.RedisError``.
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
        return self._read(shop_id, Wanted((days,)), sums=False).coverage

    def read(self, shop_id: str, wanted: Wanted) -> Reading:
        """Holds the sets wanted in memory, at most 12 KB a name and span, and those of 16 days."""
        return self._read(shop_id, wanted, sums=True)

    def _read(self, shop_id: str, wanted: Wanted, *, sums: bool) -> Reading:
        gathering = Gathering(wanted.spans)
        watermarks: dict[int, int] = {}
        kept_from = 0
        since: list[int] = []
        cut: set[int] = set()

        def look(partition: int, found: Days) -> None:
            nonlocal kept_from
            meta = found.meta
            if clock := meta.get("clock"):
                # What an earlier round trip had is in every later one.
                watermarks.setdefault(partition, _decode_clock(clock).watermark)
            kept_from = max(kept_from, *(day.kept_from for day in found.days))
            if found.aggregated_from > 1:
                since.append(int(meta.get("aggregated_since", watermarks.get(partition, 0))))

        stored = self._days(shop_id, wanted.days, sums=sums, sets=sorted(wanted.sets), look=look)
        for number, day in stored:
            gathering.add(number, day.sums, day.sets)
            if day.cut:
                cut.add(number)
        known = len(watermarks) == len(self._partitions)
        watermark = min(watermarks.values()) if known else 0
        coverage = Coverage(watermark or None, kept_from, max(since, default=None), frozenset(cut))
        return Reading(gathering.spans(), coverage)

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
                found = [parse_days(reply) for reply in pipe.execute()]
            kept_from = max(day.kept_from for part in found for day in part.days)
            for partition, part in enumerate(found):
                if look is not None:
                    look(partition, part)
                for day, stored in zip(some, part.days, strict=True):
                    if stored and day >= kept_from:
                        yield day, stored
