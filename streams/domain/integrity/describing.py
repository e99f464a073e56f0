"""Brushed orders for people and JSON, and why each of them is held to be one."""

from typing import Any

from schemas.settings import Brushing
from streams.domain.integrity.score import judge
from streams.domain.orders import order_hash
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState


def describe_integrity(state: CustomerState, settings: ShopSettings | None) -> dict[str, Any]:
    """The orders with a verdict whose signs are still known, by payment.

    ``order_id`` is None of one that is no longer among the open orders; ``value`` of a reason is what
    streams.domain.integrity.score says. Reasons are those of the settings now.
    """
    buyer, orders = state.integrity, state.orders
    if buyer is None or orders is None:
        return {"brushed_orders": []}
    brushing = (settings and settings.brushing) or Brushing()
    names = {order_hash(order.order_id): order.order_id for order in orders.open}
    held = [mark for mark in buyer.marks if mark.verdict]
    held.sort(key=lambda mark: (mark.paid_at, mark.key))
    return {
        "brushed_orders": [
            {
                "order_id": names.get(mark.key),
                "points": mark.verdict,
                "reasons": [reason._asdict() for reason in judge(buyer, mark, brushing).reasons],
            }
            for mark in held
        ]
    }
