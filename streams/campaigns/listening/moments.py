"""Moments: what triggers listen for, made of the facts of a fold, of a click, or of a timer that is due.

A moment has a ``kind``, named as the trigger that hears it, and ``value``, by which those that want no other
are found at once (the stage that was reached, the stars of a review). ``occasion`` tells it from others of
its kind and customer, the same in every run: a campaign answers it once.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from schemas.click import ClickEvent
from schemas.order import OrderEvent
from streams.domain import facts as said
from streams.domain.duplicates import ENTRY_BYTES
from streams.domain.fold import CustomerEvent
from streams.domain.state import CustomerState
from streams.domain.timers import ABANDONED_CART, Occasion

FIRST_VISIT: Final = "first_visit"
_TIMERS: Final = {
    ABANDONED_CART: "abandoned_cart", "lifecycle": "lifecycle", "tier": "tier", "reorder": "reorder_due",
}  # fmt: skip


class Moment(NamedTuple):
    """``event``: the id of the event that brought it, None: a timer did. The rest by kind: ``amount`` in
    minor units and ``took`` in ms are None where nobody said; ``before`` and ``now`` are names or numbers.
    """

    kind: str
    occasion: str
    value: str | int | None = None
    event: str | None = None
    amount: int | None = None
    took: int | None = None
    lines: int = 0
    before: Any = None
    now: Any = None


def moments_of(
    facts: tuple[said.Fact, ...], event: CustomerEvent, time: int, state: CustomerState
) -> list[Moment]:
    """What an event of ``time`` (ms) brought, just folded into ``state`` with these ``facts``."""
    found: list[Moment] = []
    if isinstance(event, ClickEvent):
        # Most events are clicks that bring nothing.
        found = _of_click(event, time, state)
    if facts:
        name = f"{event.source}/{event.id}"
        found += [moment for fact in facts for moment in _of_fact(fact, event, name)]
    # Nothing else was ever folded into it: an erasure leaves its own id behind.
    if len(state.seen) == ENTRY_BYTES and state.erased_at is None:
        found.append(Moment(FIRST_VISIT, "first"))
    return [moment._replace(event=event.id) for moment in found] if found else found


def moment_of(occasion: Occasion) -> Moment | None:
    """What a timer that is due brings; None for one that no trigger hears."""
    kind = _TIMERS.get(occasion.kind)
    if kind is None:
        return None
    return Moment(
        kind,
        occasion.key,
        occasion.after if kind == "lifecycle" else None,
        lines=occasion.lines,
        before=occasion.before,
        now=occasion.after,
    )


def _of_fact(fact: said.Fact, event: CustomerEvent, name: str) -> Iterator[Moment]:
    match fact:
        case said.OrderPaid():
            yield Moment("order_paid", fact.order_id, fact.number, amount=fact.amount)
        case said.OrderAdvanced(order_id=order_id, status="refunded"):
            refund = event.data.refund_id if isinstance(event, OrderEvent) else None
            yield Moment("order_refunded", f"{order_id}/{refund or ''}")
        case said.LifecycleChanged(before=before, after=after):
            yield Moment("lifecycle", f"{after}:{name}", after, before=before, now=after)
        case said.TierChanged(before=before, after=after):
            yield Moment("tier", f"{after}:{name}", before=before, now=after)
        case said.MembershipJoined():
            yield Moment("joined_membership", "joined")
        case said.ReviewPosted():
            yield Moment("review_posted", f"{fact.order_id}/{fact.sku}", fact.rating)
        case said.ReviewChanged(action="shown"):
            yield Moment("review_shown", f"{fact.order_id}/{fact.sku}")
        case said.CaseResolved():
            yield Moment("case_resolved", fact.case_id, took=fact.took_ms)
        case said.SurveyAnswered():
            yield Moment("survey_answered", fact.case_id or name, fact.score)
        case said.WishMade():
            yield Moment("wish_made", fact.wish_id)
        case said.WishReached():
            yield Moment("wish_reached", fact.wish_id, before=fact.before, now=fact.likers)


def _of_click(event: ClickEvent, time: int, state: CustomerState) -> list[Moment]:
    click = event.data
    found: list[Moment] = []
    source, action = click.traffic_source, click.action
    if source is not None and state.interests is not None:
        visit = state.interests.visit
        # The first click of what these clicks have in common; a second of the same moment is no other visit.
        if visit is not None and visit.first == visit.last == time:
            found.append(Moment("came_by", f"{source}/{click.session_id or time}", source))
    if action == "live_enter":
        once = click.session_id or f"{event.source}/{event.id}"
        found.append(Moment("live_entered", f"{click.live_id or ''}/{once}", click.live_id))
    elif action == "store_visit":
        found.append(Moment("store_visited", click.session_id or f"{event.source}/{event.id}"))
    return found
