"""What a shop's day has counted of an order goes with a verdict, and comes back with its reversal."""

import random
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.order import OrderEvent
from schemas.settings import Brushing
from streams.domain.aggregates import aggregate, aggregate_corrections, unfold
from streams.domain.facts import Fact, OrderAdvanced, OrderJudged, OrderPaid
from streams.domain.fold import fold
from streams.domain.increments import Increments
from streams.domain.orders import brushed_orders, order_hash, set_brushed
from streams.domain.shop import ShopSettings, day_and_hour
from streams.domain.state import CustomerState, new_state
from tests.domain.events import (
    SHOP,
    START,
    Timed,
    build,
    click,
    fold_all,
    moments,
    order,
    order_events,
    refund_events,
    review_events,
)
from tests.integrity.router import brushed_of

#: Any sign is enough, and an honest order is one that was looked at before.
STRICT = ShopSettings("shop", "Asia/Shanghai", "CNY", brushing=Brushing(verdict_points=10))
ZONE = STRICT.time_zone
looks = st.tuples(moments, st.sampled_from("abc"), st.sampled_from([1_000, 8_000, 30_000]))
everything = st.lists(st.one_of(order_events, refund_events, review_events), max_size=25)


def counted(
    events: Iterable[Timed], shop: ShopSettings
) -> tuple[CustomerState, dict[tuple[int, str], int], list[Fact]]:
    """The state after ``events``, the sums of orders by day and name, without zeros, and all facts."""
    state, increments, told = new_state("shop", "c1"), Increments(), list[Fact]()
    for event, time in events:
        facts = fold(state, event, time, shop)
        if facts is not None:
            aggregate(increments, state, event, time, facts, shop)
            aggregate_corrections(increments, "shop", facts, shop)
            told += facts
    unfold(increments)
    sums = {
        (day, name): amount
        for (_, day), fields in increments.counts.items()
        for name, amount in fields.items()
        if amount
        and name.split("|")[0] in ("paid_orders", "paid_amount", "net_amount", "paid_unknown")
    }
    return state, sums, told


def test_a_brushed_order_takes_nothing_more_from_the_day_it_left() -> None:
    state = fold_all([order("1", START, "o1", "paid", amount_paid=100)])
    assert state.orders is not None
    taken = set_brushed(state.orders, order_hash("o1"), 0, brushed=True)
    assert taken is not None
    assert (taken.orders, taken.gross, taken.net) == (-1, -100, -100)
    event, time = order("2", START + 1, "o1", "refunded", refund_id="r", amount=30)
    (fact,) = fold(state, event, time, SHOP) or ()
    assert isinstance(fact, OrderAdvanced)
    assert fact.money is None
    back = set_brushed(state.orders, order_hash("o1"), 0, brushed=False)
    assert back is not None
    assert (back.orders, back.gross, back.net, back.paid_at) == (1, 100, 70, START)


def test_without_a_verdict_it_is_counted_with_the_payment() -> None:
    state = new_state("shop", "c1")
    facts = fold(state, *order("1", START, "o1", "paid", amount_paid=100), SHOP) or ()
    assert isinstance(facts[0], OrderPaid)
    assert facts[0].money is not None
    assert (facts[0].money.gross, facts[0].money.net, facts[0].money.orders) == (100, 100, 0)


def test_an_order_leaves_its_day_and_hour_with_a_verdict_and_is_back_after_a_look() -> None:
    day, hour = day_and_hour(START, ZONE)
    paid = order("1", START, "o1", "paid", "a", amount_paid=100)
    state, sums, told = counted([paid], STRICT)
    assert sums == {}
    (verdict,) = [fact for fact in told if isinstance(fact, OrderJudged)]
    assert (verdict.number, verdict.order_id, verdict.brushed) == (1, "o1", True)
    assert (verdict.points, verdict.reasons) == (20, (("unviewed", 20, 0),))
    late = click("look", START - 1, sku="a", dwell_ms=90_000)
    refund = order("2", START + 1, "o1", "refunded", refund_id="r", amount=30)
    state, sums, told = counted([paid, refund, late], STRICT)
    verdicts = [fact for fact in told if isinstance(fact, OrderJudged)]
    assert [(fact.number, fact.brushed, fact.reasons) for fact in verdicts] == [
        (1, True, (("unviewed", 20, 0),)),
        (2, False, ()),
    ]
    assert sums == {
        (day, "paid_orders"): 1, (day, f"paid_orders|hour|{hour:02}"): 1, (day, "paid_amount"): 100,
        (day, f"paid_amount|hour|{hour:02}"): 100, (day, "net_amount"): 70,
    }  # fmt: skip
    assert state.orders is not None
    assert brushed_orders(state.orders) == set()


@settings(max_examples=200, deadline=None)
@given(everything, st.lists(looks, max_size=6), st.randoms(use_true_random=False))
def test_sums_are_those_of_a_shop_in_which_the_brushed_orders_never_were(
    drawn: list[tuple[Any, ...]], looked: list[tuple[int, str, int]], chooser: random.Random
) -> None:
    events = build(drawn)
    events += [
        click(f"look-{number}", at, sku=sku, dwell_ms=spent)
        for number, (at, sku, spent) in enumerate(looked)
    ]
    chooser.shuffle(events)
    state, sums, told = counted(events, STRICT)
    gone = brushed_of(state.orders) if state.orders is not None else set()
    assert gone == (brushed_orders(state.orders) if state.orders is not None else set())
    honest = [
        (event, time)
        for event, time in events
        if not (isinstance(event, OrderEvent) and order_hash(event.data.order_id) in gone)
    ]
    _, without, _ = counted(honest, SHOP)
    assert sums == without
    # The facts say the same: of each order the one with the greatest number holds.
    verdicts = [fact for fact in told if isinstance(fact, OrderJudged)]
    assert [fact.number for fact in verdicts] == list(range(1, len(verdicts) + 1))
    chooser.shuffle(verdicts)
    last: dict[bytes, OrderJudged] = {}
    for fact in verdicts:
        last[fact.key] = max(fact, last.get(fact.key, fact), key=lambda one: one.number)
    assert {key for key, fact in last.items() if fact.brushed} == gone
