"""Occasions of abandoned carts: docs/decisions/0002, against a naive oracle and by example."""

import hashlib
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain import timers
from streams.domain.state import CustomerState
from streams.domain.timers import ABANDONED_CART, Occasion
from tests.domain.cart_oracle import occasions
from tests.domain.events import (
    DAY,
    MINUTE,
    SHOP,
    START,
    Timed,
    build,
    cart,
    cart_events,
    fold_all,
    order,
    order_events,
)

FOREVER = START + 1000 * DAY
cart_and_orders = st.lists(st.one_of(cart_events, cart_events, order_events), max_size=25)


def next_due(state: CustomerState) -> int | None:
    """Of the carts alone: the orders in here set other timers too."""
    return state.cart.waiting[0] if state.cart is not None and state.cart.waiting else None


def pending(state: CustomerState) -> list[Occasion]:
    return [found for found in timers.pending(state) if found.kind == ABANDONED_CART]


def take_due(state: CustomerState, until: int) -> list[Occasion]:
    return [f for f in timers.take_due(state, until, SHOP) if f.kind == ABANDONED_CART]


def told(found: list[Occasion]) -> list[tuple[int, str]]:
    return [(occasion.due, occasion.key) for occasion in found]


def drain(state: CustomerState, until: int) -> list[tuple[int, str]]:
    """Fire as the engine does: at each due time, until none is left."""
    fired: list[tuple[int, str]] = []
    while (due := next_due(state)) is not None and due <= until:
        fired += told(take_due(state, due))
        assert next_due(state) != due
    return fired


@settings(max_examples=200, deadline=None)
@given(cart_and_orders, st.randoms(use_true_random=False))
def test_nothing_fired_yet_any_order_arms_what_the_oracle_arms(
    drawn: list[tuple[Any, ...]], shuffler: random.Random
) -> None:
    events = build(drawn)
    expected = occasions(events)
    shuffler.shuffle(events)
    state = fold_all(events)
    assert told(pending(state)) == expected
    assert drain(state, FOREVER) == expected
    assert next_due(state) is None
    assert pending(state) == []


@settings(max_examples=150, deadline=None)
@given(cart_and_orders)
def test_in_time_with_the_clock_fires_what_the_oracle_arms(drawn: list[tuple[Any, ...]]) -> None:
    events = sorted(build(drawn), key=lambda timed: timed[1])
    state = fold_all([])
    fired: list[tuple[int, str]] = []
    for timed in events:
        # The watermark is before the event's time, so a timer due at that time is not fired first.
        fired += drain(state, timed[1] - 1)
        fold_all([timed], state)
    fired += drain(state, FOREVER)
    assert fired == occasions(events)


@settings(max_examples=150, deadline=None)
@given(cart_and_orders, st.randoms(use_true_random=False), st.integers(0, 24))
def test_late_facts_never_bring_back_what_fired_or_passed(
    drawn: list[tuple[Any, ...]], shuffler: random.Random, cut: int
) -> None:
    events = build(drawn)
    shuffler.shuffle(events)
    state = fold_all(events[:cut])
    clock = START + 45 * MINUTE
    before = occasions(events[:cut])
    assert drain(state, clock) == [each for each in before if each[0] <= clock]
    changes_then = {time for _, time in events[:cut]}
    fold_all(events[cut:], state)
    late = {time for _, time in events[cut:]}
    for due, _ in drain(state, FOREVER):
        # What fires now was due later, or a late fact of its own time armed it.
        assert due > clock or due - 30 * MINUTE in late or due - 30 * MINUTE not in changes_then


def test_fires_half_an_hour_after_the_last_change() -> None:
    state = fold_all(
        [
            cart("1", START, "add", "a", quantity=2, attributes={"size": "M", "colour": "red"}),
            cart("2", START + 10 * MINUTE, "add", "b"),
        ]
    )
    assert next_due(state) == START + 40 * MINUTE
    assert take_due(state, START + 40 * MINUTE - 1) == []
    (occasion,) = take_due(state, START + 40 * MINUTE)
    assert occasion.key == f"a;colour=red,size=M;2;{START}|b;;1;{START + 10 * MINUTE}"
    assert (occasion.kind, occasion.lines) == ("abandoned-cart", 2)
    assert next_due(state) is None


def test_attributes_over_512_bytes_enter_the_occasion_as_their_sha256() -> None:
    at_the_limit, over = "é" * 255, "é" * 255 + "x"
    digest = hashlib.sha256(f"n\0{over}".encode()).hexdigest()
    for value, shown in ((at_the_limit, f"n={at_the_limit}"), (over, f"sha256={digest}")):
        state = fold_all([cart("1", START, "add", "a", attributes={"n": value})])
        assert drain(state, FOREVER) == [(START + 30 * MINUTE, f"a;{shown};1;{START}")]


def test_nothing_in_an_occasion_is_escaped() -> None:
    texts = {
        text
        for attributes in ({"k": "v,m=w"}, {"k": "v", "m": "w"})
        for _, text in drain(
            fold_all([cart("1", START, "add", "a;|", attributes=attributes)]), FOREVER
        )
    }
    assert texts == {f"a;|;k=v,m=w;1;{START}"}


def test_an_order_that_came_before_the_cart_it_concerns_cancels() -> None:
    state = fold_all([order("1", START + 5 * MINUTE, "o1", "paid", "a")])
    assert next_due(state) is None
    fold_all([cart("2", START, "add", "a")], state)
    assert pending(state) == []
    assert drain(state, FOREVER) == []


def test_what_an_order_leaves_in_the_cart_is_an_occasion_of_its_own() -> None:
    state = fold_all(
        [
            cart("1", START, "add", "a"),
            cart("2", START + MINUTE, "add", "b"),
            order("3", START + 2 * MINUTE, "o1", "paid", "a"),
        ]
    )
    assert drain(state, FOREVER) == [(START + 32 * MINUTE, f"b;;1;{START + MINUTE}")]


def _ordered_then_known_earlier() -> list[Timed]:
    return [
        cart("1", START, "add", "a"),
        order("2", START + 5 * MINUTE, "o1", "paid", "a"),
        # The same order was placed before the cart was filled: it took nothing out of it.
        order("3", START - 5 * MINUTE, "o1", "placed", "a"),
    ]


def test_an_occasion_stands_again_when_the_order_turns_out_to_be_earlier() -> None:
    state = fold_all(_ordered_then_known_earlier())
    assert drain(state, FOREVER) == [(START + 30 * MINUTE, f"a;;1;{START}")]


def test_but_not_once_its_due_time_has_passed() -> None:
    events = _ordered_then_known_earlier()
    state = fold_all(events[:2])
    # Nothing stands, and yet the due times are waited for, so that the changes settle.
    assert pending(state) == []
    assert next_due(state) == START + 30 * MINUTE
    assert take_due(state, START + 30 * MINUTE) == []
    assert next_due(state) == START + 35 * MINUTE
    assert take_due(state, START + 35 * MINUTE) == []
    assert next_due(state) is None
    fold_all(events[2:], state)
    assert drain(state, FOREVER) == []


def test_lines_older_than_three_days_are_in_no_content() -> None:
    state = fold_all(
        [cart("1", START, "add", "a"), cart("2", START + 3 * DAY, "add", "b")],
    )
    assert drain(state, FOREVER) == [
        (START + 30 * MINUTE, f"a;;1;{START}"),
        (START + 3 * DAY + 30 * MINUTE, f"b;;1;{START + 3 * DAY}"),
    ]


def test_a_change_at_the_very_due_time_comes_too_late_to_drop_the_occasion() -> None:
    events = [cart("1", START, "add", "a"), cart("2", START + 30 * MINUTE, "add", "b")]
    for folded in (events, events[::-1]):
        fired = drain(fold_all(folded), FOREVER)
        assert [due for due, _ in fired] == [START + 30 * MINUTE, START + 60 * MINUTE]
    events[1] = cart("2", START + 30 * MINUTE - 1, "add", "b")
    for folded in (events, events[::-1]):
        assert len(drain(fold_all(folded), FOREVER)) == 1


def test_an_orders_occasion_that_fired_stays_fired_when_the_order_turns_out_to_be_earlier() -> None:
    state = fold_all(
        [
            cart("1", START, "add", "a"),
            cart("2", START, "add", "b"),
            order("3", START + 5 * MINUTE, "o1", "paid", "a"),
        ]
    )
    assert drain(state, FOREVER) == [(START + 35 * MINUTE, f"b;;1;{START}")]
    fold_all([order("4", START + 2 * MINUTE, "o1", "placed", "a")], state)
    assert drain(state, FOREVER) == []


@settings(max_examples=100, deadline=None)
@given(cart_and_orders)
def test_appending_does_what_applying_the_whole_log_again_does(
    drawn: list[tuple[Any, ...]],
) -> None:
    events = sorted(build(drawn), key=lambda timed: timed[1])
    appended, inserted = fold_all(events).cart, fold_all(events[::-1]).cart
    if appended is not None and inserted is not None:
        assert appended.lines == inserted.lines
        assert appended.waiting == inserted.waiting


def test_a_change_without_content_settles_too() -> None:
    state = fold_all([cart("1", START, "add", "a"), cart("2", START + MINUTE, "remove", "a")])
    assert pending(state) == []
    assert take_due(state, START + 31 * MINUTE) == []
    # Now there is something left in the cart at the removal, too late.
    fold_all([cart("0", START - MINUTE, "add", "b")], state)
    assert drain(state, FOREVER) == []


def test_the_log_forgets_what_is_a_week_behind_the_clock() -> None:
    state = fold_all([cart("1", START, "add", "a"), cart("2", START + 8 * DAY, "add", "b")])
    drain(state, FOREVER)
    assert state.cart is not None
    assert [line.sku for line in state.cart.lines] == ["a", "b"]
    assert state.cart.log_facts == 1
    # Too late to be placed: counted, and the lines stay.
    fold_all([cart("3", START - DAY, "clear")], state)
    assert state.cart.clears == 1
    assert [line.sku for line in state.cart.lines] == ["a", "b"]
    assert next_due(state) is None


def test_lines_and_occasions_are_right_after_the_log_overflowed() -> None:
    events = [
        cart(f"e{number:04}", START + number * MINUTE, "add", "abcde"[number % 5])
        for number in range(1000)
    ]
    state = fold_all(events)
    assert state.cart is not None
    assert state.cart.log_facts <= 128
    assert {line.sku: line.quantity for line in state.cart.lines} == dict.fromkeys("abcde", 200)
    assert drain(state, FOREVER) == occasions(events)
