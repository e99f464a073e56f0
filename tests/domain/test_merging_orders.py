"""An order that a visitor and a customer both knew is one: of its earlier payment, counted in one hour."""

import msgspec
import pytest

from schemas.settings import Brushing
from streams.domain.fold import fold
from streams.domain.merging import merge
from streams.domain.order import BRUSHED
from streams.domain.orders import OPEN_ORDERS, Orders, order_hash, set_brushed
from streams.domain.shop import ShopSettings, day_and_hour
from streams.domain.state import CustomerState, new_state
from tests.domain.events import SHOP, START, order
from tests.domain.network import as_of

HOUR = 3_600_000
#: An order that was never looked at is brushed.
STRICT = msgspec.structs.replace(SHOP, brushing=Brushing(verdict_points=20))
TOKYO = msgspec.structs.replace(SHOP, time_zone="Asia/Tokyo")


def paid(customer: str, at: int, shop: ShopSettings = SHOP, more: int = 0) -> CustomerState:
    """A customer who paid the order ``o`` at ``at``, and ``more`` others a day later."""
    state = new_state("shop", customer)
    made = order(f"paid-{customer}", at, "o", "paid", "a", amount_paid=at % 1_000)
    others = [
        order(f"{customer}-{n}", START + 24 * HOUR + n, f"{customer}-{n}", "paid", amount_paid=0)
        for n in range(more)
    ]
    for event, time in (made, *others):
        fold(state, *as_of(customer, (event, time)), shop)
    return state


def orders_of(state: CustomerState) -> Orders:
    assert state.orders is not None
    return state.orders


def hours(state: CustomerState) -> dict[int, int]:
    return {hour: count for hour, count in enumerate(orders_of(state).hours) if count}


def hour_of(at: int, shop: ShopSettings = SHOP) -> int:
    return day_and_hour(at, shop.time_zone)[1]


EARLY, LATE = START + 1, START + 3 * HOUR + 2


@pytest.mark.parametrize(("mine", "other"), [(EARLY, LATE), (LATE, EARLY)])
def test_the_earlier_payment_counts(mine: int, other: int) -> None:
    customer, visitor = paid("c1", mine), paid("cookie", other)
    merge(customer, visitor, SHOP)
    (one,) = orders_of(customer).open
    assert (one.paid_at, one.amount, hours(customer)) == (EARLY, EARLY % 1_000, {hour_of(EARLY): 1})


@pytest.mark.parametrize(("mine", "other"), [(EARLY, LATE), (LATE, EARLY)])
def test_a_merged_order_that_is_brushed_leaves_no_hour_behind(mine: int, other: int) -> None:
    customer, visitor = paid("c1", mine), paid("cookie", other)
    merge(customer, visitor, STRICT)
    assert set_brushed(orders_of(customer), order_hash("o"), 0, brushed=True)
    assert hours(customer) == {}
    judged, theirs = paid("c1", mine, STRICT), paid("cookie", other, STRICT)
    merge(judged, theirs, STRICT)
    assert (orders_of(judged).totals.brushed, hours(judged)) == (1, {})


@pytest.mark.parametrize("more", [0, OPEN_ORDERS + 4])
def test_the_hour_is_that_of_the_clock_it_was_counted_with(more: int) -> None:
    customer, visitor = paid("c1", LATE, more=more), paid("cookie", EARLY)
    before = hours(customer)
    merge(customer, visitor, TOKYO)
    before[hour_of(LATE)] -= 1
    expected = {hour: count for hour, count in before.items() if count}
    expected[hour_of(EARLY)] = expected.get(hour_of(EARLY), 0) + 1
    assert hours(customer) == expected
    # So is that of a verdict.
    assert set_brushed(orders_of(customer), order_hash("o"), 0, brushed=True)
    expected[hour_of(EARLY)] -= 1
    assert hours(customer) == {hour: count for hour, count in expected.items() if count}


@pytest.mark.parametrize("brushed", ["both", "mine", "other"])
def test_what_was_brushed_for_good_is_in_no_hour(brushed: str) -> None:
    customer, visitor = paid("c1", EARLY), paid("cookie", LATE)
    for name, state in (("mine", customer), ("other", visitor)):
        if brushed in (name, "both"):
            assert set_brushed(orders_of(state), order_hash("o"), 0, brushed=True)
    merge(customer, visitor, SHOP)
    assert hours(customer) == {}
    assert orders_of(customer).open[0].seen & BRUSHED


def test_an_order_of_before_hours_were_kept_takes_none_below_nothing() -> None:
    customer, visitor = paid("c1", EARLY), paid("cookie", LATE)
    for state in (customer, visitor):
        orders_of(state).open[0].paid_hour = -1
    merge(customer, visitor, TOKYO)
    assert min(orders_of(customer).hours) >= 0
