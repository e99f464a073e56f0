"""Each yes and no is found, on one page and no other, against a plain filter over all of them."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import DECISIONS, TRIGGERS
from streams.cli.endings import EXIT_FOUND, EXIT_USAGE
from streams.query.batch import BatchReader
from streams.query.connecting import Database
from streams.query.deciding import DecisionKey, WantedDecisions, find_decisions, page_key
from streams.query.page_keys import written
from streams.query.store import QueryStore, Stored
from streams.settings import Settings
from tests.engine.harness import run_cli
from tests.oracle.events import milliseconds
from tests.query.conftest import open_store
from tests.query.events import event, placed, record, slices_of
from tests.query.plans import plan_of, statements_of
from tests.query.publishing import shop_of_tea

Told = tuple[str, dict[str, Any]]


def decided(number: int, rng: random.Random) -> Told:
    """A trigger or a refusal; many of one time, many of one customer."""
    customer, at = f"c{rng.randrange(5)}", rng.randrange(12)
    campaign = rng.choice(["bad-review", "second-order"])
    shared = {"customer_id": customer, "campaign": campaign, "campaign_version": "1"}
    if rng.random() < 0.5:
        kind = rng.choice(["coupon_issued", "coupon_issued", "coupon_expired"])
        return TRIGGERS, event(
            TRIGGERS, f"t{number}", at, customer, trigger_id=f"t{number}", kind=kind, **shared
        )
    return DECISIONS, event(
        DECISIONS, f"d{number}", at, customer, decision_id=f"d{number}", trigger_id="t",
        reason=rng.choice(["consent", "brushed"]), **shared,
    )  # fmt: skip


def fill(database: Database, told: list[Told]) -> None:
    reader = BatchReader(1, {name: name for name in (TRIGGERS, DECISIONS)})
    store = QueryStore(database)
    store.begin([Stored(name, 0, "id", 0, 0, None, 0, 0) for name in (TRIGGERS, DECISIONS)])
    store.write(reader.read(slices_of([record(one) for one in placed(told, 1)])))


def fits(told: Told, wanted: WantedDecisions) -> bool:
    topic, data, time_ms = told[0], told[1]["data"], milliseconds(told[1]["time"])
    outcome = "issued" if topic == TRIGGERS else "refused"
    return (
        data.get("kind") in (None, "coupon_issued")
        and wanted.customer in (None, data["customer_id"])
        and wanted.campaign in (None, data["campaign"])
        and wanted.outcome in (None, outcome)
        and wanted.reason in (None, data.get("reason"))
        and (wanted.since_ms is None or time_ms >= wanted.since_ms)
        and (wanted.until_ms is None or time_ms < wanted.until_ms)
    )


START = milliseconds("2026-01-01T00:00:00Z")
QUESTIONS: list[dict[str, Any]] = [
    {},
    {"customer": "c1"},
    {"campaign": "bad-review"},
    {"outcome": "issued"},
    {"outcome": "refused", "customer": "c2"},
    {"reason": "consent"},
    {"since_ms": START + 3_000, "until_ms": START + 9_000},
    {"customer": "nobody"},
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda asked: "-".join(asked) or "all")
def test_pages_are_what_a_plain_filter_gives(database: Database, question: dict[str, Any]) -> None:
    rng = random.Random(7)
    told = [decided(number, rng) for number in range(120)]
    fill(database, told)
    wanted = WantedDecisions(shop="shop", limit=7, **question)
    expected = sorted(
        (
            (milliseconds(e["time"]), e["data"]["customer_id"], e["id"])
            for topic, e in told
            if fits((topic, e), wanted)
        ),
        reverse=True,
    )
    found, after = [], None
    with database.reading() as connection:
        while True:
            page = find_decisions(
                connection, WantedDecisions(shop="shop", limit=7, after=after, **question)
            )
            assert len(page.decisions) <= 7
            found += page.decisions
            if page.next is None:
                break
            after = page_key(written(page.next))
    keys = [(r["time_ms"], r["customer_id"], r["decision_id"] or r["trigger_id"]) for r in found]
    assert keys == expected
    assert all((row["outcome"] == "refused") == (row["reason"] is not None) for row in found)


def test_another_shop_has_its_own(database: Database) -> None:
    fill(database, [decided(number, random.Random(number)) for number in range(9)])
    with database.reading() as connection:
        assert find_decisions(connection, WantedDecisions(shop="other")).decisions == []


@pytest.mark.parametrize("question", [{}, {"customer": "c1"}, {"campaign": "x"}], ids=str)
def test_no_page_walks_a_whole_table(tmp_path: Path, question: dict[str, Any]) -> None:
    opened = open_store(f"sqlite:///{tmp_path / 'store'}.sqlite")
    try:
        from streams.query.migrating import bring_up

        bring_up(opened)
        wanted = WantedDecisions(shop="shop", after=DecisionKey(9, "c", "t"), **question)

        def ask() -> None:
            with opened.reading() as connection:
                find_decisions(connection, wanted)

        with opened.reading() as connection:
            plans = [plan_of(connection, *one) for one in statements_of(opened, ask)]
        steps = [step for plan in plans for step in plan]
        assert len([plan for plan in plans if plan]) == 2
        assert not [step for step in steps if step.startswith("SCAN")], steps
    finally:
        opened.close()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"outcome": "perhaps"}, "no outcome 'perhaps'; there are issued, refused"),
        ({"outcome": "issued", "reason": "consent"}, "refused for no reason"),
    ],
)
def test_what_no_decision_can_be_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WantedDecisions(shop="shop", **asked)


@pytest.mark.parametrize("word", ["", "x", "bm8", written(DecisionKey(1, "a\0", "t"))])
def test_a_word_that_names_no_page_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="is no page"):
        page_key(word)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_command(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", "220")
    shop = shop_of_tea(settings, tmp_path)
    shared = {
        "shop_id": "tea",
        "customer_id": "c1",
        "campaign": "bad-review",
        "campaign_version": "1",
    }
    why = [{"rule": "rating_at_most", "value": 1, "threshold": 2}]
    shop.send(
        DECISIONS,
        event(DECISIONS, "d1", 16.5 * 3_600, "c1", decision_id="d1", trigger_id="t1", reason="consent",
              why=why, checks=[{"step": "consent", "passed": False, "value": "chat", "threshold": "chat"}],
              **shared),
    )  # fmt: skip
    shop.send(
        TRIGGERS,
        event(TRIGGERS, "t2", 16.5 * 3_600 + 1, "c1", trigger_id="t2", kind="coupon_issued", why=why,
              **shared),
    )  # fmt: skip
    shop.flush()
    done = run_cli(settings, "sink", "--once")
    assert done.returncode == 0, done.stderr

    def huitou(*arguments: str, code: int = 0) -> str:
        done = run_cli(settings, "decisions", *arguments)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    said = huitou("--shop", "tea", "--customer", "c1")
    assert said.index("issued") < said.index("refused: consent"), "the newest first"
    assert "2026-01-02 00:30:00" in said, "on the shop's clock"
    assert "rating_at_most 1" in said
    assert "consent: chat" in said
    assert "The store has all that the topics have" in said
    answer = json.loads(huitou("--shop", "tea", "--limit", "1", "--json"))
    assert [(row["outcome"], row["time_at"])
            for row in answer["decisions"]] == [("issued", "2026-01-01T16:30:01.000Z")]  # fmt: skip
    rest = json.loads(huitou("--shop", "tea", "--after", answer["next"], "--json"))
    assert [row["checks"] for row in rest["decisions"]] == [
        [{"step": "consent", "passed": False, "value": "chat", "threshold": "chat"}]
    ]
    assert rest["next"] is None
    assert "No decision is like that" in huitou("--shop", "tea", "--from", "2026-02-01")
    assert "unknown" in huitou("--shop", "tae", code=EXIT_FOUND)
    assert "no outcome 'no'" in huitou("--shop", "tea", "--outcome", "no", code=EXIT_USAGE)
    assert "is no page" in huitou("--shop", "tea", "--after", "x", code=EXIT_USAGE)
