"""Handing an anonymous visitor's state over to the customer they turned out to be, exactly once.

An ``alias`` event is keyed by the visitor. All that is known of the visitor goes to the customer's
partition; what stays is a mark, with the time of an erasure (events until then are dropped there, not sent
on) and the coupons (so that none is issued twice). Events that come for the visitor later are re-sent to
the customer. The first alias to be folded counts: later ones that name somebody else are counted and
change nothing, since what has been merged cannot be taken apart.

A customer may be handed over too. A mark sends on what reaches it, so a chain of aliases is followed link
by link. What comes back to the visitor it set out from has gone round a circle of aliases, and what was
sent on ``HOPS`` times has met one: there the mark is taken away and the state stays, so nothing is lost.

Erasing a customer reaches those who became them: each visitor handed over until then is told to forget,
and is nobody's visitor from then on. A visitor who arrives at an erased customer with anything from before
the erasure leaves nothing there, whichever of alias and erase came first. Erasing a visitor who was handed
over erases the customer, of whom it cannot be told apart.
"""

import msgspec

from schemas.events import CustomerEvent
from schemas.exchange import (
    ExchangeEvent,
    Forget,
    Liked,
    LikerTold,
    Resent,
    SharedOrder,
    Visitor,
)
from schemas.profile import ProfileEvent
from streams.domain.codec import decode, encode
from streams.domain.duplicates import ENTRY_BYTES, find, hash_of, later_than, seconds_of
from streams.domain.erasure import blank, erase
from streams.domain.facts import Fact, Forward
from streams.domain.identity import Alias, Identity, with_alias
from streams.domain.integrity.buyer import BuyerIntegrity
from streams.domain.integrity.liking import hand_likes_over, tell_seen
from streams.domain.integrity.verdicts import held_brushed, judged_since
from streams.domain.integrity.wish_verdicts import judged_wishes, suspicions
from streams.domain.merging import merge, merge_seen
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState

#: Marks that send one body on before it stays where it is.
HOPS = 8
_NOTHING: tuple[Fact, ...] = ()


def hand_over(state: CustomerState, customer: str, time: int, digest: bytes) -> tuple[Fact, ...]:
    """Send ``state`` to ``customer`` as of the alias at ``time`` (ms), and leave the mark.

    ``digest``: the hash of source and id of the alias, whose repeat is one.
    """
    _see(state, time, digest)
    sent = Visitor(visitor=state.customer_id, state=encode(state))
    likes = hand_likes_over(state, customer, time)
    erased_at = state.erased_at
    changes = state.integrity.changes if state.integrity is not None else 0
    blank(state)
    # Should the mark be taken away (``pass_on``, ``forget``), what is judged then is later.
    _number_on(state, changes)
    state.seen = digest + seconds_of(time)
    state.erased_at = erased_at
    state.identity = Identity(customer, time)
    return (Forward(customer, time, sent), *likes)


def resend(
    state: CustomerState, mark: Identity, event: CustomerEvent, time: int, digest: bytes
) -> tuple[Fact, ...]:
    """What becomes of ``event`` at the mark of a visitor who was handed over."""
    sent: tuple[Fact, ...] = (
        Forward(mark.moved_to, time, Resent(visitor=state.customer_id, event=event)),
    )
    if isinstance(event, ProfileEvent):
        if event.data.action == "alias":
            # Said again under another id it changes nothing, as all that is said again in a profile.
            mark.refused += event.data.alias_of != mark.moved_to
            return _NOTHING
        if event.data.action == "erase":
            return (*erase(state, time, digest), *sent)
    return sent


def take_in(
    state: CustomerState, event: ExchangeEvent, body: Visitor, time: int, settings: ShopSettings
) -> tuple[Fact, ...] | None:
    """Merge a visitor who was handed over at ``time`` (ms) into ``state``; None for a repeat.

    Raises NewerStateError for a state of a newer build, StateCodecError for what is none.
    """
    onward = pass_on(state, body, time)
    if onward is not None:
        return onward
    digest = hash_of(event.source, event.id)
    if find(state.seen, digest, ENTRY_BYTES) >= 0:
        return None
    visitor = decode(body.state)
    erased_at, first_seen = state.erased_at, state.first_seen
    merge_seen(state, digest + seconds_of(time))
    facts = _NOTHING
    if erased_at is not None and (visitor.first_seen is None or visitor.first_seen <= erased_at):
        # The hashes of what is later stay known, as in an erasure that comes last.
        merge_seen(state, later_than(visitor.seen, erased_at))
        _number_on(state, visitor.integrity.changes if visitor.integrity is not None else 0)
        if time <= erased_at:
            return _forgets([body.visitor], erased_at)
        before = None
    else:
        before = held_brushed((state, visitor))
        told = suspicions(state.wishes), suspicions(visitor.wishes)
        facts = merge(state, visitor, settings)
    if body.visitor != state.customer_id:
        identity = state.identity = state.identity or Identity()
        identity.aliases = with_alias(identity.aliases, Alias(time, body.visitor))
    if before is not None:
        judged = judged_since(state, before, time, settings)
        facts = (*facts, *judged, *judged_wishes(state, told, time))
    return (*facts, *tell_seen(state, first_seen))


def pass_on(
    state: CustomerState, body: Visitor | Resent | SharedOrder | Liked | LikerTold, time: int
) -> tuple[Fact, ...] | None:
    """What a mark sends on; None where ``body`` is to be taken in here."""
    mark = state.identity
    if mark is None or not mark.moved_to:
        return None
    # What is told to a visitor does not set out from there: it comes by there first.
    set_out = body.hops > 0 or isinstance(body, Visitor | Resent)
    if (body.visitor == state.customer_id and set_out) or body.hops >= HOPS:
        mark.moved_to, mark.moved_at = "", 0
        return None
    onward = msgspec.structs.replace(body, hops=body.hops + 1)
    return (Forward(mark.moved_to, time, onward),)


def welcome(state: CustomerState, visitor: str) -> tuple[Fact, ...]:
    """After an event of ``visitor`` was folded into ``state``: one whom an erasure did not find is told."""
    if state.erased_at is None:
        return _NOTHING
    aliases = state.identity.aliases if state.identity is not None else []
    if any(alias.visitor == visitor for alias in aliases):
        return _NOTHING
    return _forgets([visitor], state.erased_at)


def forget(state: CustomerState, event: ExchangeEvent, time: int) -> tuple[Fact, ...]:
    """The customer whom this visitor became was erased at ``time`` (ms)."""
    if state.erased_at is not None and state.erased_at >= time:
        return _NOTHING
    mark = state.identity
    if mark is None or not mark.moved_to or mark.moved_at > time:
        # Handed over again since, or nobody's visitor any more: what is here was never the customer's.
        return _NOTHING
    return erase(state, time, hash_of(event.source, event.id))


def _number_on(state: CustomerState, changes: int) -> None:
    """Verdicts from now on have greater numbers than the ``changes`` that there were."""
    if changes:
        state.integrity = state.integrity or BuyerIntegrity()
        state.integrity.changes = max(state.integrity.changes, changes)


def _forgets(visitors: list[str], erased_at: int) -> tuple[Fact, ...]:
    return tuple(Forward(visitor, erased_at, Forget()) for visitor in visitors)


def _see(state: CustomerState, time: int, digest: bytes) -> None:
    state.first_seen = time if state.first_seen is None else min(state.first_seen, time)
    state.last_seen = time if state.last_seen is None else max(state.last_seen, time)
    merge_seen(state, digest + seconds_of(time))
