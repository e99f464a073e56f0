"""Orders of a visitor and a customer as one's.

Totals, days and hours are sums of the orders' parts, so they add up; an order that both know (placed as a
guest, paid as a customer) is taken out of both and put in as what both say of it.
"""

from collections.abc import Callable

from streams.domain.duplicates import HASH_BYTES
from streams.domain.order import GOODS, PAID, PLACED, REFUNDED, OpenOrder, Refund, contribution
from streams.domain.orders import (
    FROM_VERSION_1,
    OPEN_ORDERS,
    PAST_BYTES,
    PAST_REFUND_BYTES,
    PAST_REFUNDS,
    Orders,
    bound_days,
    count,
    fill_days,
    leaving_order,
    order_hash,
    pack_order,
    unpacked,
)
from streams.domain.paid_days import add, change_of, read
from streams.domain.shop import ShopSettings, day_and_hour

_NOTHING = contribution(OpenOrder(""))


def merge_orders(orders: Orders, other: Orders, settings: ShopSettings) -> None:
    """Bring ``other`` into ``orders``, in place; ``settings`` has the shop's time zone."""
    for each in (orders, other):
        if each.forgotten == FROM_VERSION_1:
            fill_days(each, OpenOrder(""), settings.time_zone)
    for name in orders.totals.__struct_fields__:
        both = getattr(orders.totals, name) + getattr(other.totals, name)
        setattr(orders.totals, name, both)
    orders.first_paid_at = _chosen(min, orders.first_paid_at, other.first_paid_at)
    orders.last_paid_at = _chosen(max, orders.last_paid_at, other.last_paid_at)
    if other.hours:
        known = orders.hours or [0] * 24
        orders.hours = [a + b for a, b in zip(known, other.hours, strict=True)]
    for row in read(other.days):
        orders.days = add(orders.days, row)
    orders.past_refunds = _refund_keys(orders.past_refunds + other.past_refunds)
    orders.forgotten = max(orders.forgotten, other.forgotten)
    _merge_each(orders, other, settings)
    rows = [row for row in read(orders.days) if row.day > orders.forgotten and any(row[1:])]
    orders.days = b""
    for row in rows:
        orders.days = add(orders.days, row)
    bound_days(orders)


def _merge_each(orders: Orders, other: Orders, settings: ShopSettings) -> None:
    """The orders that are kept: those of ``other`` join, and what both know becomes one."""
    kept = {order_hash(order.order_id): order for order in orders.open}
    past = _past(orders)
    for digest, order in (
        *_past(other).items(),
        *((order_hash(order.order_id), order) for order in other.open),
    ):
        known = kept.pop(digest, None) or past.pop(digest, None)
        if known is not None:
            order = _one(orders, known, order, settings)
        (kept if order.order_id else past)[digest] = order
    orders.past = b""
    for digest, order in sorted(past.items(), key=lambda entry: (entry[1].paid_at or 0, entry[0])):
        pack_order(orders, order, digest)
    orders.open = list(kept.values())
    while len(orders.open) > OPEN_ORDERS:
        leaving = min(orders.open, key=leaving_order)
        orders.open.remove(leaving)
        pack_order(orders, leaving, order_hash(leaving.order_id))


def _past(orders: Orders) -> dict[bytes, OpenOrder]:
    return {
        orders.past[at : at + HASH_BYTES]: unpacked("", orders.past, at)
        for at in range(0, len(orders.past), PAST_BYTES)
    }


def _one(orders: Orders, mine: OpenOrder, other: OpenOrder, settings: ShopSettings) -> OpenOrder:
    """What both know of an order; it counts once."""
    first = mine if mine.seen & PAID or not other.seen & PAID else other
    second = other if first is mine else mine
    placed = mine if mine.seen & PLACED else other
    refunds = {refund.key: refund for refund in mine.refunds}
    for refund in other.refunds:
        known = refunds.get(refund.key)
        refunds[refund.key] = refund if known is None else _one_refund(known, refund)
    goods = [order.goods_at for order in (mine, other) if order.goods_at is not None]
    whole = OpenOrder(
        mine.order_id or other.order_id,
        mine.seen | other.seen,
        placed_at=placed.placed_at,
        paid_at=first.paid_at,
        changed_at=max(mine.changed_at, other.changed_at),
        amount=second.amount if first.amount is None else first.amount,
        pieces=second.pieces if first.pieces is None else first.pieces,
        goods_at=min(goods, default=None) if (mine.seen | other.seen) & GOODS else None,
        refunds=list(refunds.values()),
        refunds_before=mine.refunds_before + other.refunds_before,
        refunded_before=mine.refunded_before + other.refunded_before,
        paid_day=first.paid_day,
    )
    for order in (mine, other):
        _move(orders, order, contribution(order), _NOTHING)
    _move(orders, whole, _NOTHING, contribution(whole))
    if mine.seen & PAID and other.seen & PAID and other.paid_at is not None:
        orders.hours[day_and_hour(other.paid_at, settings.time_zone)[1]] -= 1
    return whole


def _move(
    orders: Orders, order: OpenOrder, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    count(orders.totals, before, after)
    change = change_of(order.paid_day, before, after)
    if order.paid_day > orders.forgotten and change is not None:
        orders.days = add(orders.days, change)


def _one_refund(mine: Refund, other: Refund) -> Refund:
    said = mine if mine.seen & REFUNDED or not other.seen & REFUNDED else other
    unsaid = other if said is mine else mine
    amount = unsaid.amount if said.amount is None else said.amount
    return Refund(mine.key, mine.seen | other.seen, amount)


def _refund_keys(packed: bytes) -> bytes:
    """Each refund once, with all that was seen of it; the newest that fit."""
    seen: dict[bytes, int] = {}
    for at in range(0, len(packed), PAST_REFUND_BYTES):
        key = packed[at : at + HASH_BYTES]
        seen[key] = seen.get(key, 0) | packed[at + PAST_REFUND_BYTES - 1]
    every = b"".join(key + bytes([bits]) for key, bits in seen.items())
    return every[-PAST_REFUNDS * PAST_REFUND_BYTES :]


def _chosen(choose: Callable[[list[int]], int], mine: int | None, other: int | None) -> int | None:
    known = [time for time in (mine, other) if time is not None]
    return choose(known) if known else None
