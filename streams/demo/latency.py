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


class DemoClock(ClockOwner):
    """The clock that the source holds; remembers when it said which time."""

    def __init__(
        self, cluster: Cluster, *, start_ms: int, until_ms: int, rate: float, lateness_ms: int
    ) -> None:
        super().__init__(cluster, tool="demo", start_ms=start_ms, until_ms=until_ms, rate=rate)
        self.rate = rate
        self._lateness = lateness_ms
        self._said = array("q")
        self._when = array("q")

    def tick(self, time_ms: int) -> None:
        """As ClockOwner's."""
        now = _wall_ms()
        super().tick(time_ms)
        self._remember(time_ms, now)

    def close(self, time_ms: int | None = None) -> None:
        """As ClockOwner's: the last tick."""
        now = _wall_ms()
        super().close(time_ms)
        self._remember(self.time, now)

    def passed(self, due: int) -> int | None:
        """Wall time in ms at which this clock passed ``due`` plus the lateness; None: not yet.

        Ticks come a few times a second; between two of them the clock runs on at its rate, so a
        timer's wait for the next tick counts as latency.
        """
        moment = due + self._lateness
        index = bisect_left(self._said, moment)
        if index >= len(self._when):
            return None
        ahead = (self._said[index] - moment) / self.rate if self.rate else 0.0
        return int(self._when[index] - ahead)

    def _remember(self, time_ms: int, now: int) -> None:
        self._when.append(now)
        # The time last: who finds it finds when it was said.
        self._said.append(time_ms)


class Latencies:
    """Latencies of all triggers so far, in ms. Fed by the reader's thread, read by the view's."""

    def __init__(self, appended: AppendTimes, clock: DemoClock) -> None:
        self._appended = appended
        self._clock = clock
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
        return self._clock.passed(cause.due)


def percentile(ordered: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of ``ordered`` (not empty) do not exceed.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5)
    2.0
    """
    rank = -(-len(ordered) * share // 1)
    return ordered[max(0, int(rank) - 1)]


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
