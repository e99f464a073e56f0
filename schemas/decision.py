"""shop.decisions: where a campaign's rule held and no offer was made, and why not.

What campaigns issued is on shop.triggers, whose records say why, too: the two topics together are every
decision that was made. Read it with isolation level read_committed.
"""

from typing import Annotated

import msgspec

from schemas.envelope import Envelope, Id, ShopId
from schemas.trigger import CampaignName, EventCause, TimerCause, Why

#: Later builds look at more: a reader takes any name. docs/refusals.md says what each means.
StepName = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,32}$(?!\n)")]


class Check(msgspec.Struct, kw_only=True, frozen=True):
    """A step that was looked at: what it saw, and the value that it was held against."""

    step: StepName
    passed: bool
    value: str | int
    threshold: str | int


class Decision(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A refusal."""

    decision_id: Id
    #: The one that the trigger would have had: the same occasion may be refused often, and issued at last.
    trigger_id: Id
    shop_id: ShopId
    customer_id: Id
    campaign: CampaignName
    campaign_version: str
    #: The step that refused, the last of ``checks``.
    reason: StepName
    #: The conditions of the campaign's rule, which held.
    why: list[Why] = []
    #: Every step that was looked at, in order.
    checks: list[Check] = []
    #: Set by the engine: the commit of this partition that refused, and what made it judge.
    seq: int = 0
    cause: EventCause | TimerCause | None = None


class DecisionEvent(Envelope, tag="shop.decision.v1"):
    data: Decision
