"""The oracle of traffic itself: cases judged by eye, laws that hold of any history, Taobao's raw rows."""

import itertools
import random
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import taobao
from tests.oracle.events import CARTS, CLICKS, ORDERS, PROFILES, Published
from tests.reports.traffic_histories import FIRST, SAMPLE_DAYS, ZONE, histories, published_row, told
from tests.reports.traffic_oracle import DIMENSIONS, Days, Stage, Sum, Traffic
from tests.taobao import sample_file


def click(hour: float, action: str = "view", customer: str = "c", **data: Any) -> Published:
    return told(CLICKS, hour, customer, action=action, **data)


def cart(hour: float, action: str = "add", customer: str = "c", **data: Any) -> Published:
    return told(CARTS, hour, customer, action=action, sku="A", **data)


def order(hour: float, status: str, customer: str = "c", name: str = "o", **data: Any) -> Published:
    return told(ORDERS, hour, customer, status=status, order_id=name, **data)


def traffic(*events: Published, days: int = 1) -> Traffic:
    return Traffic(events, "s", Days(FIRST, FIRST + timedelta(days=days - 1), ZONE))


@pytest.mark.parametrize("action", ["view", "store_visit", "live_enter"])
def test_what_makes_a_visitor(action: str) -> None:
    assert traffic(click(1, action)).visitors == {"c"}


@pytest.mark.parametrize(
    "action", ["search", "favorite", "share", "ask", "live_leave", "campaign_open"]
)
def test_what_makes_none(action: str) -> None:
    found = traffic(click(1, action), cart(1), order(1, "paid"))
    assert found.visitors == set()
    assert found.add_to_cart_rate is None
    assert found.conversion is None
    assert found.adders_without_visit == found.payers_without_visit == {"c"}


def test_a_day_is_one_of_the_shops_clock() -> None:
    events = click(-0.001), click(0, customer="d"), click(23.999, customer="d"), click(24)
    assert traffic(*events).visitors == {"d"}
    assert traffic(*events).by_hour() == {0: 1, 23: 1}


def test_a_range_is_a_union_and_no_sum() -> None:
    found = traffic(click(1), click(25), click(26, customer="d"), days=2)
    assert len(found.visitors) == 2
    assert [len(day.visitors) for day in found.by_day().values()] == [1, 2]


def test_rates_are_of_visitors_who_did_it_and_others_are_apart() -> None:
    found = traffic(
        click(1, customer="a"), click(1, customer="b"), cart(2, customer="a"), cart(2, customer="x"),
        cart(3, "remove", customer="a"), order(4, "paid", "x", "o1"), order(4, "paid", "y", "o2"),
        order(4, "paid", "b", "o3"),
    )  # fmt: skip
    assert found.add_to_cart_rate == 0.5
    assert found.conversion == 0.5
    assert found.adders_without_visit == {"x"}
    assert found.payers_without_visit == {"x", "y"}


@pytest.mark.parametrize("action", ["remove", "set", "clear"])
def test_only_an_add_makes_an_adder(action: str) -> None:
    assert traffic(cart(1, action)).adders == set()


def test_who_visits_one_day_and_pays_the_next_converts_in_the_range_and_on_neither_day() -> None:
    found = traffic(click(1), order(25, "paid"), days=2)
    assert found.conversion == 1
    assert [day.conversion for day in found.by_day().values()] == [0, None]


def test_each_step_of_an_order_has_what_its_own_event_told() -> None:
    lines = [{"sku": "A", "category": "tea"}, {"sku": "B", "category": "cups"}]
    found = traffic(
        order(1, "placed", lines=lines, traffic_source="search", region="CN-33"),
        order(2, "paid", region="CN-31", lines=[]),
    )
    assert found.placers_by("category") == {"cups": {"c"}, "tea": {"c"}}
    assert found.placers_by("source") == {"search": {"c"}}
    assert found.placers_by("region") == {"CN-33": {"c"}}
    assert found.payers_by("category") == found.payers_by("source") == {}
    assert found.payers_by("region") == {"CN-31": {"c"}}


def test_a_refund_and_a_cancellation_change_the_day_of_the_payment_only() -> None:
    events = [
        order(1, "paid", name="o1", amount_paid=500), order(2, "paid", name="o2", amount_paid=70),
        order(3, "paid", name="o3"), order(30, "refunded", name="o1", refund_id="r", amount=200),
        order(31, "cancelled", name="o2"),
    ]  # fmt: skip
    found = traffic(*events, days=2)
    assert found.money == Sum(3, 570, 300, 1)
    assert [day.money for day in found.by_day().values()] == [Sum(3, 570, 300, 1), Sum(0, 0, 0, 0)]
    assert found.payers == {"c"}


def test_the_funnel_counts_who_was_at_a_stage_and_who_at_all_before_it() -> None:
    found = traffic(
        click(1, category="tea"), cart(2, category="tea"), click(3, "live_enter", "d"),
        order(4, "paid", "d", lines=[{"sku": "A", "category": "tea"}]),
    )  # fmt: skip
    assert found.funnel() == {
        "visit": Stage(2, 2), "view": Stage(1, 1), "cart": Stage(1, 1), "placed": Stage(0, 0),
        "paid": Stage(1, 0),
    }  # fmt: skip
    assert found.funnel_by("category")["tea"]["paid"] == Stage(1, 0)


def test_keywords_live_sessions_and_dwell() -> None:
    found = traffic(
        click(1, "search", keyword="tea"), click(2, "search", keyword="tea"), click(3, "search"),
        click(4, "live_enter", live_id="l"), click(5, "live_enter", live_id="l"),
        click(6, "live_leave", live_id="l"), click(7, session_id="1", dwell_ms=0), click(8),
        click(9, session_id="1", dwell_ms=40), click(9, session_id="1", customer="d"),
    )  # fmt: skip
    assert (len(found.searches), found.keywords()) == (3, {"tea": 2})
    assert found.live() == {"l": (2, {"c"})}
    assert found.sessions == {("c", "1"), ("d", "1")}
    assert found.dwell == (40, 2)


def test_another_shop_is_another_shop_and_an_erasure_is_refused() -> None:
    assert traffic(click(1, shop_id="other")).visitors == set()
    with pytest.raises(ValueError, match="no erasures"):
        traffic(told(PROFILES, 1, action="erase"))


# --- any history


def _all(found: Traffic) -> list[Any]:
    return [
        found.visitors, found.adders, found.placers, found.payers, found.sessions, found.dwell,
        len(found.views), len(found.searches), found.by_hour(), found.money, found.funnel(),
        found.keywords(), found.live(), found.add_to_cart_rate, found.conversion,
        [found.funnel_by(dimension) for dimension in DIMENSIONS],
        [found.views_by(dimension) for dimension in DIMENSIONS],
    ]  # fmt: skip


@settings(deadline=None)
@given(histories, st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter(events: list[Published], shuffler: random.Random) -> None:
    again = [*events, *events[: len(events) // 2]]
    shuffler.shuffle(again)
    assert _all(traffic(*again, days=2)) == _all(traffic(*events, days=2))


@settings(deadline=None)
@given(histories)
def test_days_make_the_range_and_parts_the_whole(events: list[Published]) -> None:
    found = traffic(*events, days=2)
    days = list(found.by_day().values())
    for figure in ("visitors", "adders", "placers", "payers", "sessions"):
        assert set().union(*(getattr(day, figure) for day in days)) == getattr(found, figure)
    for figure in ("views", "visits", "searches", "adds", "placed", "paid"):
        assert sum(len(getattr(day, figure)) for day in days) == len(getattr(found, figure))
    sums = [day.money for day in days]
    assert Sum(*(sum(values) for values in zip(*sums, strict=True))) == found.money
    assert sum(found.by_hour().values()) == len(found.visits)
    for dimension in DIMENSIONS:
        assert set().union(*found.visitors_by(dimension).values()) <= found.visitors
        assert set().union(*found.payers_by(dimension).values()) <= found.payers
        assert found.views_by(dimension).total() <= len(found.views)
        for stages in found.funnel_by(dimension).values():
            of_all = [stage.of_all_before for stage in stages.values()]
            assert of_all == sorted(of_all, reverse=True)
    for rate in (found.add_to_cart_rate, found.conversion):
        assert rate is None or 0 <= rate <= 1


# --- Taobao's sample


@pytest.fixture(scope="module")
def sample() -> list[taobao.Row]:
    inside = range(taobao.FIRST, taobao.AFTER)
    return [row for row in taobao.rows(sample_file()) if row.second in inside]


@pytest.fixture(scope="module")
def sample_traffic(sample: list[taobao.Row]) -> Traffic:
    return Traffic(map(published_row, itertools.count(), sample), "taobao", SAMPLE_DAYS)


@pytest.mark.long
def test_taobao(sample: list[taobao.Row], sample_traffic: Traffic) -> None:
    """Against sets made of the rows: what repeats there (one line, second and action) is one cart event."""
    by_day: dict[date, dict[str, set[str]]] = {}
    views: Counter[date] = Counter()
    for row in sample:
        day = datetime.fromtimestamp(row.second, taobao.CHINA).date()
        by_day.setdefault(day, {}).setdefault(row.behaviour, set()).add(row.customer)
        views[day] += row.behaviour == "pv"
    found = sample_traffic.by_day()
    assert list(found) == sorted(by_day)
    for day, who in by_day.items():
        own = found[day]
        assert (own.visitors, own.adders, own.payers) == (who["pv"], who["cart"], who["buy"])
        assert len(own.views) == views[day]
        assert own.add_to_cart_rate == round(len(who["cart"] & who["pv"]) / len(who["pv"]), 6)
        assert own.conversion == round(len(who["buy"] & who["pv"]) / len(who["pv"]), 6)
        assert own.funnel()["paid"].customers == len(who["buy"])
        assert own.placers == set()
    whole = {b: {row.customer for row in sample if row.behaviour == b} for b in taobao.BEHAVIOURS}
    assert len(sample_traffic.visitors) == len(whole["pv"]) == 813
    assert (len(sample_traffic.adders), len(sample_traffic.payers)) == (601, 559)
    assert sample_traffic.payers_without_visit == whole["buy"] - whole["pv"]
    assert sum(len(own.visitors) for own in found.values()) > len(sample_traffic.visitors)
    by_category = {
        category: {row.customer for row in rows}
        for category, rows in itertools.groupby(
            sorted((row for row in sample if row.behaviour == "buy"), key=lambda row: row.category),
            key=lambda row: row.category,
        )
    }
    assert sample_traffic.payers_by("category") == by_category
