"""Counts and sequences are never wrong: held against all events of a life of which the state keeps a part.

The oracle has every event. Where an answer is true or false it must be the oracle's; it may be unknown, but
only for who did more than a state keeps.
"""

import random
from collections import defaultdict
from typing import Any, NamedTuple

import pytest

from streams.campaigns.language.conditions.acts import ACTS, REFUSED
from streams.campaigns.language.conditions.condition import ActOf, Condition, Count, Follows
from streams.campaigns.language.conditions.evaluating import evaluate
from streams.campaigns.language.figures.catalogue import FIGURES
from streams.campaigns.language.figures.scene import Scene
from streams.domain.state import Coupon, CustomerState, new_state
from streams.domain.timers import take_due
from tests.domain.events import (
    DAY,
    MINUTE,
    SHOP,
    START,
    Timed,
    cart,
    click,
    fold_all,
    order,
    profile,
    service,
    wish,
)

HOUR = 60 * MINUTE
SKUS = "ABCDEFGHIJKLMN"
SOURCES = ("search", "live", "share")
CAMPAIGNS = ("welcome", "rescue")


class Life(NamedTuple):
    """A customer's state, and when everything was done: act -> what it was of -> times."""

    state: CustomerState
    done: dict[str, dict[str | None, list[int]]]
    #: Whether there was less of everything than a state keeps.
    is_short: bool


def _live(seed: int, count: int) -> Life:
    drawing = random.Random(seed)
    done: dict[str, dict[str | None, list[int]]] = {name: defaultdict(list) for name in ACTS}
    state, now, favored = new_state("shop", "c1"), START, dict[str, int]()
    few = SKUS[: drawing.choice([2, 14])]
    # Half of what is done is of one kind, so that each kind is done too often by some.
    often, gaps = seed % 12, drawing.choice([[MINUTE, HOUR], [MINUTE, HOUR, 5 * HOUR, 26 * HOUR]])

    def did(act: str, *of: str | None) -> None:
        for each in (None, *of):
            done[act][each].append(now)

    for number in range(count):
        now += drawing.choice(gaps)
        name, sku = f"e{number}", drawing.choice(few)
        events: list[Timed] = []
        match drawing.choice([often, drawing.randrange(12)]):
            case 0 | 1:
                events = [click(name, now, sku=sku, session_id=name)]
                did("view", sku)
                did("visit")
            case 2:
                source = drawing.choice(SOURCES)
                events = [click(name, now, "search", session_id=name, traffic_source=source)]  # type: ignore[arg-type]
                did("visit")
                did("come_by", source)
            case 3:
                events = [click(name, now, "favorite", sku=sku, session_id=name)]
                did("visit")
                favored[sku] = now
            case 4:
                events = [
                    click(
                        name, now, drawing.choice(["unfavorite", "share"]), sku=sku, session_id=name
                    )
                ]
                did("visit")
                if events[0][0].data.action == "share":
                    did("share", sku)
                else:
                    favored.pop(sku, None)
            case 5 | 6:
                events = [cart(name, now, "add", sku)]
                did("add_to_cart", sku)
            case 7:
                events = [cart(name, now, "remove", sku)]
                did("remove_from_cart", sku)
            case 8 | 9:
                status = drawing.choice(["placed", "paid"])
                events = [order(name, now, f"O{number}", status, sku)]
                did("buy", sku)
                did("place" if status == "placed" else "pay")
            case 10:
                action = drawing.choice(["complaint", "inquiry"])
                events = [
                    service(name, now, action, f"K{number}"),
                    service(f"r{name}", now + 1, "resolved", f"K{number}"),
                ]
                did("open_case")
                if action == "complaint":
                    did("complain")
            case 11:
                if drawing.random() < 0.5:
                    events = [wish(name, now, "made", f"W{number}")]
                    did("wish")
                else:
                    campaign = drawing.choice(CAMPAIGNS)
                    state.coupons = [*state.coupons, Coupon(name, campaign, now, now + DAY)][-24:]
                    did("get_coupon", campaign)
        fold_all(events, state)
        # The clock passes, and what is old leaves the cart's log.
        take_due(state, now, SHOP)
    for sku, at in favored.items():
        done["favorite"][sku].append(at)
    return Life(state, done, count <= 8)


@pytest.fixture(scope="module")
def lives() -> list[Life]:
    return [_live(seed, count) for seed in range(24) for count in (8, 60, 200)]


def _times(life: Life, act: ActOf) -> list[int]:
    return sorted(life.done[act.act][act.of])


def _counted(life: Life, count: Count, at: int) -> int:
    return sum(at - count.within < time <= at for time in _times(life, count.act))


def _followed(life: Life, asked: Follows, at: int) -> bool:
    """Word for word what docs/campaigns.md says of a sequence."""
    begun = [time for time in _times(life, asked.first) if at - asked.lately < time <= at]
    if not begun:
        return False
    until = begun[-1] + asked.within
    after = [time for time in _times(life, asked.then) if begun[-1] < time <= min(until, at)]
    return bool(after) if asked.did else not after and at >= until


def _end(life: Life) -> int:
    return life.state.last_seen or START


def _of(drawing: random.Random, name: str) -> str | None:
    act = ACTS[name]
    named: dict[str, Any] = {"sku": SKUS, "source": SOURCES, "campaign": CAMPAIGNS}
    if act.of and (act.needs_of or drawing.random() < 0.5):
        return str(drawing.choice(named[act.of]))
    return None


def _judged(life: Life, condition: Condition, at: int) -> bool | None:
    return evaluate(condition, Scene(life.state, at, SHOP), "CNY").holds


@pytest.mark.parametrize("name", [name for name, act in ACTS.items() if not act.last_only])
def test_a_count_is_that_of_all_events(name: str, lives: list[Life]) -> None:
    drawing = random.Random(name)
    seen = set()
    for life in lives:
        for _ in range(12):
            within = min(drawing.choice([2 * HOUR, DAY, 7 * DAY, 60 * DAY]), ACTS[name].most)
            at = _end(life) + drawing.choice([0, 0, HOUR, 3 * DAY])
            asked = Count(
                ActOf(name, _of(drawing, name)), within, ">=", drawing.choice([1, 2, 5, 30])
            )
            holds = _judged(life, asked, at)
            truth = _counted(life, asked, at) >= asked.value
            assert holds in (None, truth), (asked, at)
            assert holds is not None or not life.is_short, (asked, at)
            seen.add(holds)
    assert {True, False} <= seen


@pytest.mark.parametrize("did", [True, False])
@pytest.mark.parametrize("name", ACTS)
def test_a_sequence_is_that_of_all_events(name: str, did: bool, lives: list[Life]) -> None:
    drawing = random.Random(f"{name} {did}")
    seen = set()
    for life in lives:
        for _ in range(12):
            other = drawing.choice(list(ACTS))
            most = min(ACTS[name].most, ACTS[other].most)
            lately = min(drawing.choice([2 * DAY, 7 * DAY, 60 * DAY]), most)
            within = drawing.choice([HOUR, 6 * HOUR, DAY])
            first, then = ActOf(name, _of(drawing, name)), ActOf(other, _of(drawing, other))
            if ACTS[other].needs_of and ACTS[name].of == "sku":
                then = ActOf(other, first.of or then.of)
            asked = Follows(first, then, did, within, lately)
            at = _end(life) + drawing.choice([0, HOUR, DAY, 2 * DAY])
            holds = _judged(life, asked, at)
            assert holds in (None, _followed(life, asked, at)), (asked, at)
            seen.add(holds)
    assert {True, False} <= seen


@pytest.mark.parametrize("did", [True, False])
@pytest.mark.parametrize("first", ["view", "favorite", "add_to_cart"])
def test_a_sequence_of_the_same_product_is_that_of_any(
    first: str, did: bool, lives: list[Life]
) -> None:
    seen = set()
    for life in lives:
        for lately in (2 * DAY, 7 * DAY):
            asked = Follows(ActOf(first), ActOf("buy"), did, DAY, lately, same_product=True)
            at = _end(life) + DAY
            holds = _judged(life, asked, at)
            truth = any(
                _followed(life, Follows(ActOf(first, sku), ActOf("buy", sku), did, DAY, lately), at)
                for sku in SKUS
            )
            assert holds in (None, truth), (asked, at)
            seen.add(holds)
    assert {True, False} <= seen or did


def test_much_is_known_even_of_who_did_much(lives: list[Life]) -> None:
    """Else `never wrong` would be easy."""
    asked = [
        Count(ActOf("visit"), 7 * DAY, ">=", 2), Count(ActOf("pay"), 30 * DAY, ">=", 1),
        Count(ActOf("add_to_cart"), 7 * DAY, ">=", 1), Count(ActOf("get_coupon"), 7 * DAY, "<=", 1),
        Count(ActOf("come_by", "live"), 7 * DAY, ">=", 1),
        Follows(ActOf("view", "A"), ActOf("buy", "A"), False, DAY, 7 * DAY),
    ]  # fmt: skip
    answers = [_judged(life, each, _end(life)) for life in lives for each in asked]
    assert answers.count(None) < len(answers) / 20


def test_of_an_erased_customer_nothing_before_is_known() -> None:
    state = fold_all(
        [
            click("k1", START, session_id="s1"),
            profile("x", START + DAY, "erase"),
            click("k2", START + 2 * DAY, session_id="s2"),
        ]
    )

    def visited(operator: Any, times: int, within: int) -> bool | None:
        asked = Count(ActOf("visit"), within, operator, times)
        return evaluate(asked, Scene(state, START + 2 * DAY, SHOP), "CNY").holds

    assert visited("==", 1, DAY) is True
    assert visited("==", 1, 3 * DAY) is None
    assert visited(">=", 1, 3 * DAY) is True


def test_brushed_orders_were_not_paid() -> None:
    state = fold_all([order("o", START, "A", "paid", amount_paid=100)])
    assert state.orders is not None
    state.orders.open[0].seen |= 128
    state.orders.totals.paid, state.orders.totals.brushed = 0, 1
    assert ACTS["pay"].read(Scene(state, START, SHOP), None).times == ()


def test_what_is_refused_names_figures_that_there_are() -> None:
    assert not set(REFUSED) & set(ACTS)
    for why in REFUSED.values():
        if "ask for the figure" in why:
            assert why.rpartition(" ")[2] in FIGURES


@pytest.mark.parametrize(("issued", "holds"), [(23, False), (24, None), (40, None)])
def test_coupons_beyond_those_remembered_may_have_been_issued(
    issued: int, holds: bool | None
) -> None:
    state = new_state("shop", "c1")
    state.coupons = [Coupon(f"t{n}", "welcome", START + n, START) for n in range(issued)][-24:]
    asked = Count(ActOf("get_coupon"), DAY, ">=", 30)
    assert evaluate(asked, Scene(state, START + 40, SHOP), "CNY").holds is holds
    # All that were issued in the last twenty milliseconds are remembered.
    asked = Count(ActOf("get_coupon"), 20, ">=", 30)
    assert evaluate(asked, Scene(state, START + 40, SHOP), "CNY").holds is False
