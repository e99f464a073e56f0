"""A verdict takes an order out of every figure but its own; a reversal leaves no trace of either."""

import copy
import random
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.order import OrderEvent
from schemas.profile import Profile, ProfileEvent
from schemas.settings import Brushing
from streams.domain.describe import describe
from streams.domain.integrity.buyer import LOOK_BYTES, LOOKED_AT, MARKS, PRODUCTS
from streams.domain.integrity.score import judge
from streams.domain.lifecycle import stage
from streams.domain.order import Totals, status_of
from streams.domain.orders import OPEN_ORDERS, Orders, fold_order, order_hash, set_brushed
from streams.domain.rfm import rfm
from streams.domain.shop import DEFAULT_RFM, day_of, hour_of_day
from streams.domain.worth import purchases_of
from tests.domain.events import SHOP, START, Timed, build, order, order_events, refund_events
from tests.integrity.router import Shops, brushed_of, settings_of
from tests.integrity.shop import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    SHOP_ID,
    Happening,
    Person,
    Shop,
)

ZONE = SHOP.time_zone
everything = st.lists(st.one_of(order_events, refund_events), max_size=25)


def fold_one(orders: Orders, event: Timed) -> None:
    made, time = event
    assert isinstance(made, OrderEvent)
    fold_order(orders, made.data, time, SHOP)


def hours_of(events: list[Timed]) -> dict[str, int]:
    """Order id -> the hour in which it was paid."""
    return {
        made.data.order_id: hour_of_day(time, ZONE)
        for made, time in events
        if isinstance(made, OrderEvent) and made.data.status == "paid"
    }


@settings(max_examples=150, deadline=None)
@given(everything, st.randoms(use_true_random=False))
def test_a_verdict_and_its_reversal_leave_no_trace(
    drawn: list[tuple[Any, ...]], chooser: random.Random
) -> None:
    events = build(drawn)
    plain, judged, out = Orders(forgotten=0), Orders(forgotten=0), set[str]()
    hours, paid = hours_of(events), set[str]()
    for event in events:
        fold_one(plain, event)
        fold_one(judged, event)
        made = event[0]
        assert isinstance(made, OrderEvent)
        if made.data.status == "paid":
            paid.add(made.data.order_id)
        if paid and chooser.random() < 0.5:
            chosen = chooser.choice(sorted(paid))
            out ^= {chosen}
            assert set_brushed(judged, order_hash(chosen), hours[chosen], chosen in out)
    for chosen in out:
        assert set_brushed(judged, order_hash(chosen), hours[chosen], brushed=False)
    assert judged == plain


@settings(max_examples=150, deadline=None)
@given(everything, st.sets(st.sampled_from(["o1", "o2", "o3"])))
def test_a_brushed_order_is_as_if_it_had_never_been(
    drawn: list[tuple[Any, ...]], brushed: set[str]
) -> None:
    events = build(drawn)
    hours = hours_of(events)
    judged, without = Orders(forgotten=0), Orders(forgotten=0)
    gone = brushed & set(hours)
    for event in events:
        fold_one(judged, event)
        made = event[0]
        assert isinstance(made, OrderEvent)
        if made.data.order_id in gone:
            set_brushed(judged, order_hash(made.data.order_id), 0, brushed=False)
        else:
            fold_one(without, event)
    for order_id in gone:
        set_brushed(judged, order_hash(order_id), hours[order_id], brushed=True)
    own = msgspec.structs.replace(judged.totals, brushed=0, brushed_amount=0)
    assert own == without.totals
    assert judged.totals.brushed == len(gone)
    assert judged.days == without.days
    assert (judged.hours or [0] * 24) == (without.hours or [0] * 24)
    today = day_of(START + 9 * DAY, ZONE)
    both = [purchases_of(orders, ZONE) for orders in (judged, without)]
    assert both[0] == both[1]
    assert rfm(both[0], today, DEFAULT_RFM) == rfm(both[1], today, DEFAULT_RFM)
    assert stage(both[0], today) == stage(both[1], today)


def test_what_is_said_of_a_brushed_order_counts_once_it_is_put_back() -> None:
    orders = Orders(forgotten=0)
    fold_one(orders, order("1", START, "o1", "paid", "a", amount_paid=500))
    hour = hour_of_day(START, ZONE)
    assert set_brushed(orders, order_hash("o1"), hour, brushed=True)
    fold_one(orders, order("2", START, "o1", "refunded", refund_id="r", amount=200))
    assert orders.totals == Totals(brushed=1, brushed_amount=500)
    assert (orders.days, sum(orders.hours)) == (b"", 0)
    # It shows what became of it all the same.
    assert status_of(orders.open[0]) == "paid"
    assert set_brushed(orders, order_hash("o1"), hour, brushed=False)
    assert (orders.totals.net_amount, orders.totals.refunds, sum(orders.hours)) == (300, 1, 1)


def test_an_order_that_left_the_open_ones_is_taken_out_too() -> None:
    orders = Orders(forgotten=0)
    for number in range(OPEN_ORDERS + 5):
        at = START + number * HOUR
        fold_one(orders, order(f"e{number}", at, f"o{number}", "paid", "a", amount_paid=10))
    plain = copy.deepcopy(orders)
    hour = hour_of_day(START, ZONE)
    assert set_brushed(orders, order_hash("o0"), hour, brushed=True)
    assert not set_brushed(orders, order_hash("o0"), hour, brushed=True)
    assert (orders.totals.paid, orders.totals.brushed) == (OPEN_ORDERS + 4, 1)
    # It comes back among the open ones with a later status, and is still brushed.
    fold_one(orders, order("late", START, "o0", "received"))
    fold_one(plain, order("late", START, "o0", "received"))
    assert orders.totals.received == 0
    assert set_brushed(orders, order_hash("o0"), hour, brushed=False)
    assert orders == plain
    assert not set_brushed(orders, order_hash("never heard of"), hour, brushed=True)


def gang(seed: int) -> tuple[Shop, Person]:
    """Three accounts on one phone that order thrice each, and one of them."""
    shop = Shop(seed, 1)
    people = [shop.person("account", device="phone") for _ in range(3)]
    for person in people:
        time = shop.moment()
        for _ in range(3):
            shop.order("gang", person, ["sku"], time, receives_after=1)
            time += 7 * MINUTE
    for _ in range(20):
        honest = shop.person("customer")
        time = shop.moment()
        shop.view(honest, "sku", time - HOUR, 60)
        shop.order("honest", honest, ["sku"], time, receives_after=2)
    return shop, people[0]


def figures(shops: Shops) -> dict[str, tuple[Any, ...]]:
    """Of each buyer what shows: totals, days, hours."""
    return {
        key: (state.orders.totals, state.orders.days, state.orders.hours)
        for key, state in shops.states.items()
        if state.orders is not None
    }


@pytest.mark.parametrize("seed", range(6))
def test_verdicts_are_the_same_whatever_the_order_of_arrival(seed: int) -> None:
    shop, _ = gang(seed)
    in_order = sorted(shop.happenings, key=lambda each: each.time)
    expected = Shops(0, Brushing())
    expected.run(in_order)
    assert expected.brushed() == {each for each, kind in shop.orders.items() if kind == "gang"}
    for again in range(5):
        shuffled = list(in_order)
        random.Random(again).shuffle(shuffled)
        shops = Shops(again, Brushing(), latest_ms=again * 12 * HOUR)
        shops.run(shuffled)
        assert shops.brushed() == expected.brushed()
        assert figures(shops) == figures(expected)


def test_a_look_that_comes_late_takes_a_verdict_back_and_nobody_can_tell() -> None:
    shop, person = gang(3)
    events = sorted(shop.happenings, key=lambda each: each.time)
    first = min(each.time for each in events if each.customer == person.customer)
    shop.view(person, "sku", first - 20 * MINUTE, 300)
    late = shop.happenings[-1]
    judged, never_judged = Shops(0, Brushing()), Shops(0, None)
    judged.run(events)
    state = judged.customer(person.customer)
    assert state.orders is not None
    assert len(brushed_of(state.orders)) == 3
    assert state.orders.totals == Totals(
        brushed=3, brushed_amount=state.orders.totals.brushed_amount
    )
    judged.run([late])
    never_judged.run([*events, late])
    assert brushed_of(state.orders) == set()
    assert state.orders == never_judged.customer(person.customer).orders
    assert state.integrity is not None
    found = [judge(state.integrity, mark, Brushing()) for mark in state.integrity.marks]
    assert {frozenset(reason.sign for reason in each.reasons) for each in found} == {
        frozenset({"rate", "device"})
    }


def test_what_a_visitor_looked_at_counts_for_the_customer_it_turns_out_to_be() -> None:
    shop, person = gang(3)
    events = sorted(shop.happenings, key=lambda each: each.time)
    first = min(each.time for each in events if each.customer == person.customer)
    visitor = person._replace(customer="visitor")
    shop.view(visitor, "sku", first - 20 * MINUTE, 300)
    look = shop.happenings[-1]
    for early in (True, False):
        shops = Shops(0, Brushing())
        shops.run([look, *events] if early else [*events, look])
        assert len(shops.brushed()) == 9
        shops.run([alias("visitor", person.customer, first + 5 * DAY)])
        state = shops.customer(person.customer)
        assert state.orders is not None
        assert brushed_of(state.orders) == set()
        assert (state.orders.totals.paid, state.orders.totals.brushed) == (3, 0)
        assert len(shops.brushed()) == 6


def test_what_a_product_tells_reaches_whoever_the_buyer_turned_out_to_be() -> None:
    shop, person = gang(4)
    events = sorted(shop.happenings, key=lambda each: each.time)
    known = Shops(0, Brushing())
    known.run(events)
    assert len(known.brushed()) == 9
    # One of the gang turns out to be somebody before the product has heard of the others.
    own = [each for each in events if each.customer == person.customer]
    others = [each for each in events if each.customer != person.customer]
    shops = Shops(0, Brushing())
    shops.run(own)
    shops.run([alias(person.customer, "somebody", own[-1].time)])
    shops.run(others)
    orders = shops.customer("somebody").orders
    assert orders is not None
    assert (orders.totals.brushed, orders.totals.paid) == (3, 0)
    assert shops.brushed() == known.brushed()


def alias(visitor: str, customer: str, time: int) -> Happening:
    data = Profile(shop_id=SHOP_ID, action="alias", alias_of=customer)
    event = ProfileEvent(
        specversion="1.0", id=f"alias-{visitor}", source="made-up", subject=visitor,
        time=datetime.fromtimestamp(time // 1000, UTC), data=data,
    )  # fmt: skip
    return Happening(time, visitor, event)


def test_why_an_order_is_held_to_be_brushed_is_shown() -> None:
    shop, person = gang(5)
    shops = Shops(0, Brushing())
    shops.run(sorted(shop.happenings, key=lambda each: each.time))
    shown = describe(shops.customer(person.customer), settings_of(Brushing()))
    assert [each["points"] for each in shown["integrity"]["brushed_orders"]] == [65, 65, 65]
    first = shown["integrity"]["brushed_orders"][0]
    assert shop.orders[first["order_id"]] == "gang"
    assert first["reasons"] == [
        {"sign": "device", "points": 30, "value": 3},
        {"sign": "unviewed", "points": 20, "value": 0},
        {"sign": "rate", "points": 15, "value": 3},
    ]
    assert shown["orders"]["brushed"] == 3


def test_a_shop_that_begins_to_judge_does_not_know_what_was_looked_at_before() -> None:
    shop = Shop(1, 1)
    person = shop.person("customer")
    shop.view(person, "sku", shop.moment(), 60)
    judged, before = Shops(0, Brushing()), Shops(0, None)
    before.run(shop.happenings)
    judged.states = before.states
    shop.order("honest", person, ["other"], shop.closes, receives_after=1)
    judged.run(shop.happenings[1:])
    state = judged.customer(person.customer)
    assert state.integrity is not None
    (mark,) = state.integrity.marks
    assert judge(state.integrity, mark, Brushing()).reasons == ()


def test_marks_are_bounded_and_those_with_a_verdict_leave_last() -> None:
    shop = Shop(1, 1)
    person = shop.person("account", device="phone", address="drop")
    other = shop.person("account", device="phone", address="drop")
    start = shop.moment()
    for each in (person, other):
        for number in range(3):
            shop.order("brushed", each, ["sku"], start + number * MINUTE, receives_after=1)
    for number in range(MARKS + 10):
        skus = [f"sku-{number}-{line}" for line in range(PRODUCTS + 3)]
        shop.order("many", person, skus, start + (number + 1) * DAY, receives_after=1)
    shops = Shops(1, Brushing())
    shops.run(sorted(shop.happenings, key=lambda each: each.time))
    state = shops.customer(person.customer)
    assert state.integrity is not None
    assert state.orders is not None
    marks = state.integrity.marks
    assert (len(marks), sum(mark.verdict > 0 for mark in marks)) == (MARKS, 3)
    assert all(len(mark.products) <= PRODUCTS for mark in marks)
    assert len(brushed_of(state.orders)) == 3


def test_a_buyers_part_stays_small() -> None:
    shop = Shop(1, 1)
    person = shop.person("account")
    for number in range(MARKS * 2):
        time = shop.moment()
        skus = [f"sku-{number}-{line}" for line in range(PRODUCTS)]
        for sku in skus:
            shop.view(person, sku, time - HOUR, 900)
        order_id, received = shop.order("o", person, skus, time, receives_after=1)
        for sku in skus:
            shop.review(person, order_id, sku, received + SECOND, 5, None)
    shops = Shops(1, Brushing())
    shops.run(shop.happenings)
    integrity = shops.customer(person.customer).integrity
    assert integrity is not None
    for mark in integrity.marks:
        mark.verdict = 900
    assert len(integrity.looks) == LOOKED_AT * LOOK_BYTES
    assert 800 < len(msgspec.msgpack.encode(integrity)) < 1_000
