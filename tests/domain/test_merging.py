"""merge(fold(visitor's events), fold(customer's events)) is fold(all events as the customer's)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.browsing import Browsing
from streams.domain.cart import Cart
from streams.domain.codec import encode
from streams.domain.integrity.buyer import BuyerIntegrity
from streams.domain.interests import Interests
from streams.domain.merging import KEPT, merge
from streams.domain.orders import Orders
from streams.domain.profile import Profile
from streams.domain.reviews import Reviews
from streams.domain.service import Service
from streams.domain.state import CustomerState, new_state
from streams.domain.wishes import Wishes
from tests.domain.events import (
    SHOP,
    START,
    Timed,
    build,
    cart,
    cart_events,
    click_events,
    fold_all,
    interest_events,
    order,
    order_events,
    profile_events,
    refund_events,
    review_events,
    service_events,
    wish_events,
)
from tests.domain.network import as_of
from tests.domain.test_any_order import everything, figures
from tests.domain.test_size import LIMIT, full_state

#: What each part of a state has; whoever adds a field says in streams.domain how it is merged.
MERGED = {
    Browsing: {"actions", "dwell_ms", "sessions", "session", "past"},
    Cart: {
        "adds", "removes", "sets", "clears", "lines", "waiting", "newest", "log", "log_facts", "base",
        "compacted",
    },
    Orders: {
        "totals", "first_paid_at", "last_paid_at", "hours", "open", "past", "past_refunds", "days",
        "forgotten",
    },
    Reviews: {"posted", "appended", "shown", "ratings", "bad", "bad_open", "removed", "known"},
    Service: {
        "opened", "complaints", "resolved", "replied", "reply_ms", "resolved_timed", "resolution_ms",
        "survey_score", "survey_at", "survey_key", "cases", "past",
    },
    Wishes: {
        "made", "withdrawn", "granted", "declined", "likes", "self_likes", "comments", "stories",
        "wishes", "past", "suspicious", "devices",
    },
    Interests: {"summary", "log", "log_entries", "visit", "channels", "touches"},
    BuyerIntegrity: {"changes", "looks", "looks_left", "marks"},
    # alias_of is of older builds: it says what the identity says now.
    Profile: {
        "birthday", "gender", "age_band", "income_band", "education", "region", "tags", "alias_of",
        "joined_at", "stamps", "consents",
    },
}  # fmt: skip
PARTS = {
    "first_seen", "last_seen", "seen", "browsing", "cart", "orders", "reviews", "coupons", "service",
    "wishes", "profile", "identity", "interests", "integrity", "gave_likes",
}  # fmt: skip


def test_every_field_of_a_state_is_merged_or_kept_for_a_reason() -> None:
    assert set(CustomerState.__struct_fields__) == PARTS | KEPT
    for struct, fields in MERGED.items():
        assert set(struct.__struct_fields__) == fields, struct.__name__


def _merged(events: list[Timed], sides: list[bool]) -> CustomerState:
    visitor = new_state("shop", "cookie")
    customer = new_state("shop", "c1")
    for made, of_visitor in zip(events, sides, strict=True):
        fold_all(
            [as_of("cookie", made) if of_visitor else made], visitor if of_visitor else customer
        )
    merge(customer, visitor, SHOP)
    return customer


def _waiting(state: CustomerState) -> list[int]:
    """Of the carts: what time changes of the orders is planned by who merges (streams.domain.exchange)."""
    return [] if state.cart is None else state.cart.waiting


def _assert_as_one(drawn: list[tuple[Any, ...]], sides: list[bool]) -> None:
    events = build(drawn)
    sides = sides[: len(events)]
    merged = _merged(events, sides)
    one = fold_all(events)
    assert figures(merged) == figures(one)
    assert _waiting(merged) == _waiting(one)
    # And so does what comes after.
    again = fold_all(events[: len(events) // 2], merged)
    assert figures(again) == figures(one)


@settings(max_examples=100, deadline=None)
@given(everything, st.lists(st.booleans(), min_size=30, max_size=30))
def test_two_are_one(drawn: list[tuple[Any, ...]], sides: list[bool]) -> None:
    _assert_as_one(drawn, sides)


@pytest.mark.parametrize(
    "events",
    [
        click_events, cart_events, st.one_of(order_events, refund_events),
        st.one_of(cart_events, order_events), review_events, service_events, wish_events,
        profile_events, interest_events,
    ],
    ids=[
        "clicks", "cart", "orders", "cart and orders", "reviews", "service", "wishes", "profile",
        "interests",
    ],
)  # fmt: skip
def test_each_part_of_two_is_one(events: st.SearchStrategy[Any]) -> None:
    """Many events of one kind, so that both know of the same things."""

    @settings(max_examples=100, deadline=None)
    @given(
        st.lists(events, min_size=8, max_size=25),
        st.lists(st.booleans(), min_size=25, max_size=25),
    )
    def run(drawn: list[tuple[Any, ...]], sides: list[bool]) -> None:
        _assert_as_one(drawn, sides)

    run()


def test_an_order_takes_its_goods_out_of_the_cart_once_at_its_earliest() -> None:
    """Known by the visitor when placed and by the customer when paid: what was added since stays."""
    events = [
        order("1", START, "o1", "placed", "a"),
        cart("2", START + 5, "add", "a"),
        order("3", START + 9, "o1", "paid", "a"),
    ]
    merged = _merged(events, [True, False, False])
    assert merged.cart is not None
    assert [line.sku for line in merged.cart.lines] == ["a"]
    assert figures(merged) == figures(fold_all(events))


def test_a_merged_state_stays_within_its_bounds() -> None:
    for character in ("x", "é", "𠮷"):
        customer, visitor = full_state(character), full_state(character)
        for number, part in enumerate(visitor.orders.open if visitor.orders else []):
            part.order_id = f"v{number}".ljust(64, character)
        merge(customer, visitor, SHOP)
        assert len(encode(customer)) < LIMIT
