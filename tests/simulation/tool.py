"""A replay or simulator: takes the clock over, sends events of its own time, moves the clock, hands it back.

It does what producers/clock.py does, one record or one partition's records a turn, with everybody else's
turns between: its events may be read before the record by which it took the clock over.
"""

import uuid
from random import Random

from schemas.clock import ClockRecord, Close, Rebase, Tick, encode_clock
from tests.simulation.memory_kafka import MemoryKafka
from tests.simulation.source import Source
from tests.simulation.tally import Tally
from tests.simulation.worker import TOPICS

HOUR_MS = 3_600_000
#: Of a window of the past: its events are late by the wall's clock, and of the day that is not too far ahead.
WINDOW_MS = 20 * HOUR_MS
#: How far ahead a window of the future begins: too far, until it is announced.
AHEAD_MS = 72 * HOUR_MS
#: Longer than any timer of its events takes.
REST_MS = HOUR_MS
#: Longest step of its time between two events: some carts change within a campaign's wait, some later.
STEP_MS = 40 * 60_000


class Tool:
    """One that holds the clock or may take it; ``close`` at the latest when the schedule comes to rest."""

    def __init__(
        self, rng: Random, kafka: MemoryKafka, source: Source, tally: Tally, partitions: int
    ) -> None:
        self._rng = rng
        self._kafka = kafka
        self._source = source
        self._tally = tally
        self._partitions = partitions
        self._clock = ""
        self._time = self._until = 0
        #: Partitions that have not been told that it has the clock.
        self.untold: list[int] = []
        #: Whether a window of the future was played: what upstream says of now would come late for ever.
        self.went_ahead = False

    @property
    def holds(self) -> bool:
        return bool(self._clock)

    @property
    def may_send(self) -> bool:
        """Whether every partition's log has its rebase, and its window is not over."""
        return self.holds and not self.untold and self._time + STEP_MS + REST_MS <= self._until

    def take(self) -> None:
        """Take the clock over, as the first partition's log says; the others are told afterwards."""
        now = self._kafka.now
        ahead = self._rng.random() < 0.3
        if ahead:
            self.went_ahead = True
            self._source.end(commit=True)
        self._time = now + AHEAD_MS if ahead else now - WINDOW_MS
        self._until = self._time + WINDOW_MS
        self._clock = f"tool-{uuid.UUID(int=self._rng.getrandbits(128))}"
        self.untold = list(range(1, self._partitions))
        self._say(Rebase(0, self._time, self._until, self._clock))
        self._tally.events["clock taken ahead" if ahead else "clock taken back"] += 1

    def tell(self) -> None:
        number = self.untold.pop()
        self._say(Rebase(number, self._time, self._until, self._clock))

    def send(self) -> None:
        """An event later than all before it, of customers of this window alone: others' would come late."""
        self._time += self._rng.randint(1, STEP_MS)
        self._source.send_of(f"{self._clock}-{self._rng.randrange(3)}", self._time)

    def tick(self) -> None:
        """Nothing before this time will be sent any more."""
        self._say(*(Tick(n, self._time, self._clock, 0, self._ends(n)) for n in self._numbers))

    def close(self) -> None:
        """Hand the clock back, an hour after the last event: or at once, as `huitou clock release` does."""
        while self.untold:
            self.tell()
        released = not self.went_ahead and self._rng.random() < 0.3
        time = self._time if released else self._time + REST_MS
        self._say(*(Close(n, time, self._clock, self._ends(n)) for n in self._numbers))
        self._tally.events["clock released" if released else "clock handed back"] += 1
        self._clock = ""

    @property
    def _numbers(self) -> range:
        return range(self._partitions)

    def _ends(self, number: int) -> dict[str, int]:
        return {topic: self._kafka.logs[topic, number].end for topic in TOPICS.customer}

    def _say(self, *records: ClockRecord) -> None:
        for record in records:
            self._kafka.append((TOPICS.clock, record.partition), None, encode_clock(record))
