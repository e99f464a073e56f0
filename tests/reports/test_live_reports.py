"""The live reports, asked as the command asks them, against the independent computation of traffic."""

import random
from math import floor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.domain.aggregated import Aggregates
from streams.query.connecting import Database
from streams.reports.answer import answer
from streams.reports.model import Asked, Value
from streams.reports.period import Period
from streams.reports.registry import REPORTS
from tests.oracle.events import CARTS, CLICKS, ORDERS, Published
from tests.reports.test_traffic_agrees import counted
from tests.reports.traffic_histories import FIRST, ZONE, histories, told
from tests.reports.traffic_oracle import Days, Stage, Traffic

LAST = FIRST.replace(day=2)
Values = dict[str, Value]


def said(
    store: Database, live: Aggregates, name: str, by: str | None = None
) -> dict[str | None, Values]:
    """The parts by key; the whole under "whole"."""
    asked = Asked("s", Period(FIRST, LAST, ZONE), by, limit=100, live=live)
    with store.reading() as connection:
        lines = answer(connection, REPORTS[name], asked).lines
    assert lines[0].row.kind == "whole"
    return {
        "whole" if at == 0 else line.row.key: dict(line.row.values) for at, line in enumerate(lines)
    }


def numbers(row: Values, *names: str) -> list[float | None]:
    for name in names:
        assert (row[name].number is None) == bool(row[name].why)
    return [row[name].number for name in names]


def check_overview(store: Database, live: Aggregates, whole: Traffic) -> None:
    rows = said(store, live, "overview", "day")
    days = {str(day): own for day, own in whole.by_day().items()}
    for key, expected in (("whole", whole), *days.items()):
        row = rows[key]
        clicks, carts, orders = (expected.sends(topic) for topic in (CLICKS, CARTS, ORDERS))
        found = numbers(row, "adders", "visitors", "views")
        assert found == [
            len(expected.adders) if carts else None,
            len(expected.visitors) if clicks else None,
            len(expected.views) if clicks else None,
        ]
        found = numbers(row, "add_to_cart_rate", "conversion", "buyers_without_visit")
        assert found == [
            expected.add_to_cart_rate if clicks and carts else None,
            expected.conversion if clicks and orders else None,
            len(expected.payers_without_visit) if clicks and orders else None,
        ]
        dwell, views = expected.dwell
        mean = floor(dwell / views + 0.5) if clicks and views else None
        assert numbers(row, "average_dwell") == [mean]
        told = all("session_id" in event.data for event in expected.visits)
        sessions = len(expected.sessions) if clicks and told else None
        assert numbers(row, "sessions") == [sessions]


def check_sources(store: Database, live: Aggregates, whole: Traffic) -> None:
    for dimension in ("source", "channel", "region"):
        rows = said(store, live, "sources", dimension)
        own = whole.visitors_by(dimension)
        visitors = {key: row["visitors"].number for key, row in rows.items() if key in own}
        assert visitors == {key: len(who) for key, who in own.items()}
        parts = {key: row for key, row in rows.items() if key not in ("whole", None)}
        visits = [row["visits"].number for key, row in rows.items() if key != "whole"]
        assert sum(number or 0 for number in visits) == len(whole.visits)
        told = whole.bought_tell("paid", dimension)
        known = whole.sends(ORDERS) and (told or not whole.paid)
        for row in parts.values():
            partly = known and whole.silent("paid", dimension) > 0
            assert (numbers(row, "payers") == [None]) == (not known or partly)
            assert (row["payers"].at_least is not None) == partly
            if whole.visits and not own:
                assert row["visitors"].why == f"no visit tells its {dimension}"
        if not whole.sends(ORDERS):
            assert rows["whole"]["payers"].why == "the shop sent no orders in the period"


def check_keywords(store: Database, live: Aggregates, whole: Traffic) -> None:
    rows = said(store, live, "keywords", "keyword")
    sends = whole.sends(CLICKS)
    assert numbers(rows.pop("whole"), "searches") == [len(whole.searches) if sends else None]
    untold = rows.pop(None, None)
    assert {key: row["searches"].number for key, row in rows.items()} == whole.keywords()
    told = whole.keywords().total()
    assert (untold["searches"].number if untold else 0) == len(whole.searches) - told


def check_live(store: Database, live: Aggregates, whole: Traffic) -> None:
    rows = said(store, live, "live", "live")
    found = {
        key: numbers(row, "live_entries", "live_visitors")
        for key, row in rows.items()
        if key not in ("whole", None)
    }
    assert found == {key: [entries, len(who)] for key, (entries, who) in whole.live().items()}
    entries = whole.number_of("live_enter") if whole.sends(CLICKS) else None
    assert numbers(rows["whole"], "live_entries") == [entries]


def check_carts(store: Database, live: Aggregates, whole: Traffic) -> None:
    row = said(store, live, "carts", "product")["whole"]
    assert numbers(row, "adds", "adders", "views") == [
        len(whole.adds) if whole.sends(CARTS) else None,
        len(whole.adders) if whole.sends(CARTS) else None,
        len(whole.views) if whole.sends(CLICKS) else None,
    ]


def check_hours(store: Database, live: Aggregates, whole: Traffic) -> None:
    rows = said(store, live, "hours", "hour")
    found = {int(key or 0): rows[key]["visits"].number for key in rows if key != "whole"}
    sends = whole.sends(CLICKS)
    assert found == {hour: whole.by_hour()[hour] if sends else None for hour in range(24)}


def check_funnel(store: Database, live: Aggregates, whole: Traffic) -> None:
    stages = whole.funnel()
    row = said(store, live, "funnel")["whole"]
    names = {"visitors": ("visit", CLICKS), "viewers": ("view", CLICKS), "adders": ("cart", CARTS),
             "payers": ("paid", ORDERS)}  # fmt: skip
    if whole.placed or not whole.paid:
        names["placers"] = ("placed", ORDERS)
    else:
        assert row["placers"].why == "no order says when it was placed"
    assert {name: numbers(row, name)[0] for name in names} == {
        name: stages[stage].customers if whole.sends(topic) else None
        for name, (stage, topic) in names.items()
    }
    for dimension in ("source", "channel", "region", "category"):
        expected = whole.funnel_by(dimension)
        for key, own in said(store, live, "funnel", dimension).items():
            if key not in ("whole", None):
                check_part(own, whole, dimension, expected[key])


def check_part(own: Values, whole: Traffic, dimension: str, expected: dict[str, Stage]) -> None:
    """What no event tells is not 0."""
    seen = whole.views if dimension == "category" else whole.visits
    silent = bool(seen) and not whole.visitors_by(dimension)
    told = whole.sends(CLICKS) and not silent
    assert numbers(own, "visitors") == [expected["visit"].customers if told else None]
    silent = bool(whole.adds) and not whole.adders_by(dimension)
    told = whole.sends(CARTS) and dimension != "region" and not silent
    adders = expected["cart"].customers
    if told and (number := whole.silent("adds", dimension)):
        why = f"{number:,} additions to a cart tell no {dimension}"
        assert own["adders"] == Value(None, why, adders)
    else:
        assert numbers(own, "adders") == [adders if told else None]
    for figure, status in (("payers", "paid"), ("placers", "placed")):
        did = whole.paid if status == "paid" else whole.placed
        if not whole.sends(ORDERS) or (did and not whole.bought_tell(status, dimension)):
            assert numbers(own, figure) == [None]
        elif dimension != "category" and (number := whole.silent(status, dimension)):
            assert numbers(own, figure) == [None]
            assert f"{number:,} " in str(own[figure].why)


def alone(
    store: Database, name: str, by: str | None, *events: Published
) -> dict[str | None, Values]:
    return said(store, counted(events, "s"), name, by)


def test_what_a_shop_sends_nothing_of_is_not_0(store: Database) -> None:
    rows = alone(
        store, "funnel", "day", told(CLICKS, 1, action="view"), told(CARTS, 25, action="clear")
    )
    first, second = rows["2026-03-01"], rows["2026-03-02"]
    assert numbers(rows["whole"], "visitors", "adders", "payers") == [1, 0, None]
    assert numbers(first, "visitors", "adders", "payers") == [1, None, None]
    assert numbers(second, "visitors", "adders", "paid_share") == [None, 0, None]
    assert first["adders"].why == "the shop sent no cart events in these days"
    assert first["payers"].why == "the shop sent no orders in the period"
    assert first["added_share"].why == first["adders"].why


def test_orders_of_which_none_was_paid_make_no_payer(store: Database) -> None:
    shipped = told(ORDERS, 1, order_id="o", status="shipped")
    row = alone(store, "funnel", None, told(CLICKS, 1, action="view"), shipped)["whole"]
    assert numbers(row, "placers", "payers", "paid_share") == [0, 0, 0.0]


def test_orders_that_tell_no_source_leave_its_payers_unknown(store: Database) -> None:
    view = told(CLICKS, 1, action="view", traffic_source="search")
    paid = told(ORDERS, 1, order_id="o", status="paid")
    for name in ("funnel", "sources"):
        rows = alone(store, name, "source", view, paid)
        assert numbers(rows["whole"], "payers") == [1]
        assert rows["search"]["payers"] == Value(None, "no paid order tells its source")
        assert numbers(rows["search"], "visitors") == [1]


def test_who_came_by_a_share_of_nobody_is_not_known(store: Database) -> None:
    shared = told(CLICKS, 1, action="view", traffic_source="share")
    row = alone(store, "sharing", None, shared)["whole"]
    assert numbers(row, "shares", "shared_visits", "shared_visitors") == [0, None, None]
    row = alone(store, "sharing", None, shared, told(CLICKS, 1, action="view", shared_by="d"))[
        "whole"
    ]
    assert numbers(row, "shares", "shared_visits", "shared_visitors") == [0, 1, 1]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=histories, shuffler=st.randoms(use_true_random=False))
def test_live_reports_are_those_of_an_independent_computation(
    store: Database, events: list[Published], shuffler: random.Random
) -> None:
    again = [*events, *events[: len(events) // 2]]
    shuffler.shuffle(again)
    live = counted(again, "s")
    whole = Traffic(events, "s", Days(FIRST, LAST, ZONE))
    for check in (
        check_overview, check_sources, check_keywords, check_live, check_carts, check_hours,
        check_funnel,
    ):  # fmt: skip
        check(store, live, whole)
