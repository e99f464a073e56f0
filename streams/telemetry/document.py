"""docs/metrics.md and docs/slo.md, written from the catalogue, the objectives and the alerts."""

from streams.telemetry.alerts import ALERTS
from streams.telemetry.catalogue import PROCESS, PROCESSES, SCRAPE, TARGET_LABELS
from streams.telemetry.metric import Metric
from streams.telemetry.objectives import BURN_RATES, OBJECTIVES, PERIOD_DAYS

_HEAD = """\
# Metrics

Written by `make docs` from `streams/telemetry`, which the processes take names, labels and help from as well;
a test compares what real ones serve. Base units; no label ever holds a customer, a product, an order or a
coupon code. Gauges are read when Prometheus scrapes. What is asked of them: [slo.md](slo.md).
"""

_SERVED = {
    "worker": "A worker: `HUITOU_METRICS_HOST`, `HUITOU_METRICS_PORT` (with /livez and /readyz).",
    "sink": "`huitou sink --metrics-port PORT`, on `HUITOU_METRICS_HOST`; without the option none.",
    "webhook": "`huitou webhook --metrics-port PORT`, and any subscriber that is given "
    "`streams.subscribe.metrics.PrometheusHooks`.",
}


def document() -> str:
    """The page's text."""
    parts = [_HEAD]
    for process, served in PROCESSES.items():
        own = [metric for metric in served if metric not in PROCESS]
        parts.append(f"## {process}\n\n{_SERVED[process]}\n\n{_table(own)}")
        if len(own) < len(served):
            parts.append("And those of [the process](#the-process).\n")
    parts.append(f"## The process\n\nprometheus-client's own, on Linux.\n\n{_table(PROCESS)}")
    targets = "\n".join(f"- `{label.name}`: {label.meaning}" for label in TARGET_LABELS)
    scrape = "\n".join(f"| `{name}` | gauge | 1 | {meaning} |" for name, meaning in SCRAPE.items())
    parts.append(
        "## Prometheus\n\nIt gives each series two labels, as deploy/prometheus has them:\n\n"
        f"{targets}\n\nand writes of each target\n\n{_COLUMNS}\n{scrape}\n"
    )
    parts.append(
        "## Without metrics\n\nThe producers' client, which is a library in somebody else's process and "
        "raises what went wrong; `huitou archive` and\n`huitou snapshot`, which end: watch their exit "
        "codes.\n"
    )
    return "\n".join(parts)


_COLUMNS = "| metric | kind | unit | meaning |\n|---|---|---|---|"


def _table(metrics: list[Metric] | tuple[Metric, ...]) -> str:
    return "\n".join([_COLUMNS, *map(_row, metrics)]) + "\n"


def _row(metric: Metric) -> str:
    labels = ",".join(metric.label_names)
    name = f"`{metric.name}{{{labels}}}`" if labels else f"`{metric.name}`"
    said = [metric.meaning]
    for label in metric.labels:
        values = ", ".join(f"`{value}`" for value in label.values) or label.meaning
        said.append(f"`{label.name}`: {values}.")
    if metric.edges:
        said.append(f"Buckets: {', '.join(f'{edge:g}' for edge in metric.edges)}.")
    return f"| {name} | {metric.kind} | {metric.unit} | {' '.join(said)} |"


_SLO_HEAD = """\
# Objectives and alerts

Written by `make docs` from `streams/telemetry/objectives.py` and `alerts.py`, as are the rules in
`deploy/prometheus/rules`. `make check-ops` has promtool see each alert fire, stay silent and end.
"""

_SILENCE = """\
An alert fires while the bad share is more than a burn rate times what may be bad, over both windows. A ratio
of nothing is nothing: an objective without traffic is silent.
"""


def objectives_document() -> str:
    """The text of docs/slo.md."""
    objectives = "\n".join(
        f"| {one.name} | {one.promise} | {one.budget * 100:g} % | {_runbook(one.alert)} |"
        for one in OBJECTIVES
    )
    rates = "\n".join(
        f"| {burn.words} | {burn.long} and {burn.short} | {burn.severity} |" for burn in BURN_RATES
    )
    alerts = "\n".join(
        f"| {_runbook(alert.name)} | {alert.severity} | {alert.during} | `{alert.condition}` |"
        for alert in ALERTS
    )
    return "\n".join(
        [
            _SLO_HEAD,
            f"## Objectives, over {PERIOD_DAYS} days\n",
            f"| objective | promise | may be bad | alert |\n|---|---|---|---|\n{objectives}\n",
            _SILENCE,
            f"| burn rate | windows | severity |\n|---|---|---|\n{rates}\n",
            f"## Conditions\n\n| alert | severity | for | condition |\n|---|---|---|---|\n{alerts}\n",
            _LIMITS,
        ]
    )


_LIMITS = """\
## Limits

- Triggers have one limit, 2.5 s, for both kinds of cause: the metric does not tell them apart, so 1 s for
  those of records is not watched.
- While a replay or a simulator holds the clock (`huitou clock status`), watermarks are far behind the wall:
  silence CommitAvailabilityBudgetBurn and PartitionStuck.
- A stack whose Prometheus is younger than a window has its objectives over what there is.
- What a refused worker counted (`shop_recoveries_total`) ends with it, mostly before a scrape: NoWorker,
  WorkerDown and PartitionsUnowned tell of it, the log says which case.
"""


def _runbook(alert: str) -> str:
    return f"[{alert}](runbooks/{alert}.md)"
