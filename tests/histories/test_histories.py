"""New code folds recorded histories to the recorded triggers and states, byte for byte."""

import json

import pytest

from tests.histories.differing import differences
from tests.histories.folding import (
    events_path,
    fold_history,
    names,
    outcome_names,
    outcome_path,
    read_events,
)


def test_there_are_histories_and_each_has_its_outcome() -> None:
    assert len(names()) >= 3
    assert names() == outcome_names()


@pytest.mark.parametrize("name", names())
def test_folding_gives_what_was_recorded(name: str) -> None:
    recorded = outcome_path(name).read_text(encoding="utf-8")
    outcome = fold_history(read_events(events_path(name)))
    if outcome != recorded:
        found = "\n".join(differences(recorded, outcome))
        pytest.fail(
            f"history {name} gives something else than was recorded:\n{found}\n"
            "Is it meant? Then record it (python -m tests.histories --record), and say in the "
            "commit why each of these triggers and states has changed."
        )


def test_the_histories_have_what_they_are_for() -> None:
    """Every campaign issues, every kind of repeat and mistake occurs."""
    text = "".join(outcome_path(name).read_text(encoding="utf-8") for name in names())
    lines = [json.loads(line) for line in text.splitlines()]
    triggers = [line["value"]["data"] for line in lines if line.get("topic") == "shop.triggers"]
    campaigns = {trigger["campaign"] for trigger in triggers}
    assert campaigns == {"abandoned-cart", "bad-review", "second-order"}
    letters = [line["value"] for line in lines if line.get("topic") == "shop.deadletters"]
    assert len({letter["data"]["reason"] for letter in letters}) >= 7
    assert {line["outcome"] for line in lines if "outcome" in line} == {
        "applied", "duplicate", "dead_letter",
    }  # fmt: skip
    states = [line for line in lines if "state" in line]
    assert len(states) > 50
    assert sum(state["service"]["resolved"] for state in states) > 5
    assert sum(state["wishes"]["likes"] for state in states) > 5
    assert any(state["erased_at"] is not None for state in states)


def test_one_event_less_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    (name, *_) = names()
    events = read_events(events_path(name))
    recorded = outcome_path(name).read_text(encoding="utf-8")
    found = list(differences(recorded, fold_history(events[:-1])))
    assert "lines differ" in found[0]
