"""Alerts on a condition that stands, beside those on objectives: each with what mends it in its runbook.

Pages are for what customers or marketing notice, or what loses promises; all else is a ticket. Counters that
are born with their first event have no increase before the second, so ``_news`` looks at the birth too.
"""

from dataclasses import dataclass
from typing import Final

from streams.telemetry.objectives import Severity

WORKERS, SINK, WEBHOOK = "huitou", "huitou-sink", "huitou-webhook"


@dataclass(frozen=True, slots=True)
class Alert:
    """``condition`` in PromQL has to hold ``during`` before it fires; a description may use its labels."""

    name: str
    severity: Severity
    during: str
    condition: str
    summary: str
    description: str


def _news(selector: str, window: str) -> str:
    """That a counter rose in ``window``, or began in it."""
    return (
        f"increase({selector}[{window}]) > 0 or ({selector} > 0 unless {selector} offset {window})"
    )


ALERTS: Final = (
    Alert(
        "NoWorker", "page", "1m", f'absent(up{{job="{WORKERS}"}} == 1)',
        "No worker answers", "No event becomes state and no trigger is made until one starts.",
    ),
    Alert(
        "WorkerDown", "ticket", "2m",
        f'up{{job="{WORKERS}"}} == 0 and on() (count(up{{job="{WORKERS}"}} == 1) > 0)',
        "Worker {{ $labels.instance }} does not answer",
        "The others have its partitions after the session time-out, and all the load.",
    ),
    Alert(
        "WorkerFlapping", "page", "0m",
        f'changes(process_start_time_seconds{{job="{WORKERS}"}}[15m]) > 3',
        "Worker {{ $labels.instance }} restarted {{ $value }} times in 15 minutes",
        "It ends itself on doubt (exit code 70) or refuses to start (78); its last log line says why.",
    ),
    Alert(
        "PartitionsUnowned", "page", "2m",
        "huitou:partitions_owned:count < huitou:partitions_expected:count",
        "{{ $value }} partitions are owned, fewer than in the last day",
        "The customers of the others get nothing. Normal for a day after a repartition to fewer.",
    ),
    Alert(
        "PartitionStuck", "page", "1m",
        "min by (partition) (shop_watermark_lag_seconds) > 60",
        "Partition {{ $labels.partition }} is {{ $value | humanizeDuration }} behind",
        "Its watermark stands or crawls: its timers are late, so are its carts' coupons.",
    ),
    Alert(
        "ClockStuck", "page", "2m",
        f'sum(rate(shop_heartbeat_seconds_count[2m])) == 0 and on() (count(up{{job="{WORKERS}"}} == 1) > 0)',
        "Workers run and no tick is applied",
        "No timer fires in any partition: no abandoned cart is noticed.",
    ),
    Alert(
        "ConsumerLagHigh", "page", "5m",
        "sum by (topic) (shop_consumer_lag_records)"
        " / sum by (topic) (rate(shop_events_total[5m])) > 300",
        "{{ $labels.topic }}: {{ $value | humanizeDuration }} of work are waiting",
        "At the present speed the backlog takes more than 5 minutes, if nothing more comes.",
    ),
    Alert(
        "TopicPaused", "page", "1m", 'max(shop_partitions_paused{reason="poison"}) > 0',
        "A topic is paused: most of its records are bad",
        "Nothing of it is processed until its producer is mended; /readyz of a worker names it.",
    ),
    Alert(
        "PartitionPaused", "page", "1m", 'sum(shop_partitions_paused{reason="fold"}) > 0',
        "{{ $value }} partitions are paused at what this build cannot fold",
        "Their customers get nothing until it is skipped, or a build deployed that can.",
    ),
    Alert(
        "TriggersUnpublished", "page", "2m",
        'max by (instance) (shop_outbox_rows) > 0 and on(instance)'
        ' (increase(shop_transactions_total{outcome="committed"}[2m]) == 0)',
        "{{ $labels.instance }} has {{ $value }} commits that Kafka does not get",
        "What was decided stays in Redis; marketing reads nothing of it. Nothing is lost.",
    ),
    Alert(
        "TransactionsAborting", "ticket", "5m",
        'sum(rate(shop_transactions_total{outcome="aborted"}[5m]))'
        " / sum(rate(shop_transactions_total[5m])) > 0.1",
        "{{ $value | humanizePercentage }} of the transactions are aborted",
        "Each is repeated, so triggers come late; a slow broker or a fenced publisher.",
    ),
    Alert(
        "OpenTransactionHeld", "page", "1m",
        "max by (topic) (shop_open_transaction_age_seconds) > 30",
        "{{ $labels.topic }} is held by a transaction {{ $value | humanizeDuration }} old",
        "Who reads it committed waits, workers too: somebody began a transaction and did not end it.",
    ),
    Alert(
        "DuplicateHorizonShort", "ticket", "15m",
        "sum(rate(shop_dedupe_evicted_early_total[15m])) > 0",
        "Event ids are forgotten before seven days",
        "A customer has more events than a state remembers: an event sent again could count twice.",
    ),
    Alert(
        "DefinitionRejected", "ticket", "0m", "max(increase(shop_bad_definitions_total[15m])) > 0",
        "A definition in shop.settings or shop.campaigns does not count",
        "The one before it stays in force: whoever wrote it thinks otherwise.",
    ),
    Alert(
        "BuildsMixed", "ticket", "1h", "count(count by (version, codec) (shop_build_info)) > 1",
        "{{ $value }} builds have been running for an hour",
        "A rolling upgrade stopped half-way; verify and snapshots need one build.",
    ),
    Alert(
        "MetricsUnreadable", "ticket", "0m", _news("shop_scrape_failures_total", "15m"),
        "{{ $labels.instance }} cannot read {{ $labels.metric }}",
        "Its series is missing, and so is every alert on it.",
    ),
    Alert(
        "FileDescriptorsShort", "ticket", "10m",
        "process_open_fds / process_max_fds > 0.8",
        "{{ $labels.instance }} has {{ $value | humanizePercentage }} of its file descriptors open",
        "At 100 % connections to Kafka and Redis fail and the process ends.",
    ),
    Alert(
        "SinkDown", "ticket", "2m", f'up{{job="{SINK}"}} == 0',
        "Sink {{ $labels.instance }} does not answer",
        "Reports and orders are not brought up to date; no coupon depends on it.",
    ),
    Alert(
        "SinkStalled", "ticket", "2m",
        "sum by (instance) (shop_sink_lag_records) > 0"
        " and on(instance) time() - shop_sink_last_commit_timestamp_seconds > 300",
        "Sink {{ $labels.instance }} has {{ $value }} records waiting and writes nothing",
        "The database refuses, is locked or is full.",
    ),
    Alert(
        "SinkLagHigh", "ticket", "5m",
        "sum by (instance) (shop_sink_lag_records)"
        " / sum by (instance) (rate(shop_sink_records_total[5m])) > 900",
        "Sink {{ $labels.instance }}: {{ $value | humanizeDuration }} of work are waiting",
        "Reports are that far behind the shops.",
    ),
    Alert(
        "WebhookFailing", "ticket", "5m",
        "sum(rate(subscriber_attempts_failed_total[5m]))"
        " / (sum(rate(subscriber_attempts_failed_total[5m]))"
        " + (sum(rate(subscriber_triggers_handled_total[5m])) or vector(0))) > 0.5",
        "{{ $value | humanizePercentage }} of the attempts to post triggers fail",
        "The receiver is down or refuses: coupons reach customers late, then not at all.",
    ),
    Alert(
        "WebhookDeadLetters", "ticket", "0m", _news("subscriber_dead_letters_total", "15m"),
        "Triggers were given up: {{ $labels.reason }}",
        "They lie in the subscriber's dead letters; nobody tries them again by itself.",
    ),
)  # fmt: skip
