"""The clock of a partition: which ticks count, and how the watermark moves by them alone.

Records of shop.clock are taken in their own order. A tick applies once every input topic has been
processed up to the tick's ends; a rebase hands the clock to a tool, a close hands it back to the wall.
A skip holds from when it is read, and waits in its place until the partition is past what it names.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.clock import (
    WALL,
    ClockRecord,
    Close,
    Rebase,
    RecordCause,
    Skip,
    SkipCause,
    Tick,
    TimerCause,
)
from schemas.journal import ClockState, Skipped

#: Ticks that may wait for their topics. Past it every second one is dropped: a dropped tick only makes
#: the watermark coarser while the partition is behind; nothing else is ever dropped.
WAITING_TICKS = 64


@dataclass(slots=True, frozen=True)
class Waiting:
    record: ClockRecord
    offset: int
    #: When the broker appended it, ms.
    appended: int


@dataclass(slots=True, frozen=True)
class Applied:
    """The clock after some records were applied, and the last tick that moved it (for the metrics)."""

    clock: ClockState
    #: Offset after the last applied record.
    offset: int
    tick: Waiting | None


class TickQueue:
    """Clock records read and not yet applied, in the order of the log."""

    def __init__(self, since: ClockState | None = None) -> None:
        """``since``: what the records before these have made of the clock; None: there are none."""
        self._waiting: deque[Waiting] = deque()
        #: Newest time known from ticks and windows, also from those that wait; ms.
        self.latest = max(since.tick, since.until) if since is not None else 0
        #: What operators had left out and may still be ahead, by its cause; the first word counts.
        self.skips: dict[SkipCause, Skipped] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def hands_over_at(self) -> int | None:
        """The offset of a tool's taking the clock over that waits for what was written before it.

        None: there is none, or it waits for a timer that would wait for the tool.
        """
        for waiting in self._waiting:
            record = waiting.record
            if isinstance(record, Skip) and isinstance(record.cause, TimerCause):
                return None
            if type(record) is Rebase:
                return waiting.offset
        return None

    def add(self, record: ClockRecord, offset: int, appended: int) -> None:
        self._waiting.append(Waiting(record, offset, appended))
        if isinstance(record, Skip):
            self.skips.setdefault(record.cause, Skipped(record.cause, record.reason))
        elif isinstance(record, Rebase):
            self.latest = max(self.latest, record.until)
        elif record.time > self.latest:
            self.latest = record.time
        if len(self._waiting) > WAITING_TICKS:
            self._thin()

    def _thin(self) -> None:
        kept: deque[Waiting] = deque()
        drop = False
        for index, waiting in enumerate(self._waiting):
            newest = index == len(self._waiting) - 1
            drop = not drop and type(waiting.record) is Tick and not newest
            if not drop:
                kept.append(waiting)
        self._waiting = kept

    def apply(
        self,
        clock: ClockState,
        vector: Mapping[str, int],
        definitions: Mapping[str, int],
        lateness_ms: int,
        next_due: int | None = None,
        *,
        fires: bool = False,
    ) -> Applied | None:
        """Apply what ``vector`` (processed offsets) and ``definitions`` (read offsets) allow.

        ``next_due``: when the partition's earliest timer is due, ms; ``fires``: whether it is about to.

        Returns None when nothing was applied. The caller commits the result or keeps it for the next
        commit; the records are gone from the queue either way, and are read again after a crash.
        """
        moved: Waiting | None = None
        last: Waiting | None = None
        while self._waiting:
            waiting = self._waiting[0]
            record = waiting.record
            if isinstance(record, Tick | Close) and counts(record, clock):
                if not _passed(record, vector, definitions):
                    break
                clock = _advance(clock, record, lateness_ms)
                moved = waiting
            elif isinstance(record, Skip):
                if _lies_ahead(record.cause, clock, vector, next_due):
                    break
                self._passed_by(record.cause, clock)
            elif type(record) is Rebase and clock.clock == WALL:
                if fires or moved is not None:
                    # What the clock before has made due fires first, not when the new one comes to it.
                    break
                # The watermark starts anew where the window lies before it, years perhaps. It never moves
                # forward by a rebase: that names no ends, so what is still to be read would be overtaken.
                watermark = min(clock.watermark, record.time)
                clock = ClockState(
                    record.clock, record.time, record.until, record.rate, watermark, clock.epoch
                )
            last = waiting
            self._waiting.popleft()
        if last is None:
            return None
        return Applied(clock, last.offset + 1, moved)

    def _passed_by(self, cause: SkipCause, clock: ClockState) -> None:
        # The skip of a timer that is not due yet holds no tick back; it stays in force as long as this
        # process owns the partition.
        if isinstance(cause, RecordCause) or cause.due <= clock.watermark:
            self.skips.pop(cause, None)


def counts(record: Tick | Close, clock: ClockState) -> bool:
    """Whether the record belongs to the clock that rules, and not to an owner of the past."""
    if record.clock != clock.clock:
        return False
    return isinstance(record, Close) or clock.clock != WALL or record.epoch >= clock.epoch


def _lies_ahead(
    cause: SkipCause, clock: ClockState, vector: Mapping[str, int], next_due: int | None
) -> bool:
    """Whether the partition may yet come upon what is to be left out, without a later tick."""
    if isinstance(cause, RecordCause):
        return vector.get(cause.topic, cause.offset + 1) <= cause.offset
    return next_due is not None and next_due <= min(cause.due, clock.watermark)


def _passed(
    record: Tick | Close, vector: Mapping[str, int], definitions: Mapping[str, int]
) -> bool:
    return all(vector.get(topic, 0) >= end for topic, end in record.ends.items()) and all(
        definitions.get(topic, 0) >= end for topic, end in record.definitions.items()
    )


def _advance(clock: ClockState, record: Tick | Close, lateness_ms: int) -> ClockState:
    watermark = max(clock.watermark, record.time - lateness_ms)
    if type(record) is Close:
        # Back to the wall: its next tick may lie before a simulator's time or years after a replay's.
        return ClockState(WALL, record.time, 0, 1.0, watermark, clock.epoch)
    assert type(record) is Tick
    return ClockState(
        clock.clock,
        record.time,
        clock.until,
        record.rate,
        watermark,
        max(clock.epoch, record.epoch) if clock.clock == WALL else clock.epoch,
    )
