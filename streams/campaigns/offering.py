"""What a trigger of a declared campaign carries: its offer as the contract has it."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from schemas.trigger import Message, Offer, OfferKind, Task
from streams.campaigns.language.definition import offers
from streams.campaigns.language.definition.definition import CampaignDefinition
from streams.campaigns.language.quantities.duration import HOUR
from streams.campaigns.language.quantities.share import PERCENT
from streams.campaigns.measure.assignment import Variant, variant_of
from streams.domain.offered import COUPON, MESSAGE, SURVEY, TASK

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Content(NamedTuple):
    """``kind`` is of the first part that is there (streams.domain.offered); ``until`` (ms): a coupon's end,
    else when it is sent.
    """

    kind: int
    until: int
    offer: Offer | None = None
    message: Message | None = None
    survey: str | None = None
    task: Task | None = None
    variant: str | None = None


def content_of(
    definition: CampaignDefinition, shop_id: str, customer_id: str, sent: int
) -> Content:
    """What a customer gets that is to hear of it at ``sent`` (ms): a coupon holds from then on."""
    offer = definition.offer
    coupon, message, variant = offer.coupon, offer.message, None
    if offer.variants is not None:
        weights = [Variant(each.name, each.share) for each in offer.variants]
        variant = variant_of(definition.campaign, shop_id, customer_id, weights)
        chosen = next(each for each in offer.variants if each.name == variant)
        coupon, message = chosen.coupon, chosen.message
    task = offer.service_task
    if coupon is not None:
        kind = COUPON
    elif message is not None:
        kind = MESSAGE
    else:
        kind = SURVEY if offer.survey is not None else TASK
    return Content(
        kind,
        sent if coupon is None else sent + coupon.valid,
        None if coupon is None else _coupon(coupon, sent),
        None if message is None else Message(title=message.title, text=message.text),
        None if offer.survey is None else offer.survey.name,
        None if task is None else Task(text=task.text, until=moment_at(sent + task.within)),
        variant,
    )


def moment_at(time: int) -> datetime:
    """``time`` (ms since 1970) as the contract has it."""
    # Not fromtimestamp(time / 1000): a division may be off by a microsecond.
    return _EPOCH + timedelta(milliseconds=time)


def _coupon(coupon: offers.Coupon, since: int) -> Offer:
    kind, value = _worth(coupon)
    return Offer(
        kind=kind,
        value=value,
        sku=coupon.gift,
        min_spend=coupon.min_spend,
        max_value=coupon.max,
        # All is what nothing else says.
        scope=[each for each in coupon.scope if each != "all"],
        valid_from=moment_at(since),
        valid_until=moment_at(since + coupon.valid),
    )


def _worth(coupon: offers.Coupon) -> tuple[OfferKind, int]:
    """The one of ``offers.VALUES`` that it has, and how much of it."""
    if coupon.percent is not None:
        return "percent", coupon.percent // PERCENT
    if coupon.amount is not None:
        return "amount", coupon.amount
    if coupon.points is not None:
        return "points", coupon.points
    if coupon.early_access is not None:
        return "early_access", coupon.early_access // HOUR
    if coupon.gift is not None:
        return "gift", 1
    if coupon.member_price:
        return "member_price", 1
    return ("free_shipping" if coupon.free_shipping else "priority_shipping"), 1
