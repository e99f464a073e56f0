"""What time changes of a customer: planned with the orders, taken once when it is due."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.exchange import Visitor
from schemas.settings import Tier
from streams.domain.agenda import CHANGES
from streams.domain.codec import decode, encode
from streams.domain.facts import LifecycleChanged, TierChanged
from streams.domain.fold import fold
from streams.domain.lifecycle import stage
from streams.domain.membership import drops, tier, tier_level
from streams.domain.merging import merge
from streams.domain.shop import ShopSettings, day_of, start_of_day
from streams.domain.state import CustomerState, new_state
from streams.domain.time_driven import paid_of, replan
from streams.domain.timers import Occasion, next_due, pending, take_due, waiting
from streams.domain.worth import expected_next, purchases_of
from tests.domain.events import DAY, SHOP, START, Timed, click, fold_all, order, profile

ZONE = SHOP.time_zone
#: The day of START on the shop's clock.
TODAY = day_of(START, ZONE)
NEVER = START + 10_000 * DAY
TIERS = (Tier(name="silver", orders=2), Tier(name="gold", orders=4))
SMALL = ShopSettings("shop", ZONE, "CNY", tiers=TIERS)


def paid(day: int, amount: int = 100, name: str = "") -> Timed:
    """An order paid ``day`` days after START, at noon UTC."""
    order_id = name or f"o{day}"
    return order(
        f"p-{order_id}", START + day * DAY + DAY // 2, order_id, "paid", amount_paid=amount
    )


def cancelled(day: int, order_id: str) -> Timed:
    return order(f"x-{order_id}", START + day * DAY + DAY // 2, order_id, "cancelled")


def told(found: list[Occasion]) -> list[tuple[int, str, str, str]]:
    """Day after START, kind, before, after."""
    return [(day_of(o.due, ZONE) - TODAY, o.kind, o.before, o.after) for o in found]


def all_taken(state: CustomerState, shop: ShopSettings = SMALL) -> list[tuple[int, str, str, str]]:
    """As the engine takes them: at each due time, until none is left."""
    found: list[Occasion] = []
    while (due := next_due(state)) is not None:
        assert all(at >= due for at in waiting(state))
        found += take_due(state, due, shop)
        assert next_due(state) != due
    return told(found)


def test_one_order_and_nothing_else() -> None:
    state = fold_all([paid(0)], shop=SMALL)
    assert told(pending(state, SMALL)) == [
        (91, "lifecycle", "active", "dormant"), (181, "lifecycle", "dormant", "lost"),
    ]  # fmt: skip
    assert waiting(state) == tuple(start_of_day(TODAY + day, ZONE) for day in (91, 181))
    assert take_due(state, next_due(state) - 1, SMALL) == []  # type: ignore[operator]
    (first,) = take_due(state, next_due(state), SMALL)  # type: ignore[arg-type]
    assert (first.key, first.lines) == ("dormant:2024-08-31", 0)
    assert all_taken(state) == [(181, "lifecycle", "dormant", "lost")]
    assert take_due(state, NEVER, SMALL) == []


def test_a_habit_a_tier_and_what_becomes_of_them() -> None:
    state = fold_all([paid(day) for day in (0, 10, 20, 30)], shop=SMALL)
    # START is the first of June: of the year that ends with May the first order is no part any more.
    assert all_taken(state) == [
        # Due on the mornings of the days on which the next two came, in the evening.
        (20, "reorder", "", ""),
        (30, "reorder", "", ""),
        (40, "reorder", "", ""),
        (51, "lifecycle", "repeat", "dormant"),
        (211, "lifecycle", "dormant", "lost"),
        (395, "tier", "gold", "none"),
    ]


def test_a_tier_goes_down_step_by_step() -> None:
    state = fold_all([paid(day) for day in (0, 1, 40, 41)], shop=SMALL)
    steps = [found for found in all_taken(state) if found[1] == "tier"]
    assert steps == [(395, "tier", "gold", "silver"), (426, "tier", "silver", "none")]


def test_an_order_before_the_due_time_moves_it_and_one_after_it_does_not() -> None:
    before = fold_all([paid(0), paid(60)], shop=SMALL)
    assert all_taken(before)[:2] == [
        (120, "reorder", "", ""), (151, "lifecycle", "repeat", "dormant"),
    ]  # fmt: skip
    after = fold_all([paid(0), paid(100)], shop=SMALL)
    # The clock has yet to come to day 91; an order of day 100 is in the log already.
    assert all_taken(after)[:3] == [
        (91, "lifecycle", "active", "dormant"),
        (191, "lifecycle", "repeat", "dormant"),
        (200, "reorder", "", ""),
    ]


def test_a_cancellation_after_the_due_time_does_not_take_back_what_was_due() -> None:
    """Whether the clock had come to it when the cancellation was folded makes no difference."""
    events = [paid(0), paid(10), cancelled(40, "o10")]
    behind = fold_all(events, shop=SMALL)
    in_time = fold_all(events[:2], shop=SMALL)
    first = take_due(in_time, START + 39 * DAY, SMALL)
    fold_all(events[2:], in_time, SMALL)
    assert told(first) == [(20, "reorder", "", "")]
    assert told(first) + all_taken(in_time) == all_taken(behind)


def test_a_late_event_settles_what_no_longer_stands_without_a_word() -> None:
    state = fold_all([paid(0)], shop=SMALL)
    assert told(take_due(state, START + 100 * DAY, SMALL)) == [
        (91, "lifecycle", "active", "dormant")
    ]
    # Of day 50, folded later: dormant was told and stays told, and comes again.
    fold_all([paid(50)], state, SMALL)
    assert all_taken(state) == [
        (100, "reorder", "", ""),
        (141, "lifecycle", "repeat", "dormant"), (231, "lifecycle", "dormant", "lost"),
        (395, "tier", "silver", "none"),
    ]  # fmt: skip
    early = fold_all([paid(0), paid(50)], shop=SMALL)
    assert all_taken(early)[0] == (100, "reorder", "", "")
    waits = fold_all([paid(0)], shop=SMALL)
    fold_all([paid(50)], waits, SMALL)
    assert [found[0] for found in all_taken(waits) if found[1] == "lifecycle"] == [141, 231]


def test_nothing_is_planned_of_what_is_not_known() -> None:
    state = fold_all([paid(0), paid(10)], shop=SMALL)
    fold_all([profile("x", START + 20 * DAY, "erase")], state, SMALL)
    assert (waiting(state), state.agenda) == ((), None)
    fold_all([paid(30), paid(40)], state, SMALL)
    assert all(kind == "reorder" for _, kind, _, _ in told(pending(state, SMALL))) or not waiting(
        state
    )
    assert fold_all([click("1", START)]).agenda is None


def test_other_settings_when_it_is_due() -> None:
    state = fold_all([paid(day) for day in (0, 1, 40, 41)], shop=SMALL)
    west = ShopSettings("shop", "America/Los_Angeles", "CNY", tiers=(Tier(name="one", orders=1),))
    # Told as it was planned; the tier that the shop no longer has is not told of.
    first = take_due(state, next_due(state), west)  # type: ignore[arg-type]
    assert [o.kind for o in first] == ["reorder"]
    later = pending(state, west)
    assert {(o.before, o.after) for o in later if o.kind == "tier"} == {("one", "none")}
    assert all(o.due == start_of_day(day_of(o.due, west.time_zone), west.time_zone) for o in later)


def test_a_tier_that_the_shop_no_longer_has_is_not_told_of() -> None:
    state = fold_all([paid(day) for day in (0, 1, 40, 41)], shop=SMALL)
    none = ShopSettings("shop", ZONE, "CNY", tiers=())
    found = take_due(state, NEVER, none)
    assert {o.kind for o in found} == {"reorder", "lifecycle"}
    assert "tier" in {o.kind for o in pending(fold_all([paid(0), paid(1)], shop=SMALL))}


def test_what_an_event_changes_is_a_fact() -> None:
    state = new_state("shop", "c1")
    facts = []
    for event, time in (paid(0), paid(1), paid(95), cancelled(96, "o95"), cancelled(97, "o1")):
        facts.append([
            (fact.before, fact.after)
            for fact in fold(state, event, time, SMALL) or ()
            if isinstance(fact, LifecycleChanged | TierChanged)
        ])  # fmt: skip
    assert facts == [
        [("visitor", "new")],
        [("new", "repeat"), ("none", "silver")],
        [("dormant", "won_back")],
        [("won_back", "dormant")],
        [("silver", "none")],
    ]
    event, time = click("1", START + 98 * DAY)
    assert fold(state, event, time, SMALL) == ()


def test_a_hand_over_plans_anew() -> None:
    customer, visitor = fold_all([paid(0)], shop=SMALL), fold_all([paid(10)], shop=SMALL)
    before, at = paid_of(customer), START + 20 * DAY
    merge(customer, decode(Visitor(visitor="v", state=encode(visitor)).state), SMALL)
    replan(customer, before, at, SMALL)
    assert told(pending(customer, SMALL))[0] == (101, "lifecycle", "repeat", "dormant")


days = st.lists(st.integers(0, 420), min_size=1, max_size=8, unique=True)


@settings(max_examples=30, deadline=None)
@given(days, st.randoms(use_true_random=False))
def test_any_order_of_payments_and_any_clock(chosen: list[int], shuffler: random.Random) -> None:
    """What is told is a function of the events: as the clock goes with them, or after all of them."""
    events = [paid(day) for day in sorted(chosen)]
    with_the_clock: list[Occasion] = []
    state = new_state("shop", "c1")
    for event, time in events:
        while (due := next_due(state)) is not None and due <= time:
            with_the_clock += take_due(state, due, SMALL)
        fold(state, event, time, SMALL)
    expected = told(with_the_clock) + all_taken(state)
    if len(expected) <= CHANGES:
        again = [*events, *events[::2]]
        shuffler.shuffle(again)
        assert all_taken(fold_all(again, shop=SMALL)) == expected
    assert expected == _by_stepping(events, max(found[0] for found in expected))


def _by_stepping(events: list[Timed], last: int) -> list[tuple[int, str, str, str]]:
    """Each morning looked at: stage, tier and expected order, from the payments before it."""
    found: list[tuple[int, str, str, str]] = []
    count, purchases = 0, purchases_of(None, ZONE)
    for ahead in range(1, last + 1):
        day = TODAY + ahead
        known = [made for made in events if day_of(made[1], ZONE) < day]
        if not known:
            continue
        if len(known) > count:
            count, purchases = len(known), purchases_of(fold_all(known, shop=SMALL).orders, ZONE)
        here = []
        was, now = stage(purchases, day - 1), stage(purchases, day)
        if was != now and now in ("dormant", "lost"):
            here.append((ahead, "lifecycle", str(was), str(now)))
        if expected_next(purchases) == day:
            here.append((ahead, "reorder", "", ""))
        tiers = [tier(purchases, on, TIERS) for on in (day - 1, day)]
        if tiers[0] != tiers[1]:
            here.append((ahead, "tier", str(tiers[0]), str(tiers[1])))
        found += here
    return found


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 3)), min_size=1, max_size=10),
    st.integers(0, 400),
)
def test_a_tier_drops_as_stepping_day_by_day_finds_it(
    drawn: list[tuple[int, int]], start: int
) -> None:
    events = [
        paid(day, name=f"o{number}-{each}")
        for number, (day, count) in enumerate(drawn)
        for each in range(count)
        if day <= start
    ]
    purchases = purchases_of(fold_all(events, shop=SMALL).orders, ZONE)
    stepped = []
    level = tier_level(purchases, TODAY + start, TIERS)
    for day in range(TODAY + start + 1, TODAY + start + 460):
        now = tier_level(purchases, day, TIERS)
        if now != level:
            stepped.append((day, level, now))
        level = now
    assert list(drops(purchases, TODAY + start, TIERS)) == stepped


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.booleans()), max_size=30))
def test_changes_stay_within_their_bound(drawn: list[tuple[int, bool]]) -> None:
    state = new_state("shop", "c1")
    for number, (day, takes) in enumerate(drawn):
        fold_all([paid(day, name=f"o{number}")], state, SMALL)
        assert len(waiting(state)) <= CHANGES
        if takes:
            take_due(state, START + day * DAY, SMALL)
        assert decode(encode(state)) == state


@pytest.mark.parametrize("changed", [click("9", START + DAY), paid(0, name="o0")])
def test_what_does_not_change_what_was_paid_plans_nothing(
    changed: Timed, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = fold_all([paid(0)], shop=SMALL)

    def never(*_: Any) -> None:
        raise AssertionError("it was planned")

    monkeypatch.setattr("streams.domain.time_driven.purchases_of", never)
    fold_all([changed], state, SMALL)
