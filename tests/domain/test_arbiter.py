"""What stands between a rule that held and its offer: the steps in their order, with what each saw."""

import pytest

from schemas.decision import Check, Decision
from schemas.trigger import Trigger, Why
from streams.campaigns.arbiter import rule
from streams.campaigns.decide import decide
from streams.domain.fold import fold
from streams.domain.orders import order_hash, set_brushed
from streams.domain.state import Coupon, CustomerState, new_state
from tests.domain.events import SHOP, START, Timed, order, profile, review

WANTED = ("app_push", "chat")


@pytest.fixture
def state() -> CustomerState:
    return new_state("shop", "c1")


def play(state: CustomerState, *events: Timed) -> list[Trigger | Decision]:
    decided: list[Trigger | Decision] = []
    for event, time in events:
        decided += decide(state, fold(state, event, time, SHOP) or (), event, time, SHOP)
    return decided


def consent(name: str, at: int, **given: bool) -> Timed:
    return profile(name, at, "consent", consent=given)


def bad_review(name: str, order_id: str = "A") -> Timed:
    return review(name, START + 9, "posted", order_id, "a", rating=1)


def test_nothing_known_refuses_nothing(state: CustomerState) -> None:
    ruling = rule(state, "t", WANTED)
    assert (ruling.refused, ruling.channels) == (None, WANTED)
    assert [(check.step, check.passed) for check in ruling.checks] == [
        ("consent", True), ("brushed", True), ("issued_before", True),
    ]  # fmt: skip


def test_a_channel_withdrawn_is_not_used(state: CustomerState) -> None:
    (trigger,) = play(state, consent("1", START, chat=False, sms=True), bad_review("2"))
    assert isinstance(trigger, Trigger)
    assert trigger.channels == ["app_push"]


def test_no_channel_left_refuses_until_one_is_given_again(state: CustomerState) -> None:
    (refused,) = play(state, consent("1", START, chat=False, app_push=False), bad_review("2"))
    assert isinstance(refused, Decision)
    assert (refused.reason, refused.campaign) == ("consent", "bad-review")
    assert refused.why == [Why(rule="rating_at_most", value=1, threshold=2, event="2")]
    assert refused.checks == [
        Check(step="consent", passed=False, value="app_push,chat", threshold="app_push,chat")
    ]
    assert not state.coupons, "a refusal leaves no trace"
    (trigger,) = play(state, consent("3", START + 1, chat=True), bad_review("4", "B"))
    assert isinstance(trigger, Trigger)
    assert trigger.channels == ["chat"]


def test_what_was_said_last_of_a_channel_counts(state: CustomerState) -> None:
    later, earlier = consent("1", START + 5, app_push=True), consent("2", START, app_push=False)
    (trigger,) = play(state, later, earlier, bad_review("3"))
    assert isinstance(trigger, Trigger)
    assert trigger.channels == ["app_push", "chat"]


def test_a_brushed_order_refuses_as_long_as_it_is_held_so(state: CustomerState) -> None:
    assert len(play(state, order("1", START, "A", "paid", "a"))) == 1
    assert state.orders is not None
    set_brushed(state.orders, order_hash("A"), 0, brushed=True)
    (refused,) = play(state, bad_review("2"))
    assert isinstance(refused, Decision)
    assert refused.reason == "brushed"
    assert refused.checks[-1] == Check(step="brushed", passed=False, value=1, threshold=1)
    set_brushed(state.orders, order_hash("A"), 0, brushed=False)
    (trigger,) = play(state, bad_review("3", "B"))
    assert isinstance(trigger, Trigger)


def test_the_same_occasion_is_refused_once_it_was_issued(state: CustomerState) -> None:
    ruling = rule(state, "t", WANTED)
    assert ruling.refused is None
    state.coupons.append(Coupon("t", "bad-review", START, START))
    ruling = rule(state, "t", WANTED)
    assert ruling.refused == Check(step="issued_before", passed=False, value=1, threshold=1)


def test_who_withdrew_and_brushed_is_told_the_first_of_both(state: CustomerState) -> None:
    play(
        state, order("1", START, "A", "paid", "a"), consent("2", START, chat=False, app_push=False)
    )
    assert state.orders is not None
    set_brushed(state.orders, order_hash("A"), 0, brushed=True)
    (refused,) = play(state, bad_review("3"))
    assert isinstance(refused, Decision)
    assert [check.step for check in refused.checks] == ["consent"]


def test_a_refusal_s_id_follows_from_its_cause_alone() -> None:
    ids = []
    for name in ("2", "2", "other"):
        state = new_state("shop", "c1")
        (refused,) = play(state, consent("1", START, chat=False, app_push=False), bad_review(name))
        assert isinstance(refused, Decision)
        ids.append((refused.decision_id, refused.trigger_id))
    assert ids[0] == ids[1]
    assert ids[0][0] != ids[2][0], "another event's refusal is another decision ..."
    assert ids[0][1] == ids[2][1], "... on the same occasion"
