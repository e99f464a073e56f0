"""decide: which offers an event or a due timer earns, and which are refused.

Three campaigns are the processor's own (streams.campaigns.registry), each for as long as the shop applies
none of its name; all others are declared by the shop, and answered together (streams.campaigns.answering).
What is issued is recorded in the state; a refusal leaves no trace in it.
"""

from schemas.decision import Decision
from schemas.trigger import Trigger
from streams.campaigns.answering import answer
from streams.campaigns.campaign import Campaign, judge
from streams.campaigns.listening.in_force import Judging
from streams.campaigns.listening.moments import moment_of, moments_of
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
    settings: ShopSettings,
    judging: Judging | None = None,
) -> list[Trigger | Decision]:
    """What an event just folded into ``state`` at ``time`` (ms) earns, and what is refused.

    ``judging``: the shop's campaigns at that time; None: it has applied none. Seq and cause are the engine's
    to set.
    """
    decided: list[Trigger | Decision] = []
    for fact in facts:
        for campaign in CAMPAIGNS:
            if campaign.on_fact is None or _is_replaced(campaign, judging):
                continue
            match = campaign.on_fact(campaign.definition, fact, event)
            if match is not None:
                decided.append(judge(campaign, state, match, time, f"{event.source}/{event.id}"))
    if judging is not None:
        moments = moments_of(facts, event, time, state)
        if moments:
            cause = f"{event.source}/{event.id}"
            decided += answer(judging, moments, state, time, settings, cause)
    return decided


def decide_timer(
    state: CustomerState,
    occasion: Occasion,
    settings: ShopSettings,
    judging: Judging | None = None,
) -> list[Trigger | Decision]:
    """The same of an occasion taken from ``state``, as of its due time."""
    decided: list[Trigger | Decision] = []
    cause = f"{occasion.kind}@{occasion.due}"
    for campaign in CAMPAIGNS:
        if campaign.on_timer is None or campaign.timer != occasion.kind:
            continue
        if _is_replaced(campaign, judging):
            continue
        match = campaign.on_timer(campaign.definition, occasion)
        if match is not None:
            decided.append(judge(campaign, state, match, occasion.due, cause))
    if judging is not None:
        moment = moment_of(occasion)
        if moment is not None:
            decided += answer(judging, [moment], state, occasion.due, settings, cause)
    return decided


def _is_replaced(campaign: Campaign, judging: Judging | None) -> bool:
    return judging is not None and campaign.definition.campaign in judging.applied
