"""decide: which coupons an event or a due timer earns. What is issued is recorded in the state."""

from schemas.trigger import Trigger
from streams.campaigns.campaign import issue
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
) -> list[Trigger]:
    """The triggers of an event just folded into ``state`` at ``time`` (ms); no seq, no cause."""
    triggers = []
    for fact in facts:
        for campaign in CAMPAIGNS:
            if campaign.on_fact is None:
                continue
            match = campaign.on_fact(campaign.definition, fact, event)
            if match is not None:
                trigger = issue(campaign, state, match, time)
                if trigger is not None:
                    triggers.append(trigger)
    return triggers


def decide_timer(
    state: CustomerState,
    occasion: Occasion,
    settings: ShopSettings,  # noqa: ARG001 - as above
) -> list[Trigger]:
    """The triggers of an occasion taken from ``state``, as of its due time; no seq, no cause."""
    triggers = []
    for campaign in CAMPAIGNS:
        if campaign.on_timer is None or campaign.timer != occasion.kind:
            continue
        match = campaign.on_timer(campaign.definition, occasion)
        if match is not None:
            trigger = issue(campaign, state, match, occasion.due)
            if trigger is not None:
                triggers.append(trigger)
    return triggers
