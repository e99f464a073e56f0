"""From published events to the triggers and refusals of declared campaigns, each field by hand."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from schemas.decision import Check, Decision
from schemas.settings import Contacting
from schemas.trigger import Message, Offer, Task, Trigger, TriggerEvent, Why
from streams.authoring.files import check_text
from streams.campaigns.campaign import adopt, trigger_id
from streams.campaigns.decide import decide, decide_timer
from streams.campaigns.listening.in_force import Judging
from streams.campaigns.listening.index import Index
from streams.campaigns.listening.moments import Moment
from streams.campaigns.measure.assignment import held_out
from streams.domain.fold import fold
from streams.domain.offered import COUPON, MESSAGE, TASK, how
from streams.domain.shop import ShopSettings
from streams.domain.state import Coupon, CustomerState, new_state
from streams.domain.timers import take_due
from tests.campaigns.test_listening import applied
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
)

HOUR = 60 * MINUTE
PAID = Moment("order_paid", "B", 2)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def judging(*texts: str) -> Judging:
    found = []
    for text in texts:
        checked = check_text(text.encode(), "it")
        assert checked.definition is not None, checked.problems
        found.append(applied(checked.definition))
    names = frozenset(each.definition.campaign for each in found)
    return Judging(Index(found), names)


def play(
    events: list[Timed],
    campaigns: Judging | None,
    state: CustomerState | None = None,
    shop: ShopSettings = SHOP,
    until: int = 0,
) -> list[Trigger | Decision]:
    """All that is decided of the events in their order, and of the timers due before each and ``until``."""
    state, found = state or new_state("shop", "c1"), list[Trigger | Decision]()

    def due(moment: int) -> None:
        for occasion in take_due(state, moment, shop):
            found.extend(decide_timer(state, occasion, shop, campaigns))

    for event, time in events:
        due(time - 1)
        facts = fold(state, event, time, shop)
        if facts is not None:
            found.extend(decide(state, facts, event, time, shop, campaigns))
    due(until)
    return found


def moment(time: int) -> datetime:
    return EPOCH + timedelta(milliseconds=time)


THANKS = """
campaign: thanks
audience: {orders.paid.count: ">=2", not: {member: true}}
trigger: {order_paid: {min_amount: "50.00"}}
offer:
  coupon: {percent: 8%, max: "25.00", min_spend: "99.00", scope: ["sku:T-1"], valid: 2d}
  message: {title: Thanks, text: You are kind.}
  service_task: {text: Call., within: 24h}
limits: {per_customer: 1/7d, priority: 60}
delivery: {channels: [sms, app_push], expires: 6h}
"""


def test_a_trigger_carries_all_that_the_definition_gives() -> None:
    campaigns = judging(THANKS)
    first, second = (
        order("1", START, "A", "paid", "a", amount_paid=60_00),
        order("2", START + DAY, "B", "paid", "a", amount_paid=51_00),
    )
    decided = play([first, second], campaigns)
    (trigger,) = [one for one in decided if one.campaign == "thanks"]
    at = START + DAY
    version_id = campaigns.campaigns.hearing(PAID)[0].version
    assert trigger == Trigger(
        trigger_id=trigger_id("thanks", "shop", "c1", "B"),
        shop_id="shop",
        customer_id="c1",
        kind="coupon_issued",
        campaign="thanks",
        campaign_version=version_id,
        offer=Offer(
            kind="percent", value=8, max_value=25_00, min_spend=99_00, scope=["sku:T-1"],
            valid_from=moment(at), valid_until=moment(at + 2 * DAY),
        ),
        message=Message(title="Thanks", text="You are kind."),
        task=Task(text="Call.", until=moment(at + DAY)),
        why=[
            Why(rule="trigger", value=2, threshold="order_paid", event="2"),
            Why(rule="condition", value="51.00", threshold="the order's amount >= 50.00"),
            Why(rule="condition", value="false", threshold="not member == true"),
            Why(rule="condition", value=2, threshold="orders.paid.count >= 2"),
        ],
        channels=["sms", "app_push"],
        expires=moment(at + 6 * HOUR),
    )  # fmt: skip


def test_what_was_issued_is_remembered_with_its_kind_and_channels() -> None:
    state = new_state("shop", "c1")
    orders = [
        order(str(n), START + n * DAY, f"O{n}", "paid", "a", amount_paid=60_00) for n in (1, 2)
    ]
    found = play(orders, judging(THANKS), state)
    at = START + 2 * DAY
    issued = next(one for one in found if one.campaign == "thanks")
    assert state.coupons[-1] == Coupon(
        issued.trigger_id, "thanks", at, at + 2 * DAY, how(COUPON, ["app_push", "sms"])
    )


@pytest.mark.parametrize(
    ("offer", "kind", "number"),
    [
        ("{message: {text: Hi}}", "message_requested", MESSAGE),
        ("{service_task: {text: Call., within: 2h}}", "service_task", TASK),
        ("{message: {text: Hi}, service_task: {text: Call.}}", "message_requested", MESSAGE),
    ],
)
def test_offers_other_than_coupons(offer: str, kind: str, number: int) -> None:
    text = f"""
campaign: it
trigger: {{review_posted: {{at_most: 2}}}}
offer: {offer}
limits: {{per_customer: 1/total}}
{"" if offer.startswith("{service") else "delivery: {channels: [sms]}"}
"""
    state = new_state("shop", "c1")
    found = play([review("1", START, "posted", "A", "a", rating=1)], judging(text), state)
    (trigger,) = [one for one in found if one.campaign == "it"]
    assert isinstance(trigger, Trigger)
    assert (trigger.kind, trigger.offer) == (kind, None)
    channels = [] if number == TASK else ["sms"]
    assert trigger.channels == channels
    held = next(one for one in state.coupons if one.campaign == "it")
    assert held == Coupon(trigger.trigger_id, "it", START, START, how(number, channels))
    # Who takes it over as it was published has the same.
    other = new_state("shop", "c1")
    adopt(
        other,
        TriggerEvent(
            specversion="1.0", id="x", source="s", subject="c1", time=moment(START), data=trigger
        ),
    )
    assert other.coupons == [held]


@pytest.mark.parametrize(
    ("coupon", "kind", "value", "sku"),
    [
        ('{amount: "20.00", valid: 1d}', "amount", 20_00, None),
        ("{gift: T-1, cost: '3.00', valid: 1d}", "gift", 1, "T-1"),
        ("{points: 200, valid: 1d}", "points", 200, None),
        ("{member_price: true, valid: 1d}", "member_price", 1, None),
        ("{free_shipping: true, valid: 1d}", "free_shipping", 1, None),
        ("{priority_shipping: true, valid: 1d}", "priority_shipping", 1, None),
        ("{early_access: 2d, valid: 1d}", "early_access", 48, None),
    ],
)
def test_each_worth_of_a_coupon(coupon: str, kind: str, value: int, sku: str | None) -> None:
    text = f"""
campaign: it
trigger: joined_membership
offer: {{coupon: {coupon}}}
limits: {{per_customer: 1/total}}
delivery: {{channels: [sms]}}
"""
    (trigger,) = play([profile("1", START, "joined_membership")], judging(text))
    assert isinstance(trigger, Trigger)
    assert trigger.offer is not None
    assert (trigger.offer.kind, trigger.offer.value, trigger.offer.sku) == (kind, value, sku)
    assert trigger.offer.scope == []


VARIANTS = """
campaign: it
trigger: joined_membership
offer:
  variants:
    - {name: a, share: 50%, coupon: {amount: "5.00", valid: 1d}}
    - {name: b, share: 50%, message: {text: Hi}}
limits: {per_customer: 1/total}
delivery: {channels: [sms]}
"""


def test_a_customer_s_variant_follows_from_the_hash_and_both_are_given() -> None:
    found: dict[str, int] = {}
    for number in range(200):
        state = new_state("shop", f"v{number}")
        (trigger,) = play([profile("1", START, "joined_membership")], judging(VARIANTS), state)
        assert isinstance(trigger, Trigger)
        assert (trigger.variant == "a") == (trigger.offer is not None)
        assert (trigger.variant == "b") == (trigger.message is not None)
        found[str(trigger.variant)] = found.get(str(trigger.variant), 0) + 1
    # 200 tosses of a coin: six standard deviations.
    assert abs(found["a"] - 100) < 43
    assert set(found) == {"a", "b"}


def test_who_does_not_fit_is_not_answered() -> None:
    cheap = order("2", START + DAY, "B", "paid", "a", amount_paid=49_99)
    first = order("1", START, "A", "paid", "a", amount_paid=60_00)
    assert [one.campaign for one in play([first, cheap], judging(THANKS))] == ["second-order"]


def test_the_arbiter_s_refusal_is_published_with_all_that_it_looked_at() -> None:
    orders = [
        order(str(n), START + n * HOUR, f"O{n}", "paid", "a", amount_paid=60_00) for n in (1, 2, 3)
    ]
    state = new_state("shop", "c1")
    refused = play(orders, judging(THANKS), state)[-1]
    assert isinstance(refused, Decision)
    assert (refused.campaign, refused.reason) == ("thanks", "campaign_cap")
    assert refused.trigger_id == trigger_id("thanks", "shop", "c1", "O3")
    assert refused.checks[-1] == Check(step="campaign_cap", passed=False, value=1, threshold="1/7d")
    assert [check.step for check in refused.checks] == [
        "consent", "brushed", "issued_before", "campaign_cap",
    ]  # fmt: skip
    assert len(state.coupons) == 2, "the second order's and the thanks'"


def test_of_two_campaigns_at_one_moment_the_first_goes_on() -> None:
    other = THANKS.replace("thanks", "more").replace("priority: 60", "priority: 70")
    orders = [
        order(str(n), START + n * DAY, f"O{n}", "paid", "a", amount_paid=60_00) for n in (1, 2)
    ]
    more, thanks = play(orders, judging(THANKS, other))[-2:]
    assert isinstance(more, Trigger)
    assert isinstance(thanks, Decision)
    assert (more.campaign, thanks.campaign, thanks.reason) == ("more", "thanks", "priority")


def test_quiet_hours_put_off_what_the_customer_is_told() -> None:
    # START is midnight in UTC, eight in the morning in Shanghai.
    late = THANKS.replace("expires: 6h", 'quiet_hours: "22:00-08:00", expires: 6h')
    at = START + DAY + 15 * HOUR  # 23:00
    orders = [
        order("1", START, "A", "paid", "a", amount_paid=60_00),
        order("2", at, "B", "paid", "a", amount_paid=60_00),
    ]
    shop = msgspec.structs.replace(SHOP, time_zone="Asia/Shanghai")
    trigger = play(orders, judging(late), shop=shop)[-1]
    assert isinstance(trigger, Trigger)
    morning = at + 9 * HOUR
    assert trigger.offer is not None
    assert (trigger.not_before, trigger.expires) == (moment(morning), moment(morning + 6 * HOUR))
    assert (trigger.offer.valid_from, trigger.offer.valid_until) == (
        moment(morning), moment(morning + 2 * DAY),
    )  # fmt: skip


def test_who_is_held_out_gets_nothing_and_that_is_told() -> None:
    text = VARIANTS.replace("limits:", "measure: {holdout: 30%}\nlimits:")
    outcomes = {}
    for number in range(60):
        name = f"v{number}"
        state = new_state("shop", name)
        (one,) = play([profile("1", START, "joined_membership")], judging(text), state)
        out = held_out("it", "shop", name, 3_000)
        outcomes[out] = one
        assert isinstance(one, Decision) == out
        assert bool(state.coupons) != out
    refused = outcomes[True]
    assert isinstance(refused, Decision)
    assert (refused.reason, refused.checks[-1].threshold) == ("holdout", 3_000)


def test_the_shop_s_limits_hold_for_all_campaigns_together() -> None:
    shop = msgspec.structs.replace(SHOP, contacting=Contacting(per_day={"sms": 1}, rest_minutes=60))
    texts = [
        VARIANTS.replace("campaign: it", f"campaign: {name}").replace("joined_membership", trigger)
        for name, trigger in (("a", "joined_membership"), ("b", "review_shown"))
    ]
    events = [
        profile("1", START, "joined_membership"),
        review("2", START + 1, "shown", "O", "a"),
        review("3", START + HOUR, "shown", "P", "a"),
        review("4", START + DAY + HOUR, "shown", "Q", "a"),
    ]
    found = play(events, judging(*texts), shop=shop)
    assert [getattr(one, "reason", None) for one in found] == [
        None,
        "channel_cap",
        "channel_cap",
        None,
    ]
    rests = msgspec.structs.replace(SHOP, contacting=Contacting(rest_minutes=60))
    found = play(events, judging(*texts), shop=rests)
    assert [getattr(one, "reason", None) for one in found] == [None, "rest", None, "campaign_cap"]


def test_nobody_spends_of_a_budget_that_nobody_grants() -> None:
    text = THANKS.replace("1/7d", '1/7d, budget: "500.00/day", coupons: 10/day')
    orders = [
        order(str(n), START + n * DAY, f"O{n}", "paid", "a", amount_paid=60_00) for n in (1, 2)
    ]
    refused = play(orders, judging(text))[-1]
    assert isinstance(refused, Decision)
    assert refused.checks[-1] == Check(
        step="budget", passed=False, value=0, threshold="500.00/day, 10/day coupons"
    )


def test_a_campaign_of_the_same_name_takes_the_place_of_the_processor_s_own() -> None:
    bad = review("1", START, "posted", "A", "a", rating=1)
    left = [cart("2", START, "add", "a", quantity=1)]
    assert [one.campaign for one in play([bad], judging(THANKS))] == ["bad-review"]
    own = VARIANTS.replace("campaign: it", "campaign: bad-review").replace(
        "joined_membership", "{review_posted: {at_most: 1}}"
    )
    (one,) = play([bad], judging(own))
    assert isinstance(one, Trigger)
    assert one.variant in ("a", "b")
    # Applied and paused: neither.
    assert play([bad], Judging(Index([]), frozenset({"bad-review"}))) == []
    assert play(left, None, until=START + HOUR) != []
    assert play(left, Judging(Index([]), frozenset({"abandoned-cart"})), until=START + HOUR) == []


def test_timers_are_answered_and_clicks_without_any_fact() -> None:
    carts = VARIANTS.replace("joined_membership", "abandoned_cart")
    (own, declared) = play(
        [cart("2", START, "add", "a", quantity=1)], judging(carts), until=START + HOUR
    )
    assert (own.campaign, declared.campaign) == ("abandoned-cart", "it")
    live = judging(VARIANTS.replace("joined_membership", "live_entered"))
    (trigger,) = play([click("1", START, "live_enter", session_id="s", live_id="l")], live)
    assert trigger.campaign == "it"
