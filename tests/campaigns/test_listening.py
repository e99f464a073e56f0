"""Triggers hear what was published and nothing else; the index finds all whom a moment concerns."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.settings import Liking
from streams.authoring.files import check_text
from streams.campaigns.applied.history import Version
from streams.campaigns.language.definition import triggers
from streams.campaigns.language.definition.definition import CampaignDefinition, canonical
from streams.campaigns.listening.hearing import keys_of
from streams.campaigns.listening.index import Candidate, Index
from streams.campaigns.listening.moments import Moment, moment_of, moments_of
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import new_state
from streams.domain.timers import take_due
from tests.campaigns.definitions_drawn import definitions
from tests.domain.events import (
    DAY,
    MINUTE,
    SHOP,
    START,
    Timed,
    cart,
    click,
    order,
    profile,
    review,
    service,
    wish,
)

_TEXT = """
campaign: {name}
trigger: {trigger}
offer: {{message: {{text: hello}}}}
limits: {{per_customer: 1/total, priority: {priority}}}
delivery: {{channels: sms}}
{more}
"""


def version(trigger: str, name: str = "it", priority: int = 50, more: str = "") -> Version:
    text = _TEXT.format(name=name, trigger=trigger, priority=priority, more=more)
    checked = check_text(text.encode(), name)
    assert checked.definition is not None, checked.problems
    return applied(checked.definition)


def applied(definition: CampaignDefinition) -> Version:
    return Version(0, "0" * 16, definition, canonical(definition), None, "test", 0)


def heard(index: Index, events: list[Timed], shop: ShopSettings = SHOP) -> list[Candidate]:
    """Of all events in their order, and of the timers that are due before each and until 400 days after."""
    state, found = new_state("shop", "c1"), list[Candidate]()

    def due(until: int) -> None:
        for occasion in take_due(state, until, shop):
            moment = moment_of(occasion)
            if moment is not None:
                found.extend(index.candidates([moment], state, occasion.due, shop))

    for event, time in events:
        due(time - 1)
        facts = fold(state, event, time, shop)
        if facts is not None:
            found.extend(index.candidates(moments_of(facts, event, time, state), state, time, shop))
    due(events[-1][1] + 400 * DAY)
    return found


def occasions(trigger: str, events: list[Timed], shop: ShopSettings = SHOP) -> list[str]:
    """Of whom the trigger is for: what it asks of the moment holds."""
    return [
        each.moment.occasion
        for each in heard(Index([version(trigger)]), events, shop)
        if each.eligible
    ]


def paid(number: int, day: float = 0, amount: int | None = 200_00, status: Any = "paid") -> Timed:
    at = START + round(day * DAY)
    return order(f"{status}{number}", at, f"o{number}", status, amount_paid=amount)


def at(minutes: int, made: Any, name: str, *rest: Any, **data: Any) -> Timed:
    found: Timed = made(name, START + minutes * MINUTE, *rest, **data)
    return found


LIKED = [
    at(0, wish, "m", "made", "w", sku="k"),
    *(at(n, wish, f"l{n}", "liked", "w", liker_id=f"c{n}") for n in range(2, 8)),
]
REFUND = order("r", START + DAY, "o1", "refunded", refund_id="f", amount=50_00)
#: Trigger, what is published, and the occasions of which it hears.
CASES: dict[str, tuple[str, list[Timed], list[str]]] = {
    "first visit": ("first_visit", [at(0, click, "a"), at(1, click, "b")], ["first"]),
    "first visit, said twice": ("first_visit", [at(0, click, "a"), at(0, click, "a")], ["first"]),
    "first visit, with a wait that nothing tells": ("{first_visit: {wait: 10m}}", [at(0, click, "a")], []),
    "cart left": ("abandoned_cart", [at(0, cart, "a", "add", "k")], [f"k;;1;{START}"]),
    "cart left with too little": ("{abandoned_cart: {min_lines: 2}}", [at(0, cart, "a", "add", "k")], []),
    "cart left for another time": ("{abandoned_cart: {after: 1h}}", [at(0, cart, "a", "add", "k")], []),
    "cart of a worth that nobody knows": (
        '{abandoned_cart: {min_value: "1.00"}}', [at(0, cart, "a", "add", "k")], [],
    ),
    "cart that was ordered": (
        "abandoned_cart",
        [at(0, cart, "a", "add", "k"), at(9, order, "o", "o1", "paid", "k")], [],
    ),
    "payment": ("order_paid", [paid(1), paid(1), paid(2, 1), paid(3, 2, status="placed")], ["o1", "o2"]),
    "second payment": ("{order_paid: {number: 2}}", [paid(1), paid(2, 1), paid(3, 2)], ["o2"]),
    "large payment": (
        '{order_paid: {min_amount: "200.01"}}', [paid(1), paid(2, 1, 200_01), paid(3, 2, None)], ["o2"],
    ),
    "refund": ("order_refunded", [paid(1), REFUND], ["o1/f"]),
    "refund that is asked for": (
        "order_refunded", [paid(1), order("q", START, "o1", "refund_requested", refund_id="f")], [],
    ),
    "re-order": ("reorder_due", [paid(1), paid(2, 10), paid(3, 20)], ["2024-06-21", "2024-07-01"]),
    "dormant": ("{lifecycle: {to: [dormant]}}", [paid(1)], ["dormant:2024-08-31"]),
    "dormant and lost": (
        "{lifecycle: {to: [lost, dormant]}}", [paid(1)], ["dormant:2024-08-31", "lost:2024-11-29"],
    ),
    "new by a payment": ("{lifecycle: {to: [new]}}", [paid(1)], ["new:test/paid1"]),
    "tier up": ("tier", [paid(1), paid(2, 1, 400_00)], ["silver:test/paid2"]),
    "tier down": (
        "{tier: {direction: down}}", [paid(1), paid(2, 1, 400_00)], ["2025-07-01"],
    ),
    "another tier": ("{tier: {to: [gold]}}", [paid(1), paid(2, 1, 400_00)], []),
    "joined": (
        "joined_membership", [at(0, profile, "j", "joined_membership"), at(1, profile, "u", "updated")],
        ["joined"],
    ),
    "bad review": (
        "{review_posted: {at_most: 2}}",
        [at(n, review, f"r{n}", "posted", "o1", f"k{n}", rating=n) for n in range(1, 6)], ["o1/k1", "o1/k2"],
    ),
    "photos": (
        "review_shown",
        [at(0, review, "p", "posted", "o1", "k", rating=5), at(1, review, "s", "shown", "o1", "k", photos=1)],
        ["o1/k"],
    ),
    "case resolved": (
        "case_resolved",
        [at(0, service, "i", "inquiry", "k1"), at(9, service, "r", "resolved", "k1")], ["k1"],
    ),
    "case resolved late": (
        "{case_resolved: {slower_than: 10m}}",
        [at(0, service, "i", "inquiry", "k1"), at(10, service, "r", "resolved", "k1"),
         at(20, service, "i2", "inquiry", "k2"), at(31, service, "r2", "resolved", "k2")], ["k2"],
    ),
    "survey": (
        "{survey_answered: {at_most: 6}}",
        [at(0, service, "a", "survey_answered", "k1", score=6),
         at(1, service, "b", "survey_answered", None, score=0),
         at(2, service, "c", "survey_answered", "k2", score=7)], ["k1", "test/b"],
    ),
    "wish": ("wish_made", LIKED, ["w"]),
    "wish with likers": ("{wish_reached: {likers: 5}}", LIKED, ["w"]),
    "wish with too few": ("{wish_reached: {likers: 7}}", LIKED, []),
    "source": (
        "{came_by: {sources: [search, live]}}",
        [at(0, click, "a", traffic_source="search", session_id="s1"),
         at(1, click, "b", traffic_source="search", session_id="s1"),
         at(2, click, "c", traffic_source="wish", session_id="s2"),
         at(3, click, "d", traffic_source="live", session_id="s3"),
         at(4, click, "e", session_id="s4")], ["search/s1", "live/s3"],
    ),
    "live": (
        "{live_entered: {lives: [l1]}}",
        [at(0, click, "a", "live_enter", live_id="l1", session_id="s"),
         at(1, click, "b", "live_enter", live_id="l2"), at(2, click, "c", "view", live_id="l1")], ["l1/s"],
    ),
    "any live": ("live_entered", [at(0, click, "a", "live_enter")], ["/test/a"]),
    "store": ("store_visited", [at(0, click, "a", "store_visit", session_id="s")], ["s"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_trigger_hears_its_moments_and_stays_silent_else(case: str) -> None:
    trigger, events, wanted = CASES[case]
    assert occasions(trigger, events) == wanted


def test_every_trigger_that_something_tells_is_heard_in_a_case() -> None:
    told = {name for name, kind in triggers.TRIGGERS.items() if not kind.missing}
    fired = {
        trigger.strip("{ ").partition(":")[0] for trigger, _, wanted in CASES.values() if wanted
    }
    assert fired == told


def test_a_first_visit_is_none_after_an_erasure() -> None:
    events = [at(0, click, "a"), at(1, profile, "x", "erase"), at(2, click, "b")]
    assert occasions("first_visit", events) == ["first"]


def test_amounts_of_a_shop_that_counts_in_another_currency_are_not_known() -> None:
    index = Index([version('{order_paid: {min_amount: "1.00"}}')])
    (found,) = heard(index, [paid(1)], ShopSettings("shop", "Asia/Shanghai", "USD"))
    assert found.eligible is None
    assert found.seen()[0].why == "the shop counts in another currency"


def test_a_bought_like_reaches_nothing() -> None:
    shop = ShopSettings("shop", "Asia/Shanghai", "CNY", liking=Liking(verdict_points=20))
    likes = [
        at(n, wish, f"l{n}", "liked", "w", liker_id=f"c{n}", device_hash="phone")
        for n in range(2, 9)
    ]
    assert occasions("{wish_reached: {likers: 2}}", [LIKED[0], *likes], shop) == []


def test_the_audience_is_asked_of_the_state_as_the_moment_left_it() -> None:
    index = Index([version("order_paid", more="audience: {orders.net.count: 2}")])
    found, seen = list[Candidate](), list[Candidate]()
    for number in (1, 2, 3):
        # What was seen is asked of the state, which goes on.
        found = heard(index, [paid(n, n) for n in range(1, number + 1)])
        seen.append(found[-1])
    assert [(each.moment.occasion, each.eligible) for each in found] == [
        ("o1", False), ("o2", True), ("o3", False),
    ]  # fmt: skip
    assert [each.seen()[-1].value for each in seen] == [1, 2, 3]


def test_candidates_come_by_priority_then_by_name() -> None:
    many = [("b", 10), ("a", 10), ("z", 90), ("c", 50)]
    versions = [version("order_paid", name, priority) for name, priority in many]
    versions.append(version("{order_paid: {number: 1}}", "aa", 50))
    found = heard(Index(versions), [paid(1)])
    assert [each.version.definition.campaign for each in found] == ["z", "aa", "c", "a", "b"]


_values = st.sampled_from(
    [None, 0, 1, 2, 5, 6, 10, "new", "dormant", "lost", "search", "live", "l1", "x"]
)
_moments = st.tuples(st.sampled_from(list(triggers.TRIGGERS)), st.just("o"), _values).map(
    lambda drawn: Moment(*drawn)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(definitions(), max_size=12, unique_by=lambda each: each.campaign), _moments)
def test_the_index_finds_whom_a_look_at_each_finds(
    drawn: list[CampaignDefinition], moment: Moment
) -> None:
    found = Index(map(applied, drawn)).hearing(moment)
    wanted = [
        each
        for each in drawn
        if any(
            kind == moment.kind and value in (None, moment.value)
            for kind, value in keys_of(each.trigger)
        )
    ]
    wanted.sort(key=lambda each: (-each.limits.priority, each.campaign))
    assert [each.definition for each in found] == wanted
