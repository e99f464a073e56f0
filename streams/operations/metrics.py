"""A worker's metrics, as streams/telemetry/worker.py defines them.

The engine counts per bundle, never per event: ``metrics.events("shop.clicks", "applied").inc(120)``.
"""

import platform

from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from streams.operations.instruments import Counters, Distribution, Reading
from streams.telemetry import worker
from streams.telemetry.metric import Metric


class Metrics:
    """Every metric of one worker, bound to ``registry`` (a new one by default). Thread-safe.

    Counters and histograms are resolved by label values once and kept; gauges are ``Reading``
    objects: give each a callable with ``read_from`` and it costs nothing until a scrape.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        # Each counter would come with a second series that holds its time of birth.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry if registry is not None else CollectorRegistry()
        #: process_start_time_seconds, process_cpu_seconds_total, process_resident_memory_bytes...
        ProcessCollector(registry=self.registry)
        self._health_of_metrics()
        self._events()
        self._time()
        self._triggers()
        self._protocol()
        self._state()

    def _counters(self, metric: Metric) -> Counters:
        return Counters(self.registry, metric)

    def _reading(self, metric: Metric) -> Reading:
        return Reading(self.registry, metric, self.scrape_failures)

    def _distribution(self, metric: Metric) -> Distribution:
        return Distribution(self.registry, metric)

    def _health_of_metrics(self) -> None:
        self.scrape_failures = self._counters(worker.SCRAPE_FAILURES)
        self.build_info = self._reading(worker.BUILD_INFO)

    def set_build(self, version: str, codec: int) -> None:
        """Names the running build: the distribution's version and the state codec's version."""
        self.build_info.set({(version, platform.python_version(), str(codec)): 1.0})

    def _events(self) -> None:
        self.events = self._counters(worker.EVENTS)
        self.event_age = self._distribution(worker.EVENT_AGE)
        self.stage = self._distribution(worker.STAGE)
        self.bundle_events = self._distribution(worker.BUNDLE_EVENTS)
        self.dedupe_evicted_early = self._counters(worker.DEDUPE_EVICTED_EARLY)

        self.bad_definitions = self._counters(worker.BAD_DEFINITIONS)

    def _time(self) -> None:
        self.watermark_lag = self._reading(worker.WATERMARK_LAG)
        self.heartbeat = self._distribution(worker.HEARTBEAT)
        self.timers_pending = self._reading(worker.TIMERS_PENDING)

    def _triggers(self) -> None:
        self.triggers = self._counters(worker.TRIGGERS)
        self.refusals = self._counters(worker.REFUSALS)
        self.trigger_latency = self._distribution(worker.TRIGGER_LATENCY)
        self.outbox_rows = self._reading(worker.OUTBOX_ROWS)

    def _protocol(self) -> None:
        self.consumer_lag = self._reading(worker.CONSUMER_LAG)
        self.open_transaction_age = self._reading(worker.OPEN_TRANSACTION_AGE)
        self.transactions = self._counters(worker.TRANSACTIONS)
        self.commit_refused = self._counters(worker.COMMIT_REFUSED)
        self.recoveries = self._counters(worker.RECOVERIES)
        self.skips = self._counters(worker.SKIPS)
        self.partitions_paused = self._reading(worker.PARTITIONS_PAUSED)

    def _state(self) -> None:
        self.state_size = self._distribution(worker.STATE_SIZE)
        self.states_expired = self._counters(worker.STATES_EXPIRED)
        self.cache_hits = self._counters(worker.CACHE_HITS)
        self.cache_misses = self._counters(worker.CACHE_MISSES)
        self.cache_evictions = self._counters(worker.CACHE_EVICTIONS)

    def exposition(self) -> bytes:
        """All metrics in Prometheus's text format, as of now."""
        return generate_latest(self.registry)
