"""What the sink of the query store measures."""

from typing import Final

from streams.telemetry.metric import Label, Metric

_TOPIC = Label("topic", "a topic, without prefix")

RECORDS: Final = Metric(
    "shop_sink_records_total", "counter", "records",
    "Records whose offsets are in the store: written, or passed_over as dead letters.",
    (_TOPIC, Label("outcome", "", ("written", "passed_over"))),
)  # fmt: skip
TRANSACTIONS: Final = Metric(
    "shop_sink_transactions_total", "counter", "transactions",
    "Transactions of the database that were committed.",
)  # fmt: skip
LAG: Final = Metric(
    "shop_sink_lag_records", "gauge", "records",
    "High watermark less the store's offset, of the partitions that this sink has.",
    (_TOPIC, Label("partition", "a partition's number")),
)  # fmt: skip
LAST_COMMIT: Final = Metric(
    "shop_sink_last_commit_timestamp_seconds", "gauge", "seconds since 1970",
    "When the last transaction was committed; none before the first.",
)  # fmt: skip

SINK: Final = (RECORDS, TRANSACTIONS, LAG, LAST_COMMIT)
