"""What the on-call looks at: dashboards of panels, each a few queries over the catalogue.

``$rate`` stands for Grafana's interval of a rate; ``$worker``, ``$topic`` and ``$campaign`` are variables of
the dashboards, each of which may be all.
"""

from dataclasses import dataclass
from typing import Final, Literal

#: Grafana's names.
PanelUnit = Literal["short", "s", "percentunit", "bytes", "reqps", "ops"]


@dataclass(frozen=True, slots=True)
class Query:
    """``legend`` may use labels of the series, as ``{{topic}}``."""

    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """``alert``: whose runbook says more."""

    title: str
    unit: PanelUnit
    queries: tuple[Query, ...]
    description: str
    alert: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    name: str
    title: str
    panels: tuple[Panel, ...]


def _p(quantile: float, metric: str, by: str = "") -> str:
    grouped = f"le, {by}" if by else "le"
    rate = f'rate({metric}_bucket{{instance=~"$worker"}}[$rate])'
    return f"histogram_quantile({quantile:g}, sum by ({grouped}) ({rate}))"


def _percentiles(metric: str) -> tuple[Query, ...]:
    return tuple(Query(_p(q, metric), f"p{q * 100:g}") for q in (0.5, 0.99))


OVERVIEW: Final = Dashboard("overview", "huitou: on call", (
    Panel("Budget burnt too fast", "short", (Query(
        'sum by (alertname, burn_rate) (ALERTS{alertstate="firing",slo!=""})',
        "{{alertname}} x {{burn_rate}}"),), "Objectives whose alert fires; empty is well."),
    Panel("Other alerts", "short", (Query(
        'sum by (alertname, severity) (ALERTS{alertstate="firing",slo=""})',
        "{{alertname}} ({{severity}})"),), "Conditions that stand; each has a runbook."),
    Panel("Bad share, last hour", "percentunit", (Query(
        "huitou:slo_errors:ratio_1h", "{{slo}}"),), "By objective; docs/slo.md has what may be.",
        "EventFreshnessBudgetBurn"),
    Panel("Workers that answer", "short", (Query(
        'sum(up{job="huitou"})', "up"), Query('count(up{job="huitou"})', "known")),
        "Below what is known, one is gone.", "WorkerDown"),
    Panel("Trigger latency", "s", _percentiles("shop_trigger_latency_seconds"),
        "From the cause to readable.", "TriggerFreshnessBudgetBurn"),
    Panel("Event age", "s", _percentiles("shop_event_age_seconds"),
        "From append to commit. As late as triggers: look there first.", "EventFreshnessBudgetBurn"),
    Panel("Waiting records", "short", (Query(
        'sum by (topic) (shop_consumer_lag_records{topic=~"$topic"})', "{{topic}}"),),
        "Rising: more comes than is done.", "ConsumerLagHigh"),
    Panel("Paused", "short", (Query(
        "sum by (reason) (shop_partitions_paused)", "{{reason}}"),),
        "fold: huitou skip lists them; poison: huitou resume.", "PartitionPaused"),
    Panel("Watermark behind the wall", "s", (Query(
        "max(shop_watermark_lag_seconds)", "worst"), Query("min(shop_watermark_lag_seconds)", "best")),
        "Lateness (5 s) and a second or two; timers are late by more.", "PartitionStuck"),
    Panel("Open transactions", "s", (Query(
        'max by (topic) (shop_open_transaction_age_seconds{topic=~"$topic"})', "{{topic}}"),),
        "Who reads committed records waits behind them.", "OpenTransactionHeld"),
    Panel("Unpublished commits", "short", (Query(
        'max by (instance) (shop_outbox_rows{instance=~"$worker"})', "{{instance}}"),),
        "Decided, and not readable yet.", "TriggersUnpublished"),
    Panel("Restarts in 15 minutes", "short", (Query(
        'changes(process_start_time_seconds{job="huitou",instance=~"$worker"}[15m])',
        "{{instance}}"),), "Each moves partitions.", "WorkerFlapping"),
))  # fmt: skip

ENGINE: Final = Dashboard("engine", "huitou: engine", (
    Panel("Records by outcome", "reqps", (Query(
        'sum by (outcome) (rate(shop_events_total{topic=~"$topic",instance=~"$worker"}[$rate]))',
        "{{outcome}}"),), "What became of the input.", "DeadLetterBudgetBurn"),
    Panel("Records by topic", "reqps", (Query(
        'sum by (topic) (rate(shop_events_total{topic=~"$topic",instance=~"$worker"}[$rate]))',
        "{{topic}}"),), "What comes."),
    Panel("Time by stage", "percentunit", (Query(
        'sum by (stage) (rate(shop_stage_seconds_sum{instance=~"$worker"}[$rate]))', "{{stage}}"),),
        "Of each second; fetch waits for records, so it is high at rest."),
    Panel("Slowest stages", "s", (Query(_p(0.99, "shop_stage_seconds", "stage"), "{{stage}}"),),
        "p99 of a cycle; of publish, of a transaction."),
    Panel("Records in a bundle", "short", _percentiles("shop_bundle_events"),
        "Large bundles: a backlog, or much traffic."),
    Panel("CPU", "percentunit", (Query(
        'rate(process_cpu_seconds_total{job="huitou",instance=~"$worker"}[$rate])', "{{instance}}"),),
        "A worker folds on one core: near 1 it is at its end.", "ConsumerLagHigh"),
    Panel("Memory", "bytes", (Query(
        'process_resident_memory_bytes{job="huitou",instance=~"$worker"}', "{{instance}}"),),
        "Level after its cache is full."),
    Panel("States found in memory", "percentunit", (Query(
        'sum(rate(shop_state_cache_hits_total{instance=~"$worker"}[$rate])) / '
        '(sum(rate(shop_state_cache_hits_total{instance=~"$worker"}[$rate])) + '
        'sum(rate(shop_state_cache_misses_total{instance=~"$worker"}[$rate])))', "hits"),),
        "The others are read from Redis: HUITOU_CACHE_STATES."),
    Panel("Size of states written", "bytes", _percentiles("shop_state_bytes"),
        "Below 32 KiB, whatever a customer does."),
    Panel("Transactions", "ops", (Query(
        'sum by (outcome) (rate(shop_transactions_total{instance=~"$worker"}[$rate]))',
        "{{outcome}}"),), "Aborted ones are repeated.", "TransactionsAborting"),
    Panel("Recoveries", "short", (Query(
        'sum by (case) (increase(shop_recoveries_total{instance=~"$worker"}[15m]))', "{{case}}"),),
        "What was found at assignments."),
    Panel("Builds", "short", (Query(
        "count by (version, codec) (shop_build_info)", "{{version}}, encoding {{codec}}"),),
        "More than one for long: an upgrade stopped.", "BuildsMixed"),
))  # fmt: skip

PARTITIONS: Final = Dashboard("partitions", "huitou: partitions", (
    Panel("Furthest behind", "s", (Query(
        "topk(10, max by (partition) (shop_watermark_lag_seconds))", "{{partition}}"),),
        "One far above the others stands or is hot.", "PartitionStuck"),
    Panel("Most waiting", "short", (Query(
        'topk(10, sum by (partition) (shop_consumer_lag_records{topic=~"$topic"}))',
        "{{partition}}"),), "Hot partitions.", "ConsumerLagHigh"),
    Panel("Partitions by worker", "short", (Query(
        "count by (instance) (count by (instance, partition) (shop_watermark_lag_seconds))",
        "{{instance}}"),), "A step is a rebalance.", "PartitionsUnowned"),
    Panel("Owned and expected", "short", (
        Query("huitou:partitions_expected:count", "expected"),
        Query("huitou:partitions_owned:count", "owned"),
        Query("huitou:partitions_committing:count", "committing")),
        "They are one line when all is well.", "CommitAvailabilityBudgetBurn"),
    Panel("Ticks", "ops", (Query(
        "sum by (instance) (rate(shop_heartbeat_seconds_count[$rate]))", "{{instance}}"),),
        "One a second and partition; none: the clock stands.", "ClockStuck"),
    Panel("A tick's way", "s", _percentiles("shop_heartbeat_seconds"),
        "Through Kafka and the worker: what everything is late by, at least."),
))  # fmt: skip

CAMPAIGNS: Final = Dashboard("campaigns", "huitou: campaigns and delivery", (
    Panel("Triggers published", "ops", (Query(
        'sum by (campaign) (rate(shop_triggers_total{outcome="published",campaign=~"$campaign"}[$rate]))',
        "{{campaign}}"),), "What marketing can read."),
    Panel("Refused by the arbiter", "ops", (Query(
        'sum by (campaign, reason) (rate(shop_refusals_total{campaign=~"$campaign"}[$rate]))',
        "{{campaign}}: {{reason}}"),), "docs/refusals.md explains the reasons."),
    Panel("Timers set", "short", (Query("sum(shop_timers_pending)", "timers"),),
        "Carts that may be abandoned, and what time alone changes."),
    Panel("Posted by the webhook", "ops", (
        Query("sum(rate(subscriber_triggers_handled_total[$rate]))", "posted"),
        Query("sum(rate(subscriber_attempts_failed_total[$rate]))", "failed attempts")),
        "More failing than posted: the receiver.", "WebhookFailing"),
    Panel("Given up by the webhook", "short", (Query(
        "sum by (reason) (increase(subscriber_dead_letters_total[1h]))", "{{reason}}"),),
        "In the subscriber's dead letters.", "WebhookDeadLetters"),
    Panel("Waiting for the sink", "short", (Query(
        "sum by (topic) (shop_sink_lag_records)", "{{topic}}"),),
        "Stored reports are behind by it.", "SinkLagHigh"),
    Panel("Since the sink's last commit", "s", (Query(
        "time() - max(shop_sink_last_commit_timestamp_seconds)", "seconds"),),
        "Large is well, as long as nothing waits.", "SinkStalled"),
    Panel("Written by the sink", "reqps", (Query(
        "sum by (outcome) (rate(shop_sink_records_total[$rate]))", "{{outcome}}"),),
        "passed_over are dead letters."),
))  # fmt: skip

DASHBOARDS: Final = (OVERVIEW, ENGINE, PARTITIONS, CAMPAIGNS)
