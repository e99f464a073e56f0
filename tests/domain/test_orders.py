"""Orders: net of cancellation and refund, statuses in any order, right after orders leave the list."""

import random
from typing import Any

import pytest

from streams.domain.describe import describe
from streams.domain.fold import fold
from streams.domain.orders import OPEN_ORDERS
from streams.domain.shop import ShopSettings, hour_of_day
from streams.domain.state import CustomerState
from streams.state.codec import encode
from tests.domain.events import DAY, MINUTE, SHOP, START, Timed, fold_all, order


def orders(state: CustomerState) -> dict[str, Any]:
    shown: dict[str, Any] = describe(state, SHOP)["orders"]
    return shown


@pytest.mark.parametrize("amount", [0, None, 1990])
def test_a_paid_order_of_any_amount_is_a_purchase(amount: int | None) -> None:
    shown = orders(fold_all([order("1", START, "A", "paid", "a", amount_paid=amount)]))
    assert (shown["paid"], shown["net"], shown["paid_amount"]) == (1, 1, amount or 0)
    assert shown["unknown_amount"] == (amount is None)


def test_the_whole_life_of_an_order_backwards() -> None:
    statuses = ["received", "shipped", "paid", "placed"]
    events = [
        order(str(number), START - number * MINUTE, "A", status, amount_paid=100)
        for number, status in enumerate(statuses)
    ]
    shown = orders(fold_all(events))
    assert shown["recent"][0]["status"] == "received"
    assert (shown["placed"], shown["paid"], shown["shipped"], shown["received"]) == (1, 1, 1, 1)
    assert shown["first_paid_at"] == "2024-05-31T23:58:00.000Z"


@pytest.mark.parametrize(
    ("refunds", "net", "refunded", "net_amount"),
    [
        ([("refund_requested", "r", 400)], 1, 0, 1000),
        ([("refund_requested", "r", 400), ("refund_withdrawn", "r", None)], 1, 0, 1000),
        ([("refunded", "r", 400)], 1, 400, 600),
        ([("refund_requested", "r", 300), ("refunded", "r", None)], 1, 300, 700),
        (
            [
                ("refund_requested", "r", 300),
                ("refund_withdrawn", "r", 5),
                ("refunded", "r", None),
            ],
            1, 300, 700,
        ),
        ([("refunded", "r", 400), ("refunded", "s", 600)], 0, 1000, 0),
        ([("refunded", "r", None)], 0, 1000, 0),
        ([("refunded", "r", 5000)], 0, 1000, 0),
        ([("cancelled", None, None)], 0, 0, 0),
        ([("refunded", "r", 400), ("cancelled", None, None)], 0, 400, 0),
    ],
)  # fmt: skip
def test_net_of_refunds_and_cancellation(
    refunds: list[tuple[str, str | None, int | None]], net: int, refunded: int, net_amount: int
) -> None:
    events = [order("p", START, "A", "paid", "a", amount_paid=1000)] + [
        order(str(number), START + DAY, "A", status, refund_id=refund, amount=amount)
        for number, (status, refund, amount) in enumerate(refunds)
    ]
    for folded in (events, events[::-1]):
        shown = orders(fold_all(folded))
        assert (shown["paid"], shown["paid_amount"]) == (1, 1000)
        assert (shown["net"], shown["refunded_amount"], shown["net_amount"]) == (
            net, refunded, net_amount,
        )  # fmt: skip


def test_a_completed_exchange_without_an_amount_takes_nothing() -> None:
    events = [
        order("1", START, "A", "paid", "a", amount_paid=1000),
        order("2", START, "A", "refunded", refund_id="r", kind="exchange"),
    ]
    shown = orders(fold_all(events))
    assert (shown["net"], shown["net_amount"], shown["refunds"]) == (1, 1000, 1)


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (order("1", START, "A", "paid", "a"), order("2", START + DAY, "A", "paid", "b")),
        (
            order("1", START, "A", "refunded", refund_id="r", amount=3),
            order("2", START + 1, "A", "refunded", refund_id="r", amount=3),
        ),
    ],
)
def test_a_status_again_under_another_id_is_a_duplicate(first: Timed, again: Timed) -> None:
    state = fold_all([first])
    before = encode(state)
    event, time = again
    assert fold(state, event, time, SHOP) is None
    assert encode(state) == before


def test_totals_stay_right_after_orders_left_the_open_list() -> None:
    count = OPEN_ORDERS + 20
    events = [
        order(f"p{number}", START + number, f"O{number}", "paid", amount_paid=1000)
        for number in range(count)
    ]
    later = [
        timed
        for number in range(count)
        for timed in (
            order(f"r{number}", START + DAY, f"O{number}", "received"),
            order(f"f{number}", START + DAY, f"O{number}", "refunded", refund_id="r", amount=400),
            order(f"g{number}", START + DAY, f"O{number}", "refunded", refund_id="s", amount=600),
            order(f"t{number}", START + DAY, f"O{number}", "paid", amount_paid=1000),
            order(f"u{number}", START + DAY, f"O{number}", "refunded", refund_id="r", amount=400),
            order(f"v{number}", START + DAY, f"O{number}", "refund_requested", refund_id="s"),
        )
    ]
    state = fold_all(events)
    assert len(orders(state)["recent"]) == OPEN_ORDERS
    random.Random(1).shuffle(later)
    shown = orders(fold_all(later, state))
    assert (shown["paid"], shown["received"]) == (count, count)
    assert (shown["refunded"], shown["net"], shown["refunds"]) == (count, 0, 2 * count)
    assert (shown["refunded_amount"], shown["net_amount"]) == (1000 * count, 0)


def test_a_withdrawn_refund_that_left_the_list_can_still_be_completed() -> None:
    events = [order("p", START, "A", "paid", amount_paid=1000)]
    for number in range(8):
        refund = f"r{number}"
        events.append(order(f"w{number}", START, "A", "refund_withdrawn", refund_id=refund))
    state = fold_all(events)
    event, time = order("f", START + DAY, "A", "refunded", refund_id="r0", amount=400)
    assert fold(state, event, time, SHOP) is not None
    event, time = order("g", START + DAY, "A", "refunded", refund_id="r0", amount=400)
    assert fold(state, event, time, SHOP) is None
    shown = orders(state)
    assert (shown["refunds"], shown["net_amount"]) == (1, 600)


def test_hours_are_the_shops() -> None:
    shown = orders(fold_all([order("1", START, "A", "paid")]))
    assert shown["paid_by_hour"].index(1) == 8
    assert hour_of_day(START, "UTC") == 0
    # The clocks of Berlin went forward on 2024-03-31 at 01:00 UTC; Nepal is 5:45 ahead.
    assert hour_of_day(1_711_846_799_999, "Europe/Berlin") == 1
    assert hour_of_day(1_711_846_800_000, "Europe/Berlin") == 3
    assert hour_of_day(START + 15 * MINUTE, "Asia/Kathmandu") == 6
    assert hour_of_day(-62_000_000_000_000, "America/New_York") == 19
    assert ShopSettings("s").time_zone == "UTC"
