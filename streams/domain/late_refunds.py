"""Refunds of orders whose payment a state does not know: it is yet to come, or the order left long ago.

A state knows 16 orders whole and 80 more by their hash. A refund of an order before those changes none of
the customer's figures; the order is kept with it, as one that was not paid. Who has a store of all orders
can say whether it was, and what the refund takes from the figures (docs/state.md, "late refunds").
"""

from streams.domain.duplicates import HASH_BYTES
from streams.domain.order import PAID, REFUNDED
from streams.domain.orders import PAST_BYTES, Orders, order_hash, past_orders


def unmatched_refunds(orders: Orders) -> list[bytes]:
    """Hashes (``order_hash``) of the orders with a completed refund and no payment, sorted."""
    found = {
        order_hash(order.order_id)
        for order in orders.open
        if not order.seen & PAID
        and (order.refunds_before or any(each.seen & REFUNDED for each in order.refunds))
    }
    starts = range(0, len(orders.past), PAST_BYTES)
    for at, order in zip(starts, past_orders(orders), strict=True):
        if order.refunds_before and not order.seen & PAID:
            found.add(orders.past[at : at + HASH_BYTES])
    return sorted(found)
