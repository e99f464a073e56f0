"""What increments add up to, and how a report reads it.

A partition keeps, for each shop and day (of the shop's time zone, in days since 1 January 1970), sums by
field and sets of distinct customers by name. A figure of a shop is the sum, or the union, over
all partitions; of a period, over its days.

Bounds, each of one partition, shop and day. Which fields and sets find room depends on the order of the
journal alone, and a day of which something was left out says so (``Coverage.cut``):

- ``MAX_FIELDS`` sums and ``MAX_SETS`` sets; what would be one more is left out, if it is a part whose value
  upstream made up (streams.domain.aggregates.names ``is_open``). Wholes, hours, sources, channels,
  steps, ages, genders and campaigns always have room.
- A set is exact up to ``EXACT_MEMBERS`` members; beyond, a HyperLogLog of all that were seen. Which of
  both depends only on which members were seen.
- A sum stays within +-``MAX_SUM``; one that would leave it is left as it is.
- Of a shop the newest day and the ``kept_days`` before it are kept; older ones are dropped, and what is added
  to one of them later is too. So what is kept depends on the days alone, and not on a clock: a replay
  of old data keeps the end of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from streams.domain.aggregates.names import is_open
from streams.domain.increments import Increments
from streams.domain.members import (
    EXACT_MEMBERS,
    Distinct,
    Members,
    Seen,
    member_from,
    number_of,
    text_of,
    union,
)
from streams.domain.reading import Coverage, Gathering, Reading, Wanted

__all__ = [
    "ALL_DAYS", "EXACT_MEMBERS", "KEPT_DAYS", "MAX_FIELDS", "MAX_SETS", "MAX_SUM", "Aggregates",
    "AggregatesInMemory", "Coverage", "Day", "Distinct", "Members", "PartitionAggregates", "Reading",
    "Seen", "Wanted", "member_from", "number_of", "text_of", "union",
]  # fmt: skip

MAX_FIELDS: Final = 4_096
#: Days before a shop's newest one that are kept, if nothing else is said: a year and a month.
KEPT_DAYS: Final = 400
MAX_SETS: Final = 256
#: Keeps each of them.
ALL_DAYS: Final = 1 << 32
#: What a double holds exactly, in which the commit's script adds.
MAX_SUM: Final = 2**53 - 1


class Aggregates(Protocol):
    """Read access. ``days`` are days since 1 January 1970 on the shop's clock, step 1."""

    def counts(self, shop_id: str, days: range) -> dict[int, dict[str, int]]:
        """Day -> field -> sum over all partitions; days and fields without any are not there."""
        ...

    def names(self, shop_id: str, days: range) -> list[str]:
        """The names of the sets of these days, sorted."""
        ...

    def distinct(self, shop_id: str, days: range, names: Sequence[str]) -> dict[str, Distinct]:
        """The union of each name's sets over the days and all partitions; 0 where there is none."""
        ...

    def read(self, shop_id: str, wanted: Wanted) -> Reading:
        """All that a report shows, read once."""
        ...

    def distinct_by_day(
        self, shop_id: str, days: range, names: Sequence[str]
    ) -> dict[int, dict[str, Distinct]]:
        """The same of each day by itself; every day and name is there."""
        ...

    def coverage(self, shop_id: str, days: range) -> Coverage:
        """How fresh and how complete the figures are."""
        ...


@dataclass(slots=True)
class Day:
    """A shop's day of one partition."""

    sums: dict[str, int] = field(default_factory=dict)
    sets: dict[str, Seen] = field(default_factory=dict)
    #: Whether something was left out at a bound.
    cut: bool = False


class PartitionAggregates:
    """The aggregates of one partition in memory: what the commit's script makes of its increments."""

    def __init__(self) -> None:
        #: (shop, day) -> what is known of it.
        self.days: dict[tuple[str, int], Day] = {}
        #: Shop -> the first day that is kept.
        self.kept_from: dict[str, int] = {}

    def apply(self, increments: Increments, kept_days: int = KEPT_DAYS) -> None:
        """Add a commit's increments, and drop what is then too old."""
        self.keep(increments, kept_days)
        for (shop_id, number), fields in increments.counts.items():
            if (day := self._day(shop_id, number)) is not None:
                _add(day, fields)
        for (shop_id, number, name), members in increments.members.items():
            if (day := self._day(shop_id, number)) is not None:
                _see(day, name, members)
        for (shop_id, number, name), body in increments.bodies.items():
            if (day := self._day(shop_id, number)) is not None:
                seen = _see(day, name, ())
                if seen is not None:
                    seen.restore(Members(body=body))
        for shop_id, number in increments.cut:
            if (day := self._day(shop_id, number)) is not None:
                day.cut = True

    def keep(self, increments: Increments, kept_days: int = KEPT_DAYS) -> None:
        """Drop what is too old once these are added."""
        named = (*increments.members, *increments.bodies)
        places = (*increments.counts, *increments.cut, *(place[:2] for place in named))
        for shop_id, newest in places:
            self._keep(shop_id, newest - kept_days)

    def _day(self, shop_id: str, number: int) -> Day | None:
        """None where it is no longer kept."""
        if number < self.kept_from[shop_id]:
            return None
        found = self.days.get((shop_id, number))
        if found is None:
            found = self.days[shop_id, number] = Day()
        return found

    def _keep(self, shop_id: str, first: int) -> None:
        before = self.kept_from.setdefault(shop_id, 0)
        if first <= before:
            return
        self.kept_from[shop_id] = first
        for place in [one for one in self.days if one[0] == shop_id and one[1] < first]:
            del self.days[place]


def _add(day: Day, fields: Mapping[str, int]) -> None:
    sums = day.sums
    for name, amount in fields.items():
        before = sums.get(name)
        after = (before or 0) + amount
        if (before is None and len(sums) >= MAX_FIELDS and is_open(name)) or abs(after) > MAX_SUM:
            day.cut = True
        else:
            sums[name] = after


def _see(day: Day, name: str, members: Iterable[bytes]) -> Seen | None:
    seen = day.sets.get(name)
    if seen is None:
        if len(day.sets) >= MAX_SETS and is_open(name):
            day.cut = True
            return None
        seen = day.sets[name] = Seen()
    seen.add(members)
    return seen


class AggregatesInMemory:
    """``Aggregates`` over partitions that were folded in memory."""

    def __init__(
        self,
        partitions: Sequence[PartitionAggregates],
        watermark: int | None = None,
    ) -> None:
        self._partitions = partitions
        self._watermark = watermark

    def counts(self, shop_id: str, days: range) -> dict[int, dict[str, int]]:
        found: dict[int, dict[str, int]] = {}
        for number, day in self._days(shop_id, days):
            fields = found.setdefault(number, {}) if day.sums else {}
            for name, amount in day.sums.items():
                fields[name] = fields.get(name, 0) + amount
        return found

    def names(self, shop_id: str, days: range) -> list[str]:
        return sorted({name for _, day in self._days(shop_id, days) for name in day.sets})

    def distinct(self, shop_id: str, days: range, names: Sequence[str]) -> dict[str, Distinct]:
        found = [day for _, day in self._days(shop_id, days)]
        return {name: _number(name, found) for name in names}

    def read(self, shop_id: str, wanted: Wanted) -> Reading:
        gathering = Gathering(wanted.spans)
        for number, day in self._days(shop_id, wanted.days):
            sets = {name: seen.members() for name, seen in day.sets.items() if wanted.has(name)}
            gathering.add(number, day.sums, sets)
        return Reading(gathering.spans(), self.coverage(shop_id, wanted.days))

    def distinct_by_day(
        self, shop_id: str, days: range, names: Sequence[str]
    ) -> dict[int, dict[str, Distinct]]:
        return {day: self.distinct(shop_id, range(day, day + 1), names) for day in days}

    def coverage(self, shop_id: str, days: range) -> Coverage:
        cut = frozenset(number for number, day in self._days(shop_id, days) if day.cut)
        return Coverage(self._watermark, self._kept_from(shop_id), None, cut)

    def _kept_from(self, shop_id: str) -> int:
        return max((one.kept_from.get(shop_id, 0) for one in self._partitions), default=0)

    def _days(self, shop_id: str, days: range) -> Iterable[tuple[int, Day]]:
        kept_from = self._kept_from(shop_id)
        for number in days:
            for partition in self._partitions:
                day = partition.days.get((shop_id, number))
                if day is not None and number >= kept_from:
                    yield number, day


def _number(name: str, days: Iterable[Day]) -> Distinct:
    return number_of(union(day.sets[name].members() for day in days if name in day.sets))
