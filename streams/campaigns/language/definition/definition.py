"""A campaign's definition, whole: docs/campaigns.md explains it to those who write it."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Final, get_args

import msgspec

from schemas.profile import ContactChannel
from schemas.trigger import CAMPAIGN_LENGTH
from streams.campaigns.language.conditions.condition import Condition
from streams.campaigns.language.conditions.kind import ConditionKind
from streams.campaigns.language.definition.offers import OFFER, Offer
from streams.campaigns.language.definition.triggers import TRIGGER, Trigger
from streams.campaigns.language.kinds.lists import ListOf
from streams.campaigns.language.kinds.quantities import (
    COUNT_RATE,
    MONEY_RATE,
    SHARE,
    SPAN,
    Duration,
)
from streams.campaigns.language.kinds.record import Field, Record
from streams.campaigns.language.kinds.scalars import Choice, Moment, Text, Whole
from streams.campaigns.language.quantities.clock_span import ClockSpan
from streams.campaigns.language.quantities.currency import DEFAULT, DIGITS
from streams.campaigns.language.quantities.duration import DAY, HOUR, MINUTE
from streams.campaigns.language.quantities.rate import Rate

#: What counts as success of a campaign.
CONVERSIONS: Final = ("paid_order", "placed_order", "redeemed", "visit", "review")
#: Priority among the candidates of one customer at one moment: the greater goes first.
PRIORITY: Final = Whole(0, 100)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    per_customer: Annotated[
        Rate, Field(COUNT_RATE, "How often one customer gets it, at most.", "1/7d")
    ]
    budget: Annotated[
        Rate | None,
        Field(MONEY_RATE, "What its coupons may cost in all, at most.", '"50000.00/day"'),
    ] = None
    coupons: Annotated[
        Rate | None, Field(COUNT_RATE, "How many coupons it issues in all, at most.", "1000/day")
    ] = None
    priority: Annotated[
        int,
        Field(PRIORITY, "Which of several campaigns goes first: the greater number.", "50"),
    ] = 50


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    channels: Annotated[
        tuple[str, ...],
        Field(
            ListOf(Choice(get_args(ContactChannel)), ordered=True),
            "By what the customer is told, the best first.",
            "[app_push, sms]",
        ),
    ]
    quiet_hours: Annotated[
        ClockSpan | None,
        Field(SPAN, "When nobody is to be disturbed, on the shop's clock.", '"22:00-08:00"'),
    ] = None
    on_quiet: Annotated[
        str,
        Field(
            Choice(("defer", "drop")),
            "What falls into quiet hours waits for their end, or is dropped.",
            "defer",
        ),
    ] = "defer"
    expires: Annotated[
        int | None,
        Field(Duration(MINUTE, 30 * DAY), "What could not be sent for so long is dropped.", "6h"),
    ] = None


class Remind(msgspec.Struct, frozen=True, kw_only=True):
    before_expiry: Annotated[
        int,
        Field(Duration(MINUTE, 30 * DAY), "How long before an unused coupon ends.", "3h"),
    ]


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    holdout: Annotated[
        int | None,
        Field(SHARE, "The share of customers who get nothing, by hash, to compare with.", "5%"),
    ] = None
    conversion: Annotated[
        str, Field(Choice(CONVERSIONS), "What counts as success.", "paid_order")
    ] = "paid_order"
    window: Annotated[
        int, Field(Duration(HOUR, 90 * DAY), "How long after the offer it counts.", "3d")
    ] = 3 * DAY


class CampaignDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """``audience`` None: everybody."""

    campaign: Annotated[
        str,
        Field(
            Text(
                f"a name of 1 to {CAMPAIGN_LENGTH} letters, digits, '.', '_' or '-'",
                CAMPAIGN_LENGTH,
                rf"[A-Za-z0-9._-]{{1,{CAMPAIGN_LENGTH}}}",
            ),
            "Its name, by which coupons, reports and holdouts know it for ever.",
            "cart-rescue",
        ),
    ]
    currency: Annotated[
        str,
        Field(
            Choice(tuple(sorted(DIGITS))),
            "That of all its amounts. Of a shop that counts in another, amounts are unknown.",
            "CNY",
        ),
    ] = DEFAULT
    effective_from: Annotated[
        int | None,
        Field(
            Moment(),
            "From when this version holds; else from when it is applied.",
            '"2026-11-01T00:00:00+08:00"',
        ),
    ] = None
    audience: Annotated[
        Condition | None,
        Field(
            ConditionKind(),
            "Whom it is for: conditions that must hold at the trigger; else everybody.",
            '{lifecycle: [active, repeat], rfm.m: ">=3"}',
        ),
    ] = None
    trigger: Annotated[
        Trigger, Field(TRIGGER, "When it looks at a customer.", "{abandoned_cart: {after: 30m}}")
    ]
    offer: Annotated[
        Offer,
        Field(
            OFFER,
            "What it gives.",
            '{coupon: {percent: 10, max: "30.00", min_spend: "99.00", valid: 24h}}',
        ),
    ]
    limits: Annotated[
        Limits, Field(Record(Limits, "limits"), "How often and how much.", "{per_customer: 1/7d}")
    ]
    delivery: Annotated[
        Delivery | None,
        Field(
            Record(Delivery, "what delivery takes"),
            "How it reaches the customer; only a service task alone needs none.",
            "{channels: [app_push, sms]}",
        ),
    ] = None
    remind: Annotated[
        Remind | None,
        Field(
            Record(Remind, "when to remind"), "Of a coupon before it ends.", "{before_expiry: 3h}"
        ),
    ] = None
    measure: Annotated[
        Measure | None,
        Field(
            Record(Measure, "what to measure"),
            "How its effect is measured.",
            "{holdout: 5%, conversion: paid_order, window: 3d}",
        ),
    ] = None


def canonical(definition: CampaignDefinition) -> dict[str, Any]:
    """The definition as JSON, always in the same way: it is read as an equal definition.

    Defaults are in it. Quantities are in one spelling each, lists whose order says nothing in order.
    """
    written = DEFINITION.write(definition, definition.currency)
    assert isinstance(written, dict)
    return written


def version_of(definition: CampaignDefinition) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the canonical JSON, keys sorted, without
    ``effective_from``: what a campaign does, not from when on. Comments, the order of fields and other
    spellings of the same make no difference.
    """
    return version_of_written(canonical(definition))


def version_of_written(written: Mapping[str, Any]) -> str:
    """The same of a definition that was written by ``canonical``, by this build or another.

    What was applied keeps its version by it, whatever a later build adds to the canonical form.
    """
    content = {name: part for name, part in written.items() if name != "effective_from"}
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:16]


DEFINITION: Final = Record(CampaignDefinition, "a campaign's fields")
