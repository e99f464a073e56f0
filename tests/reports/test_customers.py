"""Customers by score, segment and stage: what people can work out by hand, where such reports go wrong."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from schemas.settings import STACK, RfmThresholds
from schemas.settings import Settings as Version
from streams.definitions import Definitions
from streams.domain.shop import DEFAULT_RFM
from streams.query.connecting import Database
from streams.reports import customers
from streams.reports.answer import answer
from streams.reports.currencies import FOREVER, threshold_spans
from streams.reports.model import Asked, Row, ThresholdSpan
from streams.reports.period import Period
from streams.reports.registry import REPORTS
from tests.query.events import event
from tests.query.expected import ORDERS, PROFILES
from tests.reports.asking import asked, by_key, figures, moment_ms, rows, said
from tests.reports.histories import DAY, HOUR
from tests.reports.oracle import Question, Unknown
from tests.reports.test_command import CLOCK, Run, huitou
from tests.reports.test_examples import asked_of, paid

__all__ = ["huitou"]


def counts(found: list[Row]) -> dict[str | None, int]:
    """The parts that have somebody."""
    return {key: each["customers"] for key, each in by_key(found).items()
            if isinstance(each["customers"], int) and each["customers"]}  # fmt: skip


def as_of(store: Database, events: list[Any], day: str, zone: str = "UTC", **more: Any) -> Question:
    return asked_of(store, events, day, day, zone, **more)


def erasure(at: float, customer: str = "c1", shop: str = "shop") -> Any:
    return PROFILES, event(PROFILES, f"x{shop}", at, customer, action="erase", shop_id=shop)


def later(day: int) -> date:
    """So many days after 2026-01-01."""
    return date(2026, 1, 1) + timedelta(days=day)


@pytest.mark.parametrize(
    ("days", "score"),
    [(0, "5"), (30, "5"), (31, "4"), (60, "4"), (61, "3"), (90, "3"), (91, "2"), (180, "2"), (181, "1"),
     (800, "1")],
)  # fmt: skip
def test_recency_scores_turn_on_the_day_after_the_threshold(
    store: Database, days: int, score: str
) -> None:
    question = as_of(store, [paid(1, 23.9 * HOUR)], str(later(days)))
    assert counts(rows(store, question, "rfm", "r")) == {score: 1}
    assert counts(rows(store, question, "rfm", "f")) == {"1": 1}


def test_frequency_and_money_are_of_365_days(store: Database) -> None:
    """The second order is of the day before them, and counts for neither."""
    question = as_of(store, [paid(1, DAY, 10_000), paid(2, DAY - 1, 10_000)], str(later(365)))
    whole = figures(rows(store, question, "rfm", "whole")[0])
    assert (whole["customers"], whole["net_orders"], whole["net_amount"]) == (1, 1, 10_000)
    assert counts(rows(store, question, "rfm", "m")) == {"2": 1}
    question.first = question.last = later(364)
    assert figures(rows(store, question, "rfm", "whole")[0])["net_orders"] == 2
    assert counts(rows(store, question, "rfm", "f")) == {"2": 1}


def test_whoever_never_had_a_net_order_is_no_customer(store: Database) -> None:
    back = (ORDERS, event(ORDERS, "b", DAY, "c2", order_id="o2", status="refunded", refund_id="r1"))
    off = (ORDERS, event(ORDERS, "c", DAY, "c3", order_id="o3", status="cancelled"))
    placed_only = (ORDERS, event(ORDERS, "d", 0, "c4", order_id="o4", status="placed"))
    bought = [paid(1, 0, 500), paid(2, 0, customer="c2"), paid(3, 0, customer="c3")]
    question = as_of(store, [*bought, back, off, placed_only], "2026-01-02")
    for name in ("rfm", "lifecycle"):
        whole, *parts = rows(store, question, name)
        assert figures(whole)["customers"] == 1
        assert counts([whole, *parts]) == {"new": 1}
    visitor = rows(store, question, "lifecycle")[1]
    assert visitor.key == "visitor"
    assert visitor.values["customers"].why == "who has no order is not in the query store"


def test_an_order_counts_on_its_day_of_the_shops_clock(store: Database) -> None:
    events = [paid(1, 17 * HOUR)]
    question = as_of(store, events, str(later(31)), "Asia/Shanghai")
    assert counts(rows(store, question, "rfm", "r")) == {"5": 1}, "01:00 on 2 January there"
    question = as_of(store, events, str(later(31)), "UTC")
    assert counts(rows(store, question, "rfm", "r")) == {"4": 1}
    question = as_of(store, events, "2026-01-01", "Asia/Shanghai")
    assert figures(rows(store, question, "rfm", "whole")[0])["customers"] == 0
    assert figures(rows(store, question, "rfm", "whole")[0])["share"] == Unknown()


def test_an_amount_that_nobody_told_is_a_reason_and_not_zero(store: Database) -> None:
    """c1: M may be 1 to 5, so the segment is unknown; c2 bought often, lately not: at risk whatever M is."""
    often = [paid(n, (n - 200) * DAY, None if n == 3 else 100, "c2") for n in range(3, 8)]
    question = as_of(store, [paid(1, 0, None), *often], "2026-01-02")
    found = rows(store, question, "rfm")
    assert counts(found) == {"at_risk": 1, None: 1}
    unknown = found[-1]
    assert unknown.key is None
    assert (
        unknown.values["net_amount"].why
        == "1 of 1 orders tell no amount, or one of another currency"
    )
    assert unknown.values["net_amount"].at_least == 0
    assert figures(found[0])["unpriced_customers"] == 2
    assert figures(found[0])["net_amount"] == Unknown(400)
    assert counts(rows(store, question, "rfm", "m")) == {None: 2}


def test_amounts_of_another_currency_are_not_measured_by_these_thresholds(store: Database) -> None:
    turn = moment_ms("2026-01-02T00:00:00+00:00")
    events = [paid(1, 0, 300_000), paid(2, DAY, 40_000, "c2"), paid(3, DAY, 1, "c1")]
    question = as_of(store, events, "2026-01-03", turn_ms=turn)
    found = rows(store, question, "rfm", "m")
    assert counts(found) == {"3": 1, None: 1}
    assert figures(found[-1])["net_amount"] == Unknown(1)
    assert found[-1].values["net_amount"].currency == "USD"
    question.first = question.last = date(2026, 1, 1)
    found = rows(store, question, "rfm", "m")
    assert counts(found) == {"5": 1}
    assert found[0].values["net_amount"].currency == "CNY"


def test_what_an_erasure_took_is_unknown_for_a_year(store: Database) -> None:
    events = [paid(1, 0), erasure(5 * DAY), paid(2, 10 * DAY), paid(3, 10 * DAY, customer="c2")]
    events += [erasure(5 * DAY, "c1", "other"), erasure(20 * DAY, "c2", "another")]
    question = as_of(store, events, "2026-01-12")
    found = rows(store, question, "rfm")
    assert counts(found) == {"new": 1, None: 1}
    whole = figures(found[0])
    assert (whole["customers"], whole["erased_customers"], whole["net_orders"]) == (
        2,
        1,
        Unknown(1),
    )
    assert found[0].values["net_orders"].why == "of 1 of 2 customers earlier orders are not known"
    assert counts(rows(store, question, "rfm", "r")) == {"5": 2}, "the last order is known"
    question.first = question.last = later(5 + 365)
    assert counts(rows(store, question, "rfm", "f")) == {"1": 2}
    assert counts(rows(store, question, "lifecycle")) == {"lost": 1, None: 1}


def test_a_store_that_lacks_the_beginning_says_what_is_sure(store: Database) -> None:
    question = asked_of(store, [paid(1, 0), paid(2, 400 * DAY)], "2027-02-06", "2027-02-06")
    with store.reading() as connection:
        whole = replace(
            asked(connection, question, "rfm"), reach_ms=moment_ms("2026-01-03T00:00:00Z")
        )
        for name in ("rfm", "lifecycle"):
            first, *parts = REPORTS[name].rows(connection, replace(whole, by=REPORTS[name].by))
            assert first.values["customers"].number is None
            assert first.values["customers"].why == (
                "the store has this shop's orders from 2026-01-03 00:00:00 on only"
            )
            assert first.values["customers"].at_least == 1
            sure = {row.key: row.values["customers"].at_least for row in parts}
            assert {key for key, number in sure.items() if number} == {
                "new" if name == "rfm" else None
            }


@pytest.mark.parametrize(
    ("days", "name"),
    [
        ([0], "new"), ([30], "new"), ([31], "active"), ([90], "active"), ([91], "dormant"),
        ([180], "dormant"), ([181], "lost"),
        # The own interval: 60 days, then 61.
        ([181, 241], "lost"), ([181, 242], "dormant"),
        # Of three orders twice the own interval of 10 days: 20, then 21.
        ([20, 30, 40], "repeat"), ([21, 31, 41], "dormant"), ([21, 31], "repeat"),
        ([30, 121], "won_back"), ([31, 122], "repeat"), ([30, 120], "repeat"), ([0, 5, 96], "won_back"),
        ([31, 364], "repeat"), ([31, 365], "active"),
    ],
)  # fmt: skip
def test_every_stage_and_where_it_begins(store: Database, days: list[int], name: str) -> None:
    """``days``: how long ago orders were paid."""
    events = [paid(number, -ago * DAY) for number, ago in enumerate(days)]
    question = as_of(store, events, "2026-01-01")
    assert counts(rows(store, question, "lifecycle")) == {name: 1}


def test_thresholds_hold_from_their_first_millisecond_on() -> None:
    strict = RfmThresholds(recency_days=(0, 1, 2, 3), orders=(2, 3, 4, 5), amount=(1, 2, 3, 4))
    period = Period(date(2026, 1, 1), date(2026, 1, 1), "UTC")
    for turn_ms, wanted in ((period.until_ms - 1, strict), (period.until_ms, DEFAULT_RFM)):
        spans = (ThresholdSpan(turn_ms, DEFAULT_RFM), ThresholdSpan(FOREVER, strict))
        assert Asked("shop", period, thresholds=spans).rfm_at_end() == wanted


def test_two_ends_are_judged_each_by_the_thresholds_of_then(store: Database) -> None:
    question = as_of(store, [paid(1, 0), paid(2, DAY)], "2026-01-31")
    strict = RfmThresholds(recency_days=(0, 1, 2, 3), orders=(2, 3, 4, 5), amount=(1, 2, 3, 4))
    turn = moment_ms("2026-01-31T00:00:00+00:00")
    spans = (ThresholdSpan(turn, DEFAULT_RFM), ThresholdSpan(FOREVER, strict))
    with store.reading() as connection:
        question_of = replace(asked(connection, question, "rfm", "r"), thresholds=spans)
        told = answer(connection, REPORTS["rfm"], question_of, "previous")
    lines = {line.row.key: line for line in told.lines[1:]}
    assert lines["1"].row.values["customers"].number == 1
    assert lines["1"].changes is not None
    assert lines["1"].changes["customers"].before.number == 0
    assert lines["5"].compared_key == "5"
    assert lines["5"].changes is not None
    assert lines["5"].changes["customers"].before.number == 1
    now, before = [note for note in told.notes if note.startswith("Thresholds")]
    assert now == (
        "Thresholds at the end of 2026-01-31 (the shop's then): recency_days 0, 1, 2, 3; "
        "orders 2, 3, 4, 5; amount 1, 2, 3, 4 (minor units)."
    )
    assert before == (
        "Thresholds at the end of 2026-01-30 (the shop's then): recency_days 30, 60, 90, 180; "
        "orders 2, 3, 5, 10; amount 10,000, 30,000, 100,000, 300,000 (minor units)."
    )


def test_thresholds_follow_from_the_versions_of_the_settings() -> None:
    strict = RfmThresholds(recency_days=(0, 1, 2, 3), orders=(2, 3, 4, 5), amount=(1, 2, 3, 4))

    def version(shop: str, number: int, day: int, rfm: RfmThresholds | None) -> Version:
        moment = datetime(2026, 1, day, tzinfo=UTC)
        return Version(shop_id=shop, version=number, effective_from=moment, rfm=rfm)

    versions = [
        version("shop", 1, 1, None), version("shop", 2, 5, strict), version(STACK, 1, 1, None),
        version(STACK, 2, 3, None),
    ]  # fmt: skip
    spans = threshold_spans(Definitions(versions), "shop")
    assert spans == (
        ThresholdSpan(moment_ms("2026-01-05T00:00:00+00:00"), DEFAULT_RFM), ThresholdSpan(FOREVER, strict),
    )  # fmt: skip
    assert threshold_spans(Definitions(), "shop") == (ThresholdSpan(FOREVER, DEFAULT_RFM),)


def test_customers_are_read_one_after_another(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetched some rows at a time, in the order in which they lie: no customer is cut, and nothing sorted."""
    events = [paid(n, n * HOUR, customer=f"c{n % 7}") for n in range(50)]
    question = as_of(store, events, "2026-01-31")
    wanted = [figures(row) for row in rows(store, question, "rfm")]
    said_of: list[tuple[str, Any]] = []
    with store.reading() as connection:
        sqlalchemy_event.listen(
            connection.engine, "before_cursor_execute",
            listener := lambda _1, _2, statement, parameters, *_: said_of.append((statement, parameters)),
        )  # fmt: skip
        try:
            for size in (1, 3, 49, 2_000):
                monkeypatch.setattr(customers, "_ROWS", size)
                assert [figures(row) for row in rows(store, question, "rfm")] == wanted
        finally:
            sqlalchemy_event.remove(connection.engine, "before_cursor_execute", listener)
        statements = [each for each in said_of if "FROM orders" in each[0]]
        assert len(statements) == 4
        for statement, parameters in statements:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [row[-1] for row in plan]
            assert not any("TEMP B-TREE" in step for step in steps), steps
    assert wanted[0]["customers"] == 7


# --- the command; its shop has three paid orders of c1 and c2, on 1 and 2 January


DAYS = ("--shop", "shop", "--from", "2026-01-01", "--to", "2026-01-02")


def test_the_command_without_kafka_says_whose_thresholds_these_are(huitou: Run) -> None:
    out = huitou("rfm", *DAYS, *CLOCK).stdout
    assert "Thresholds at the end of 2026-01-02 (the defaults: the shop's own were not read)" in out
    assert "(unknown)" in out
    assert (
        "net_amount, amount_per_customer: 1 of 3 orders tell no amount, or one of another currency"
        in out
    )
    told = json.loads(huitou("rfm", *DAYS, *CLOCK, "--by", "f", "--json").stdout)
    assert {row["key"]: row["figures"]["customers"] for row in told["rows"][1:]} == {
        "1": 1, "2": 1, "3": 0, "4": 0, "5": 0, None: 0,
    }  # fmt: skip
    assert told["rows"][0]["at_least"]["net_amount"] == 12_445


def test_the_command_shows_and_explains_stages(huitou: Run) -> None:
    out = huitou("lifecycle", *DAYS, *CLOCK, "--csv").stdout
    lines = out.splitlines()
    assert lines[0] == "row,key,currency,customers,share,erased_customers,why"
    assert lines[1] == "whole,,,2,1.0,0,"
    assert "who has no order is not in the query store" in lines[2]
    assert "part,new,,1,0.5,0," in lines
    assert "part,repeat,,1,0.5,0," in lines
    assert "neither cancelled nor wholly refunded" in huitou("lifecycle", "--explain").stdout
    assert "before 0" in huitou("lifecycle", *DAYS, *CLOCK, "--compare", "previous").stdout


def test_parts_are_compared_with_those_of_the_same_name(store: Database) -> None:
    question = as_of(store, [paid(1, 0), paid(2, 35 * DAY)], str(later(40)))
    told = said(store, question, "lifecycle", compare="previous")
    assert [line.compared_key for line in told.lines[1:]] == [
        line.row.key for line in told.lines[1:]
    ]
