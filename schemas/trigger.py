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


class Offer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """``value`` is in percent or minor units, as ``kind`` says; ``code`` is set on publication."""

    kind: Literal["percent", "amount"]
    value: int
    min_spend: int = 0
    max_value: int | None = None
    scope: list[str] = []
    valid_from: Moment
    valid_until: Moment
    code: str = ""


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
    offer: Offer | None = None
    why: list[Why] = []
    channels: list[Annotated[str, msgspec.Meta(max_length=16)]] = []
    not_before: Moment | None = None
    expires: Moment | None = None
    #: Set by the engine: the commit of this partition that issued it, and what made it do so.
    seq: int = 0
    cause: EventCause | TimerCause | None = None


class TriggerEvent(Envelope, tag="shop.trigger.v1"):
    data: Trigger
