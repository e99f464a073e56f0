"""What the views show: the demo as of one moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from schemas.trigger import TriggerEvent


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What does not change while events flow."""

    words: str
    place: str
    factor: float
    #: Seconds that events flow; None: until Ctrl-C.
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class Moment:
    """``lag``: delivered events that nothing has become of yet. Latencies in ms."""

    elapsed: float
    #: The source's own time, ms since 1970.
    time_ms: int
    published: int
    applied: int
    duplicates: int
    dead_letters: int
    customers: int
    events_per_second: float
    lag: int
    by_campaign: dict[str, int]
    #: Oldest first.
    newest: Sequence[TriggerEvent]
    latency: dict[str, float] | None
    #: Of each slot, None while it waits for its restart.
    pids: Sequence[int | None]
    restarts: int
    #: Events per second of the last moments, oldest first.
    history: Sequence[float] = field(default_factory=tuple)

    @property
    def coupons(self) -> int:
        """Triggers read so far."""
        return sum(self.by_campaign.values())


class View(Protocol):
    """Shows the demo while it runs; the summary comes after ``close``."""

    def phase(self, words: str) -> None:
        """What is being done before events flow, and after."""

    def begin(self, scene: Scene) -> None:
        """Events are about to flow."""

    def show(self, moment: Moment) -> None:
        """A few times a second."""

    def note(self, words: str) -> None:
        """Something that happened to a worker, from any thread; may have several lines."""

    def close(self) -> None:
        """Gives the terminal back."""


def pace(scene: Scene) -> str:
    """How fast the demo's clock runs, in words.

    >>> pace(Scene(words="", place="", factor=120.0, seconds=None))
    'One second here is 2 minutes there: a cart left alone for 30 minutes is noticed after 15 seconds.'
    """
    wait = 1_800 / scene.factor
    noticed = "at once" if wait < 0.1 else f"after {duration(wait)}"
    return (
        f"One second here is {duration(scene.factor)} there: a cart left alone for 30 minutes is "
        f"noticed {noticed}."
    )


def duration(seconds: float) -> str:
    """About how long, in its largest unit.

    >>> duration(120), duration(12960), duration(1), duration(0.14)
    ('2 minutes', '3.6 hours', '1 second', '0.1 seconds')
    """
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            count = f"{seconds / size:.1f}".removesuffix(".0")
            return f"{count} {name}" if count == "1" else f"{count} {name}s"
    return f"{seconds:.1f} seconds"
