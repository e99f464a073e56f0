"""A partition as its owner holds it in memory: where it stands, its clock and its cached states."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

import structlog

from schemas.clock import WALL, Tick
from schemas.journal import GENESIS, ClockState
from streams.domain.state import CustomerState
from streams.engine.clock import Applied, TickQueue, Waiting
from streams.engine.commit import Commit, Position
from streams.engine.draft import FoldError
from streams.engine.group_offsets import Published
from streams.engine.pausing import Paused
from streams.engine.unsettled import Unsettled

log = structlog.get_logger(__name__)
#: The clock of a partition that no tick has reached.
NEW_CLOCK = ClockState(WALL, 0, 0, 1.0, 0)
NEW_POSITION = Position(0, GENESIS)


class StateCache:
    """Least recently committed states first; grows past ``bound`` only within one cycle."""

    def __init__(self, bound: int) -> None:
        self.states: dict[str, CustomerState] = {}
        #: State key -> bytes of its last encoding.
        self.sizes: dict[str, int] = {}
        self.evictions = 0
        self._bound = bound

    def missing(self, keys: Iterable[str]) -> list[str]:
        states = self.states
        return [key for key in keys if key not in states]

    def committed(self, encoded: dict[str, bytes]) -> None:
        """Make what was just written the most recently used."""
        states, sizes = self.states, self.sizes
        for key, value in encoded.items():
            states[key] = states.pop(key)
            sizes[key] = len(value)

    def removed(self, keys: Iterable[str]) -> None:
        """Forget states that are no longer in Redis."""
        for key in keys:
            self.states.pop(key, None)
            self.sizes.pop(key, None)

    def evict(self) -> None:
        """Drop the oldest states over the bound; they are read from Redis again when needed."""
        excess = len(self.states) - self._bound
        if excess > 0:
            for key in list(islice(self.states, excess)):
                del self.states[key]
                self.sizes.pop(key, None)
            self.evictions += excess

    def clear(self) -> None:
        self.states.clear()
        self.sizes.clear()


@dataclass(slots=True)
class Partition:
    """One owned partition. Only the cycle changes it; ``epoch`` is the claim it works under."""

    number: int
    epoch: int
    position: Position
    #: Committed next offset of each input topic.
    vector: dict[str, int]
    clock: ClockState
    #: Next offset of the clock topic expected from the transport; ahead of what is committed.
    clock_read: int
    #: Offset after the last clock record applied, also where that is not yet in a commit.
    clock_applied: int
    cache: StateCache
    ticks: TickQueue
    #: Earliest due timer in ms, None where there is none.
    next_due: int | None = None
    committed_at: float = 0.0
    #: Why nothing is folded here, until an operator acts. Its clock is read all the while.
    paused: Paused | None = None
    #: What Kafka has and Redis lost, while a fold that raised holds up its repetition.
    lost: Published | None = None
    #: Topics sought back after a pause, of which later records may still be on their way.
    rereading: set[str] = field(default_factory=set)
    #: Timers that may have to wait for a clock that is not read yet; after a recovery that is any of them.
    unsettled: Unsettled = field(default_factory=Unsettled)
    #: The tick that moved the watermark last, for latencies.
    last_tick: Waiting | None = None

    @property
    def overdue(self) -> bool:
        """Whether the watermark has passed a timer."""
        return self.next_due is not None and self.next_due <= self.clock.watermark

    @property
    def fires_until(self) -> int:
        """The latest due time (ms) of a timer that may fire now."""
        return self.unsettled.limit(self.clock.watermark)

    @property
    def fires(self) -> bool:
        """Whether a timer is due that may fire."""
        return self.next_due is not None and self.next_due <= self.fires_until

    def settle(self) -> None:
        """Timers as far as the clock is read are settled."""
        # A rebase that waits for older ticks rules what was sent after it all the same.
        rebase = self.ticks.hands_over_at
        self.unsettled.read(self.clock_read if rebase is None else rebase)

    def apply_ticks(
        self, vector: Mapping[str, int], definitions: Mapping[str, int], lateness_ms: int
    ) -> Applied | None:
        """Move the clock as far as TickQueue.apply allows; None: nothing was applied."""
        # What is settled by now fires before a tool takes the clock over.
        self.settle()
        applied = self.ticks.apply(
            self.clock, vector, definitions, lateness_ms, self.next_due, fires=self.fires
        )
        if applied is not None:
            self.clock, self.clock_applied = applied.clock, applied.offset
            self.last_tick = applied.tick or self.last_tick
        return applied

    def advance(self, commit: Commit, next_due: int | None) -> None:
        """Take over what the script has just stored."""
        self.position = commit.position
        self.clock = commit.journal.clock
        self.vector.update(commit.vector)
        self.next_due = next_due
        self.unsettled.add(commit.earliest_set)
        self.cache.committed(commit.states)
        self.cache.removed(commit.expired)

    def stop(self, error: FoldError) -> None:
        """A fold that raises pauses its partition, not the worker; what it half-changed is dropped."""
        self.cache.clear()
        self.paused = Paused.by(error)
        log.error(
            "partition paused", partition=self.number, cause=error.where, error=str(error),
            remedy=self.paused.reason, exc_info=error.__cause__,
        )  # fmt: skip

    def rewind_clock(self, topic: str) -> None:
        """Forget what was read of the clock since the last commit: it is read again from there."""
        self.ticks = TickQueue(self.clock)
        self.clock_read = self.clock_applied = self.vector[topic]
        self.unsettled = Unsettled()

    def became_due(self, due: int) -> int:
        """Wall time in ms at which a timer due at ``due`` should have fired: due plus the lateness.

        On a tool's clock that is counted back from the tick that passed it, at the tool's rate.
        """
        tick = self.last_tick
        if tick is None:
            return due
        rate = tick.record.rate if type(tick.record) is Tick else 0.0
        ahead = (self.clock.watermark - due) / rate if rate > 0 else 0.0
        return int(tick.appended - ahead)
