"""A customer's orders: their totals and days, and those kept so that a later status finds them.

Totals and days are sums of the orders' parts (streams.domain.order ``contribution``): a status takes
an order's part before it away and adds the one after it. The days (streams.domain.paid_days) are
those of the payments on the shop's clock, whenever a change of the order comes.
"""

from struct import Struct

import msgspec

from schemas.order import Order
from streams.domain.duplicates import HASH_BYTES, find, hash_of
from streams.domain.facts import Fact, MoneyChange, OrderAdvanced, OrderPaid
from streams.domain.names import short
from streams.domain.order import (
    BRUSHED,
    EXCHANGE,
    PAID,
    PLACED,
    REFUND_BITS,
    REFUND_REQUESTED,
    REFUNDED,
    STATUS_BITS,
    WHOLE,
    OpenOrder,
    Refund,
    Totals,
    contribution,
    honest_part,
    is_finished,
    is_pending,
    is_whole,
)
from streams.domain.paid_days import DAYS_BYTES, add, bound, change_of, within_days
from streams.domain.shop import ShopSettings, day_and_hour, day_of

#: Orders kept whole: finished ones leave first, then the one longest unchanged.
OPEN_ORDERS = 16
#: Refunds kept of one order; decided ones leave first.
REFUNDS = 4
#: Orders kept packed after they left, so that a later status or refund still counts right.
PAST_ORDERS = 80
#: Decided refunds whose keys are kept after they left.
PAST_REFUNDS = 48

#: hash of the order id, seen, amount (-1: unknown), refunded before, refunds before, paid at ms (43
#: bits, 0: not), its hour (5 bits, one more than it is; 0: not kept) and paid day (2 bytes; version 1 had 8
#: bytes for the time, so it has 0 in both)
_PAST = Struct("<8sBqqHQ")
PAST_BYTES = _PAST.size
_PAID_AT_BITS, _PAID_HOUR_BITS = 43, 5
_PAID_DAY_FROM = _PAID_AT_BITS + _PAID_HOUR_BITS
#: Until the year 2248.
_PAID_AT_MOST = 2**_PAID_AT_BITS - 1
_PAID_HOUR_MOST = 2**_PAID_HOUR_BITS - 1
#: hash of order id and refund id, seen
_PAST_REFUND = Struct("<8sB")
PAST_REFUND_BYTES = _PAST_REFUND.size
_UNKNOWN = -1
_NOTHING = contribution(OpenOrder(""))
#: Where ``contribution`` has them: orders without a known amount, gross and net.
MONEY = [
    Totals.__struct_fields__.index(name) for name in ("unknown_amount", "paid_amount", "net_amount")
]
_PAID_ORDERS = Totals.__struct_fields__.index("paid")


#: ``Orders.forgotten`` of a state of version 1, which had no days, until its next order.
FROM_VERSION_1 = -1


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
    #: Paid orders by day: streams.domain.paid_days.
    days: bytes = b""
    #: The newest day that ``days`` lacks orders of, days since 1970 on the shop's clock; 0: none.
    forgotten: int = FROM_VERSION_1


def fold_order(
    orders: Orders, data: Order, time: int, settings: ShopSettings
) -> tuple[Fact, OpenOrder] | None:
    """Fold one status. Returns what it means and the order; None for a repeat: nothing changed."""
    order = _find(orders, data.order_id)
    bit = STATUS_BITS.get(data.status)
    refund = None if bit else _find_refund(orders, order, data)
    if refund is None and (bit is None or order.seen & bit):
        return None
    if orders.forgotten == FROM_VERSION_1:
        fill_days(orders, order, settings.time_zone)
    before = contribution(order)
    if refund is not None:
        _refund(order, refund, REFUND_BITS[data.status], data)
    elif bit is not None:
        _advance(order, bit, data, time)
        if bit == PAID:
            order.paid_day, order.paid_hour = _paid(orders, time, settings)
    order.changed_at = max(order.changed_at, time)
    after = contribution(order)
    _recount(orders, order, before, after)
    _keep(orders, order)
    # Nothing of a brushed order: what becomes of it meanwhile comes back with it.
    money = _money_change(order, before, after)
    if bit == PAID:
        return OrderPaid(data.order_id, orders.totals.paid, order.amount, money), order
    return OrderAdvanced(data.order_id, data.status, money), order


def _money_change(
    order: OpenOrder, before: tuple[int, ...], after: tuple[int, ...]
) -> MoneyChange | None:
    unknown, gross, net = (after[at] - before[at] for at in MONEY)
    if order.paid_at is None or not (gross or net or unknown):
        return None
    return MoneyChange(
        order.paid_at, order.paid_day, gross, net, unknown, paid_hour=order.paid_hour
    )


def set_brushed(orders: Orders, key: bytes, hour: int, brushed: bool) -> MoneyChange | None:
    """Take the order with hash ``key`` (``order_hash``) out of all figures, or put it back.

    ``hour``: that of its payment, on the clock that the shop had then, for an order that was paid before
    orders kept it. Returns by how much that changes the figures of the day of the payment; None where the
    order is not known any more, or is as it should be: nothing is changed. Taking an order out and putting
    it back leaves the orders as they were; only ``first_paid_at`` and ``last_paid_at`` are of any order.
    """
    order, at = _known(orders, key)
    if order is None or (order.seen & BRUSHED > 0) == brushed:
        return None
    before = contribution(order)
    order.seen ^= BRUSHED
    after = contribution(order)
    _recount(orders, order, before, after)
    if order.seen & PAID and orders.hours:
        orders.hours[hour if order.paid_hour < 0 else order.paid_hour] += -1 if brushed else 1
    if at >= 0:
        packed = _packed(key, order)
        orders.past = orders.past[:at] + packed + orders.past[at + PAST_BYTES :]
    return verdict_change(order)


def verdict_change(order: OpenOrder) -> MoneyChange:
    """What ``order`` takes from the figures of its day by being brushed, or gives back by not being so."""
    part, sign = honest_part(order), -1 if order.seen & BRUSHED else 1
    unknown, gross, net = (sign * part[at] for at in MONEY)
    return MoneyChange(
        order.paid_at or 0,
        order.paid_day,
        gross,
        net,
        unknown,
        sign * part[_PAID_ORDERS],
        order.paid_hour,
    )


def known_order(orders: Orders, key: bytes) -> OpenOrder | None:
    """The order with hash ``key`` (``order_hash``); without its id where it left the open ones."""
    return _known(orders, key)[0]


def _known(orders: Orders, key: bytes) -> tuple[OpenOrder | None, int]:
    """The order, and where it begins among the packed ones; -1: it is open, or not known."""
    order = next((kept for kept in orders.open if order_hash(kept.order_id) == key), None)
    at = -1 if order else find(orders.past, key, PAST_BYTES)
    return (order, at) if at < 0 else (unpacked("", orders.past, at), at)


def brushed_orders(orders: Orders) -> set[bytes]:
    """Hashes (``order_hash``) of the orders that are held to be brushed."""
    if not orders.totals.brushed:
        return set()
    hashes = range(0, len(orders.past), PAST_BYTES)
    return {order_hash(order.order_id) for order in orders.open if order.seen & BRUSHED} | {
        orders.past[at : at + HASH_BYTES]
        for at, order in zip(hashes, past_orders(orders), strict=True)
        if order.seen & BRUSHED
    }


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


def _paid(orders: Orders, time: int, settings: ShopSettings) -> tuple[int, int]:
    """The day and hour of the payment, on the shop's clock."""
    first, last = orders.first_paid_at, orders.last_paid_at
    orders.first_paid_at = time if first is None else min(first, time)
    orders.last_paid_at = time if last is None else max(last, time)
    if not orders.hours:
        orders.hours = [0] * 24
    day, hour = day_and_hour(time, settings.time_zone)
    orders.hours[hour] += 1
    return within_days(day), hour


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


def count(totals: Totals, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    """Take one part of an order out of the totals and put another in."""
    for name, old, new in zip(totals.__struct_fields__, before, after, strict=True):
        if new != old:
            setattr(totals, name, getattr(totals, name) + new - old)


def _recount(
    orders: Orders, order: OpenOrder, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    """Put a changed order's part into the totals and into its day, in place of the one before."""
    count(orders.totals, before, after)
    if order.paid_day > orders.forgotten:
        change = change_of(order.paid_day, before, after)
        if change is not None:
            orders.days = add(orders.days, change)
            bound_days(orders)


def bound_days(orders: Orders) -> None:
    """Forget the oldest days where they no longer fit."""
    if len(orders.days) > DAYS_BYTES:
        orders.days, orders.forgotten = bound(orders.days)


def days_of(orders: Orders, time_zone: str) -> tuple[bytes, int]:
    """``days`` and ``forgotten`` of ``orders``; of a state of version 1, what its next order makes them.

    These had no days. Where all of the customer's paid orders are still known (most have fewer than 96)
    the days follow from them; else all days are forgotten up to that of the last order.
    """
    if orders.forgotten != FROM_VERSION_1:
        return orders.days, orders.forgotten
    paid = [order for order in (*orders.open, *past_orders(orders)) if order.seen & PAID]
    if len(paid) < orders.totals.paid:
        last = orders.last_paid_at
        return b"", 0 if last is None else within_days(day_of(last, time_zone))
    days = b""
    for order in paid:
        day = within_days(day_of(order.paid_at or 0, time_zone))
        change = change_of(day, _NOTHING, contribution(order))
        if change is not None:
            days = add(days, change)
    return days, 0


def fill_days(orders: Orders, changing: OpenOrder, time_zone: str) -> None:
    """Give a state of version 1 its days, and each order whose part they have the day and hour of it.

    ``changing``: the order that is about to change, which may have been among the packed ones.
    """
    orders.days, orders.forgotten = days_of(orders, time_zone)
    if orders.forgotten:
        return
    past = past_orders(orders)
    for order in (*orders.open, *past, changing):
        if order.seen & PAID:
            day, order.paid_hour = day_and_hour(order.paid_at or 0, time_zone)
            order.paid_day = within_days(day)
    hashes = [orders.past[at : at + HASH_BYTES] for at in range(0, len(orders.past), PAST_BYTES)]
    orders.past = b"".join(map(_packed, hashes, past))


def past_orders(orders: Orders) -> list[OpenOrder]:
    """The packed orders, oldest first; their ids are not known any more."""
    return [unpacked("", orders.past, at) for at in range(0, len(orders.past), PAST_BYTES)]


def _find(orders: Orders, order_id: str) -> OpenOrder:
    """The order, kept, past or new; it joins the kept ones in ``_keep``."""
    known_by = short(order_id)
    for order in orders.open:
        if order.order_id == known_by:
            return order
    at = find(orders.past, order_hash(known_by), PAST_BYTES)
    if at < 0 and known_by != order_id:
        # As it left in a state of version 2 or earlier.
        at = find(orders.past, hash_of("", order_id), PAST_BYTES)
    return OpenOrder(known_by) if at < 0 else unpacked(known_by, orders.past, at)


def unpacked(order_id: str, past: bytes, at: int) -> OpenOrder:
    """The packed order at byte ``at``; its id is not in there."""
    _, seen, amount, refunded, refunds, paid = _PAST.unpack_from(past, at)
    return OpenOrder(
        order_id,
        seen,
        paid_at=paid & _PAID_AT_MOST if seen & PAID else None,
        amount=None if amount == _UNKNOWN else amount,
        refunds_before=refunds,
        refunded_before=refunded,
        paid_day=paid >> _PAID_DAY_FROM,
        paid_hour=(paid >> _PAID_AT_BITS & _PAID_HOUR_MOST) - 1,
    )


def bound_orders(orders: Orders) -> None:
    """Bring orders of version 2 or earlier within today's bounds: ids were kept whole, and more refunds."""
    orders.past_refunds = orders.past_refunds[-PAST_REFUNDS * PAST_REFUND_BYTES :]
    for order in orders.open:
        order.order_id = short(order.order_id)


def order_hash(order_id: str) -> bytes:
    """The 8 bytes by which an order is known after it left the open ones; of its id as it is kept."""
    return hash_of("", short(order_id))


def _keep(orders: Orders, order: OpenOrder) -> None:
    """Put a changed order among the kept ones, within the bounds."""
    if len(order.refunds) > REFUNDS:
        _drop_refund(orders, order)
    if order not in orders.open:
        at = find(orders.past, order_hash(order.order_id), PAST_BYTES)
        if at >= 0:
            orders.past = orders.past[:at] + orders.past[at + PAST_BYTES :]
        orders.open.append(order)
    if len(orders.open) > OPEN_ORDERS:
        leaving = min(orders.open, key=leaving_order)
        orders.open.remove(leaving)
        pack_order(orders, leaving, order_hash(leaving.order_id))


def leaving_order(order: OpenOrder) -> tuple[bool, int, str]:
    """The least of them is packed first: finished ones, then the one longest unchanged."""
    return (not is_finished(order), order.changed_at, order.order_id)


def _drop_refund(orders: Orders, order: OpenOrder) -> None:
    """Count the first decided refund (the first of all where none is) among those before."""
    decided = [refund for refund in order.refunds if not is_pending(refund)]
    leaving = (decided or order.refunds)[0]
    order.refunds.remove(leaving)
    if leaving.seen & REFUNDED:
        order.refunds_before += 1
        order.refunded_before += leaving.amount or 0
        order.seen |= WHOLE if is_whole(leaving) else 0
    if decided:
        packed = orders.past_refunds + _PAST_REFUND.pack(leaving.key, leaving.seen)
        orders.past_refunds = packed[-PAST_REFUNDS * PAST_REFUND_BYTES :]


def pack_order(orders: Orders, order: OpenOrder, digest: bytes) -> None:
    """Put an order among the packed ones, under ``order_hash`` of its id."""
    while order.refunds:
        _drop_refund(orders, order)
    packed = _packed(digest, order)
    orders.past = (orders.past + packed)[-PAST_ORDERS * PAST_BYTES :]


def _packed(digest: bytes, order: OpenOrder) -> bytes:
    """``order`` without open refunds, as ``past`` has it."""
    return _PAST.pack(
        digest,
        order.seen,
        _UNKNOWN if order.amount is None else order.amount,
        order.refunded_before,
        min(order.refunds_before, 65_535),
        min(max(order.paid_at or 0, 0), _PAID_AT_MOST)
        | order.paid_hour + 1 << _PAID_AT_BITS
        | order.paid_day << _PAID_DAY_FROM,
    )
