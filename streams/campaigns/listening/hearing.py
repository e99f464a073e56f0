"""What each trigger of the catalogue hears: by which values it is looked up, and what else must be so.

A trigger that nothing tells yet (``missing``, or a wait that no timer has) hears nothing. What a trigger asks
of the moment itself is said as an audience's conditions are: it holds, does not, or is not known, with the
value that was seen.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from schemas.settings import NO_TIER, Tier
from streams.campaigns.language.conditions.outcome import Outcome
from streams.campaigns.language.definition import triggers
from streams.campaigns.language.quantities.duration import write_duration
from streams.campaigns.language.quantities.money import write_money
from streams.campaigns.listening.moments import Moment
from streams.domain.abandoned import WAIT

#: Kind and value of the moments that a trigger is looked up by; None: those of any value.
Key = tuple[str, str | int | None]
_NAMES: Final = {kind: name for name, kind in triggers.TRIGGERS.items()}


def keys_of(trigger: triggers.Trigger) -> Sequence[Key]:
    """By which ``trigger`` is found; empty: nothing tells such a moment yet."""
    if type(trigger).missing:
        return ()
    name = _NAMES[type(trigger)]
    match trigger:
        case triggers.FirstVisit(wait=wait) if wait:
            return ()
        case triggers.AbandonedCart(after=after) if after != WAIT:
            return ()
        case triggers.OrderPaid(number=number):
            return [(name, number)]
        case triggers.ReviewPosted() | triggers.SurveyAnswered():
            return [(name, stars) for stars in range(trigger.at_least, trigger.at_most + 1)]
        case triggers.Lifecycle(to=stages):
            return [(name, stage) for stage in stages]
        case triggers.CameBy(sources=sources):
            return [(name, source) for source in sources]
        case triggers.LiveEntered(lives=lives) if lives is not None:
            return [(name, live) for live in lives]
    return [(name, None)]


def asked_of(
    trigger: triggers.Trigger,
    moment: Moment,
    currency: str,
    shop_currency: str,
    tiers: Sequence[Tier],
) -> tuple[Outcome, ...]:
    """What ``trigger`` asks of a moment that it was found by, beyond that; empty: nothing.

    ``currency`` is the definition's, and amounts of a shop that counts in another are not known. ``tiers``
    are the shop's, the lowest first.
    """
    ask = _ASKED.get(type(trigger))
    if ask is None:
        return ()
    return tuple(ask(trigger, moment, currency if currency == shop_currency else None, tiers))


def _amount(wanted: int | None, amount: int | None, currency: str | None) -> Iterator[Outcome]:
    if wanted is None:
        return
    asked = f"the order's amount >= {write_money(wanted, currency or 'CNY')}"
    if currency is None:
        yield Outcome(asked, None, why="the shop counts in another currency")
    elif amount is None:
        yield Outcome(asked, None, why="the order tells no amount")
    else:
        yield Outcome(asked, amount >= wanted, write_money(amount, currency))


def _order_paid(
    trigger: triggers.OrderPaid, moment: Moment, currency: str | None, _: object
) -> Iterator[Outcome]:
    return _amount(trigger.min_amount, moment.amount, currency)


def _abandoned_cart(
    trigger: triggers.AbandonedCart, moment: Moment, currency: str | None, _: object
) -> Iterator[Outcome]:
    asked = f"lines in the cart >= {trigger.min_lines}"
    yield Outcome(asked, moment.lines >= trigger.min_lines, moment.lines)
    if trigger.min_value is not None:
        worth = f"worth of the cart >= {write_money(trigger.min_value, currency or 'CNY')}"
        yield Outcome(worth, None, why="the state keeps no prices of the lines in a cart yet")


def _case_resolved(
    trigger: triggers.CaseResolved, moment: Moment, _: str | None, __: object
) -> Iterator[Outcome]:
    if trigger.slower_than is None:
        return
    asked = f"time until it was resolved > {write_duration(trigger.slower_than)}"
    if moment.took is None:
        yield Outcome(asked, None, why="nobody said when the case was opened")
    else:
        took = moment.took
        yield Outcome(asked, took > trigger.slower_than, write_duration(took))


def _wish_reached(
    trigger: triggers.WishReached, moment: Moment, _: str | None, __: object
) -> Iterator[Outcome]:
    asked = f"likers who count reach {trigger.likers}"
    yield Outcome(asked, moment.before < trigger.likers <= moment.now, moment.now)


def _tier(
    trigger: triggers.TierChanged, moment: Moment, _: str | None, tiers: Sequence[Tier]
) -> Iterator[Outcome]:
    names = [NO_TIER, *(tier.name for tier in tiers)]
    if trigger.direction != "any":
        asked = f"the tier goes {trigger.direction}"
        seen = f"{moment.before} to {moment.now}"
        if moment.before not in names or moment.now not in names:
            yield Outcome(asked, None, seen, why="the shop has other tiers now")
        else:
            rises = names.index(moment.now) > names.index(moment.before)
            yield Outcome(asked, rises == (trigger.direction == "up"), seen)
    if trigger.to is not None:
        asked = f"the tier is one of {', '.join(trigger.to)}"
        yield Outcome(asked, moment.now in trigger.to, moment.now)


_ASKED: Final[dict[type, Callable[[Any, Moment, str | None, Any], Iterator[Outcome]]]] = {
    triggers.OrderPaid: _order_paid,
    triggers.AbandonedCart: _abandoned_cart,
    triggers.CaseResolved: _case_resolved,
    triggers.WishReached: _wish_reached,
    triggers.TierChanged: _tier,
}
