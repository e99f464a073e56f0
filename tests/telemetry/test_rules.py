"""The shipped rules: made of the catalogue, each alert with a runbook, each seen to fire and to end."""

import json
import math
import re
import subprocess
from pathlib import Path

import pytest

from streams.cli.main import COMMANDS
from streams.telemetry.alerts import ALERTS, Alert
from streams.telemetry.catalogue import TARGET_LABELS, metrics, series
from streams.telemetry.document import objectives_document
from streams.telemetry.objectives import BURN_RATES, OBJECTIVES, WINDOWS, BurnRate, Objective
from streams.telemetry.rules import PARTITIONS, burning, recorded, rule_files
from tests.operations.promtool import has_promtool
from tests.telemetry.promql import labels_of, pairs_of, series_of
from tests.telemetry.scenarios import STORIES, UP, Story

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules"
RUNBOOKS = ROOT / "docs" / "runbooks"

CONDITIONS = {alert.name: alert for alert in ALERTS}
BURNING = {one.alert: one for one in OBJECTIVES}
NAMES = {*CONDITIONS, *BURNING}
EXPRESSIONS = [
    *(alert.condition for alert in ALERTS),
    *(one.errors_over("5m") for one in OBJECTIVES),
    *PARTITIONS.values(),
]
needs_promtool = pytest.mark.skipif(
    not has_promtool(), reason="promtool is not installed (apt-get install prometheus)"
)


def promtool(*arguments: str, cwd: Path | None = None) -> None:
    done = subprocess.run(
        ["promtool", *arguments], check=False, capture_output=True, text=True, timeout=120, cwd=cwd
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[:8000]


# What the files are made of


@pytest.mark.parametrize("name", rule_files())
def test_the_files_are_current(name: str) -> None:
    assert (RULES / name).read_text(encoding="utf-8") == rule_files()[name], "make docs"


def test_there_is_no_other_file_and_prometheus_reads_them() -> None:
    assert {path.name for path in RULES.iterdir()} == set(rule_files())
    assert "rules/*.yml" in (RULES.parent / "prometheus.yml").read_text()


def test_the_page_of_objectives_is_current() -> None:
    assert (ROOT / "docs" / "slo.md").read_text(encoding="utf-8") == objectives_document(), (
        "make docs"
    )


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_rules_ask_for_what_is_served(expression: str) -> None:
    assert series_of(expression) <= series() | set(PARTITIONS)
    by_label = {
        label.name: set(label.values) for metric in metrics().values() for label in metric.labels
    }
    known = set(by_label) | {label.name for label in TARGET_LABELS} | {"le"}
    assert labels_of(expression) <= known
    closed = {
        (label.name, value)
        for metric in metrics().values()
        for label in metric.labels
        for value in label.values
    }
    for label, value in pairs_of(expression):
        assert not by_label.get(label) or (label, value) in closed, (label, value)


def test_a_misspelt_name_would_be_found() -> None:
    assert series_of('sum by (topic) (rate(shop_evnts_total{outcome="x"}[5m])) > 1') == {
        "shop_evnts_total"
    }
    assert labels_of('sum by (topik) (up{jobb="huitou"})') == {"topik", "jobb"}


def test_burn_rates_spend_what_the_workbook_says() -> None:
    hours = {"1h": 1, "6h": 6, "1d": 24, "3d": 72}
    spent = [round(burn.rate * hours[burn.long] / (30 * 24), 3) for burn in BURN_RATES]
    assert spent == [0.02, 0.05, 0.1, 0.1]
    assert {w for burn in BURN_RATES for w in (burn.long, burn.short)} == set(WINDOWS)


# Runbooks


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_runbook_says_what_somebody_needs_at_night(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    wanted = ["Meaning", "Impact", "Look first", "Causes", "Mitigation", "Recovery", "Escalate"]
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == wanted
    assert re.search(r"```promql\n.+?```", text, re.DOTALL)
    for block in re.findall(r"```promql\n(.+?)```", text, re.DOTALL):
        for query in block.strip().splitlines():
            recorded_names = {*PARTITIONS, *map(recorded, WINDOWS)}
            assert series_of(query) <= series() | recorded_names, query
    commands = re.findall(r"\bhuitou ([a-z]+)", text)
    assert commands, "no command of huitou's"
    assert set(commands) <= set(COMMANDS)
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert (RUNBOOKS / link).exists(), link


@needs_promtool
def test_the_runbooks_queries_parse(tmp_path: Path) -> None:
    queries = [
        query
        for path in sorted(RUNBOOKS.glob("*.md"))
        for block in re.findall(r"```promql\n(.+?)```", path.read_text(encoding="utf-8"), re.DOTALL)
        for query in block.strip().splitlines()
    ]
    rules = [{"record": f"runbook:query:{n}", "expr": query} for n, query in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "runbooks", "rules": rules}]}))
    promtool("check", "rules", str(file))


# promtool


@needs_promtool
def test_promtool_accepts_the_rules() -> None:
    promtool("check", "rules", *(str(RULES / name) for name in rule_files()))


def _unit(tmp_path: Path, tests: list[dict[str, object]], every: str = "1m") -> None:
    file = tmp_path / "test.yml"
    # YAML has JSON in it.
    file.write_text(
        json.dumps(
            {
                "rule_files": [str(RULES / name) for name in rule_files()],
                "evaluation_interval": every,
                "tests": tests,
            }
        )
    )
    promtool("test", "rules", str(file))


def _test(given: dict[str, str], checks: list[dict[str, object]]) -> dict[str, object]:
    given = UP | given
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in given.items()],
        "alert_rule_test": checks,
    }


def _silent(at: str, names: set[str]) -> list[dict[str, object]]:
    return [{"eval_time": at, "alertname": name, "exp_alerts": []} for name in sorted(names)]


def test_every_condition_has_a_story() -> None:
    assert set(STORIES) == set(CONDITIONS)


def _fired(alert: Alert, labels: dict[str, str], value: str) -> list[dict[str, object]]:
    """What promtool is to see: one alert, its annotations filled with ``labels`` and ``value``."""

    def filled(text: str) -> str:
        text = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found[1]], text)
        return re.sub(r"\{\{ \$value( \| \w+)? \}\}", value, text)

    annotations = {
        "summary": filled(alert.summary),
        "description": filled(alert.description),
        "runbook_url": f"docs/runbooks/{alert.name}.md",
    }
    return [{"exp_labels": {"severity": alert.severity, **labels}, "exp_annotations": annotations}]


@needs_promtool
@pytest.mark.parametrize("name", STORIES)
def test_an_alert_is_silent_fires_and_ends_and_no_other_does(name: str, tmp_path: Path) -> None:
    story: Story = STORIES[name]
    fired = _fired(CONDITIONS[name], story.labels, story.value)
    checks = [
        *_silent(story.silent, NAMES),
        {"eval_time": story.fires, "alertname": name, "exp_alerts": fired},
        *_silent(story.fires, NAMES - {name} - story.others),
        *_silent(story.ended, {name}),
    ]
    _unit(tmp_path, [_test(story.series, checks)])


# Objectives: minutes of a window, and how far apart the story's samples are for it.
_MINUTES = {"5m": 5, "30m": 30, "1h": 60, "2h": 120, "6h": 360, "1d": 1440, "3d": 4320}
_STEPS = {"1h": 1, "6h": 5, "1d": 20, "3d": 60}
#: Of so many records (or partitions) in a step ``bad`` are bad.
_RECORDS, _PARTITIONS = 1_000, 100


def _histogram(name: str, limit: str, fine: str, everything: str) -> dict[str, str]:
    return {name + f'_bucket{{le="{limit}"}}': fine, name + "_count": everything}


def _losing(objective: Objective, bad: int, steps: int, rest: int) -> dict[str, str]:
    """``bad`` of each step's records were bad for ``steps``, and then none for ``rest`` more."""
    good = _RECORDS - bad
    everything = f"0+{_RECORDS}x{steps + rest}"
    fine = f"0+{good}x{steps} {good * steps + _RECORDS}+{_RECORDS}x{rest - 1}"
    match objective.name:
        case "event-freshness":
            return _histogram("shop_event_age_seconds", "5.0", fine, everything)
        case "trigger-freshness":
            return _histogram("shop_trigger_latency_seconds", "2.5", fine, everything)
        case "valid-records":
            lost = f"0+{bad}x{steps} {bad * steps}x{rest}"
            named = 'shop_events_total{topic="shop.clicks",outcome="%s"}'
            return {named % "applied": fine, named % "dead_letter": lost}
        case "commit-availability":
            lag = 'shop_watermark_lag_seconds{partition="%d"}'
            return {
                lag % number: f"{45 if number < bad else 5}x{steps} 5x{rest}"
                for number in range(_PARTITIONS)
            }
    raise AssertionError(f"no story for {objective.name}")


def _burns(objective: Objective, burn: BurnRate, at: int, count: int) -> dict[str, object]:
    selector = f'alertname="{objective.alert}",burn_rate="{burn.words}",alertstate="firing"'
    return {
        "expr": f"count(ALERTS{{{selector}}}) or vector(0)",
        "eval_time": f"{at}m",
        "exp_samples": [{"labels": "{}", "value": count}],
    }


@needs_promtool
@pytest.mark.parametrize("burn", BURN_RATES, ids=lambda burn: burn.long)
@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: one.name)
def test_a_burn_rate_fires_just_above_its_limit_and_ends_with_the_cause(
    objective: Objective, burn: BurnRate, tmp_path: Path
) -> None:
    step = _STEPS[burn.long]
    scale = _PARTITIONS if objective.name == "commit-availability" else _RECORDS
    limit = burn.rate * objective.budget * scale
    above, below = math.floor(limit + 1e-9) + 1, math.ceil(limit - 1e-9) - 1
    steps = _MINUTES[burn.long] // step + 2
    rest = _MINUTES[burn.short] // step + 3
    fires, ended = (steps - 1) * step, (steps + rest - 2) * step
    tests = []
    for bad, count in ((above, 1), (below, 0)):
        test = _test(_losing(objective, bad, steps, rest), [])
        test["interval"] = f"{step}m"
        test["promql_expr_test"] = [
            _burns(objective, burn, fires, count),
            _burns(objective, burn, ended, 0),
        ]
        tests.append(test)
    _unit(tmp_path, tests, every=f"{step}m")


@needs_promtool
@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: one.name)
def test_an_objective_tells_of_no_other_and_says_how_bad_it_is(
    objective: Objective, tmp_path: Path
) -> None:
    """A fifth of everything is bad: every burn rate of this objective fires, and no other objective."""
    bad = 20 if objective.name == "commit-availability" else 200
    alerts = [
        one
        for burn in BURN_RATES
        for one in _fired(
            burning(objective, burn), {"slo": objective.name, "burn_rate": burn.words}, "20%"
        )
    ]
    checks = [
        {"eval_time": "50m", "alertname": objective.alert, "exp_alerts": alerts},
        *_silent("50m", set(BURNING) - {objective.alert}),
    ]
    _unit(tmp_path, [_test(_losing(objective, bad, 60, 5), checks)])


@needs_promtool
def test_a_healthy_stack_is_silent(tmp_path: Path) -> None:
    given: dict[str, str] = {}
    for objective in OBJECTIVES:
        given |= _losing(objective, 0, 120, 5)
    given |= {
        'shop_outbox_rows{job="huitou",instance="w0"}': "0x60 3x60",
        'shop_transactions_total{job="huitou",instance="w0",outcome="committed"}': "0+900x120",
        'shop_transactions_total{job="huitou",instance="w0",outcome="aborted"}': "0x60 2x60",
        'shop_heartbeat_seconds_count{job="huitou",instance="w0"}': "0+480x120",
        'shop_partitions_paused{job="huitou",instance="w0",reason="fold"}': "0x120",
        'shop_partitions_paused{job="huitou",instance="w0",reason="poison"}': "0x120",
        'shop_consumer_lag_records{topic="shop.clicks",partition="0"}': "30x120",
        'shop_open_transaction_age_seconds{topic="shop.clicks"}': "0x60 2x60",
        'shop_sink_lag_records{instance="s0",topic="shop.orders",partition="0"}': "3x120",
        'shop_sink_records_total{instance="s0",topic="shop.orders",outcome="written"}': "0+60x120",
        'shop_sink_last_commit_timestamp_seconds{instance="s0"}': "0+60x120",
        'up{job="huitou-sink",instance="s0"}': "1x120",
    }
    checks = [check for at in ("1m", "30m", "90m", "119m") for check in _silent(at, NAMES)]
    _unit(tmp_path, [_test(given | dict.fromkeys(UP, "1x120"), checks)])
