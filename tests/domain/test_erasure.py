"""Erasing a customer: what is known goes, what happened until then counts no more, coupons stay known."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.trigger import Trigger
from streams.campaigns.decide import decide
from streams.domain.describe import describe
from streams.domain.duplicates import FULL
from streams.domain.facts import Erased, Forward
from streams.domain.fold import fold
from streams.domain.state import CustomerState, new_state
from streams.domain.timers import next_due, take_due
from streams.state.codec import decode, encode
from tests.domain.events import (
    DAY,
    MINUTE,
    SHOP,
    START,
    Timed,
    build,
    cart,
    click,
    fold_all,
    order,
    profile,
    review,
)
from tests.domain.sample import golden_state
from tests.domain.test_any_order import everything, figures


def erasure(event_id: str, time: int) -> Timed:
    return profile(event_id, time, "erase")


def test_nothing_is_left_but_the_mark_and_the_coupons() -> None:
    state = golden_state()
    coupons, evicted = list(state.coupons), state.evicted_early
    assert coupons
    at = START + 30 * DAY
    event, time = erasure("x", at)
    erased, *told = fold(state, event, time, SHOP) or ()
    assert erased == Erased()
    # Who was handed over to the customer, and whom the customer was.
    assert [fact.key for fact in told if isinstance(fact, Forward)] == ["anonymous", "c9"]
    blank = new_state("shop", "c1")
    blank.coupons, blank.evicted_early, blank.erased_at = coupons, evicted, at
    blank.seen = state.seen
    assert state == blank
    assert len(state.seen) == 12
    assert decode(encode(state)) == state
    assert describe(state, SHOP)["erased_at"] == "2024-07-01T00:00:00.000Z"


def test_its_timers_are_cleared() -> None:
    state = fold_all([cart("1", START, "add", "a")])
    assert next_due(state) == START + 30 * MINUTE
    fold_all([erasure("x", START + MINUTE)], state)
    assert next_due(state) is None
    assert take_due(state, START + DAY, SHOP) == []


def test_what_happened_until_then_folds_to_nothing_and_is_no_duplicate() -> None:
    state = fold_all([erasure("x", START)])
    before = encode(state)
    for event, time in (click("1", START), order("2", START - DAY, "o", "paid", amount_paid=5)):
        for _ in range(2):
            assert fold(state, event, time, SHOP) == ()
    assert encode(state) == before
    event, time = click("3", START + 1)
    assert fold(state, event, time, SHOP) == ()
    assert (state.browsing.actions.view, state.first_seen) == (1, START + 1)


def test_a_repeat_of_it_does_not_take_what_came_since() -> None:
    state = fold_all([erasure("x", START), click("1", START + 1)])
    before = encode(state)
    event, time = erasure("x", START)
    assert fold(state, event, time, SHOP) is None
    # Neither does the same wish under another id.
    event, time = erasure("y", START)
    assert fold(state, event, time, SHOP) == ()
    assert encode(state) == before


def test_a_repeat_of_what_was_later_and_has_gone_does_not_bring_it_back() -> None:
    later = [click(f"{number}", START + 1 + number) for number in range(130)]
    state = fold_all([click("0", START - DAY), *later, erasure("x", START)])
    # The newest 127 ids and the erase itself are what is known.
    assert len(state.seen) == FULL
    before = encode(state)
    for event, time in (*later[3:], erasure("x", START)):
        assert fold(state, event, time, SHOP) is None
    assert encode(state) == before
    event, time = click("new", START + 1)
    assert fold(state, event, time, SHOP) == ()
    assert state.browsing.actions.view == 1


def test_a_later_one_takes_that_too() -> None:
    state = fold_all([erasure("x", START), click("1", START + 1), erasure("y", START + 2)])
    assert (state.browsing.actions.view, state.erased_at) == (0, START + 2)


def test_no_coupon_is_issued_a_second_time() -> None:
    state = new_state("shop", "c1")
    bad = review("r", START + DAY, "posted", "o", "a", rating=1)
    first = order("o", START + DAY, "o", "paid")
    issued = _issue(state, [first, bad])
    assert len(issued) == 2
    assert _issue(state, [erasure("x", START)]) == []
    # Both are told once more, under other ids: the customer is as good as new, but for the coupons.
    assert state.orders is None
    bad = review("r2", START + DAY, "posted", "o", "a", rating=1)
    first = order("o2", START + DAY, "o", "paid")
    assert _issue(state, [first, bad]) == []
    assert state.orders is not None


def _issue(state: CustomerState, events: list[Timed]) -> list[str]:
    issued = []
    for event, time in events:
        facts = fold(state, event, time, SHOP) or ()
        decided = decide(state, facts, event, time, SHOP)
        issued += [one.trigger_id for one in decided if isinstance(one, Trigger)]
    return issued


@settings(max_examples=150, deadline=None)
@given(
    everything,
    st.integers(-1, 3 * 24 * 60 + 60).map(lambda minute: START + minute * MINUTE),
    st.randoms(use_true_random=False),
)
def test_whatever_came_until_then_the_end_is_the_same(
    drawn: list[tuple[Any, ...]], at: int, shuffler: random.Random
) -> None:
    """Events until the erase come before or after it, once or twice; later ones come after it."""
    events = build(drawn)
    until = [one for one in events if one[1] <= at]
    since = [one for one in events if one[1] > at]
    expected = fold_all(since)
    expected.erased_at = at
    around = [*until, *until, erasure("x", at), erasure("x", at)]
    shuffler.shuffle(around)
    place = around.index(next(one for one in around if one[0].id == "x")) + 1
    mixed = around[:place] + _interleaved(around[place:], [*since, *since], shuffler)
    assert figures(fold_all(mixed)) == figures(expected)


def _interleaved(first: list[Timed], second: list[Timed], shuffler: random.Random) -> list[Timed]:
    mixed = [*first, *second]
    shuffler.shuffle(mixed)
    return mixed


@settings(max_examples=100, deadline=None)
@given(
    everything,
    st.integers(0, 29),
    st.integers(0, 3 * 24 * 60),
    st.randoms(use_true_random=False),
)
def test_wherever_it_comes_exactly_what_is_later_and_comes_later_is_left(
    drawn: list[tuple[Any, ...]], place: int, minute: int, shuffler: random.Random
) -> None:
    events = build(drawn)
    place = min(place, len(events))
    at = START + minute * MINUTE
    # Told once more, what came before it does not come back.
    after = _interleaved(events[place:], events[:place], shuffler)
    state = fold_all([*events[:place], erasure("x", at), *after])
    expected = fold_all([one for one in events[place:] if one[1] > at])
    expected.erased_at = at
    assert figures(state) == figures(expected)
