"""Looks at everything that the demo runs, a few times a second."""

import time
from collections import Counter, deque
from collections.abc import Sequence

from schemas.clock import WALL
from streams.campaigns.registry import CAMPAIGNS
from streams.demo.counting import Processed, processed
from streams.demo.latency import Latencies
from streams.demo.moments import Moment
from streams.demo.playing import Playing
from streams.demo.reader import TriggerReader
from streams.demo.sources import Watched
from streams.demo.workers import WorkerView
from streams.engine.log import LogReader
from streams.state.redis_store import RedisStore
from streams.supervisor import Supervisor

#: Events a second are taken over so many looks.
RATE_LOOKS = 8
#: Rates that are kept for the view, one every SLOW_SECONDS.
HISTORY = 12
#: Seconds between two readings of the workers' metrics, and between two sortings of latencies.
SLOW_SECONDS = 1.0


class Watch:
    """What is known of the demo; one thread."""

    def __init__(
        self,
        store: RedisStore,
        partitions: int,
        feed: Watched,
        source: Playing,
        reader: TriggerReader,
        latencies: Latencies,
        supervisor: Supervisor,
        workers: Sequence[WorkerView],
    ) -> None:
        self.processed = Processed()
        self.began = time.monotonic()
        self._store = store
        self._partitions = partitions
        self._feed = feed
        self._source = source
        self._reader = reader
        self._latencies = latencies
        self._supervisor = supervisor
        self._workers = workers
        self._latency: dict[str, float] | None = None
        self._slow_at = 0.0
        self._looks: deque[tuple[float, int]] = deque(maxlen=RATE_LOOKS)
        self._history: deque[float] = deque(maxlen=HISTORY)

    def look(self) -> Moment:
        """The demo as of now. Raises redis.RedisError, and what ended the reader of triggers."""
        if self._reader.failure is not None:
            raise self._reader.failure
        now = time.monotonic()
        delivered = len(self._source.delivered)
        self.processed = found = self.count()
        if now - self._slow_at >= SLOW_SECONDS:
            self._slow_at = now
            self._latency = self._latencies.percentiles()
            for worker in self._workers:
                worker.look()
            self._history.append(self._rate())
        self._looks.append((now, found.total))
        progress = self._source.progress
        return Moment(
            elapsed=now - self.began,
            time_ms=progress.time_ms,
            published=progress.published,
            applied=found.applied,
            duplicates=found.duplicates,
            dead_letters=found.dead_letters,
            customers=self._feed.customers,
            events_per_second=self._rate(),
            lag=max(0, delivered - found.total),
            by_campaign=self.by_campaign(),
            newest=list(self._reader.newest),
            latency=self._latency,
            pids=self._supervisor.pids,
            restarts=self._supervisor.restarts,
            history=tuple(self._history),
        )

    def count(self) -> Processed:
        """What became of the events by now. Raises redis.RedisError."""
        return processed(self._store, self._partitions)

    def by_campaign(self) -> dict[str, int]:
        """Triggers read so far, of all campaigns in force."""
        counts = self._reader.by_campaign
        return {c.definition.campaign: counts[c.definition.campaign] for c in CAMPAIGNS}

    def recoveries(self) -> dict[str, int]:
        """Partitions recovered, by case, over all workers and their restarts."""
        total: Counter[str] = Counter()
        for worker in self._workers:
            total += worker.recoveries
        return dict(total)

    def waiting_for(self, moment: Moment, log: LogReader) -> str | None:
        """After the source's end: what is still to come, in words; None: nothing.

        The clock is the wall's again only once the source's last tick was applied, so that every
        timer which it passed has fired.
        """
        partitions = self.processed.partitions
        if moment.lag:
            return f"{moment.lag:,} events under way"
        if any(
            one.exists and one.clock is not None and one.clock.clock != WALL for one in partitions
        ):
            return "the last timers"
        if any(one.trimmed < one.position.seq for one in partitions):
            return "the last transaction"
        if not self._reader.caught_up(log):
            return "the last coupons"
        return None

    def _rate(self) -> float:
        if not self._looks:
            return 0.0
        (first, before), (last, after) = self._looks[0], self._looks[-1]
        return (after - before) / (last - first) if last > first else 0.0
