"""The three campaigns: when each fires, when it stays silent, and what its trigger says."""

import hashlib
from datetime import UTC, datetime

import msgspec
import pytest

from schemas.decision import Decision
from schemas.trigger import CAMPAIGN_LENGTH, Trigger, TriggerEvent, Why
from streams.campaigns.campaign import CampaignNameError, version_of
from streams.campaigns.decide import decide, decide_timer
from streams.campaigns.registry import CAMPAIGNS
from streams.domain.fold import fold
from streams.domain.offered import COUPON, how
from streams.domain.state import COUPONS, Coupon, CustomerState, new_state
from streams.domain.timers import take_due
from tests.domain.events import DAY, MINUTE, SHOP, START, Timed, cart, click, order, review


def play(events: list[Timed], state: CustomerState) -> list[Trigger]:
    triggers = []
    for event, time in events:
        facts = fold(state, event, time, SHOP)
        if facts is not None:
            triggers += issued(decide(state, facts, event, time, SHOP))
    return triggers


def issued(decided: list[Trigger | Decision]) -> list[Trigger]:
    return [one for one in decided if isinstance(one, Trigger)]


def identity(campaign: str, occasion: str) -> str:
    text = f"{campaign}\x1fshop\x1fc1\x1f{occasion}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@pytest.fixture
def state() -> CustomerState:
    return new_state("shop", "c1")


def test_abandoned_cart(state: CustomerState) -> None:
    assert play([cart("1", START, "add", "a"), click("2", START + MINUTE)], state) == []
    (occasion,) = take_due(state, START + 30 * MINUTE, SHOP)
    (trigger,) = issued(decide_timer(state, occasion, SHOP))
    assert trigger.trigger_id == identity("abandoned-cart", f"a;;1;{START}")
    assert (trigger.campaign, trigger.kind, trigger.seq) == ("abandoned-cart", "coupon_issued", 0)
    assert trigger.why == [
        Why(rule="cart_idle_minutes", value=30, threshold=30),
        Why(rule="cart_lines", value=1, threshold=1),
    ]
    assert trigger.offer is not None
    assert trigger.offer.valid_from == datetime(2024, 6, 1, 0, 30, tzinfo=UTC)
    assert trigger.offer.valid_until == datetime(2024, 6, 2, 0, 30, tzinfo=UTC)
    assert trigger.offer.code == ""
    assert trigger.channels
    # Once per content, whatever asks again.
    (refused,) = decide_timer(state, occasion, SHOP)
    assert isinstance(refused, Decision)
    assert (refused.reason, refused.trigger_id) == ("issued_before", trigger.trigger_id)


def test_second_order_once_after_the_first_paid_one(state: CustomerState) -> None:
    assert play([order("1", START, "A", "placed", "a")], state) == []
    (trigger,) = play([order("2", START, "A", "paid", "a")], state)
    assert trigger.trigger_id == identity("second-order", "first")
    assert trigger.why == [Why(rule="paid_orders", value=1, threshold=1, event="2")]
    later = [
        order("3", START, "A", "refunded", refund_id="r"),
        order("4", START, "B", "paid", "a"),
        order("5", START, "B", "paid", "a"),
    ]
    assert play(later, state) == []


@pytest.mark.parametrize("rating", [1, 2, 3, 5])
def test_bad_review(state: CustomerState, rating: int) -> None:
    triggers = play([review("1", START, "posted", "A", "a", rating=rating)], state)
    again = [
        review("2", START, "appended", "A", "a"),
        review("3", START, "removed", "A", "a"),
        review("4", START + DAY, "posted", "A", "a", rating=1),
    ]
    assert play(again, state) == []
    if rating > 2:
        assert triggers == []
        return
    (trigger,) = triggers
    assert trigger.trigger_id == identity("bad-review", "A/a")
    assert trigger.why == [Why(rule="rating_at_most", value=rating, threshold=2, event="1")]
    (other,) = play([review("5", START, "posted", "A", "b", rating=2)], state)
    assert other.trigger_id == identity("bad-review", "A/b")


def test_what_was_issued_is_kept_bounded_and_never_issued_again(state: CustomerState) -> None:
    events = [
        review(f"{number}", START + number, "posted", f"O{number}", "a", rating=1)
        for number in range(COUPONS + 5)
    ]
    assert len(play(events, state)) == COUPONS + 5
    assert len(state.coupons) == COUPONS
    assert state.coupons[-1] == Coupon(
        identity("bad-review", f"O{COUPONS + 4}/a"), "bad-review",
        START + COUPONS + 4, START + COUPONS + 4 + 14 * DAY, how(COUPON, ["app_push", "chat"]),
    )  # fmt: skip
    # As if the events were forgotten: the coupons still know.
    state.seen, state.reviews = b"", None
    assert play(events[-3:], state) == []


def test_triggers_are_what_the_contract_says(state: CustomerState) -> None:
    (trigger,) = play([order("1", START, "A", "paid")], state)
    event = TriggerEvent(
        specversion="1.0", id=trigger.trigger_id, source="huitou", subject="c1",
        time=datetime.now(UTC), data=trigger,
    )  # fmt: skip
    read = msgspec.json.decode(msgspec.json.encode(event), type=TriggerEvent)
    assert read.data == trigger


def test_a_campaigns_version_is_its_content() -> None:
    versions = [campaign.version for campaign in CAMPAIGNS]
    assert len(set(versions)) == len(CAMPAIGNS)
    for campaign in CAMPAIGNS:
        definition = campaign.definition
        assert version_of(definition) == campaign.version
        changed = msgspec.structs.replace(definition, threshold=definition.threshold + 1)
        assert version_of(changed) != campaign.version


@pytest.mark.parametrize("name", ["", "x" * (CAMPAIGN_LENGTH + 1), "买一送一", "two words", "n\n"])
def test_a_name_that_the_contract_does_not_allow_is_refused(name: str) -> None:
    definition = CAMPAIGNS[0].definition
    with pytest.raises(CampaignNameError, match="1 to 32 letters"):
        msgspec.structs.replace(definition, campaign=name)
    assert msgspec.structs.replace(definition, campaign="x" * CAMPAIGN_LENGTH)
    published = {"trigger_id": "t", "shop_id": "s", "customer_id": "c", "kind": "coupon_issued"}
    with pytest.raises(msgspec.ValidationError, match="campaign"):
        msgspec.convert({**published, "campaign": name, "campaign_version": "1"}, Trigger)
