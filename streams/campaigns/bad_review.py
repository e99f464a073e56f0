"""A review of one or two stars was posted: a coupon to make up for it, once per review."""

from schemas.trigger import Why
from streams.campaigns.campaign import Campaign, CouponOffer, Definition, Match, version_of
from streams.domain.facts import Fact, ReviewPosted
from streams.domain.fold import CustomerEvent
from streams.domain.reviews import BAD_RATING

DEFINITION = Definition(
    campaign="bad-review",
    rule="rating_at_most",
    threshold=BAD_RATING,
    offer=CouponOffer(kind="amount", value=15_00, valid_hours=14 * 24),
    channels=("app_push", "chat"),
)


def judge(definition: Definition, fact: Fact, event: CustomerEvent) -> Match | None:
    """Holds when the rating posted is at most the threshold (and known)."""
    if isinstance(fact, ReviewPosted) and 0 < fact.rating <= definition.threshold:
        why = Why(
            rule=definition.rule, value=fact.rating, threshold=definition.threshold, event=event.id
        )
        return Match(f"{fact.order_id}/{fact.sku}", (why,))
    return None


BAD_REVIEW_CAMPAIGN = Campaign(DEFINITION, version_of(DEFINITION), on_fact=judge)
