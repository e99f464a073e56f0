"""The same events in any order, some of them twice, end in the same figures."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.describe import describe
from streams.domain.state import CustomerState
from streams.domain.timers import ABANDONED_CART
from tests.domain.events import (
    SHOP,
    build,
    cart_events,
    click_events,
    fold_all,
    interest_events,
    order_events,
    point_events,
    profile_events,
    refund_events,
    review_events,
    service_events,
    wish_events,
)

everything = st.lists(
    st.one_of(
        cart_events, order_events, refund_events, review_events, click_events, service_events,
        wish_events, profile_events,
    ),
    max_size=30,
)  # fmt: skip


def figures(state: CustomerState) -> dict[str, Any]:
    """All that describe shows, less what tells of arrival: the coupons and the ids remembered, what
    payments were owed to when they came, and what time will change (test_time_driven).
    """
    shown = describe(state, SHOP)
    shown["timers"] = [timer for timer in shown["timers"] if timer["kind"] == ABANDONED_CART]
    del shown["browsing"]["attribution"]
    del shown["coupons"], shown["duplicates"]
    return shown


@settings(max_examples=150, deadline=None)
@given(everything, st.randoms(use_true_random=False))
def test_any_order_and_repeats_end_in_the_same_figures(
    drawn: list[tuple[Any, ...]], shuffler: random.Random
) -> None:
    events = build(drawn)
    expected = figures(fold_all(events))
    again = events + events[: len(events) // 2]
    shuffler.shuffle(again)
    assert figures(fold_all(again)) == expected


@settings(max_examples=150, deadline=None)
@given(st.lists(click_events, max_size=25), st.randoms(use_true_random=False))
def test_sessions_in_any_order(drawn: list[tuple[Any, ...]], shuffler: random.Random) -> None:
    events = build(drawn)
    expected = fold_all(events).browsing
    shuffler.shuffle(events)
    assert fold_all(events).browsing == expected


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(order_events, refund_events), max_size=25),
    st.randoms(use_true_random=False),
)
def test_order_totals_in_any_order(drawn: list[tuple[Any, ...]], shuffler: random.Random) -> None:
    events = build(drawn)
    expected = figures(fold_all(events))["orders"]
    shuffler.shuffle(events)
    shown = figures(fold_all(events))["orders"]
    assert shown == expected
    assert shown["net_amount"] == (
        shown["paid_amount"] - shown["refunded_amount"] - shown["cancelled_amount"]
    )
    assert min(shown[name] for name in ("net_amount", "refunded_amount", "cancelled_amount")) >= 0


@pytest.mark.parametrize(
    ("part", "events"),
    [
        ("service", service_events),
        ("wishes", wish_events),
        ("profile", profile_events),
        ("browsing", interest_events),
        ("points", point_events),
    ],
    ids=["service", "wishes", "profile", "browsing", "points"],
)
def test_each_part_in_any_order(part: str, events: st.SearchStrategy[Any]) -> None:
    """Many events of one kind, so that they meet more often than among all others."""

    @settings(max_examples=150, deadline=None)
    @given(st.lists(events, min_size=10, max_size=25), st.randoms(use_true_random=False))
    def run(drawn: list[tuple[Any, ...]], shuffler: random.Random) -> None:
        made = build(drawn)
        expected = figures(fold_all(made))[part]
        again = made + made[: len(made) // 2]
        shuffler.shuffle(again)
        assert figures(fold_all(again))[part] == expected

    run()
