"""Grafana's JSON, written from the panels."""

import json
from typing import Final

from streams.telemetry.panels import DASHBOARDS, Dashboard, Panel

#: Variable -> the PromQL of its values. A worker is an instance of the job `huitou`.
VARIABLES: Final = {
    "worker": 'label_values(up{job="huitou"}, instance)',
    "topic": "label_values(shop_consumer_lag_records, topic)",
    "campaign": "label_values(shop_triggers_total, campaign)",
}
#: Grafana's grid is 24 wide: two panels a row.
_WIDE, _HIGH, _COLUMNS = 12, 8, 2
_SOURCE: Final = {"type": "prometheus", "uid": "prometheus"}


def dashboard_files() -> dict[str, str]:
    """File name -> JSON."""
    return {
        f"{dashboard.name}.json": json.dumps(_dashboard(dashboard), indent=1) + "\n"
        for dashboard in DASHBOARDS
    }


def _dashboard(dashboard: Dashboard) -> dict[str, object]:
    return {
        "uid": f"huitou-{dashboard.name}",
        "title": dashboard.title,
        "tags": ["huitou"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "links": [
            {"type": "dashboards", "tags": ["huitou"], "title": "huitou", "asDropdown": False}
        ],
        "templating": {"list": [_variable(name) for name in VARIABLES]},
        "annotations": {"list": [_starts()]},
        "panels": [_panel(place, panel) for place, panel in enumerate(dashboard.panels)],
    }


def _variable(name: str) -> dict[str, object]:
    return {
        "type": "query",
        "name": name,
        "datasource": _SOURCE,
        "query": {"query": VARIABLES[name], "refId": name},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        # Also what has no such label, so that a panel is not empty before the first trigger.
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _starts() -> dict[str, object]:
    """Starts of workers: deploys, restarts, and the rebalances that they bring."""
    return {
        "name": "Worker starts",
        "datasource": _SOURCE,
        "enable": True,
        "iconColor": "blue",
        "expr": 'changes(process_start_time_seconds{job="huitou"}[1m]) > 0',
        "titleFormat": "{{instance}} started",
    }


def _panel(place: int, panel: Panel) -> dict[str, object]:
    row, column = divmod(place, _COLUMNS)
    text = panel.description
    if panel.alert:
        text += f"\n\nRunbook: docs/runbooks/{panel.alert}.md"
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": text,
        "datasource": _SOURCE,
        "gridPos": {"x": column * _WIDE, "y": row * _HIGH, "w": _WIDE, "h": _HIGH},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": _SOURCE,
                "expr": query.expression.replace("$rate", "$__rate_interval"),
                "legendFormat": query.legend,
            }
            for number, query in enumerate(panel.queries)
        ],
    }
