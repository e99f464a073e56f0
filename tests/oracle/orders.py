"""What became of each paid order, from all that was said of it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.oracle.events import ORDERS, Event


class PaidOrder(NamedTuple):
    """``paid_at``: ms. Amounts in minor units; of an order of unknown amount they are 0."""

    paid_at: int
    known: bool
    amount: int
    net_amount: int
    #: Neither cancelled nor refunded whole.
    net: bool


def paid_orders(events: Iterable[Event]) -> list[PaidOrder]:
    """Of one customer's distinct events."""
    orders: dict[str, list[Event]] = {}
    for event in events:
        if event.topic == ORDERS:
            orders.setdefault(event.data["order_id"], []).append(event)
    return [_paid(order) for order in orders.values() if _said(order, "paid")]


def _said(order: Sequence[Event], status: str) -> list[Event]:
    return [event for event in order if event.data["status"] == status]


def _paid(order: Sequence[Event]) -> PaidOrder:
    (paid,) = _said(order, "paid")
    carrying = [paid, *_said(order, "placed")]
    amounts = [e.data["amount_paid"] for e in carrying if e.data.get("amount_paid") is not None]
    amount = amounts[0] if amounts else 0
    refunds = [_refund(order, event) for event in _said(order, "refunded")]
    refunded = sum(each for each in refunds if each is not None)
    # Of an order whose amount is unknown, only a refund without an amount is known to be whole.
    whole = None in refunds or bool(amounts and refunded >= amount > 0)
    net = not whole and not _said(order, "cancelled")
    left = max(amount - refunded, 0) if net else 0
    return PaidOrder(paid.time, bool(amounts), amount, left, net)


def _refund(order: Sequence[Event], completed: Event) -> int | None:
    """The money of a completed refund; None: the rest of the order."""
    same = [event for event in order if event.data.get("refund_id") == completed.data["refund_id"]]
    requested = _said(same, "refund_requested")
    for event in (completed, *requested):
        if event.data.get("amount") is not None:
            return int(event.data["amount"])
    return 0 if any(event.data.get("kind") == "exchange" for event in same) else None
