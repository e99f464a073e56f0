"""Brushed orders and suspicious likes for people and JSON, and why each is held to be one."""

from typing import Any

from schemas.settings import Brushing, Liking
from streams.domain.integrity.likes import judgements
from streams.domain.integrity.score import judge
from streams.domain.moments import moment
from streams.domain.orders import order_hash
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.domain.wishes import SUSPICIOUS, Wishes


def describe_integrity(state: CustomerState, settings: ShopSettings | None) -> dict[str, Any]:
    """The orders with a verdict whose signs are still known, by payment; and the suspicious likes of the
    wishes kept whole, by time.

    ``order_id`` is None of one that is no longer among the open orders; ``value`` of a reason is what
    streams.domain.integrity.score says. A liker is known by the hash of its id. Reasons are those of the
    settings now.
    """
    return {
        "brushed_orders": _brushed_orders(state, (settings and settings.brushing) or Brushing()),
        "suspicious_likes": _suspicious_likes(
            state.wishes or Wishes(), (settings and settings.liking) or Liking()
        ),
    }


def _brushed_orders(state: CustomerState, brushing: Brushing) -> list[dict[str, Any]]:
    buyer, orders = state.integrity, state.orders
    if buyer is None or orders is None:
        return []
    names = {order_hash(order.order_id): order.order_id for order in orders.open}
    held = [mark for mark in buyer.marks if mark.verdict]
    held.sort(key=lambda mark: (mark.paid_at, mark.key))
    return [
        {
            "order_id": names.get(mark.key),
            "points": mark.verdict,
            "reasons": [reason._asdict() for reason in judge(buyer, mark, brushing).reasons],
        }
        for mark in held
    ]


def _suspicious_likes(wishes: Wishes, liking: Liking) -> list[dict[str, Any]]:
    held = [
        (liker.time, wish.wish_id, liker, reasons)
        for wish, liker, reasons in judgements(wishes, liking)
        if liker.flags & SUSPICIOUS
    ]
    held.sort(key=lambda entry: (*entry[:2], entry[2].key))
    return [
        {
            "wish_id": wish_id,
            "liker_hash": liker.key.hex(),
            "liked_at": moment(time),
            "points": sum(reason.points for reason in reasons),
            "reasons": [reason._asdict() for reason in reasons],
        }
        for time, wish_id, liker, reasons in held
    ]
