"""When a state goes: who goes when, what keeps it, and how often it is looked at."""

import pytest

from schemas.exchange import OrderOfProduct
from streams.domain.codec import decode, encode
from streams.domain.expiry import DAY_MS, KEPT_MS, VISITOR_MS, is_over, touch
from streams.domain.identity import Alias, Identity
from streams.domain.integrity.product import ProductIntegrity, fold_order_of_product
from streams.domain.state import Coupon, CustomerState, new_state
from streams.domain.timers import goes, next_due, take_due, waiting
from tests.domain.events import (
    SHOP,
    START,
    Timed,
    cart,
    click,
    fold_all,
    order,
    profile,
    review,
    service,
    wish,
)

MINUTE = 60_000


def after(*events: Timed, arrived: int = START) -> CustomerState:
    """As a commit leaves it."""
    state = fold_all(list(events))
    touch(state, arrived)
    return state


def gone_at(state: CustomerState) -> int:
    """When it goes if nothing comes, ms: as the engine looks, at each due time."""
    while True:
        due = next_due(state)
        assert due is not None
        take_due(state, due, SHOP)
        if goes(state, due):
            return due
        assert next_due(state) != due


def test_a_visitor_goes_after_thirty_days() -> None:
    state = after(click("1", START))
    assert waiting(state) == (START + 30 * DAY_MS,)
    assert not goes(state, START + 30 * DAY_MS - 1)
    assert waiting(state) == (START + 30 * DAY_MS,)
    assert goes(state, START + 30 * DAY_MS)


def test_a_click_moves_no_timer_and_a_look_does() -> None:
    state = after(click("1", START))
    for day in range(1, 20):
        fold_all([click(f"d{day}", START + day * DAY_MS)], state)
        touch(state, START + day * DAY_MS)
        assert waiting(state) == (START + 30 * DAY_MS,)
    assert not goes(state, START + 30 * DAY_MS)
    assert waiting(state) == (START + 49 * DAY_MS,)
    assert decode(encode(state)) == state
    assert goes(state, START + 49 * DAY_MS)


def test_the_later_of_the_broker_s_time_and_the_event_s_counts() -> None:
    years_ago = after(click("1", START - 2_000 * DAY_MS))
    assert gone_at(years_ago) == START + VISITOR_MS
    simulated = after(click("1", START + 500 * DAY_MS))
    assert gone_at(simulated) == START + 500 * DAY_MS + VISITOR_MS


@pytest.mark.parametrize(
    "made",
    [
        order("1", START, "o", "placed"),
        order("1", START, "o", "cancelled"),
        wish("1", START, "made", "w"),
        profile("1", START, "updated", region="r"),
        profile("1", START, "erase"),
        profile("1", START, "alias", alias_of="c9"),
        review("1", START, "posted", "o", "a", rating=5),
        service("1", START, "resolved", "k"),
    ],
    ids=lambda made: f"{type(made[0]).__name__} {getattr(made[0].data, 'action', 'order')}",
)
def test_everything_else_is_kept_as_long_as_the_topics(made: Timed) -> None:
    assert gone_at(after(made)) == START + KEPT_MS


def test_who_has_visitors_of_theirs_is_kept() -> None:
    state = after(click("1", START))
    state.identity = Identity(aliases=[Alias(START, "cookie")])
    assert gone_at(state) == START + KEPT_MS


def test_a_product_is_kept_as_long_as_the_topics() -> None:
    state = new_state("shop", "sku", "product")
    state.product_integrity = ProductIntegrity()
    told = OrderOfProduct(customer_id="c", order_id="o", device_hash="d", address_hash=None)
    fold_order_of_product(state.product_integrity, "sku", told, START)
    touch(state, START)
    assert gone_at(state) == START + KEPT_MS


def test_nothing_goes_while_a_timer_waits() -> None:
    state = after(cart("1", START + VISITOR_MS, "add", "a"))
    state.expires = START // 1000
    assert not goes(state, START + VISITOR_MS)
    # Three orders, 300 days apart: lost 450 days after the last one.
    rare = [
        order(f"{n}", START + n * 300 * DAY_MS, f"o{n}", "paid", amount_paid=1) for n in range(3)
    ]
    last = START + 600 * DAY_MS
    assert gone_at(after(*rare, arrived=last)) > last + 450 * DAY_MS


def test_nothing_goes_while_a_change_is_overdue() -> None:
    """As where settings that came late plan one for a time that is over: it is told first."""
    state = after(order("1", START, "o", "paid", amount_paid=1))
    over = START + KEPT_MS
    assert not goes(state, over)
    assert waiting(state)[-1] == over
    assert [each.after for each in take_due(state, over, SHOP)] == ["dormant", "lost"]
    assert goes(state, over)


def test_nothing_goes_while_a_coupon_holds() -> None:
    state = after(click("1", START))
    until = START + VISITOR_MS + 5 * DAY_MS
    state.coupons = [Coupon("f" * 32, "abandoned-cart", START, until)]
    assert gone_at(state) == until + 1000  # the second after


def test_a_state_of_before_is_not_looked_at() -> None:
    state = fold_all([click("1", START)])
    assert waiting(state) == ()
    assert not is_over(state, START + 9_999 * DAY_MS, None)


@pytest.mark.parametrize("end", ["erase", "alias"])
def test_an_erasure_and_a_hand_over_keep_the_look(end: str) -> None:
    """Also where both fell into one commit: the state was touched before, and is not touched again."""
    state = after(click("1", START), cart("2", START, "add", "a"))
    fold_all([profile("x", START + MINUTE, end, alias_of="c2" if end == "alias" else None)], state)
    assert waiting(state) == (START + VISITOR_MS,)
    touch(state, START + MINUTE)
    assert waiting(state) == (START + VISITOR_MS,)
    assert gone_at(state) == START + MINUTE + KEPT_MS
