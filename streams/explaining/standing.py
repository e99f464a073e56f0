"""Where a customer stands with each campaign: whether they fit, and what the arbiter would say."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from schemas.decision import Check
from streams.campaigns.answering import budgeted
from streams.campaigns.applied import history
from streams.campaigns.applied.view import Campaigns
from streams.campaigns.language.conditions.evaluating import evaluate
from streams.campaigns.language.conditions.outcome import Outcome
from streams.campaigns.language.definition.triggers import TRIGGER
from streams.campaigns.language.figures.scene import Scene
from streams.campaigns.listening.index import Candidate
from streams.campaigns.listening.moments import Moment
from streams.campaigns.registry import CAMPAIGNS
from streams.campaigns.ruling.contacts import contacts_of
from streams.campaigns.ruling.steps import rule_all
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState

#: Steps that need an occasion, or others at the same moment.
_OF_A_MOMENT: Final = ("issued_before", "priority")


@dataclass(frozen=True, slots=True)
class Standing:
    """``version`` None: the processor's own campaign, or none judges then. ``paused``: since when.

    ``fits`` None: not known, or nobody to look at. ``checks``: what the arbiter would see of an offer that
    was earned at that moment, up to what refuses.
    """

    campaign: str
    trigger: str
    own: bool = False
    version: str | None = None
    paused: history.Standing | None = None
    fits: bool | None = None
    audience: Outcome | None = None
    checks: tuple[Check, ...] = ()


def standings(
    campaigns: Campaigns, state: CustomerState | None, at: int, settings: ShopSettings
) -> Iterator[Standing]:
    """Of the shop's campaigns at ``at`` (ms), by name, and of the processor's own that none stands in for."""
    shop = settings.shop_id
    names = campaigns.campaigns(shop)
    for name in names:
        paused = _pause(campaigns, shop, name, at)
        holding = campaigns.holding(shop, name, at)
        shown = holding or campaigns.versions(shop, name)[-1]
        trigger = TRIGGER.name_of(shown.definition.trigger)
        if holding is None or paused is not None or state is None:
            version = None if holding is None else holding.version
            yield Standing(name, trigger, version=version, paused=paused)
            continue
        yield _of(holding, trigger, state, at, settings)
    for own in CAMPAIGNS:
        if own.definition.campaign not in names:
            yield Standing(own.definition.campaign, own.definition.rule, own=True)


def _of(
    version: history.Version, trigger: str, state: CustomerState, at: int, settings: ShopSettings
) -> Standing:
    definition, scene = version.definition, Scene(state, at, settings)
    outcome = None
    if definition.audience is not None:
        outcome = evaluate(definition.audience, scene, definition.currency)
    fits = True if outcome is None else outcome.holds
    candidate = Candidate(version, Moment(trigger, ""), fits, scene)
    (ruled,) = rule_all([candidate], contacts_of(state), settings.contacting)
    checks = tuple(each for each in budgeted(ruled).checks if each.step not in _OF_A_MOMENT)
    return Standing(
        definition.campaign,
        trigger,
        version=version.version,
        fits=fits,
        audience=outcome,
        checks=checks,
    )


def _pause(campaigns: Campaigns, shop: str, name: str, at: int) -> history.Standing | None:
    """The pause that stood at ``at``, by when it was written."""
    until = [one for one in campaigns.standings(shop, name) if one.at <= at]
    return until[-1] if until and until[-1].paused else None
