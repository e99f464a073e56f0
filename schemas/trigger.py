"""shop.triggers: what marketing subscribes to. Read it with isolation level read_committed."""

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Envelope, Id, Moment, ShopId

#: Of a campaign's name: a customer's state has it once for each coupon.
CAMPAIGN_LENGTH = 32
#: ASCII, so that characters are bytes.
CampaignName = Annotated[
    str, msgspec.Meta(pattern=rf"^[A-Za-z0-9._-]{{1,{CAMPAIGN_LENGTH}}}$(?!\n)")
]

TriggerKind = Literal[
    "coupon_issued", "coupon_reminded", "coupon_redeemed", "coupon_expired", "coupon_revoked",
    "message_requested", "survey_requested", "service_task",
]  # fmt: skip


OfferKind = Literal[
    "percent", "amount", "gift", "points", "member_price", "free_shipping", "priority_shipping",
    "early_access",
]  # fmt: skip


class Offer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A coupon. ``value`` is in percent, minor units, points or (early access) hours, as ``kind`` says;
    else 1. ``code`` is set on publication.
    """

    kind: OfferKind
    value: int
    #: Of a gift: the product.
    sku: str | None = None
    min_spend: int = 0
    max_value: int | None = None
    scope: list[str] = []
    valid_from: Moment
    valid_until: Moment
    code: str = ""


class Message(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the customer is told."""

    title: str | None = None
    text: str


class Task(msgspec.Struct, kw_only=True):
    """What a person of the shop's service does, and until when."""

    text: str
    until: Moment


class Why(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One condition that held: the rule, the value that was seen, the threshold it met."""

    rule: str
    value: str | int
    threshold: str | int
    event: str | None = None


class EventCause(msgspec.Struct, tag="event", frozen=True):
    topic: str
    partition: int
    offset: int


class TimerCause(msgspec.Struct, tag="timer", frozen=True):
    kind: str
    #: Milliseconds since 1970.
    due: int


class Trigger(msgspec.Struct, kw_only=True, omit_defaults=True):
    trigger_id: Id
    shop_id: ShopId
    customer_id: Id
    kind: TriggerKind
    campaign: CampaignName
    campaign_version: str
    #: Of the variants of an offer that are compared, the customer's.
    variant: str | None = None
    offer: Offer | None = None
    #: Beside a coupon too: ``kind`` names the first of coupon, message, survey and task that is there.
    message: Message | None = None
    #: The survey's name.
    survey: str | None = None
    task: Task | None = None
    why: list[Why] = []
    #: The best first.
    channels: list[Annotated[str, msgspec.Meta(max_length=16)]] = []
    not_before: Moment | None = None
    expires: Moment | None = None
    #: Set by the engine: the commit of this partition that issued it, and what made it do so.
    seq: int = 0
    cause: EventCause | TimerCause | None = None


class TriggerEvent(Envelope, tag="shop.trigger.v1"):
    data: Trigger
