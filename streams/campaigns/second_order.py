"""The first order is paid: a coupon for the second, for thirty days, once per customer and shop."""

from schemas.trigger import Why
from streams.campaigns.campaign import Campaign, CouponOffer, Definition, Match, version_of
from streams.domain.facts import Fact, OrderPaid
from streams.domain.fold import CustomerEvent

DEFINITION = Definition(
    campaign="second-order",
    rule="paid_orders",
    threshold=1,
    offer=CouponOffer(kind="amount", value=20_00, min_spend=100_00, valid_hours=30 * 24),
    channels=("app_push", "sms"),
)


def judge(definition: Definition, fact: Fact, event: CustomerEvent) -> Match | None:
    """Holds when the number of paid orders reaches the threshold; later orders never do again."""
    if isinstance(fact, OrderPaid) and fact.number == definition.threshold:
        why = Why(
            rule=definition.rule, value=fact.number, threshold=definition.threshold, event=event.id
        )
        return Match("first", (why,))
    return None


SECOND_ORDER_CAMPAIGN = Campaign(DEFINITION, version_of(DEFINITION), on_fact=judge)
