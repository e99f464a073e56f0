"""A partition's aggregates in a snapshot: read under way, and brought to one commit along the journal.

They are read after all states, from the commit ``listed`` on. So whoever has an event in a later row is
behind that row, and the row's increments come out whole; of a day they are added where it was read before
the row. A day that was not listed had nothing before ``listed``.
"""

from collections.abc import Iterator
from typing import Final

from streams.domain.aggregated import Day, PartitionAggregates, Seen
from streams.domain.increments import Increments
from streams.state.days import Place, StoredDay

#: Days of one block: at most some MB, mostly some KB.
BLOCK_DAYS: Final = 64


class ReadDays:
    """Days as they were read, each as of a commit from ``listed`` on."""

    def __init__(self, listed: int, kept_from: dict[str, int], kept_days: int) -> None:
        """``kept_from``: shop -> the first day that is kept, not before ``listed``."""
        self._listed = listed
        self._kept_days = kept_days
        self._read_at: dict[Place, int] = {}
        self._stored: dict[Place, StoredDay] = {}
        #: Days that changed since they were read.
        self._changed = PartitionAggregates()
        self._changed.kept_from.update(kept_from)

    @property
    def kept_from(self) -> dict[str, int]:
        """Shop -> the first day that is kept."""
        return self._changed.kept_from

    def read(self, seq: int, place: Place, day: StoredDay) -> None:
        """Take a day over as of the commit ``seq``."""
        self._read_at[place] = seq
        self._stored[place] = day

    def add(self, seq: int, increments: Increments) -> None:
        """Add those of the commit ``seq`` to the days that were read before it; seqs rise."""
        if seq <= self._listed:
            return
        behind = Increments()
        for place, fields in increments.counts.items():
            if self._is_behind(Place(*place), seq):
                behind.counts[place] = fields
        for named, members in increments.members.items():
            if self._is_behind(Place(*named[:2]), seq):
                behind.members[named] = members
        self._changed.keep(increments, self._kept_days)
        self._changed.apply(behind, self._kept_days)

    def _is_behind(self, place: Place, seq: int) -> bool:
        if self._read_at.get(place, self._listed) >= seq:
            return False
        stored = self._stored.pop(place, None)
        if stored is not None and place.day >= self.kept_from.get(place.shop_id, 0):
            self._changed.days[place] = _day(stored)
        return True

    def days(self) -> Iterator[tuple[Place, StoredDay]]:
        """All that are kept, sorted."""
        changed = {Place(*place): day for place, day in self._changed.days.items()}
        for place in sorted({*changed, *self._stored}):
            if place.day >= self.kept_from.get(place.shop_id, 0):
                day = changed.get(place)
                yield place, self._stored[place] if day is None else stored_day(day)


def _day(stored: StoredDay) -> Day:
    sets = {}
    for name, members in stored.sets.items():
        sets[name] = Seen()
        sets[name].restore(members)
    return Day(dict(stored.sums), sets, stored.cut)


def stored_day(day: Day) -> StoredDay:
    """As Redis would answer it."""
    sets = {name: seen.members() for name, seen in day.sets.items()}
    return StoredDay(dict(day.sums), sorted(sets), sets, day.cut)
