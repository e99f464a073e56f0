"""What a worker measures.

Never a label that holds a customer, a product or a coupon code: the number of series is bounded by
topics x partitions, and campaigns x reasons.
"""

from typing import Final

from streams.telemetry.metric import Label, Metric

#: Up to the fetch limit of 16,000 records, about two steps a factor of ten.
BUNDLE_EDGES: Final = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 16_000)
#: Parts of a cycle: from 0.1 ms to the transaction time-out.
STAGE_EDGES: Final = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
#: The objectives' limits are edges: events in 5 s; triggers in 1 s (event) and 2.5 s (timer).
AGE_EDGES: Final = (
    0.01,
    0.025,
    0.05,
    0.1,
    0.2,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
    3600.0,
)
#: An encoded state: the median is to stay below 4 KiB, the largest below 32 KiB.
STATE_EDGES: Final = tuple(float(1 << power) for power in range(7, 18))

#: In the order of a cycle. Folding and deciding take turns from event to event.
STAGES: Final = ("fetch", "decode", "fold", "decide", "commit", "publish")
OUTCOMES: Final = ("applied", "duplicate", "dead_letter", "ignored")
#: Cases that end a worker with exit code 78, until an operator acts.
REFUSED_CASES: Final = (
    "fenced", "forked", "incomplete", "missing", "newer", "outside_log", "reset", "superseded",
)  # fmt: skip

_TOPIC = Label("topic", "a topic, with its prefix")
_PARTITION = Label("partition", "a partition's number, of those that the worker owns")
_CAMPAIGN = Label("campaign", "a campaign's name")

EVENTS: Final = Metric(
    "shop_events_total", "counter", "records",
    "Input records by what became of them; ignored is a record of the clock that is none.",
    (_TOPIC, Label("outcome", "", OUTCOMES)),
)  # fmt: skip
EVENT_AGE: Final = Metric(
    "shop_event_age_seconds", "histogram", "seconds",
    "From a record's append time to its commit, by record; the oldest of a bundle for all.",
    edges=AGE_EDGES,
)  # fmt: skip
STAGE: Final = Metric(
    "shop_stage_seconds", "histogram", "seconds",
    "Time of one cycle in a stage; of publish, of one transaction.",
    (Label("stage", "", STAGES),), STAGE_EDGES,
)  # fmt: skip
BUNDLE_EVENTS: Final = Metric(
    "shop_bundle_events", "histogram", "records", "Records in one bundle.", edges=BUNDLE_EDGES
)
DEDUPE_EVICTED_EARLY: Final = Metric(
    "shop_dedupe_evicted_early_total", "counter", "event ids",
    "Event ids dropped from a customer's duplicate horizon before it had passed: "
    "while this rises, a late duplicate could count.",
)  # fmt: skip
BAD_DEFINITIONS: Final = Metric(
    "shop_bad_definitions_total", "counter", "definitions",
    "Records of shop.settings and shop.campaigns that do not count, read since this worker started, old "
    "ones too. The log line `bad definition ignored` says which and why.",
)  # fmt: skip
WATERMARK_LAG: Final = Metric(
    "shop_watermark_lag_seconds", "gauge", "seconds",
    "How far a partition's watermark is behind the wall clock.", (_PARTITION,),
)  # fmt: skip
HEARTBEAT: Final = Metric(
    "shop_heartbeat_seconds", "histogram", "seconds",
    "From a tick's writing to its application: the way through Kafka and the worker and back.",
    edges=AGE_EDGES,
)  # fmt: skip
TIMERS_PENDING: Final = Metric(
    "shop_timers_pending", "gauge", "timers",
    "States with a timer set, nearly all, in the owned partitions.",
)  # fmt: skip
TRIGGERS: Final = Metric(
    "shop_triggers_total", "counter", "triggers",
    "Triggers by campaign: committed (state says so) and published (readable).",
    (_CAMPAIGN, Label("outcome", "", ("committed", "published"))),
)  # fmt: skip
REFUSALS: Final = Metric(
    "shop_refusals_total", "counter", "offers",
    "Offers that a campaign's rule earned and the arbiter refused.",
    (_CAMPAIGN, Label("reason", "", ("consent", "brushed", "issued_before"))),
)  # fmt: skip
TRIGGER_LATENCY: Final = Metric(
    "shop_trigger_latency_seconds", "histogram", "seconds",
    "From the cause (append time; for a timer its due time plus lateness) to readable.",
    edges=AGE_EDGES,
)  # fmt: skip
OUTBOX_ROWS: Final = Metric(
    "shop_outbox_rows", "gauge", "commits",
    "Commits whose rows Kafka does not have yet, in the owned partitions.",
)  # fmt: skip
CONSUMER_LAG: Final = Metric(
    "shop_consumer_lag_records", "gauge", "records",
    "High watermark less the committed offset or the log's start, whichever is later.",
    (_TOPIC, _PARTITION),
)  # fmt: skip
OPEN_TRANSACTION_AGE: Final = Metric(
    "shop_open_transaction_age_seconds", "gauge", "seconds",
    "How long an open transaction has held the last stable offset behind the log's end.",
    (_TOPIC,),
)  # fmt: skip
TRANSACTIONS: Final = Metric(
    "shop_transactions_total", "counter", "transactions",
    "Kafka transactions.", (Label("outcome", "", ("committed", "aborted")),),
)  # fmt: skip
COMMIT_REFUSED: Final = Metric(
    "shop_commit_refused_total", "counter", "commits",
    "Commits that Redis refused: epoch is another owner.",
    (Label("reason", "", ("epoch", "sequence", "codec", "malformed")),),
)  # fmt: skip
RECOVERIES: Final = Metric(
    "shop_recoveries_total", "counter", "partitions",
    "Partitions recovered, by the case that was found at their assignment.",
    (Label("case", "", ("current", "replayed", "adopted", *REFUSED_CASES)),),
)  # fmt: skip
SKIPS: Final = Metric(
    "shop_skips_total", "counter", "records",
    "What operators had left out.", (Label("cause", "", ("record", "timer")),),
)  # fmt: skip
PARTITIONS_PAUSED: Final = Metric(
    "shop_partitions_paused", "gauge", "partitions",
    "Owned partitions that are not processed: wholly (fold) or in a topic (poison).",
    (Label("reason", "", ("fold", "poison")),),
)  # fmt: skip
STATE_SIZE: Final = Metric(
    "shop_state_bytes", "histogram", "bytes",
    "Encoded size of the customer states written.", edges=STATE_EDGES,
)  # fmt: skip
STATES_EXPIRED: Final = Metric(
    "shop_states_expired_total", "counter", "states",
    "States removed because nothing needs them any more.",
)  # fmt: skip
CACHE_HITS: Final = Metric(
    "shop_state_cache_hits_total", "counter", "states", "States found in the worker's memory."
)
CACHE_MISSES: Final = Metric(
    "shop_state_cache_misses_total", "counter", "states",
    "States that had to be read from Redis.",
)  # fmt: skip
CACHE_EVICTIONS: Final = Metric(
    "shop_state_cache_evictions_total", "counter", "states",
    "States dropped from memory for want of room.",
)  # fmt: skip
SCRAPE_FAILURES: Final = Metric(
    "shop_scrape_failures_total", "counter", "failures",
    "Gauges that could not be read at a scrape.",
    (Label("metric", "a gauge of this catalogue"),),
)  # fmt: skip
BUILD_INFO: Final = Metric(
    "shop_build_info", "gauge", "1",
    "Always 1; which build runs, on which Python, writing which state encoding.",
    (
        Label("version", "the distribution's"),
        Label("python", "the interpreter's version"),
        Label("codec", "the state encoding's version"),
    ),
)  # fmt: skip

WORKER: Final = (
    EVENTS, EVENT_AGE, STAGE, BUNDLE_EVENTS, DEDUPE_EVICTED_EARLY, BAD_DEFINITIONS, WATERMARK_LAG,
    HEARTBEAT, TIMERS_PENDING, TRIGGERS, REFUSALS, TRIGGER_LATENCY, OUTBOX_ROWS, CONSUMER_LAG,
    OPEN_TRANSACTION_AGE, TRANSACTIONS, COMMIT_REFUSED, RECOVERIES, SKIPS, PARTITIONS_PAUSED,
    STATE_SIZE, STATES_EXPIRED, CACHE_HITS, CACHE_MISSES, CACHE_EVICTIONS, SCRAPE_FAILURES,
    BUILD_INFO,
)  # fmt: skip
