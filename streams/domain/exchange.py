"""What any event of a folded topic is folded into, and how: the entrance of the domain.

A body of shop.exchange says by its type what it is for. What is of customers goes into their states
(streams.domain.handover); a body of something else is listed in ``_KINDS`` with the kind of state that it is
folded into, and gets a case in ``_fold_exchanged``. A fold tells other keys by returning ``Forward`` facts.
"""

from schemas.events import CustomerEvent
from schemas.exchange import (
    ExchangeEvent,
    Forget,
    Liked,
    LikeGiven,
    LikerForgotten,
    LikerMoved,
    LikerSeen,
    LikerTold,
    OrderOfProduct,
    Resent,
    SharedOrder,
    Visitor,
)
from streams.domain.facts import Fact
from streams.domain.fold import fold
from streams.domain.handover import forget, pass_on, take_in, welcome
from streams.domain.integrity.liking import fold_likes, hear_liked, hear_told
from streams.domain.integrity.watching import hear, tell
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, state_key
from streams.domain.time_driven import paid_of, replan

#: Body type -> kind of the state that it is folded into, where that is not a customer's.
_KINDS: dict[type, str] = {
    OrderOfProduct: "product",
    LikeGiven: "liker",
    LikerSeen: "liker",
    LikerMoved: "liker",
    LikerForgotten: "liker",
}


def kind_of(event: CustomerEvent | ExchangeEvent) -> str:
    """The kind of the state that ``event`` is folded into; empty: a customer's."""
    return _KINDS.get(type(event.data.body), "") if type(event) is ExchangeEvent else ""


def key_of(event: CustomerEvent | ExchangeEvent) -> str:
    """The key of the state that ``event`` is folded into (streams.domain.state.state_key)."""
    kind = kind_of(event) if type(event) is ExchangeEvent else ""
    return state_key(event.data.shop_id, event.subject, kind)


def upstream_event(event: CustomerEvent | ExchangeEvent) -> CustomerEvent | None:
    """The event for campaigns to judge: itself, or the one that was re-sent; None where there is none."""
    if not isinstance(event, ExchangeEvent):
        return event
    body = event.data.body
    return body.event if isinstance(body, Resent) else None


def fold_event(
    state: CustomerState, event: CustomerEvent | ExchangeEvent, time: int, settings: ShopSettings
) -> tuple[Fact, ...] | None:
    """Fold ``event`` of ``time`` (ms since 1970) into the state of ``key_of`` it, in place.

    Returns and raises as ``fold`` does.
    """
    if isinstance(event, ExchangeEvent):
        return _fold_exchanged(state, event, time, settings)
    return fold(state, event, time, settings)


def _fold_exchanged(
    state: CustomerState, event: ExchangeEvent, time: int, settings: ShopSettings
) -> tuple[Fact, ...] | None:
    mark = state.identity
    before = ("", 0) if mark is None else (mark.moved_to, mark.moved_at)
    facts = _fold_body(state, event, time, settings)
    if facts is None and mark is not None:
        # A repeat leaves the state as it was, also where it has come round a circle of aliases: nothing of it
        # would be committed.
        mark.moved_to, mark.moved_at = before
    return facts


def _fold_body(
    state: CustomerState, event: ExchangeEvent, time: int, settings: ShopSettings
) -> tuple[Fact, ...] | None:
    body = event.data.body
    if isinstance(body, Resent):
        onward = pass_on(state, body, time)
        if onward is not None:
            return onward
        folded = fold(state, body.event, time, settings)
        return None if folded is None else (*folded, *welcome(state, body.visitor))
    if isinstance(body, Visitor):
        paid = paid_of(state)
        taken = take_in(state, event, body, time, settings)
        return None if taken is None else (*taken, *replan(state, paid, time, settings))
    if isinstance(body, Forget):
        return forget(state, event, time)
    if isinstance(body, OrderOfProduct):
        return tell(state, body, time)
    if isinstance(body, SharedOrder):
        onward = pass_on(state, body, time)
        if onward is not None:
            return onward
        paid = paid_of(state)
        heard = hear(state, body, time, settings)
        return (*heard, *replan(state, paid, time, settings))
    if isinstance(body, Liked):
        onward = pass_on(state, body, time)
        return hear_liked(state, body, time) if onward is None else onward
    if isinstance(body, LikerTold):
        onward = pass_on(state, body, time)
        return hear_told(state, body, time, settings) if onward is None else onward
    if isinstance(body, LikeGiven | LikerSeen | LikerMoved | LikerForgotten):
        return fold_likes(state, body, time, settings)
    raise TypeError(f"{type(body).__name__} is no body of shop.exchange that can be folded")
