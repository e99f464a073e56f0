"""How long a trigger took: from its cause to the moment a read_committed reader has it.

An event's cause is the broker's timestamp of that event. A timer's is the moment at which the clock
that rules the stack passed its due time plus the lateness: no worker could have fired it earlier.
"""

import threading
import time
from array import array
from bisect import bisect_left

from producers.clock import ClockOwner
from producers.cluster import Cluster
from schemas.trigger import EventCause, TimerCause


class AppendTimes:
    """The broker's timestamps of what the source sent, by topic and partition.

    ``add`` is called in the source's thread, in rising order of offsets within a partition.
    """

    def __init__(self) -> None:
        self._offsets: dict[tuple[str, int], tuple[array[int], array[int]]] = {}

    def add(self, topic: str, partition: int, offset: int, time_ms: int) -> None:
        """Takes a delivery report."""
        columns = self._offsets.get((topic, partition))
        if columns is None:
            columns = self._offsets[topic, partition] = (array("q"), array("q"))
        columns[1].append(time_ms)
        # The offset last: who finds it finds its time.
        columns[0].append(offset)

    def at(self, cause: EventCause) -> int | None:
        """The timestamp in ms, None while there is no report of that record."""
        columns = self._offsets.get((cause.topic, cause.partition))
        if columns is None:
            return None
        offsets, times = columns
        index = bisect_left(offsets, cause.offset)
        found = index < len(offsets) and offsets[index] == cause.offset
        return times[index] if found else None


class SaidTimes:
    """Which time the ruling clock said when: its ticks, in rising order of both.

    ``rate`` is how many of its seconds pass in one of wall time, 0 for as fast as it goes.
    """

    def __init__(self, rate: float, lateness_ms: int) -> None:
        self._rate = rate
        self._lateness = lateness_ms
        self._said = array("q")
        self._when = array("q")

    def add(self, time_ms: int, wall_ms: int) -> None:
        """At ``wall_ms`` of wall time it said ``time_ms``."""
        self._when.append(wall_ms)
        # The time last: who finds it finds when it was said.
        self._said.append(time_ms)

    def passed(self, due: int) -> int | None:
        """Wall time in ms at which the clock passed ``due`` plus the lateness; None: not yet.

        Ticks come a few times a second; between two of them the clock runs on at its rate, so a
        timer's wait for the next tick counts as latency.
        """
        moment = due + self._lateness
        index = bisect_left(self._said, moment)
        if index >= len(self._said):
            return None
        ahead = (self._said[index] - moment) / self._rate if self._rate else 0.0
        return int(self._when[index] - ahead)


class DemoClock(ClockOwner):
    """The clock that the source holds; ``said`` remembers when it said which time."""

    def __init__(
        self, cluster: Cluster, *, start_ms: int, until_ms: int, rate: float, lateness_ms: int
    ) -> None:
        super().__init__(cluster, tool="demo", start_ms=start_ms, until_ms=until_ms, rate=rate)
        self.rate = rate
        self.said = SaidTimes(rate, lateness_ms)

    def tick(self, time_ms: int) -> None:
        """As ClockOwner's."""
        now = time.time_ns() // 1_000_000
        super().tick(time_ms)
        self.said.add(time_ms, now)

    def close(self, time_ms: int | None = None) -> None:
        """As ClockOwner's: the last tick."""
        now = time.time_ns() // 1_000_000
        super().close(time_ms)
        self.said.add(self.time, now)


class Latencies:
    """Latencies of all triggers so far, in ms. Fed by the reader's thread, read by the view's."""

    def __init__(self, appended: AppendTimes, said: SaidTimes) -> None:
        self._appended = appended
        self._said = said
        self._known: list[float] = []
        self._unknown: list[tuple[EventCause | TimerCause, float]] = []
        self._lock = threading.Lock()

    def add(self, cause: EventCause | TimerCause, readable_ms: float) -> None:
        """A trigger of ``cause`` became readable at ``readable_ms`` of wall time."""
        with self._lock:
            self._unknown.append((cause, readable_ms))

    def percentiles(self) -> dict[str, float] | None:
        """Exact p50 and p99 in ms; None before the first trigger."""
        with self._lock:
            waiting, self._unknown = self._unknown, []
            for cause, readable in waiting:
                began = self._began(cause)
                if began is None:
                    self._unknown.append((cause, readable))
                else:
                    self._known.append(max(0.0, readable - began))
            if not self._known:
                return None
            self._known.sort()
            return {name: percentile(self._known, at) for name, at in (("p50", 0.5), ("p99", 0.99))}

    def _began(self, cause: EventCause | TimerCause) -> int | None:
        if isinstance(cause, EventCause):
            return self._appended.at(cause)
        return self._said.passed(cause.due)


def percentile(ordered: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of ``ordered`` (not empty) do not exceed.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5)
    2.0
    """
    rank = -(-len(ordered) * share // 1)
    return ordered[max(0, int(rank) - 1)]
