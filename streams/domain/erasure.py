"""Erasing a customer: what is known of them goes, and what happened until then no longer counts.

What stays is the mark with its time, the coupons (which of them were issued, so that none is issued
twice), the count of ids evicted early and that of changed verdicts, which say nothing of the
customer. ``fold`` leaves an event of the mark's time or before it out, so it does not matter which of
these came first.

What is later than the erase but was folded before it goes too: sums cannot be taken apart again, and
what is to be forgotten must not stay for it. The hashes of the ids of such events stay, so that a
repeat of one does not bring back what has gone.

Visitors who were handed over to the customer until then are told (streams.domain.handover). A customer who
was handed over until then is nobody's alias any more; what is later stands.
"""

from schemas.exchange import Forget, LikerForgotten
from streams.domain.duplicates import ENTRY_BYTES, FULL, later_than, seconds_of
from streams.domain.facts import Erased, Fact, Forward
from streams.domain.identity import Identity
from streams.domain.integrity.buyer import BuyerIntegrity
from streams.domain.state import CustomerState, new_state

_KEPT = frozenset(
    {
        "version", "shop_id", "customer_id", "kind", "coupons", "evicted_early",
        # When a record came last and when the state is looked at: a mark must go some day, too.
        "arrived", "expires",
    }
)  # fmt: skip


def erase(state: CustomerState, time: int, digest: bytes) -> tuple[Fact, ...]:
    """Drop what is known of the customer, timers included, and mark the state with ``time`` (ms).

    ``digest``: the hash of source and id of the erase itself.
    """
    later = later_than(state.seen, time)
    known, gave_likes = state.identity or Identity(), state.gave_likes
    changes = state.integrity.changes if state.integrity is not None else 0
    blank(state)
    if changes:
        # A later verdict on an order that is heard of again must not pass for an earlier one.
        state.integrity = BuyerIntegrity(changes=changes)
    if known.moved_at > time:
        state.identity = Identity(known.moved_to, known.moved_at)
    if since := [alias for alias in known.aliases if alias.time > time]:
        state.identity = state.identity or Identity()
        state.identity.aliases = since
    state.erased_at = time
    # As many as fit beside the erase itself, whose repeat must be known most of all.
    state.seen = later[-(FULL - ENTRY_BYTES) :] + digest + seconds_of(time)
    told = [Forward(alias.visitor, time, Forget()) for alias in known.aliases if alias.time <= time]
    if gave_likes:
        told.append(Forward(state.customer_id, time, LikerForgotten()))
    return (Erased(), *told)


def blank(state: CustomerState) -> None:
    """Take all of ``state`` away but what an erasure keeps; the mark of one goes too."""
    empty = new_state(state.shop_id, state.customer_id)
    for name in state.__struct_fields__:
        if name not in _KEPT:
            setattr(state, name, getattr(empty, name))
