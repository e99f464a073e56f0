"""A visitor's and a customer's signs and verdicts are those of one customer who did all of it."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.settings import Brushing
from streams.domain.expiry import DAY_MS
from streams.domain.facts import OrderJudged
from streams.domain.fold import fold
from streams.domain.integrity.buyer import MARKS, BuyerIntegrity
from streams.domain.integrity.describing import describe_integrity
from streams.domain.merging import merge
from streams.domain.order import Totals
from streams.domain.orders import order_hash
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from tests.domain.events import (
    MINUTE,
    START,
    Timed,
    build,
    click,
    moments,
    order,
    order_events,
    profile,
    review_events,
)
from tests.domain.network import Network, as_of

#: Any sign is enough, so that the least difference of two judgements shows.
STRICT = ShopSettings("shop", "Asia/Shanghai", "CNY", brushing=Brushing(verdict_points=10))
looks = st.tuples(moments, st.sampled_from("abc"), st.sampled_from([1_000, 8_000, 30_000]))


def figures(state: CustomerState) -> tuple[Any, ...]:
    orders = state.orders
    shown = describe_integrity(state, STRICT)
    return shown, orders and (orders.totals, orders.days, orders.hours)


def fold_into(state: CustomerState, events: list[Timed]) -> CustomerState:
    for event, time in events:
        fold(state, event, time, STRICT)
    return state


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(order_events, review_events), max_size=20),
    st.lists(looks, max_size=6),
    st.randoms(use_true_random=False),
)
def test_two_lives_of_one_customer_are_judged_as_one(
    drawn: list[tuple[Any, ...]], looked: list[tuple[int, str, int]], chooser: random.Random
) -> None:
    events = build(drawn)
    # Of two events with the natural key of an order's status or a review the first counts: these differ.
    events += [
        click(f"look-{number}", min(at, START), sku=sku, dwell_ms=spent)
        for number, (at, sku, spent) in enumerate(looked)
    ]
    chooser.shuffle(events)
    one = fold_into(new_state("shop", "c1"), events)
    visitor, customer = new_state("shop", "cookie"), new_state("shop", "c1")
    # All of an order is one's, all looks may be the other's: reviews and statuses stay together.
    for event, time in events:
        as_visitor = "look" in event.id and chooser.random() < 0.6
        side = visitor if as_visitor else customer
        fold_into(side, [as_of("cookie", (event, time)) if as_visitor else (event, time)])
    merge(customer, visitor, STRICT)
    assert figures(customer) == figures(one)


@settings(max_examples=100, deadline=None)
@given(st.lists(order_events, max_size=20), st.randoms(use_true_random=False))
def test_orders_that_both_know_something_of_are_judged_as_one(
    drawn: list[tuple[Any, ...]], chooser: random.Random
) -> None:
    events = build(drawn)
    one = fold_into(new_state("shop", "c1"), events)
    visitor, customer = new_state("shop", "cookie"), new_state("shop", "c1")
    for made in events:
        as_visitor = chooser.random() < 0.5
        fold_into(visitor if as_visitor else customer, [made])
    merge(customer, visitor, STRICT)
    assert figures(customer) == figures(one)


def test_an_order_that_both_lives_paid_and_both_hold_to_be_brushed_is_one() -> None:
    visitor, customer = new_state("shop", "cookie"), new_state("shop", "c1")
    for number, state in enumerate((visitor, customer)):
        made = order(f"paid-{number}", START, "o1", "paid", "a", amount_paid=500)
        fold_into(state, [as_of(state.customer_id, made)])
        assert state.orders is not None
        assert state.orders.totals.brushed == 1
    merge(customer, visitor, STRICT)
    assert customer.orders is not None
    assert customer.orders.totals == Totals(brushed=1, brushed_amount=500)
    assert (customer.orders.days, customer.orders.hours) == (b"", [0] * 24)


def test_a_verdict_outlives_a_hand_over_that_brings_more_orders_than_marks() -> None:
    customer, visitor = new_state("shop", "c1"), new_state("shop", "cookie")
    fold_into(customer, [order("unseen", START, "unseen", "paid", "z", amount_paid=500)])
    for number, sku in enumerate("abcdefghijkl"[:MARKS]):
        at = START + (number + 1) * DAY_MS
        looked = click(f"look-{number}", at - 10 * MINUTE, sku=sku, dwell_ms=30_000)
        paid = order(f"paid-{number}", at, f"o{number}", "paid", sku, amount_paid=500)
        fold_into(visitor, [as_of("cookie", looked), as_of("cookie", paid)])
    for state, brushed in ((customer, 1), (visitor, 0)):
        assert state.orders is not None
        assert state.orders.totals.brushed == brushed
    merge(customer, visitor, STRICT)
    assert customer.orders is not None
    assert customer.integrity is not None
    assert customer.orders.totals.brushed == 1
    assert len(customer.integrity.marks) == MARKS
    assert order_hash("unseen") in {mark.key for mark in customer.integrity.marks}


def test_a_mark_keeps_the_number_of_verdicts_and_what_comes_after_it_goes_on() -> None:
    """Else two verdicts of one customer would have one number, and one id."""
    visitor = new_state("shop", "cookie")
    first = order("paid-1", START, "o1", "paid", "z", amount_paid=500)
    alias = profile("alias", START + 1, "alias", alias_of="somebody")
    fold_into(visitor, [as_of("cookie", first), as_of("cookie", alias)])
    assert visitor.identity is not None
    assert visitor.integrity == BuyerIntegrity(changes=1)
    fold_into(visitor, [as_of("cookie", profile("erase", START + 2, "erase"))])
    assert visitor.integrity == BuyerIntegrity(changes=1)
    assert visitor.identity is None
    made, time = as_of("cookie", order("paid-2", START + 3, "o1", "paid", "z", amount_paid=500))
    (judged,) = [
        each for each in fold(visitor, made, time, STRICT) or () if isinstance(each, OrderJudged)
    ]
    assert judged.number == 2


def test_verdicts_after_an_erasure_that_a_visitor_reaches_have_later_numbers() -> None:
    router = Network(STRICT)
    router.receive(*as_of("cookie", order("paid-1", START, "o1", "paid", "z", amount_paid=500)))
    router.receive(*as_of("c2", profile("erase", START + 2, "erase")))
    router.receive(*as_of("cookie", profile("alias", START + 1, "alias", alias_of="c2")))
    router.settle()
    customer = router.of("c2")
    assert customer.orders is None
    assert customer.integrity == BuyerIntegrity(changes=1)
