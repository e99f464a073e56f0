"""decide: which coupons an event or a due timer earns, and which are refused.

What is issued is recorded in the state; a refusal leaves no trace in it.
"""

from schemas.decision import Decision
from schemas.trigger import Trigger
from streams.campaigns.campaign import judge
from streams.campaigns.registry import CAMPAIGNS
from streams.domain.facts import Fact
from streams.domain.fold import CustomerEvent
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.domain.timers import Occasion


def decide(
    state: CustomerState,
    facts: tuple[Fact, ...],
    event: CustomerEvent,
    time: int,
    settings: ShopSettings,  # noqa: ARG001 - what campaigns may read; these three need none of it
) -> list[Trigger | Decision]:
    """What an event just folded into ``state`` at ``time`` (ms) earns, and what is refused.

    Seq and cause are the engine's to set.
    """
    decided: list[Trigger | Decision] = []
    for fact in facts:
        for campaign in CAMPAIGNS:
            if campaign.on_fact is None:
                continue
            match = campaign.on_fact(campaign.definition, fact, event)
            if match is not None:
                decided.append(judge(campaign, state, match, time, f"{event.source}/{event.id}"))
    return decided


def decide_timer(
    state: CustomerState,
    occasion: Occasion,
    settings: ShopSettings,  # noqa: ARG001 - as above
) -> list[Trigger | Decision]:
    """The same of an occasion taken from ``state``, as of its due time."""
    decided: list[Trigger | Decision] = []
    for campaign in CAMPAIGNS:
        if campaign.on_timer is None or campaign.timer != occasion.kind:
            continue
        match = campaign.on_timer(campaign.definition, occasion)
        if match is not None:
            cause = f"{occasion.kind}@{occasion.due}"
            decided.append(judge(campaign, state, match, occasion.due, cause))
    return decided
