"""Plays a feed: paces it, ticks its clock, and ends so that the stack can go on by the wall."""

import threading
import time
from collections.abc import Callable
from typing import Final

from producers.bulk import BulkPublisher
from producers.clock import ClockOwner
from producers.delivered import Delivered
from producers.source import Feed, Progress, Record

#: Seconds of wall time between ticks.
TICK_SECONDS: Final = 0.2
#: At full speed a feed of known length ticks at least this often, so that timers fire along the way
#: as they would have, and not all at the end.
TICKS_A_FEED: Final = 64
#: And at most once in so many records: each tick waits for all that was sent before it.
RECORDS_A_TICK: Final = 500
#: Seconds between calls of ``on_progress``.
PROGRESS_SECONDS: Final = 0.1


class Playback:
    """Publishes a feed's records by their own time, ``rate`` seconds of it in one of wall time.

    ``rate`` 0 is as fast as it goes. A Source (producers.source); runs once, from one thread.
    """

    def __init__(self, feed: Feed, *, rate: float = 0.0) -> None:
        if rate < 0:
            raise ValueError(f"a rate is 0 (as fast as it goes) or more, not {rate}")
        self._feed = feed
        self._rate = rate
        self._progress = Progress(total=feed.total, time_ms=feed.start_ms)
        self._delivered = Delivered()
        self._ticked_at = self._shown_at = 0.0
        self._ticked_records = 0
        every = (feed.total or 0) // TICKS_A_FEED
        self._tick_records = max(every, RECORDS_A_TICK) if feed.total else 0

    @property
    def published(self) -> int:
        """Records handed to the publisher so far."""
        return self._progress.published

    @property
    def delivered(self) -> Delivered:
        """Records that got delivery reports so far, by topic, partition and offset."""
        return self._delivered

    def run(
        self,
        publisher: BulkPublisher,
        clock: ClockOwner | None,
        deadline: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> Progress:
        """Publishes until the feed ends, ``deadline`` (of time.monotonic) passes or ``stop`` is
        set.

        ``clock`` must be held (or None: no ticks) and is closed at the end: at the end of the
        window where the feed came to its end, else at the first record that was not sent. Blocks;
        raises RecordDeliveryError, DeadlineError and ClockLostError, and then leaves closing the
        clock to its context manager.
        """
        self._delivered = publisher.delivered
        halt = threading.Event() if stop is None else stop
        show = on_progress or _show_nothing
        started = self._ticked_at = time.monotonic()
        end_ms = self._feed.until_ms
        for record in self._feed.records():
            if not self._wait(record.at_ms, started, publisher, clock, deadline, halt, show):
                end_ms = self._progress.time_ms
                break
            self._send(record, publisher)
        publisher.flush()
        self._progress.time_ms = end_ms
        if clock is not None:
            clock.close(end_ms)
        show(self._progress)
        return self._progress

    def _send(self, record: Record, publisher: BulkPublisher) -> None:
        misplaced = record.planted == "malformed:wrong_partition"
        publisher.send(record.topic, record.key, record.value, misplaced=misplaced)
        progress = self._progress
        progress.published += 1
        progress.by_topic[record.topic] = progress.by_topic.get(record.topic, 0) + 1
        if record.planted is not None:
            progress.planted[record.planted] = progress.planted.get(record.planted, 0) + 1

    def _wait(
        self,
        at_ms: int,
        started: float,
        publisher: BulkPublisher,
        clock: ClockOwner | None,
        deadline: float | None,
        halt: threading.Event,
        show: Callable[[Progress], None],
    ) -> bool:
        """Waits until a record of ``at_ms`` is due, ticking meanwhile; False: stop before it."""
        while True:
            now = time.monotonic()
            due = now
            time_ms = at_ms
            if self._rate:
                passed_ms = int((now - started) * self._rate * 1000)
                due = started + (at_ms - self._feed.start_ms) / 1000 / self._rate
                # Between two records the clock runs on, and does not jump to the next one.
                time_ms = min(at_ms, self._feed.start_ms + passed_ms)
            if halt.is_set() or (deadline is not None and now >= deadline):
                self._progress.time_ms = time_ms
                return False
            self._tick_if_due(now, time_ms, publisher, clock)
            if now - self._shown_at >= PROGRESS_SECONDS:
                self._shown_at = now
                self._progress.time_ms = time_ms
                show(self._progress)
            if now >= due:
                return True
            wait = min(due, self._ticked_at + TICK_SECONDS) - now
            publisher.poll(0)
            halt.wait(max(wait, 0.0005))

    def _tick_if_due(
        self, now: float, time_ms: int, publisher: BulkPublisher, clock: ClockOwner | None
    ) -> None:
        """Ticks ``time_ms``, the lowest event time not yet sent, once all before is delivered."""
        if clock is None:
            return
        sent = self._progress.published - self._ticked_records
        if now - self._ticked_at < TICK_SECONDS and not (
            self._rate == 0 and self._tick_records and sent >= self._tick_records
        ):
            return
        publisher.flush()
        clock.tick(time_ms)
        self._ticked_at = time.monotonic()
        self._ticked_records = self._progress.published


def _show_nothing(_: Progress) -> None:
    """For callers that do not follow the progress."""
