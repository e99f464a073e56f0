"""answer: what the declared campaigns make of one customer's moments, as triggers and refusals.

Who does not fit is not answered: nothing was earned. All that fit go to the arbiter together, and each of
them leaves a trigger or a refusal with every step that was looked at.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.decision import Check, Decision
from schemas.trigger import Trigger, Why
from streams.campaigns.campaign import decision_id, record
from streams.campaigns.language.conditions.outcome import Outcome, SeenValue
from streams.campaigns.language.definition.definition import Limits
from streams.campaigns.language.quantities.rate import write_count_rate, write_money_rate
from streams.campaigns.listening.in_force import Judging
from streams.campaigns.listening.index import Candidate
from streams.campaigns.listening.moments import Moment
from streams.campaigns.offering import content_of, moment_at
from streams.campaigns.ruling.contacts import contacts_of
from streams.campaigns.ruling.steps import Ruled, identity_of, rule_all
from streams.domain.offered import OFFERS, how
from streams.domain.shop import ShopSettings
from streams.domain.state import Coupon, CustomerState

#: Conditions that a record names, and characters of what was seen of each: the rest is left out.
_MOST_WHY: Final = 24
_MOST_SEEN: Final = 200


def answer(
    judging: Judging,
    moments: Sequence[Moment],
    state: CustomerState,
    time: int,
    settings: ShopSettings,
    cause: str,
) -> list[Trigger | Decision]:
    """Of moments that one event or timer of ``time`` (ms) brought; what is issued is recorded in ``state``.

    ``cause`` names the event or timer, the same in every run.
    """
    heard = judging.campaigns.candidates(moments, state, time, settings)
    fitting = [candidate for candidate in heard if candidate.eligible]
    if not fitting:
        return []
    ruled = rule_all(fitting, contacts_of(state), settings.contacting)
    # The reasons are read before anything is recorded: what they saw is the state that was ruled on.
    reasons = [list(_why(one.candidate)) for one in ruled]
    if not judging.granted:
        ruled = [budgeted(one) for one in ruled]
    return [
        _issued(one, why) if refused is None else _refused(one, refused, why, cause)
        for one, why in zip(ruled, reasons, strict=True)
        for refused in (one.refused,)
    ]


def budgeted(one: Ruled) -> Ruled:
    """Nobody grants anything of a budget yet, so that nothing can be spent of it."""
    limits = one.candidate.version.definition.limits
    asked = _budget(limits, one.candidate.version.definition.currency)
    if one.refused is not None or not asked:
        return one
    return one._replace(
        checks=(*one.checks, Check(step="budget", passed=False, value=0, threshold=asked))
    )


def _budget(limits: Limits, currency: str) -> str:
    money = "" if limits.budget is None else write_money_rate(limits.budget, currency)
    coupons = "" if limits.coupons is None else f"{write_count_rate(limits.coupons)} coupons"
    return ", ".join(each for each in (money, coupons) if each)


def _issued(one: Ruled, why: list[Why]) -> Trigger:
    version, state, at = one.candidate.version, one.candidate.scene.state, one.candidate.scene.at
    definition, identity = version.definition, identity_of(one.candidate)
    sent = at if one.not_before is None else one.not_before
    content = content_of(definition, state.shop_id, state.customer_id, sent)
    expires = None if definition.delivery is None else definition.delivery.expires
    record(
        state,
        Coupon(identity, definition.campaign, at, content.until, how(content.kind, one.channels)),
    )
    return Trigger(
        trigger_id=identity,
        shop_id=state.shop_id,
        customer_id=state.customer_id,
        kind=OFFERS[content.kind],
        campaign=definition.campaign,
        campaign_version=version.version,
        variant=content.variant,
        offer=content.offer,
        message=content.message,
        survey=content.survey,
        task=content.task,
        why=why,
        channels=list(one.channels),
        not_before=None if one.not_before is None else moment_at(one.not_before),
        expires=None if expires is None else moment_at(sent + expires),
    )


def _refused(one: Ruled, refused: Check, why: list[Why], cause: str) -> Decision:
    version, state = one.candidate.version, one.candidate.scene.state
    identity = identity_of(one.candidate)
    return Decision(
        decision_id=decision_id(identity, cause),
        trigger_id=identity,
        shop_id=state.shop_id,
        customer_id=state.customer_id,
        campaign=version.definition.campaign,
        campaign_version=version.version,
        reason=refused.step,
        why=why,
        checks=list(one.checks),
    )


def _why(candidate: Candidate) -> Iterator[Why]:
    moment = candidate.moment
    value = "" if moment.value is None else moment.value
    yield Why(rule="trigger", value=value, threshold=moment.kind, event=moment.event)
    said = [leaf for outcome in candidate.seen() for leaf in _leaves(outcome)]
    for asked, seen in said[: _MOST_WHY - 1]:
        yield Why(rule="condition", value=_seen(seen), threshold=asked[:_MOST_SEEN])


def _leaves(outcome: Outcome, negated: str = "") -> Iterator[tuple[str, SeenValue | None]]:
    """What the conditions of a tree asked, and what was seen, in their order."""
    if not outcome.parts:
        yield f"{negated}{outcome.asked}", outcome.value
        return
    inner = {"": "not ", "not ": ""}[negated] if outcome.asked == "not" else negated
    for part in outcome.parts:
        yield from _leaves(part, inner)


def _seen(value: SeenValue | None) -> str | int:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(str, value))[:_MOST_SEEN]
    return value if isinstance(value, int) else value[:_MOST_SEEN]
