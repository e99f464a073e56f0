"""What makes a demo's exit code 0, and what its JSON holds."""

import json
from io import StringIO

import pytest
from rich.console import Console

from streams.demo.summary import Summary, Verified, show, write


def summary(**changes: object) -> Summary:
    fields: dict[str, object] = {
        "events_published": 100, "events_applied": 90, "duplicates": 6, "dead_letters": 4,
        "triggers": {"abandoned-cart": 3, "second-order": 2, "bad-review": 0},
        "trigger_latency_ms": {"p50": 80.0, "p99": 190.5}, "lost": 0, "lost_in": {},
        "verify": Verified(compared=500), "recoveries": {"current": 8}, "restarts": 0,
        "customers": 40, "data": "simulated customers", "factor": 120.0, "seconds": 90.0,
    }  # fmt: skip
    return Summary(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_run_without_a_loss_or_a_disagreement_is_proved() -> None:
    assert summary().proved


@pytest.mark.parametrize(
    "changes",
    [
        {"lost": 1},
        {"verify": Verified(compared=500, missing=1)},
        {"verify": Verified(compared=500, extra=1)},
        {"verify": Verified(compared=500, different=1)},
    ],
)
def test_one_loss_or_disagreement_is_enough_to_fail(changes: dict[str, object]) -> None:
    failed = summary(**changes)
    assert not failed.proved
    file = StringIO()
    show(failed, [], Console(file=file, width=120))
    assert "does not add up" in file.getvalue()


def test_the_json_has_what_scripts_ask_for() -> None:
    found = json.loads(write(summary()))
    assert {
        "events_published", "events_applied", "duplicates", "dead_letters", "triggers",
        "trigger_latency_ms", "lost", "verify", "recoveries", "restarts", "seconds",
    } <= found.keys()  # fmt: skip
    assert found["trigger_latency_ms"] == {"p50": 80.0, "p99": 190.5}
    assert found["verify"] == {"compared": 500, "missing": 0, "extra": 0, "different": 0}


def test_a_run_without_a_coupon_has_no_latency() -> None:
    none = summary(trigger_latency_ms={"p50": None, "p99": None})
    assert json.loads(write(none))["trigger_latency_ms"] == {"p50": None, "p99": None}
    file = StringIO()
    show(none, [], Console(file=file, width=120))
    assert "from cause to readable" not in file.getvalue()
