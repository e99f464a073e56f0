"""The pure fold over the Taobao sample: known figures, and sizes of real customers' states."""

import random
import statistics
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.cart import Cart, CartEvent
from schemas.click import Click, ClickEvent
from schemas.envelope import Line
from schemas.order import Order, OrderEvent
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from streams.state.codec import decode, encode
from tests.domain.events import Timed
from tests.oracle.taobao import AFTER, FIRST, Row, rows
from tests.taobao import sample_file

SHOP = ShopSettings("taobao", "Asia/Shanghai")


@pytest.fixture(scope="module")
def events() -> list[Timed]:
    return [
        _event(number, row)
        for number, row in enumerate(rows(sample_file()))
        if FIRST <= row.second < AFTER
    ]


def _event(number: int, row: Row) -> Timed:
    envelope: dict[str, Any] = {
        "specversion": "1.0", "id": f"row-{number}", "source": "taobao", "subject": row.customer,
        "time": datetime.fromtimestamp(row.second, UTC),
    }  # fmt: skip
    time = row.second * 1000
    goods = {"sku": row.item, "category": row.category}
    shop: dict[str, Any] = {"shop_id": SHOP.shop_id}
    if row.behaviour == "cart":
        return CartEvent(data=Cart(action="add", **goods, **shop), **envelope), time
    if row.behaviour == "buy":
        lines = [Line(**goods)]
        paid = Order(order_id=f"row-{number}", status="paid", lines=lines, **shop)
        return OrderEvent(data=paid, **envelope), time
    action: Any = {"pv": "view", "fav": "favorite"}[row.behaviour]
    return ClickEvent(data=Click(action=action, **goods, **shop), **envelope), time


def _fold(events: list[Timed]) -> dict[str, CustomerState]:
    states: dict[str, CustomerState] = {}
    for event, time in events:
        state = states.get(event.subject)
        if state is None:
            state = states[event.subject] = new_state(SHOP.shop_id, event.subject)
        assert fold(state, event, time, SHOP) is not None
    return states


def _figures(states: dict[str, CustomerState]) -> tuple[int, int, int, int, int]:
    paid = [state.orders.totals.paid if state.orders else 0 for state in states.values()]
    return (
        sum(state.browsing.actions.view > 0 for state in states.values()),
        sum(state.browsing.actions.favorite > 0 for state in states.values()),
        sum(state.cart is not None and state.cart.adds > 0 for state in states.values()),
        sum(count >= 1 for count in paid),
        sum(count >= 2 for count in paid),
    )


def test_known_figures_and_sizes(events: list[Timed]) -> None:
    assert len(events) == 84_440
    states = _fold(events)
    assert _figures(states) == (813, 305, 601, 559, 373)
    sizes = [len(encode(state)) for state in states.values()]
    assert statistics.median(sizes) < 4 * 1024
    assert max(sizes) < 16 * 1024
    for state in states.values():
        assert decode(encode(state)) == state


def test_in_any_order(events: list[Timed]) -> None:
    shuffled = list(events)
    random.Random(3).shuffle(shuffled)
    in_order, states = _fold(events), _fold(shuffled)
    assert _figures(states) == (813, 305, 601, 559, 373)
    for customer, state in states.items():
        expected = in_order[customer]
        assert state.browsing.actions == expected.browsing.actions
        assert (state.cart is None) == (expected.cart is None)
        if state.cart is not None and expected.cart is not None:
            assert state.cart.lines == expected.cart.lines
            assert state.cart.waiting == expected.cart.waiting
        if state.orders is not None and expected.orders is not None:
            assert state.orders.totals == expected.orders.totals
            assert state.orders.hours == expected.orders.hours
