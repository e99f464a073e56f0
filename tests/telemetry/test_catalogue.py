"""The catalogue contradicts itself nowhere, and its page is what it says."""

import re
from pathlib import Path

import pytest

from streams.engine.refusal import RecoveryRefused
from streams.operations.metrics import Metrics
from streams.telemetry.catalogue import PROCESSES, metrics, series
from streams.telemetry.document import document
from streams.telemetry.metric import Label, Metric
from streams.telemetry.worker import REFUSED_CASES
from tests.telemetry.exposed import unlike_catalogue

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8") == document(), "make docs"


@pytest.mark.parametrize("name", metrics())
def test_the_page_explains_every_metric(name: str) -> None:
    (row,) = [line for line in document().splitlines() if re.match(rf"\| `{name}[`{{]", line)]
    assert all(label in row for label in metrics()[name].label_names)


def test_one_name_is_one_metric_whoever_serves_it() -> None:
    for served in PROCESSES.values():
        assert len({metric.name for metric in served}) == len(served)
        assert all(metrics()[metric.name] is metric for metric in served)


def test_labels_say_what_bounds_them() -> None:
    assert [
        f"{metric.name} {label.name}"
        for metric in metrics().values()
        for label in metric.labels
        if not (label.values or label.meaning)
    ] == []


def test_a_histogram_is_asked_for_by_its_three_names() -> None:
    assert "shop_event_age_seconds_bucket" in series()
    assert "shop_event_age_seconds" not in series()
    assert {"up", "shop_outbox_rows"} <= series()


def test_what_recovery_refuses_is_in_the_catalogue() -> None:
    """Every case that the engine names, by its source: half of them no test can bring about cheaply."""
    engine = Path(RecoveryRefused.__module__.replace(".", "/")).parent
    named: set[str] = set()
    for module in (ROOT / engine).glob("*.py"):
        named |= set(re.findall(r'RecoveryRefused\(\s*"(\w+)"', module.read_text()))
    assert named == set(REFUSED_CASES)


@pytest.mark.parametrize(
    ("name", "kind", "unit", "labels", "edges"),
    [
        ("shop_lag_ms", "gauge", "seconds", (), ()),
        ("shop_lag", "counter", "records", (), ()),
        ("shop_lag_total", "gauge", "records", (), ()),
        ("shop_lag_seconds", "histogram", "seconds", (), ()),
        ("shop_lag_seconds", "histogram", "seconds", (), (2.0, 1.0)),
        ("shop_lag_seconds", "gauge", "seconds", (), (1.0,)),
        ("shop_lag_seconds", "gauge", "seconds", (Label("customer", "one each"),), ()),
        ("Lag", "gauge", "records", (), ()),
    ],
)
def test_a_metric_that_contradicts_itself_cannot_be_made(name, kind, unit, labels, edges) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=name):
        Metric(name, kind, unit, "M.", labels, edges)


def test_differences_are_found() -> None:
    text = Metrics().exposition().decode()
    assert unlike_catalogue("worker", text) == []
    assert "not served: shop_sink_lag_records" in unlike_catalogue("sink", text)
    assert "not in the catalogue: shop_outbox_rows" in unlike_catalogue("sink", text)
    for before, after, said in (
        ("# TYPE shop_outbox_rows gauge", "# TYPE shop_outbox_rows histogram", "a histogram"),
        ("# HELP shop_outbox_rows Commits", "# HELP shop_outbox_rows Rows", "help"),
        (
            'shop_heartbeat_seconds_bucket{le="0.2"}',
            'shop_heartbeat_seconds_bucket{le="3"}',
            "buck",
        ),
    ):
        assert before in text
        (found,) = unlike_catalogue("worker", text.replace(before, after))
        assert said in found
    other = text + 'shop_skips_total{cause="whim"} 1\n'
    assert "shop_skips_total: cause=whim" in " ".join(unlike_catalogue("worker", other))
