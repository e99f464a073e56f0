"""Pending timers of a customer: what happens when nothing else does.

A due time may pass without an occasion: it is waited for all the same, so that what did not stand
then is settled (see streams.domain.abandoned).
"""

import msgspec

from streams.domain.abandoned import Abandonment, standing, take
from streams.domain.state import CustomerState

ABANDONED_CART = "abandoned-cart"


class Occasion(msgspec.Struct, frozen=True, gc=False):
    """A timer that is due at ``due`` (ms); ``key`` tells occasions of one kind apart."""

    due: int
    kind: str
    key: str
    #: Lines in the cart.
    lines: int = 0


def next_due(state: CustomerState) -> int | None:
    """When the earliest pending timer is due, ms."""
    cart = state.cart
    if cart is None or not cart.waiting:
        return None
    return cart.waiting[0]


def waiting(state: CustomerState) -> tuple[int, ...]:
    """When each pending timer is due, ms, the earliest first."""
    cart = state.cart
    return () if cart is None else tuple(cart.waiting)


def take_due(state: CustomerState, until: int) -> list[Occasion]:
    """Remove the timers due at ``until`` (ms) or before; returns their occasions by (due, kind,
    key).
    """
    cart = state.cart
    if cart is None or not cart.waiting or cart.waiting[0] > until:
        return []
    return _occasions(take(cart, until))


def pending(state: CustomerState) -> list[Occasion]:
    """The occasions that fire if nothing else happens, by (due, kind, key); ``state`` is kept."""
    return [] if state.cart is None else _occasions(standing(state.cart))


def _occasions(abandoned: list[Abandonment]) -> list[Occasion]:
    found = [Occasion(due, ABANDONED_CART, text, lines) for due, text, lines in abandoned]
    return sorted(found, key=lambda occasion: (occasion.due, occasion.kind, occasion.key))
