"""What the publisher and the ticker's second hand tell the metrics and the health."""

import time
from collections.abc import Callable, Sequence

from schemas.clock import WALL
from streams.engine.log import LogReader
from streams.engine.partition import Partition
from streams.engine.pausing import Paused, encode_paused
from streams.engine.publisher import Publisher
from streams.engine.topicnames import TopicNames
from streams.operations.health import Health
from streams.operations.metrics import Metrics
from streams.state.redis_store import RedisStore

#: How often the log's ends are compared for open transactions, seconds.
OPEN_TRANSACTION_INTERVAL = 5.0


class PublishMetrics:
    """Counts transactions and what they made readable; called in the publisher's thread."""

    def __init__(self, metrics: Metrics, topics: TopicNames) -> None:
        self._metrics = metrics
        self._triggers = topics.triggers

    def published(self, rows: list[tuple[str, int, str]], seconds: float) -> None:
        metrics = self._metrics
        metrics.transactions("committed").inc()
        metrics.stage("publish").observe(seconds)
        now = time.time() * 1000
        for topic, cause_ms, campaign in rows:
            if topic == self._triggers:
                metrics.triggers(campaign, "published").inc()
                metrics.trigger_latency.observe(max(0.0, (now - cause_ms) / 1000))

    def aborted(self, reason: str) -> None:
        self._metrics.transactions("aborted").inc()


class SecondHand:
    """Once a tick: readiness, operators' orders, and gauges that cost a request."""

    def __init__(
        self,
        metrics: Metrics,
        health: Health,
        topics: TopicNames,
        store: RedisStore,
        log: LogReader,
        publisher: Publisher,
        owned: Callable[[], Sequence[Partition]],
        ends: Callable[[], dict[tuple[str, int], int]],
        resume: Callable[[str, dict[int, int]], None],
        poisoned: Callable[[], bool],
    ) -> None:
        self._poisoned = poisoned
        self._health = health
        self._topics = topics
        self._store = store
        self._log = log
        self._owned = owned
        self._ticked = ends
        self._ends: dict[tuple[str, int], int] = {}
        self._resume = resume
        self._orders = store.control()
        self._timers = 0
        self._open_since: dict[str, float] = {}
        self._looked = 0.0
        #: What Redis was last told of owned partitions; None stands for those that go on.
        self._noted: dict[int, Paused | None] = {}
        metrics.timers_pending.read_from(lambda: float(self._timers))
        metrics.outbox_rows.read_from(lambda: float(publisher.backlog()))
        metrics.watermark_lag.read_from(self._watermark_lag)
        metrics.consumer_lag.read_from(self._consumer_lag)
        metrics.partitions_paused.read_from(self._paused)
        metrics.open_transaction_age.read_from(self._open_transactions)

    def __call__(self) -> None:
        """Raises redis.RedisError or a LogError: without either server the worker ends."""
        self._follow_orders()
        self._note_paused()
        self._look_at_ends()
        self._timers = sum(self._store.timers(partition.number) for partition in self._owned())
        self._health.set("redis", True)
        self._health.set("kafka", True)
        now = time.monotonic()
        if now - self._looked >= OPEN_TRANSACTION_INTERVAL:
            self._looked = now
            self._look_for_open_transactions(now)

    def _look_at_ends(self) -> None:
        """The ends that ticks name, and of partitions without ticks of ours (a tool's clock, a pause) too."""
        silent = [p for p in self._owned() if p.clock.clock != WALL or p.paused]
        asked = [(topic, p.number) for p in silent for topic in self._topics.folded]
        self._ends = self._ticked() | (self._log.high_watermarks(asked) if asked else {})

    def _follow_orders(self) -> None:
        orders = self._store.control()
        for name, number in orders.items():
            kind, _, topic = name.partition(":")
            if kind == "resume" and self._orders.get(name) != number:
                partitions = [(topic, partition.number) for partition in self._owned()]
                ends = self._log.high_watermarks(partitions) if partitions else {}
                self._resume(topic, {partition: end for (_, partition), end in ends.items()})
        self._orders = orders

    def _note_paused(self) -> None:
        """Tells Redis, where `huitou skip` looks, of owned partitions that were paused or go on."""
        now = {partition.number: partition.paused for partition in self._owned()}
        news = {n: why for n, why in now.items() if n not in self._noted or self._noted[n] != why}
        if news:
            paused = {number: encode_paused(why) for number, why in news.items() if why is not None}
            self._store.note_paused(paused, [n for n, why in news.items() if why is None])
        self._noted = now

    def _look_for_open_transactions(self, now: float) -> None:
        places = [(t, p.number) for p in self._owned() for t in self._topics.folded]
        if not places:
            self._open_since.clear()
            return
        ends, stable = self._log.high_watermarks(places), self._log.stable_ends(places)
        open_topics = {
            topic for topic, number in places if stable[topic, number] < ends[topic, number]
        }
        self._open_since = {topic: self._open_since.get(topic, now) for topic in open_topics}

    def _open_transactions(self) -> dict[tuple[str], float]:
        now = time.monotonic()
        return {(topic,): now - self._open_since.get(topic, now) for topic in self._topics.folded}

    def _watermark_lag(self) -> dict[tuple[str], float]:
        now = time.time()
        return {
            (str(p.number),): now - p.clock.watermark / 1000
            for p in self._owned()
            if p.clock.watermark
        }

    def _consumer_lag(self) -> dict[tuple[str, str], float]:
        ends = self._ends
        return {
            (topic, str(p.number)): float(max(0, ends.get((topic, p.number), 0) - p.vector[topic]))
            for p in self._owned()
            for topic in self._topics.folded
        }

    def _paused(self) -> dict[tuple[str], float]:
        owned = self._owned()
        return {
            ("fold",): float(sum(p.paused is not None for p in owned)),
            ("poison",): float(len(owned) if self._poisoned() else 0),
        }
