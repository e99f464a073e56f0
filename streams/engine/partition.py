"""A partition as its owner holds it in memory: where it stands, its clock and its cached states."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.clock import WALL
from schemas.journal import GENESIS, ClockState
from streams.domain.state import CustomerState
from streams.engine.clock import TickQueue
from streams.engine.process import Commit, Position

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

    def evict(self) -> None:
        """Drop the oldest states over the bound; they are read from Redis again when needed."""
        excess = len(self.states) - self._bound
        if excess > 0:
            for key in list(self.states)[:excess]:
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
    #: Next offset expected from the transport; ahead of ``vector`` for the clock topic only.
    read: dict[str, int]
    cache: StateCache
    ticks: TickQueue
    #: Earliest due timer in ms, None where there is none.
    next_due: int | None = None
    #: Offset after the last clock record that is applied but not yet in a commit.
    clock_offset: int = 0
    committed_at: float = 0.0
    #: Why nothing is folded here, until an operator acts.
    paused: str | None = None
    pending_bytes: int = field(default=0)

    def advance(self, commit: Commit, next_due: int | None) -> None:
        """Take over what the script has just stored."""
        self.position = commit.position
        self.clock = commit.journal.clock
        self.vector.update(commit.vector)
        self.next_due = next_due
        self.cache.committed(commit.states)
