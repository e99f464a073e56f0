"""A state for people and JSON: named fields, times as RFC 3339, money as minor units with its
currency.
"""

from typing import Any

import msgspec

from streams.domain.browsing import Browsing
from streams.domain.cart import Cart, Line
from streams.domain.describe_contact import describe_profile, describe_service, describe_wishes
from streams.domain.describe_interests import describe_interests
from streams.domain.describe_worth import describe_points, describe_worth
from streams.domain.identity import Identity
from streams.domain.integrity.describing import describe_integrity
from streams.domain.interests import Interests, settled
from streams.domain.late_refunds import unmatched_refunds
from streams.domain.moments import moment
from streams.domain.offered import COUPON, OFFERS, channels_of, kind_of
from streams.domain.order import OpenOrder, Refund, status_of
from streams.domain.orders import Orders
from streams.domain.profile import Profile
from streams.domain.reviews import Reviews
from streams.domain.service import Service
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.domain.timers import pending
from streams.domain.wishes import Wishes

_REFUND_STATUSES = ((4, "refunded"), (2, "refund_withdrawn"), (1, "refund_requested"))


def describe(
    state: CustomerState, settings: ShopSettings | None, as_of: int | None = None
) -> dict[str, Any]:
    """``state`` as a plain dict that JSON can hold; ``settings`` gives the currency and the time
    zone, which are None where nobody knows them, as are all of ``worth`` and ``points``.

    ``as_of``: the moment (ms) at which the customer's worth and interests are looked at; that of their
    newest event where that is later, or where it is None. Parts of which nothing is known yet are
    there, with zeros.
    """
    return {
        "shop_id": state.shop_id,
        "customer_id": state.customer_id,
        "first_seen": moment(state.first_seen),
        "last_seen": moment(state.last_seen),
        "browsing": {
            **_browsing(state.browsing),
            **describe_interests(
                state.interests or Interests(), state.browsing, _looked_at(state, as_of)
            ),
        },
        "cart": _cart(state.cart or Cart()),
        "orders": _orders(state.orders or Orders(forgotten=0), settings),
        "worth": _worth(state, settings, as_of),
        "points": _points(state, settings, as_of),
        "reviews": _reviews(state.reviews or Reviews()),
        "service": describe_service(state.service or Service()),
        "wishes": describe_wishes(state.wishes or Wishes()),
        "profile": describe_profile(state.profile or Profile()),
        "integrity": describe_integrity(state, settings),
        "identity": _identity(state.identity or Identity()),
        "erased_at": moment(state.erased_at),
        "coupons": [
            {
                "trigger_id": coupon.trigger_id,
                "campaign": coupon.campaign,
                "issued_at": moment(coupon.issued_at),
                "valid_until": moment(coupon.valid_until),
                "channels": list(channels_of(coupon.how)),
            }
            for coupon in state.coupons
            if kind_of(coupon.how) == COUPON
        ],
        "contacts": [
            {
                "trigger_id": offer.trigger_id,
                "kind": OFFERS[kind_of(offer.how)],
                "campaign": offer.campaign,
                "issued_at": moment(offer.issued_at),
                "channels": list(channels_of(offer.how)),
            }
            for offer in state.coupons
            if kind_of(offer.how) != COUPON
        ],
        "timers": [
            {"kind": occasion.kind, "due": moment(occasion.due), "key": occasion.key}
            for occasion in pending(state)
        ],
        "duplicates": {"ids": len(state.seen) // 12, "evicted_early": state.evicted_early},
        "encoding": state.version,
    }


def _identity(identity: Identity) -> dict[str, Any]:
    """Whom the visitor was handed over to, and who was to this customer."""
    return {
        "moved_to": identity.moved_to or None,
        "moved_at": moment(identity.moved_at) if identity.moved_to else None,
        "aliases": [
            {"visitor": alias.visitor, "at": moment(alias.time)} for alias in identity.aliases
        ],
        "aliases_refused": identity.refused,
    }


def _worth(
    state: CustomerState, settings: ShopSettings | None, as_of: int | None
) -> dict[str, Any] | None:
    now = _looked_at(state, as_of)
    if settings is None or now is None:
        return None
    return describe_worth(state.orders, settings, now, state.erased_at)


def _points(
    state: CustomerState, settings: ShopSettings | None, as_of: int | None
) -> dict[str, Any] | None:
    now, profile = _looked_at(state, as_of), state.profile
    if settings is None or now is None:
        return None
    joined = None if profile is None else profile.joined_at
    used = None if state.interests is None else settled(state.interests).points_used
    return describe_points(state.orders, settings, now, state.erased_at, joined, used)


def _looked_at(state: CustomerState, as_of: int | None) -> int | None:
    """The moment as of which the state is shown, ms; None: nothing was ever seen, nor one given."""
    return max((time for time in (as_of, state.last_seen) if time is not None), default=None)


def _browsing(browsing: Browsing) -> dict[str, Any]:
    session = browsing.session
    return {
        "actions": msgspec.structs.asdict(browsing.actions),
        "dwell_ms": browsing.dwell_ms,
        "sessions": browsing.sessions,
        "session": None
        if session is None
        else {
            "id": session.id or None,
            "start": moment(session.start),
            "end": moment(session.end),
            "clicks": session.clicks,
        },
    }


def _cart(cart: Cart) -> dict[str, Any]:
    return {
        "adds": cart.adds,
        "removes": cart.removes,
        "sets": cart.sets,
        "clears": cart.clears,
        "lines": [_line(line) for line in cart.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    parts = line.attributes
    return {
        "sku": line.sku,
        "attributes": {parts[at]: parts[at + 1] for at in range(0, len(parts), 2)},
        "quantity": line.quantity,
        "since": moment(line.since),
    }


def _orders(orders: Orders, settings: ShopSettings | None) -> dict[str, Any]:
    recent = sorted(orders.open, key=lambda order: (order.changed_at, order.order_id))
    return {
        "currency": settings and settings.currency,
        **msgspec.structs.asdict(orders.totals),
        "first_paid_at": moment(orders.first_paid_at),
        "last_paid_at": moment(orders.last_paid_at),
        "time_zone": settings and settings.time_zone,
        "paid_by_hour": orders.hours or [0] * 24,
        "unmatched_refunds": [key.hex() for key in unmatched_refunds(orders)],
        "recent": [_order(order) for order in recent],
    }


def _order(order: OpenOrder) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "status": status_of(order),
        "placed_at": moment(order.placed_at),
        "paid_at": moment(order.paid_at),
        "changed_at": moment(order.changed_at),
        "amount": order.amount,
        "pieces": order.pieces,
        "refunds": [_refund(refund) for refund in sorted(order.refunds, key=lambda each: each.key)],
    }


def _refund(refund: Refund) -> dict[str, Any]:
    status = next(word for bit, word in _REFUND_STATUSES if refund.seen & bit)
    return {"key": refund.key.hex(), "status": status, "amount": refund.amount}


def _reviews(reviews: Reviews) -> dict[str, Any]:
    return {
        "posted": reviews.posted,
        "appended": reviews.appended,
        "shown": reviews.shown,
        "by_rating": reviews.ratings or [0] * 5,
        "bad": reviews.bad,
        "bad_open": reviews.bad_open,
        "removed": reviews.removed,
    }
