"""A refund of an order that left the state changes no figure, and is told as what it is."""

from streams.domain.late_refunds import unmatched_refunds
from streams.domain.orders import OPEN_ORDERS, PAST_ORDERS, order_hash
from streams.domain.state import CustomerState
from tests.domain.events import DAY, START, Timed, fold_all, order


def paid(number: int) -> Timed:
    at = START + number * DAY
    return order(f"p{number}", at, f"o{number}", "paid", amount_paid=500)


def refunded(number: int, at: int = START + 900 * DAY) -> Timed:
    return order(f"r{number}", at + number, f"o{number}", "refunded", refund_id="r", amount=200)


def unmatched(state: CustomerState) -> list[bytes]:
    assert state.orders is not None
    return unmatched_refunds(state.orders)


def test_a_refund_of_an_order_that_left_is_told() -> None:
    orders = [paid(number) for number in range(OPEN_ORDERS + PAST_ORDERS + 2)]
    state = fold_all([*orders, refunded(0), refunded(1), refunded(9), refunded(97)])
    assert unmatched(state) == sorted([order_hash("o0"), order_hash("o1")])
    assert state.orders is not None
    totals = state.orders.totals
    # Of the other two it is known what was paid.
    assert totals.paid_amount - totals.net_amount == 2 * 200
    # Still so once they are packed.
    later = [paid(200 + number) for number in range(OPEN_ORDERS + 5)]
    state = fold_all([*orders, refunded(0), refunded(1), *later])
    assert unmatched(state) == sorted([order_hash("o0"), order_hash("o1")])


def test_a_refund_before_its_payment_is_told_until_that_comes() -> None:
    early = refunded(3, START)
    asked = order("q", START, "o7", "refund_requested", refund_id="r", amount=200)
    state = fold_all([early, asked])
    assert unmatched(state) == [order_hash("o3")]
    assert unmatched(fold_all([early, asked, paid(3)])) == []
