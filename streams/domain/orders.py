"""A customer's orders, and totals net of cancellation and refund.

Statuses come in any order and more than once. An order keeps which of them it has seen; its part in
the totals (``contribution``) is a function of that set, so the totals are the sum of the parts
whatever the order of arrival. What an order shows (``status_of``) is the furthest status seen: it
never moves back.

- paid: gross, by ``paid`` seen; a paid order of amount 0 or unknown is a purchase. The amount is
  that of ``paid``, else that of ``placed``.
- A refund counts once ``refunded`` is seen, with the amount of ``refunded``, else of
  ``refund_requested``; no amount in either means the rest of the order (of an exchange: nothing).
  Refunds and cancellations of an order count in the totals only once it is known to be paid.
- net: paid orders neither cancelled nor wholly refunded.
"""

from struct import Struct

import msgspec

from schemas.order import Order
from streams.domain.duplicates import find, hash_of
from streams.domain.facts import Fact, OrderAdvanced, OrderPaid
from streams.domain.shop import ShopSettings, hour_of_day

PLACED, PAID, SHIPPED, RECEIVED, CANCELLED = 1, 2, 4, 8, 16
#: Not a status: the cart was told what was in the order.
GOODS = 32
#: Not a status: a refund of the whole order is among those counted in ``refunded_before``.
WHOLE = 64
STATUS_BITS = {
    "placed": PLACED, "paid": PAID, "shipped": SHIPPED, "received": RECEIVED,
    "cancelled": CANCELLED,
}  # fmt: skip

REFUND_REQUESTED, REFUND_WITHDRAWN, REFUNDED, EXCHANGE = 1, 2, 4, 8
REFUND_BITS = {
    "refund_requested": REFUND_REQUESTED, "refund_withdrawn": REFUND_WITHDRAWN,
    "refunded": REFUNDED,
}  # fmt: skip

#: Orders kept whole: finished ones leave first, then the one longest unchanged.
OPEN_ORDERS = 16
#: Refunds kept of one order; decided ones leave first.
REFUNDS = 4
#: Orders kept packed after they left, so that a later status or refund still counts right.
PAST_ORDERS = 80
#: Decided refunds whose keys are kept after they left.
PAST_REFUNDS = 96

#: hash of the order id, seen, amount (-1: unknown), refunded before, refunds before, paid at ms (0:
#: not)
_PAST = Struct("<8sBqqHq")
PAST_BYTES = _PAST.size
#: hash of order id and refund id, seen
_PAST_REFUND = Struct("<8sB")
PAST_REFUND_BYTES = _PAST_REFUND.size
_UNKNOWN = -1


class Refund(msgspec.Struct, array_like=True, gc=False):
    """``key``: 8-byte hash of order id and refund id; ``seen``: bits; ``amount``: minor units."""

    key: bytes
    seen: int = 0
    amount: int | None = None


class OpenOrder(msgspec.Struct, array_like=True, gc=False):
    """An order kept whole. ``seen``: bits of the statuses; times in ms; amounts in minor units."""

    order_id: str
    seen: int = 0
    placed_at: int | None = None
    paid_at: int | None = None
    #: The newest time of any of its events.
    changed_at: int = 0
    amount: int | None = None
    pieces: int | None = None
    #: The time of the fact that told the cart of its goods; None: not told, or forgotten since.
    goods_at: int | None = None
    refunds: list[Refund] = []
    #: Of refunds that left ``refunds``: how many were completed, and their amounts.
    refunds_before: int = 0
    refunded_before: int = 0


class Totals(msgspec.Struct, array_like=True, gc=False):
    """Orders by what they have seen, and money, over a customer's whole life."""

    placed: int = 0
    paid: int = 0
    shipped: int = 0
    received: int = 0
    cancelled: int = 0
    #: Paid orders wholly refunded.
    refunded: int = 0
    #: Completed refunds of paid orders.
    refunds: int = 0
    #: Paid orders neither cancelled nor wholly refunded.
    net: int = 0
    #: Paid orders whose amount is unknown.
    unknown_amount: int = 0
    paid_amount: int = 0
    refunded_amount: int = 0
    #: What cancellations took from paid orders, beyond their refunds.
    cancelled_amount: int = 0
    #: paid_amount - refunded_amount - cancelled_amount
    net_amount: int = 0


class Orders(msgspec.Struct, array_like=True, gc=False):
    """All of a customer's orders in a shop."""

    totals: Totals = msgspec.field(default_factory=Totals)
    #: Event times (ms) of the earliest and the latest ``paid``.
    first_paid_at: int | None = None
    last_paid_at: int | None = None
    #: Paid orders by hour of day on the shop's clock: 24 numbers, or none before the first.
    hours: list[int] = []
    open: list[OpenOrder] = []
    #: Orders that left ``open``, packed, oldest first.
    past: bytes = b""
    #: Decided refunds of those, packed, oldest first.
    past_refunds: bytes = b""


def fold_order(
    orders: Orders, data: Order, time: int, settings: ShopSettings
) -> tuple[Fact, OpenOrder] | None:
    """Fold one status. Returns what it means and the order; None for a repeat: nothing changed."""
    order = _find(orders, data.order_id)
    bit = STATUS_BITS.get(data.status)
    if bit is not None:
        if order.seen & bit:
            return None
        before = contribution(order)
        _advance(order, bit, data, time)
        if bit == PAID:
            _paid(orders, time, settings)
    else:
        refund = _find_refund(orders, order, data)
        if refund is None:
            return None
        before = contribution(order)
        _refund(order, refund, REFUND_BITS[data.status], data)
    order.changed_at = max(order.changed_at, time)
    _count(orders.totals, before, contribution(order))
    _keep(orders, order)
    if bit == PAID:
        return OrderPaid(data.order_id, orders.totals.paid, order.amount), order
    return OrderAdvanced(data.order_id, data.status), order


def _advance(order: OpenOrder, bit: int, data: Order, time: int) -> None:
    order.seen |= bit
    if bit == PLACED:
        order.placed_at = time
    elif bit == PAID:
        order.paid_at = time
    else:
        return
    if data.amount_paid is not None and (bit == PAID or order.amount is None):
        order.amount = data.amount_paid
    if data.lines and (bit == PAID or order.pieces is None):
        order.pieces = sum(line.quantity for line in data.lines)


def _paid(orders: Orders, time: int, settings: ShopSettings) -> None:
    first, last = orders.first_paid_at, orders.last_paid_at
    orders.first_paid_at = time if first is None else min(first, time)
    orders.last_paid_at = time if last is None else max(last, time)
    if not orders.hours:
        orders.hours = [0] * 24
    orders.hours[hour_of_day(time, settings.time_zone)] += 1


def _find_refund(orders: Orders, order: OpenOrder, data: Order) -> Refund | None:
    """The refund this status is of, new where unknown; None where it has the status already."""
    key = hash_of(data.order_id, data.refund_id or "")
    bit = REFUND_BITS[data.status]
    for refund in order.refunds:
        if refund.key == key:
            return None if refund.seen & bit else refund
    at = find(orders.past_refunds, key, PAST_REFUND_BYTES)
    if at < 0:
        return Refund(key)
    seen = orders.past_refunds[at + PAST_REFUND_BYTES - 1]
    if seen & (bit | REFUNDED):
        # Completed and counted already: what else is said of it changes nothing.
        return None
    orders.past_refunds = orders.past_refunds[:at] + orders.past_refunds[at + PAST_REFUND_BYTES :]
    return Refund(key, seen)


def _refund(order: OpenOrder, refund: Refund, bit: int, data: Order) -> None:
    refund.seen |= bit | (EXCHANGE if data.kind == "exchange" else 0)
    amount = data.amount
    if amount is not None and (
        bit == REFUNDED or (bit == REFUND_REQUESTED and refund.amount is None)
    ):
        refund.amount = amount
    if refund not in order.refunds:
        order.refunds.append(refund)


def _is_whole(refund: Refund) -> bool:
    return refund.amount is None and not refund.seen & EXCHANGE


def contribution(order: OpenOrder) -> tuple[int, ...]:
    """An order's part in each of the totals, in the order of the fields of ``Totals``."""
    seen, amount = order.seen, order.amount
    placed, shipped = int(seen & PLACED > 0), int(seen & SHIPPED > 0)
    received, cancelled = int(seen & RECEIVED > 0), int(seen & CANCELLED > 0)
    if not seen & PAID:
        return (placed, 0, shipped, received, cancelled, 0, 0, 0, 0, 0, 0, 0, 0)
    refunds, refunded = order.refunds_before, order.refunded_before
    whole = seen & WHOLE > 0
    for refund in order.refunds:
        if refund.seen & REFUNDED:
            refunds += 1
            refunded += refund.amount or 0
            whole = whole or _is_whole(refund)
    if amount is None:
        paid_amount = 0
        # What was paid is unknown, so nothing can be taken from it.
        refunded = 0
    else:
        paid_amount = amount
        refunded = amount if whole else min(refunded, amount)
        whole = whole or refunded == amount > 0
    lost = paid_amount - refunded if cancelled else 0
    net = int(not cancelled and not whole)
    return (
        placed, 1, shipped, received, cancelled, int(whole), refunds, net, int(amount is None),
        paid_amount, refunded, lost, paid_amount - refunded - lost,
    )  # fmt: skip


def _count(totals: Totals, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    for name, old, new in zip(totals.__struct_fields__, before, after, strict=True):
        if new != old:
            setattr(totals, name, getattr(totals, name) + new - old)


def status_of(order: OpenOrder) -> str:
    """The furthest of what the order has seen, as a word."""
    figures = Totals(*contribution(order))
    if order.seen & CANCELLED:
        return "cancelled"
    if figures.refunded:
        return "refunded"
    if any(_is_pending(refund) for refund in order.refunds):
        return "refund_requested"
    for status in ("received", "shipped", "paid", "placed"):
        if order.seen & STATUS_BITS[status]:
            return status
    return "unknown"


def _is_pending(refund: Refund) -> bool:
    return not refund.seen & (REFUND_WITHDRAWN | REFUNDED)


def _find(orders: Orders, order_id: str) -> OpenOrder:
    """The order, kept, past or new; it joins the kept ones in ``_keep``."""
    for order in orders.open:
        if order.order_id == order_id:
            return order
    at = find(orders.past, order_hash(order_id), PAST_BYTES)
    if at < 0:
        return OpenOrder(order_id)
    _, seen, amount, refunded, refunds, paid_at = _PAST.unpack_from(orders.past, at)
    return OpenOrder(
        order_id,
        seen,
        paid_at=paid_at if seen & PAID else None,
        amount=None if amount == _UNKNOWN else amount,
        refunds_before=refunds,
        refunded_before=refunded,
    )


def order_hash(order_id: str) -> bytes:
    """The 8 bytes by which an order is known after it left the open ones."""
    return hash_of("", order_id)


def _keep(orders: Orders, order: OpenOrder) -> None:
    """Put a changed order among the kept ones, within the bounds."""
    if len(order.refunds) > REFUNDS:
        _drop_refund(orders, order)
    if not any(kept is order for kept in orders.open):
        at = find(orders.past, order_hash(order.order_id), PAST_BYTES)
        if at >= 0:
            orders.past = orders.past[:at] + orders.past[at + PAST_BYTES :]
        orders.open.append(order)
    if len(orders.open) > OPEN_ORDERS:
        leaving = min(orders.open, key=_leaving_order)
        orders.open.remove(leaving)
        _pack(orders, leaving)


def _leaving_order(order: OpenOrder) -> tuple[bool, int, str]:
    return (not _is_finished(order), order.changed_at, order.order_id)


def _is_finished(order: OpenOrder) -> bool:
    if any(_is_pending(refund) for refund in order.refunds):
        return False
    return order.seen & (RECEIVED | CANCELLED) > 0 or contribution(order)[5] > 0


def _drop_refund(orders: Orders, order: OpenOrder) -> None:
    """Count the first decided refund (the first of all where none is) among those before."""
    decided = [refund for refund in order.refunds if not _is_pending(refund)]
    leaving = (decided or order.refunds)[0]
    order.refunds.remove(leaving)
    if leaving.seen & REFUNDED:
        order.refunds_before += 1
        order.refunded_before += leaving.amount or 0
        order.seen |= WHOLE if _is_whole(leaving) else 0
    if decided:
        packed = orders.past_refunds + _PAST_REFUND.pack(leaving.key, leaving.seen)
        orders.past_refunds = packed[-PAST_REFUNDS * PAST_REFUND_BYTES :]


def _pack(orders: Orders, order: OpenOrder) -> None:
    while order.refunds:
        _drop_refund(orders, order)
    packed = _PAST.pack(
        order_hash(order.order_id),
        order.seen,
        _UNKNOWN if order.amount is None else order.amount,
        order.refunded_before,
        min(order.refunds_before, 65_535),
        order.paid_at or 0,
    )
    orders.past = (orders.past + packed)[-PAST_ORDERS * PAST_BYTES :]
