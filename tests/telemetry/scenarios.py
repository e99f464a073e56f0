"""For each alert a story in Prometheus's notation: what is scraped, when it fires, and when it has ended.

``0+600x10`` begins at 0 and adds 600 ten times, a value a minute; ``_`` is no value. A story begins in good
health, so its first minute is also the proof that the alert stays silent.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Story:
    """Silent at ``silent``, firing at ``fires``, ended at ``ended``; ``labels`` and ``value`` fill its texts.

    ``others``: alerts that the same cause rightly brings about at ``fires``.
    """

    series: dict[str, str]
    fires: str
    ended: str
    labels: dict[str, str] = field(default_factory=dict)
    value: str = ""
    silent: str = "1m"
    others: frozenset[str] = frozenset()


_W0 = '{job="huitou",instance="w0"}'
_W1 = '{job="huitou",instance="w1"}'
_SINK = '{job="huitou-sink",instance="s0"}'
UP = {f"up{_W0}": "1x90", f"up{_W1}": "1x90"}


def _labelled(labels: str, of: str = _W0) -> str:
    return of.replace("}", f",{labels}}}")


def _paused(reason: str) -> dict[str, str]:
    return {**UP, "shop_partitions_paused" + _labelled(f'reason="{reason}"'): "0x4 2x10 0x30"}


STORIES: dict[str, Story] = {
    "NoWorker": Story(
        {f"up{_W0}": "1x4 0x5 1x20", f"up{_W1}": "1x4 0x5 1x20"}, "8m", "12m",
    ),
    "WorkerDown": Story(
        {f"up{_W0}": "1x4 0x9 1x20", f"up{_W1}": "1x40"}, "8m", "16m", {"job": "huitou", "instance": "w0"}
    ),
    "WorkerFlapping": Story(
        {**UP, f"process_start_time_seconds{_W0}": "100x4 200 300 400 500x60"},
        "8m", "30m", {"job": "huitou", "instance": "w0"}, value="4",
    ),
    "PartitionsUnowned": Story(
        {
            **UP,
            "shop_watermark_lag_seconds" + _labelled('partition="0"'): "5x60",
            "shop_watermark_lag_seconds" + _labelled('partition="1"', _W1): "5x4 stale _x8 5x60",
        },
        "9m", "20m", value="1",
        others=frozenset({"CommitAvailabilityBudgetBurn"}),
    ),
    "PartitionStuck": Story(
        {
            **UP,
            "shop_watermark_lag_seconds" + _labelled('partition="0"'): "5x60",
            "shop_watermark_lag_seconds" + _labelled('partition="1"'): "5x4 65+60x6 5x60",
        },
        "9m", "20m", {"partition": "1"}, value="5m 5s",
        others=frozenset({"CommitAvailabilityBudgetBurn"}),
    ),
    "ClockStuck": Story(
        {**UP, f"shop_heartbeat_seconds_count{_W0}": "0+480x5 2400x9 2400+480x30"}, "12m", "25m"
    ),
    "ConsumerLagHigh": Story(
        {
            **UP,
            "shop_consumer_lag_records" + _labelled('topic="shop.clicks",partition="0"'):
                "0x4 400000x20 0x30",
            "shop_events_total" + _labelled('topic="shop.clicks",outcome="applied"'): "0+60000x60",
        },
        "15m", "30m", {"topic": "shop.clicks"}, value="6m 39s",
    ),
    "TopicPaused": Story(_paused("poison"), "8m", "20m"),
    "PartitionPaused": Story(_paused("fold"), "8m", "20m", value="2"),
    "TriggersUnpublished": Story(
        {
            **UP,
            f"shop_outbox_rows{_W0}": "0x4 7+7x9 0x30",
            "shop_transactions_total" + _labelled('outcome="committed"'): "0+60x4 240x9 300+60x30",
        },
        "12m", "20m", {"instance": "w0"}, value="56",
    ),
    "TransactionsAborting": Story(
        {
            **UP,
            "shop_transactions_total" + _labelled('outcome="committed"'): "0+60x60",
            "shop_transactions_total" + _labelled('outcome="aborted"'): "0x4 0+30x15 450x40",
        },
        "15m", "40m", value="33.33%",
    ),
    "OpenTransactionHeld": Story(
        {
            **UP,
            "shop_open_transaction_age_seconds" + _labelled('topic="shop.orders"'):
                "0x4 60+60x5 0x30",
        },
        "8m", "15m", {"topic": "shop.orders"}, value="4m 0s",
    ),
    "DuplicateHorizonShort": Story(
        {**UP, f"shop_dedupe_evicted_early_total{_W0}": "0x4 0+1x30 30x60"}, "30m", "60m"
    ),
    "DefinitionRejected": Story({**UP, f"shop_bad_definitions_total{_W0}": "3x4 4x60"}, "8m", "30m"),
    "BuildsMixed": Story(
        {
            **UP,
            "shop_build_info" + _labelled('version="0.1.0",python="3.11.2",codec="3"'): "1x4 1x100",
            "shop_build_info" + _labelled('version="0.2.0",python="3.11.2",codec="3"', _W1):
                "_x4 1x70 stale",
        },
        "70m", "80m", value="2",
    ),
    "MetricsUnreadable": Story(
        {**UP, "shop_scrape_failures_total" + _labelled('metric="shop_outbox_rows"'): "_x4 1x60"},
        "8m", "30m", {"job": "huitou", "instance": "w0", "metric": "shop_outbox_rows"},
    ),
    "FileDescriptorsShort": Story(
        {
            **UP,
            f"process_open_fds{_W0}": "100x4 900x20 100x30",
            f"process_max_fds{_W0}": "1024x60",
        },
        "20m", "30m", {"job": "huitou", "instance": "w0"}, value="87.89%",
    ),
    "SinkDown": Story(
        {**UP, f"up{_SINK}": "1x4 0x9 1x30"}, "8m", "16m",
        {"job": "huitou-sink", "instance": "s0"},
    ),
    "SinkStalled": Story(
        {
            **UP,
            "shop_sink_lag_records" + _labelled('topic="shop.orders",partition="0"', _SINK):
                "0x4 50x15 0x30",
            # promtool's clock begins at 0: seconds since then.
            f"shop_sink_last_commit_timestamp_seconds{_SINK}": "0+60x4 240x15 1260+60x30",
        },
        "14m", "25m", {"instance": "s0"}, value="50",
    ),
    "SinkLagHigh": Story(
        {
            **UP,
            "shop_sink_lag_records" + _labelled('topic="shop.orders",partition="0"', _SINK):
                "0x4 100000x20 0x30",
            "shop_sink_records_total" + _labelled('topic="shop.orders",outcome="written"', _SINK):
                "0+600x60",
        },
        "15m", "30m", {"instance": "s0"}, value="2h 46m 40s",
    ),
    "WebhookFailing": Story(
        {
            **UP,
            'subscriber_attempts_failed_total{campaign="abandoned-cart"}': "0x4 0+60x20 1200x40",
            'subscriber_triggers_handled_total{campaign="abandoned-cart"}': "0+10x60",
        },
        "15m", "40m", value="85.71%",
    ),
    "WebhookDeadLetters": Story(
        {**UP, 'subscriber_dead_letters_total{instance="h0",reason="exhausted"}': "_x4 1x60"},
        "8m", "30m", {"instance": "h0", "reason": "exhausted"},
    ),
}  # fmt: skip
