"""Timers of which it is not known yet which clock rules them: see streams.engine.clock_reading."""

from dataclasses import dataclass


@dataclass(slots=True)
class Unsettled:
    """Keeps the least due time of such timers (ms), not each of them: timers fire in the order of it.

    In two parts, by whether they were set before or after the clock's end was last asked for. So a tool
    that goes on writing its clock, and events that go on setting timers, hold up what came before for one
    question, not for ever. A new one holds up every timer: whoever set them, nobody remembers.
    """

    #: Of those set before ``wanted`` was asked for; None: there are none.
    before: int | None = 0
    #: Of those set since then.
    since: int | None = None
    #: The end of the clock when it was last asked for; None: not asked since all up to it was read.
    wanted: int | None = None

    def add(self, earliest: int | None) -> None:
        """Timers were set, the earliest of them for this time; None: none was."""
        self.since = _least(self.since, earliest)

    def ask(self, end: int) -> None:
        """The clock's end is ``end`` now: whatever is known was written before."""
        self.before, self.since, self.wanted = _least(self.before, self.since), None, end

    def read(self, upto: int) -> None:
        """The clock is read up to the offset ``upto``, and no other one takes over by then."""
        if self.wanted is not None and upto >= self.wanted:
            self.before = self.wanted = None

    def limit(self, watermark: int) -> int:
        """The latest due time, up to ``watermark``, that lies before all of these; ms."""
        least = _least(self.before, self.since)
        return watermark if least is None else min(watermark, least - 1)


def _least(*dues: int | None) -> int | None:
    return min((due for due in dues if due is not None), default=None)
