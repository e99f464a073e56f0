"""What a customer is interested in: preferences that decay, the newest of their kind, and the bounds."""

from typing import Any

import pytest

from streams.domain.describe import describe
from streams.domain.facts import BroughtBy
from streams.domain.fold import fold
from streams.domain.interests import LOG_BYTES, settled, touches_of
from streams.domain.preferences import MOST_POINTS, PERIOD
from streams.domain.state import CustomerState, new_state
from streams.domain.summary import (
    CATEGORIES,
    FAVORITES,
    PRODUCTS,
    SHARERS,
    STEPS,
    Summary,
    band_of,
)
from streams.domain.touches import TOUCHES
from tests.domain.events import (
    DAY,
    MINUTE,
    SHOP,
    START,
    Timed,
    cart,
    click,
    fold_all,
    order,
    profile,
)


def shown(events: list[Timed], as_of: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = describe(fold_all(events), SHOP, as_of)["browsing"]
    return found


def summed(state: CustomerState) -> Summary:
    assert state.interests is not None
    return settled(state.interests)


#: The first moment of a period.
PERIOD_START = START // PERIOD * PERIOD


def test_a_category_weighs_what_was_done_in_it_and_half_of_it_after_a_half_life() -> None:
    events = [
        click("1", PERIOD_START, category="tea"),
        click("2", PERIOD_START, "favorite", category="tea"),
        cart("3", PERIOD_START, "add", "a", category="cups", unit_price=600),
        order("4", PERIOD_START, "o1", "paid"),
    ]
    assert shown(events)["preferences"]["categories"] == [
        {"category": "tea", "weight": 4.0}, {"category": "cups", "weight": 3.0},
    ]  # fmt: skip
    later = [
        shown(events, PERIOD_START + periods * PERIOD)["preferences"]["categories"][0]["weight"]
        for periods in range(5)
    ]
    assert later == [4.0, 2.0, 1.0, 0.5, 0.25]
    assert shown(events, PERIOD_START + 5 * PERIOD)["preferences"]["categories"] == []


def test_points_of_old_periods_are_as_good_whenever_they_come() -> None:
    old = [click(f"o{number}", PERIOD_START, category="tea") for number in range(3)]
    new = click("n", PERIOD_START + 2 * PERIOD, category="tea")
    for events in ([*old, new], [new, *old]):
        (tea,) = shown(events)["preferences"]["categories"]
        assert tea == {"category": "tea", "weight": 1 + 3 / 4}
    too_old = click("t", PERIOD_START - 3 * PERIOD, category="cups")
    assert len(shown([new, too_old])["preferences"]["categories"]) == 1


def test_an_order_counts_each_category_and_band_once() -> None:
    paid, time = order("1", START, "o1", "paid", "abc")
    for line in paid.data.lines:  # type: ignore[union-attr]
        line.category, line.unit_price = "tea", 1990
    preferences = shown([(paid, time)])["preferences"]
    assert preferences["categories"] == [{"category": "tea", "weight": 4.0}]
    assert preferences["price"]["bands"] == [{"from": 1000, "below": 2000, "weight": 4.0}]


def test_more_points_than_a_place_holds_count_as_the_most() -> None:
    state = new_state("shop", "c1")
    for number in range(MOST_POINTS // 3 + 9):
        event, time = click(f"{number}", START, "favorite", category="tea")
        fold(state, event, time, SHOP)
    (tea,) = describe(state, SHOP)["browsing"]["preferences"]["categories"]
    assert tea["weight"] == MOST_POINTS


@pytest.mark.parametrize(
    ("price", "begin"),
    [
        (0, 0),
        (1, 1),
        (2, 2),
        (4, 2),
        (5, 5),
        (99, 50),
        (100, 100),
        (1_999, 1_000),
        (10**12, 10**12),
    ],
)
def test_a_price_is_in_the_band_that_begins_at_or_below_it(price: int, begin: int) -> None:
    assert band_of(price) == begin


def test_the_median_band_has_half_of_the_weight_below_it_or_in_it() -> None:
    prices = [100, 100, 600, 600, 600, 9_900]
    events = [click(f"{number}", START, price=price) for number, price in enumerate(prices)]
    price = shown(events)["preferences"]["price"]
    assert price["median"] == {"from": 500, "below": 1_000}
    assert [band["weight"] for band in price["bands"]] == [2.0, 3.0, 1.0]
    assert shown([])["preferences"]["price"] == {"median": None, "bands": []}


def test_what_was_searched_for_is_counted_without_the_blanks_around_it() -> None:
    events = [
        click("1", START, "search", keyword=" jade cup"),
        click("2", START, "search", keyword="jade cup "),
        click("3", START, "search", keyword="tea"),
        click("4", START, "search", keyword="  "),
        click("5", START, "view", keyword="not searched for"),
    ]
    assert shown(events)["keywords"] == [
        {"keyword": "jade cup", "weight": 2.0}, {"keyword": "tea", "weight": 1.0},
    ]  # fmt: skip


def test_the_last_word_on_a_favorite_is_what_counts_and_at_one_time_unfavorite() -> None:
    events = [
        click("1", START + 2, "favorite", sku="a"),
        click("2", START + 1, "unfavorite", sku="a"),
        click("3", START, "favorite", sku="b"),
        click("4", START, "unfavorite", sku="b"),
        click("5", START, "favorite", sku="c"),
    ]
    for arrived in (events, events[::-1]):
        assert [each["sku"] for each in shown(arrived)["favorites"]] == ["a", "c"]


def test_a_product_looked_at_twice_or_long_and_not_bought_since_is_of_interest() -> None:
    events = [
        click("1", START, sku="twice"),
        click("2", START + 1, sku="twice"),
        click("3", START, sku="long", dwell_ms=60_001),
        click("4", START, sku="once", dwell_ms=60_000),
        click("5", START, sku="b"),
        click("6", START, sku="b"),
        order("7", START + 1, "o1", "placed", "b"),
    ]
    found = {each["sku"]: each["viewed_not_bought"] for each in shown(events)["products"]}
    assert found == {"twice": True, "long": True, "once": False, "b": False}
    assert found == {
        each["sku"]: each["viewed_not_bought"] for each in shown(events[::-1])["products"]
    }
    again = click("8", START + 2, sku="b")
    assert {p["sku"] for p in shown([*events, again])["products"] if p["viewed_not_bought"]} == {
        "twice", "long", "b",
    }  # fmt: skip


def test_the_path_is_of_the_session_that_ended_last() -> None:
    events = [
        click("1", START, session_id="s1", sku="a"),
        click("2", START + 1, session_id="s2", page="home"),
        click("3", START + 2, "search", session_id="s2", keyword="tea"),
        click("4", START + 3, session_id="s2", sku="b", page="a page"),
        click("5", START + 3, "live_enter", session_id="s2"),
    ]
    for arrived in (events, events[::-1]):
        path = shown(arrived)["path"]
        assert [(step["action"], step["name"]) for step in path] == [
            ("view", "home"), ("search", "tea"), ("view", "b"),
        ]  # fmt: skip


def test_a_touch_is_a_session_and_a_source_and_begins_with_its_first_click() -> None:
    def came(event_id: str, minute: int, source: str, session: str | None = None) -> Timed:
        at = START + minute * MINUTE
        return click(event_id, at, session_id=session, traffic_source=source)

    events = [
        came("1", 0, "search", "s1"),
        came("2", 500, "search", "s1"),
        came("3", 501, "live", "s1"),
        came("4", 0, "search", "s2"),
        came("5", 3, "share"),
        came("6", 32, "share"),
        came("7", 62, "share"),
    ]
    for arrived in (events, events[::-1]):
        touches = shown(arrived)["touches"]
        assert [(touch["source"], touch["at"][11:16]) for touch in touches] == [
            ("search", "00:00"), ("search", "00:00"), ("share", "00:03"), ("share", "01:02"),
            ("live", "08:21"),
        ]  # fmt: skip
    assert shown(events, START + 30 * DAY + 4 * MINUTE * 60)["touches"] == [
        {"source": "live", "at": "2024-06-01T08:21:00.000Z"}
    ]


def test_clicks_without_an_id_that_come_late_join_the_touches_around_them() -> None:
    events = [
        click(f"{minute}", START + minute * MINUTE, traffic_source="live") for minute in (0, 40, 20)
    ]
    assert len(shown(events[:2])["touches"]) == 2
    assert len(shown(events)["touches"]) == 1


def test_who_brought_the_customer_is_a_fact_once_and_never_the_customer() -> None:
    state = new_state("shop", "c1")
    told = []
    for event, time in [
        click("1", START + 5, shared_by="c7", sku="a"),
        click("2", START, shared_by="c7"),
        click("3", START, shared_by="c1"),
    ]:
        told.append(fold(state, event, time, SHOP))
    assert told == [(BroughtBy("c7", "a"),), (), ()]
    assert describe(state, SHOP)["browsing"]["shares"]["came_by"] == [
        {"customer_id": "c7", "at": "2024-06-01T00:00:00.000Z"}
    ]


def test_identity_is_what_was_seen_last_of_clicks_carts_and_orders() -> None:
    events = [
        click("1", START, channel="app", region="CN-31", device_hash="d1"),
        click("2", START + 2, region="CN-33", device_hash="d2"),
        cart("3", START, "add", "a", channel="miniapp"),
        order("4", START + 1, "o1", "placed", region="CN-44", channel="web"),
    ]
    found = shown(events)
    assert found["channels"] == ["app", "web", "miniapp"]
    assert [each["region"] for each in found["regions"]] == ["CN-33", "CN-44"]
    assert [each["device"] for each in found["devices"]] == ["d2", "d1"]


def test_what_is_shown_does_not_depend_on_when_the_log_is_worked_in() -> None:
    events = [
        click(f"{n}", START + n * 7 * MINUTE, sku=f"k{n % 5}", category="t", traffic_source="live")
        for n in range(60)
    ]
    whole, state = fold_all(events), new_state("shop", "c1")
    for event, time in events:
        fold(state, event, time, SHOP)
        assert state.interests is not None
        assert len(state.interests.log) <= LOG_BYTES
        before = state.interests.log, state.interests.summary
        settled(state.interests)
        assert (state.interests.log, state.interests.summary) == before
    assert describe(whole, SHOP) == describe(state, SHOP)
    assert summed(state).products["k1"].views == 12


def test_a_click_after_the_log_was_worked_in_is_of_its_session_all_the_same() -> None:
    came = {"session_id": "s1", "traffic_source": "live", "region": "CN-33", "device_hash": "d1"}
    events = [
        click("1", START + MINUTE, sku="a", **came),
        order("2", START + MINUTE, "o1", "paid"),
        cart("3", START + MINUTE, "add", "a", category="tea"),
        click("4", START, sku="b", **came),
    ]
    found = shown(events)
    assert found["touches"] == [{"source": "live", "at": "2024-06-01T00:00:00.000Z"}]
    assert [step["name"] for step in found["path"]] == ["b", "a"]


def test_the_bounds_hold_and_the_newest_stay() -> None:
    events = [
        click(f"{kind}{n}", START + n * DAY, kind, sku=f"k{n:02}", category=f"t{n}", price=10**n,
              session_id=f"s{n}", traffic_source="live", shared_by=f"c{n + 2:02}")
        for n in range(13) for kind in ("view", "favorite")
    ]  # fmt: skip
    summary = summed(fold_all(events))
    assert len(summary.categories) == CATEGORIES
    assert "t12" in summary.categories
    assert sorted(summary.favorites) == [f"k{n:02}" for n in range(13 - FAVORITES, 13)]
    assert sorted(summary.products) == [f"k{n:02}" for n in range(13 - PRODUCTS, 13)]
    assert [step[1] for step in summary.path[-2:]] == ["k12", "k12"]
    assert len(summary.path) == STEPS
    assert sorted(summary.sharers) == ["c02", "c03"][:SHARERS]
    many = [
        click(f"{n}", START + n * DAY, session_id=f"s{n}", traffic_source="live") for n in range(40)
    ]
    interests = fold_all(many).interests
    assert interests is not None
    touches = touches_of(interests)
    assert [touch.start * 1000 for touch in touches] == [
        START + n * DAY for n in range(40 - TOUCHES, 40)
    ]


def test_an_erased_customer_has_no_interests() -> None:
    events = [
        click("1", START, sku="a", category="tea", shared_by="c7"),
        profile("2", START, "erase"),
    ]
    assert fold_all(events).interests is None
