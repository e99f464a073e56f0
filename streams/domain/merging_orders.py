"""Orders of a visitor and a customer as one's.

Totals, days and hours are sums of the orders' parts, so they add up; an order that both know (placed as a
guest, paid as a customer) is taken out of both and put in as what both say of it. The same is told of what
the shop's days have counted of it (``OrderRecounted``).
"""

from collections.abc import Callable, Iterator, Sequence, Set

from streams.domain.duplicates import HASH_BYTES
from streams.domain.facts import Fact, MoneyChange, OrderRecounted
from streams.domain.order import (
    BRUSHED,
    GOODS,
    PAID,
    PLACED,
    REFUNDED,
    OpenOrder,
    Refund,
    contribution,
    honest_part,
)
from streams.domain.orders import (
    FROM_VERSION_1,
    MONEY,
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
#: Hashes (``order_hash``) of the orders of both that are held to be brushed.
Brushed = tuple[Set[bytes], Set[bytes]]
_NONE_BRUSHED: Brushed = (frozenset(), frozenset())


def merge_orders(
    orders: Orders, other: Orders, settings: ShopSettings, brushed: Brushed = _NONE_BRUSHED
) -> tuple[Fact, ...]:
    """Bring ``other`` into ``orders``, in place; ``settings`` has the shop's time zone. Returns what changes
    in the figures of the shop's days. ``brushed``: the orders of both that were held to be, whether or not
    they are at this moment.
    """
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
    facts = _merge_each(orders, other, settings, brushed)
    rows = [row for row in read(orders.days) if row.day > orders.forgotten and any(row[1:])]
    orders.days = b""
    for row in rows:
        orders.days = add(orders.days, row)
    bound_days(orders)
    return facts


def _merge_each(
    orders: Orders, other: Orders, settings: ShopSettings, brushed: Brushed
) -> tuple[Fact, ...]:
    """The orders that are kept: those of ``other`` join, and what both know becomes one."""
    facts: list[Fact] = []
    kept = {order_hash(order.order_id): order for order in orders.open}
    past = _past(orders)
    for digest, order in (
        *_past(other).items(),
        *((order_hash(order.order_id), order) for order in other.open),
    ):
        known = kept.pop(digest, None) or past.pop(digest, None)
        if known is not None:
            whole = _one(orders, known, order, settings)
            facts += _recounted((known, order), whole, [digest in held for held in brushed])
            order = whole
        (kept if order.order_id else past)[digest] = order
    orders.past = b""
    for digest, order in sorted(past.items(), key=lambda entry: (entry[1].paid_at or 0, entry[0])):
        pack_order(orders, order, digest)
    orders.open = list(kept.values())
    while len(orders.open) > OPEN_ORDERS:
        leaving = min(orders.open, key=leaving_order)
        orders.open.remove(leaving)
        pack_order(orders, leaving, order_hash(leaving.order_id))
    return tuple(facts)


def _past(orders: Orders) -> dict[bytes, OpenOrder]:
    return {
        orders.past[at : at + HASH_BYTES]: unpacked("", orders.past, at)
        for at in range(0, len(orders.past), PAST_BYTES)
    }


def _one(orders: Orders, mine: OpenOrder, other: OpenOrder, settings: ShopSettings) -> OpenOrder:
    """What both know of an order; it counts once."""
    # Of two payments the earlier one is it.
    paid = [order for order in (mine, other) if order.seen & PAID]
    first = min(paid, key=lambda order: order.paid_at or 0, default=mine)
    second = other if first is mine else mine
    placed = [order.placed_at for order in (mine, other) if order.placed_at is not None]
    refunds = {refund.key: refund for refund in mine.refunds}
    for refund in other.refunds:
        known = refunds.get(refund.key)
        refunds[refund.key] = refund if known is None else _one_refund(known, refund)
    goods = [order.goods_at for order in (mine, other) if order.goods_at is not None]
    whole = OpenOrder(
        mine.order_id or other.order_id,
        mine.seen | other.seen,
        placed_at=min(placed, default=None),
        paid_at=first.paid_at,
        changed_at=max(mine.changed_at, other.changed_at),
        amount=second.amount if first.amount is None else first.amount,
        pieces=second.pieces if first.pieces is None else first.pieces,
        goods_at=min(goods, default=None) if (mine.seen | other.seen) & GOODS else None,
        refunds=list(refunds.values()),
        refunds_before=mine.refunds_before + other.refunds_before,
        refunded_before=mine.refunded_before + other.refunded_before,
        paid_day=first.paid_day,
        paid_hour=first.paid_hour,
    )
    for order in (mine, other):
        _move(orders, order, contribution(order), _NOTHING)
    _move(orders, whole, _NOTHING, contribution(whole))
    # One that is brushed was taken out of its hour already, and so is the whole where either is.
    leaving = paid if whole.seen & BRUSHED else [order for order in paid if order is not first]
    for order in leaving:
        if not order.seen & BRUSHED:
            _leave_hour(orders, order, settings)
    return whole


def _recounted(
    both: tuple[OpenOrder, OpenOrder], whole: OpenOrder, brushed: Sequence[bool]
) -> Iterator[Fact]:
    """What was counted of both, taken back, and what the whole is, counted; brushed if either was.

    When an order was placed is not known any more once it was packed: then the other one's placement is
    taken back, and where neither is known none is.
    """
    moved: dict[tuple[int, int, int], list[int]] = {}
    held_of = zip((*both, whole), (*brushed, any(brushed)), (-1, -1, 1), strict=True)
    for order, held, sign in held_of:
        if order.seen & PAID and order.paid_at is not None:
            part = honest_part(order)
            counted = (0, 0, 0, 0, 1) if held else (1, *(part[money] for money in MONEY), 0)
            place = (order.paid_at, order.paid_day, order.paid_hour)
            sums = moved.setdefault(place, [0] * len(counted))
            for at, amount in enumerate(counted):
                sums[at] += sign * amount
    for (paid_at, day, hour), (orders, unknown, gross, net, held_brushed) in moved.items():
        if orders or unknown or gross or net or held_brushed:
            money = MoneyChange(paid_at, day, gross, net, unknown, orders, hour)
            yield OrderRecounted(money, held_brushed)
    mine, other = both
    if mine.seen & other.seen & PLACED:
        known = [order.placed_at for order in both if order.placed_at is not None]
        if known:
            yield OrderRecounted(placed_at=max(known), placed_orders=-1)


def _leave_hour(orders: Orders, order: OpenOrder, settings: ShopSettings) -> None:
    hour = order.paid_hour
    if hour < 0:
        hour = day_and_hour(order.paid_at or 0, settings.time_zone)[1]
    # Of an order of before hours were kept, today's clock may say another one than it was counted in.
    if orders.hours[hour] > 0:
        orders.hours[hour] -= 1


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
