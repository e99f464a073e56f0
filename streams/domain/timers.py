"""Pending timers of a customer: what happens when nothing else does.

Carts that were left (streams.domain.abandoned), and what time changes of a customer's life-cycle, tier and
habits (streams.domain.time_driven). A state that nothing needs any more goes by one (streams.domain.expiry).

A due time may pass without an occasion: it is waited for all the same, so that what did not stand
then is settled (see streams.domain.abandoned).
"""

import msgspec

from streams.domain.abandoned import Abandonment, standing, take
from streams.domain.agenda import LIFECYCLE, REORDER, TIER, due_times
from streams.domain.expiry import is_over
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.domain.time_driven import Told, planned, take_changes

ABANDONED_CART = "abandoned-cart"
_KINDS = {LIFECYCLE: "lifecycle", TIER: "tier", REORDER: "reorder"}


class Occasion(msgspec.Struct, frozen=True, gc=False):
    """A timer that is due at ``due`` (ms); ``key`` tells occasions of one kind apart.

    Kinds are ``abandoned-cart``; ``lifecycle``, from the stage ``before`` to ``after``, dormant or lost;
    ``tier``, from the tier ``before`` down to ``after``, by name; ``reorder``: an order is due by the
    customer's own interval.
    """

    due: int
    kind: str
    key: str
    #: Lines in the cart.
    lines: int = 0
    before: str = ""
    after: str = ""


def goes(state: CustomerState, until: int) -> bool:
    """Whether the state is to go at ``until`` (ms), once all that was due by then was taken
    (streams.domain.expiry); else its next look is set.
    """
    others = _others(state)
    return is_over(state, until, others[-1] if others else None)


def next_due(state: CustomerState) -> int | None:
    """When the earliest pending timer is due, ms."""
    pending = waiting(state)
    return pending[0] if pending else None


def waiting(state: CustomerState) -> tuple[int, ...]:
    """When each pending timer is due, ms, the earliest first."""
    others = _others(state)
    if not state.expires:
        return others
    looks = state.expires * 1000
    return tuple(sorted((*others, looks))) if others else (looks,)


def _others(state: CustomerState) -> tuple[int, ...]:
    """``waiting`` but for the look whether the state is still needed."""
    cart, agenda = state.cart, state.agenda
    carts = () if cart is None else tuple(cart.waiting)
    if agenda is None or not agenda.changes:
        return carts
    return tuple(sorted((*carts, *due_times(agenda))))


def take_due(state: CustomerState, until: int, settings: ShopSettings) -> list[Occasion]:
    """Remove the timers due at ``until`` (ms) or before; returns their occasions by (due, kind, key).

    ``settings``: the shop's in force then.
    """
    cart = state.cart
    found = []
    if cart is not None and cart.waiting and cart.waiting[0] <= until:
        found = _abandonments(take(cart, until))
    return _sorted(found + _changes(take_changes(state, until, settings)))


def pending(state: CustomerState, settings: ShopSettings | None = None) -> list[Occasion]:
    """The occasions that fire if nothing else happens, by (due, kind, key); ``state`` is kept.

    Without the shop's settings tiers have no names.
    """
    found = [] if state.cart is None else _abandonments(standing(state.cart))
    return _sorted(found + _changes(planned(state, settings)))


def _abandonments(abandoned: list[Abandonment]) -> list[Occasion]:
    return [Occasion(due, ABANDONED_CART, text, lines) for due, text, lines in abandoned]


def _changes(told: list[Told]) -> list[Occasion]:
    return [
        Occasion(due, _KINDS[kind], key, before=before, after=after)
        for due, kind, key, before, after in told
    ]


def _sorted(found: list[Occasion]) -> list[Occasion]:
    return sorted(found, key=lambda occasion: (occasion.due, occasion.kind, occasion.key))
