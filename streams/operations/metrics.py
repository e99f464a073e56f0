"""The catalogue of a worker's metrics: each by name, kind, unit, labels and meaning.

Base units only (seconds, bytes, records), and never a label that holds a customer, a product or a
coupon code: the number of series is bounded by topics x partitions. The engine counts per bundle,
never per event: ``metrics.events("shop.clicks", "applied").inc(120)``.
"""

import platform

from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from streams.operations.instruments import Counters, Distribution, Reading

#: Up to the fetch limit of 16,000 records, about two steps a factor of ten.
BUNDLE_EDGES = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 16_000)
#: Parts of a cycle: from 0.1 ms to the transaction time-out.
STAGE_EDGES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
#: The objectives' limits are edges: events in 5 s; triggers in 1 s (event) and 2.5 s (timer).
AGE_EDGES = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
#: An encoded state: the median is to stay below 4 KiB, the largest below 32 KiB.
STATE_EDGES = tuple(float(1 << power) for power in range(7, 18))

#: Label values of shop_stage_seconds, in the order of a cycle. Folding and deciding take turns from
#: event to event, so they are one stage: a clock read between them would cost more than they do.
STAGES = ("fetch", "decode", "fold", "decide", "commit", "publish")
#: Label values of shop_events_total's outcome.
OUTCOMES = ("applied", "duplicate", "dead_letter", "ignored")


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

    def _counters(self, name: str, meaning: str, *labels: str) -> Counters:
        return Counters(self.registry, name, meaning, labels)

    def _reading(self, name: str, meaning: str, *labels: str) -> Reading:
        return Reading(self.registry, name, meaning, labels, self.scrape_failures)

    def _distribution(
        self, name: str, meaning: str, edges: tuple[float, ...], label: str | None = None
    ) -> Distribution:
        return Distribution(self.registry, name, meaning, edges, label)

    def _health_of_metrics(self) -> None:
        self.scrape_failures = self._counters(
            "shop_scrape_failures_total", "Gauges that could not be read at a scrape.", "metric"
        )
        self.build_info = self._reading(
            "shop_build_info",
            "Always 1; which build runs, on which Python, writing which state encoding.",
            "version", "python", "codec",
        )  # fmt: skip

    def set_build(self, version: str, codec: int) -> None:
        """Names the running build: the distribution's version and the state codec's version."""
        self.build_info.set({(version, platform.python_version(), str(codec)): 1.0})

    def _events(self) -> None:
        self.events = self._counters(
            "shop_events_total",
            "Input records by what became of them: applied, duplicate, dead_letter, ignored.",
            "topic", "outcome",
        )  # fmt: skip
        self.event_age = self._distribution(
            "shop_event_age_seconds",
            "From a record's append time to its commit, by record; the oldest of a bundle for all.",
            AGE_EDGES,
        )
        self.stage = self._distribution(
            "shop_stage_seconds",
            "Time of one cycle in a stage: fetch, decode, fold (with decide), commit, publish.",
            STAGE_EDGES,
            "stage",
        )
        self.bundle_events = self._distribution(
            "shop_bundle_events", "Records in one bundle.", BUNDLE_EDGES
        )
        self.dedupe_evicted_early = self._counters(
            "shop_dedupe_evicted_early_total",
            "Event ids dropped from a customer's duplicate horizon before it had passed.",
        )

        self.bad_definitions = self._counters(
            "shop_bad_definitions_total",
            "Records of shop.settings that do not count, read since this worker started.",
        )

    def _time(self) -> None:
        self.watermark_lag = self._reading(
            "shop_watermark_lag_seconds",
            "How far a partition's watermark is behind the wall clock.",
            "partition",
        )
        self.heartbeat = self._distribution(
            "shop_heartbeat_seconds", "From a tick's writing to its application.", AGE_EDGES
        )
        self.timers_pending = self._reading(
            "shop_timers_pending",
            "States with a timer set, nearly all, in the owned partitions.",
        )

    def _triggers(self) -> None:
        self.triggers = self._counters(
            "shop_triggers_total",
            "Triggers by campaign: committed (state says so) and published (readable).",
            "campaign", "outcome",
        )  # fmt: skip
        self.refusals = self._counters(
            "shop_refusals_total",
            "Offers that a campaign's rule earned and the arbiter refused, by campaign and reason.",
            "campaign", "reason",
        )  # fmt: skip
        self.trigger_latency = self._distribution(
            "shop_trigger_latency_seconds",
            "From the cause (append time; for a timer its due time plus lateness) to readable.",
            AGE_EDGES,
        )
        self.outbox_rows = self._reading(
            "shop_outbox_rows", "Commits whose rows are not trimmed yet, in the owned partitions."
        )

    def _protocol(self) -> None:
        self.consumer_lag = self._reading(
            "shop_consumer_lag_records",
            "High watermark less the committed offset or the log's start, whichever is later.",
            "topic", "partition",
        )  # fmt: skip
        self.open_transaction_age = self._reading(
            "shop_open_transaction_age_seconds",
            "How long an open transaction has held the last stable offset behind the log's end.",
            "topic",
        )
        self.transactions = self._counters(
            "shop_transactions_total", "Kafka transactions: committed, aborted, failed.", "outcome"
        )
        self.commit_refused = self._counters(
            "shop_commit_refused_total", "Commits that Redis refused, by reason.", "reason"
        )
        self.recoveries = self._counters(
            "shop_recoveries_total", "Partitions recovered, by the case that was found.", "case"
        )
        self.skips = self._counters(
            "shop_skips_total", "What operators had left out: a record or a timer.", "cause"
        )
        self.partitions_paused = self._reading(
            "shop_partitions_paused", "Owned partitions that are not processed, by why.", "reason"
        )

    def _state(self) -> None:
        self.state_size = self._distribution(
            "shop_state_bytes", "Encoded size of the customer states written.", STATE_EDGES
        )
        self.states_expired = self._counters(
            "shop_states_expired_total", "States removed because nothing needs them any more."
        )
        self.cache_hits = self._counters(
            "shop_state_cache_hits_total", "States found in the worker's memory."
        )
        self.cache_misses = self._counters(
            "shop_state_cache_misses_total", "States that had to be read from Redis."
        )
        self.cache_evictions = self._counters(
            "shop_state_cache_evictions_total", "States dropped from memory for want of room."
        )

    def exposition(self) -> bytes:
        """All metrics in Prometheus's text format, as of now."""
        return generate_latest(self.registry)
