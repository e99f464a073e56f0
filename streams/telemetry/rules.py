"""Prometheus's rule files, written from objectives and alerts."""

import json
from typing import Final

from streams.telemetry.alerts import ALERTS, Alert
from streams.telemetry.objectives import BURN_RATES, OBJECTIVES, WINDOWS, BurnRate, Objective

_HEAD = "# Written by `make docs` from streams/telemetry: change it there.\n"
_ERRORS: Final = "huitou:slo_errors:ratio"

#: What others are built of: all partitions that the stack had in the last day, those that a worker has
#: now, and those whose watermark moves. Zero, not nothing, where no worker is left.
PARTITIONS: Final = {
    "huitou:partitions_owned:count": (
        "count(count by (partition) (shop_watermark_lag_seconds)) or vector(0)"
    ),
    "huitou:partitions_committing:count": (
        "count(min by (partition) (shop_watermark_lag_seconds) < 30) or vector(0)"
    ),
    "huitou:partitions_expected:count": "max_over_time(huitou:partitions_owned:count[1d])",
}


def recorded(window: str) -> str:
    """The name of an objective's bad share over ``window``; its label ``slo`` says which objective."""
    return f"{_ERRORS}_{window}"


def rule_files() -> dict[str, str]:
    """File name -> YAML."""
    return {"partitions.yml": _partitions(), "slo.yml": _slo(), "alerts.yml": _alerts()}


def _partitions() -> str:
    lines = [_HEAD + "groups:", *_group("huitou-partitions")]
    for name, expression in PARTITIONS.items():
        lines += _record(name, expression)
    return "\n".join(lines) + "\n"


def _slo() -> str:
    """Shares and alerts of an objective are one group: Prometheus evaluates a group in its order."""
    lines = [_HEAD + "groups:"]
    for objective in OBJECTIVES:
        lines += _group(f"huitou-slo-{objective.name}")
        for window in WINDOWS:
            lines += _record(recorded(window), objective.errors_over(window), slo=objective.name)
        for burn in BURN_RATES:
            lines += _alert(burning(objective, burn), slo=objective.name, burn_rate=burn.words)
    return "\n".join(lines) + "\n"


def _alerts() -> str:
    lines = [_HEAD + "groups:", *_group("huitou-conditions")]
    for alert in ALERTS:
        lines += _alert(alert)
    return "\n".join(lines) + "\n"


def burning(objective: Objective, burn: BurnRate) -> Alert:
    """The alert of one burn rate of an objective."""
    limit = f"{burn.rate * objective.budget:g}"
    selector = f'{{slo="{objective.name}"}}'
    return Alert(
        objective.alert,
        burn.severity,
        "0m",
        f"{recorded(burn.long)}{selector} > {limit} and {recorded(burn.short)}{selector} > {limit}",
        f"{objective.name}: the budget is spent {burn.words} times too fast",
        f"{objective.promise} Over {burn.long} {{{{ $value | humanizePercentage }}}} were bad, of which "
        f"{objective.budget * 100:g} % may be.",
    )


def _group(name: str) -> list[str]:
    return [f"  - name: {name}", "    rules:"]


def _record(name: str, expression: str, **labels: str) -> list[str]:
    return [f"      - record: {name}", f"        expr: {_text(expression)}", *_labels(labels)]


def _alert(alert: Alert, **labels: str) -> list[str]:
    return [
        f"      - alert: {alert.name}",
        f"        expr: {_text(alert.condition)}",
        f"        for: {alert.during}",
        *_labels({"severity": alert.severity, **labels}),
        "        annotations:",
        f"          summary: {_text(alert.summary)}",
        f"          description: {_text(alert.description)}",
        f"          runbook_url: docs/runbooks/{alert.name}.md",
    ]


def _labels(labels: dict[str, str]) -> list[str]:
    if not labels:
        return []
    return [
        "        labels:",
        *(f"          {name}: {_text(value)}" for name, value in labels.items()),
    ]


def _text(text: str) -> str:
    """A YAML string in double quotes, which JSON's are."""
    return json.dumps(text, ensure_ascii=False)
