"""The shipped dashboards: current, in Grafana's grid, and asking only for what is served or recorded."""

import json
import re
from pathlib import Path

import pytest

from streams.telemetry.alerts import ALERTS
from streams.telemetry.catalogue import TARGET_LABELS, metrics, series
from streams.telemetry.grafana import VARIABLES, dashboard_files
from streams.telemetry.objectives import OBJECTIVES, WINDOWS
from streams.telemetry.panels import DASHBOARDS, Panel
from streams.telemetry.rules import PARTITIONS, recorded
from tests.telemetry.promql import labels_of, pairs_of, series_of
from tests.telemetry.test_rules import needs_promtool, promtool

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
PANELS = [panel for dashboard in DASHBOARDS for panel in dashboard.panels]
QUERIES = [query.expression for panel in PANELS for query in panel.queries]
#: Prometheus's own of alerts, and what alerts and recorded series are labelled with.
OF_ALERTS = {"alertname", "alertstate", "severity", "slo", "burn_rate"}


@pytest.mark.parametrize("name", dashboard_files())
def test_the_files_are_current(name: str) -> None:
    written = (GRAFANA / "dashboards" / name).read_text(encoding="utf-8")
    assert written == dashboard_files()[name], "make docs"


def test_there_is_no_other_file() -> None:
    assert {path.name for path in (GRAFANA / "dashboards").iterdir()} == set(dashboard_files())


@pytest.mark.parametrize("expression", QUERIES)
def test_a_panel_asks_for_what_is_served(expression: str) -> None:
    asked = series_of(expression.replace("$rate", "1m"))
    assert asked
    assert asked <= series() | set(PARTITIONS) | {recorded(one) for one in WINDOWS} | {"ALERTS"}
    labels = {label.name for metric in metrics().values() for label in metric.labels}
    known = labels | {label.name for label in TARGET_LABELS} | OF_ALERTS | {"le"}
    assert labels_of(expression) <= known
    values = {
        (label.name, value)
        for metric in metrics().values()
        for label in metric.labels
        for value in label.values
    }
    named = {name for name, _ in values}
    assert {pair for pair in pairs_of(expression) if pair[0] in named} <= values
    assert set(re.findall(r"\$(\w+)", expression)) <= {*VARIABLES, "rate"}


def test_a_label_that_a_query_loses_is_in_no_legend() -> None:
    for panel in PANELS:
        for query in panel.queries:
            for label in re.findall(r"{{(\w+)}}", query.legend):
                grouped = label in labels_of(query.expression)
                whole = label == "slo" or not re.search(
                    r"\b(sum|max|count|min)\b", query.expression
                )
                assert grouped or whole, (panel.title, label)


@needs_promtool
def test_promtool_parses_every_query(tmp_path: Path) -> None:
    expressions = [one.replace("$rate", "1m") for one in QUERIES]
    # Grafana's label_values(SELECTOR, label) asks for the series of a selector.
    expressions += [re.findall(r"\((.+), \w+\)", query)[0] for query in VARIABLES.values()]
    expressions += [
        one["expr"]
        for text in dashboard_files().values()
        for one in json.loads(text)["annotations"]["list"]
    ]
    rules = [{"record": f"panel:query:{n}", "expr": one} for n, one in enumerate(expressions)]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", str(file))


@pytest.mark.parametrize("name", dashboard_files())
def test_panels_lie_in_the_grid_without_covering_each_other(name: str) -> None:
    panels = json.loads(dashboard_files()[name])["panels"]
    cells = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in cells, panel["title"]
                cells.add((x, y))
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)


@pytest.mark.parametrize("panel", PANELS, ids=lambda one: one.title)
def test_a_panel_s_runbook_exists(panel: Panel) -> None:
    alerts = {one.name for one in ALERTS} | {one.alert for one in OBJECTIVES}
    assert not panel.alert or panel.alert in alerts


def test_every_metric_of_a_worker_that_an_alert_watches_is_drawn() -> None:
    watched = set().union(*(series_of(alert.condition) for alert in ALERTS)) - {"up"}
    drawn = set().union(*map(series_of, QUERIES))
    # Those that are 0 but on a bad day have a runbook with their queries and no panel.
    assert watched - drawn == {
        "shop_dedupe_evicted_early_total", "shop_bad_definitions_total", "shop_scrape_failures_total",
        "process_open_fds", "process_max_fds",
    }  # fmt: skip


def test_the_data_source_and_the_folder_are_those_that_are_provisioned() -> None:
    source = (GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text()
    provider = (GRAFANA / "provisioning" / "dashboards" / "huitou.yml").read_text()
    compose = (GRAFANA.parent / "compose.yaml").read_text()
    assert "uid: prometheus\n" in source
    (folder,) = re.findall(r"path: (\S+)", provider)
    assert f"./grafana/dashboards:{folder}:ro" in compose
