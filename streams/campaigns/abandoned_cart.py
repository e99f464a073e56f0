"""A cart was left alone for half an hour (docs/decisions/0002): ten percent, for a day."""

from schemas.trigger import Why
from streams.campaigns.campaign import Campaign, CouponOffer, Definition, Match, version_of
from streams.domain.abandoned import WAIT
from streams.domain.timers import ABANDONED_CART, Occasion

DEFINITION = Definition(
    campaign="abandoned-cart",
    rule="cart_idle_minutes",
    threshold=WAIT // 60_000,
    offer=CouponOffer(kind="percent", value=10, max_value=30_00, min_spend=99_00, valid_hours=24),
    channels=("app_push", "sms"),
)


def judge(definition: Definition, occasion: Occasion) -> Match:
    """The occasion itself is the proof that the cart was idle for as long as the threshold says."""
    idle = definition.threshold
    return Match(
        occasion.key,
        (
            Why(rule=definition.rule, value=idle, threshold=idle),
            Why(rule="cart_lines", value=occasion.lines, threshold=1),
        ),
    )


ABANDONED_CART_CAMPAIGN = Campaign(
    DEFINITION, version_of(DEFINITION), timer=ABANDONED_CART, on_timer=judge
)
