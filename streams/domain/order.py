"""One order: which statuses it has seen, and what its part in the figures is because of them.

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
- A brushed order (streams.domain.integrity) has a part in its own two figures and in no other.
"""

import msgspec

PLACED, PAID, SHIPPED, RECEIVED, CANCELLED = 1, 2, 4, 8, 16
#: Not a status: the cart was told what was in the order.
GOODS = 32
#: Not a status: a refund of the whole order is among those counted in ``refunded_before``.
WHOLE = 64
#: Not a status: the order is held to be brushed. It may come and go.
BRUSHED = 128
STATUS_BITS = {
    "placed": PLACED, "paid": PAID, "shipped": SHIPPED, "received": RECEIVED,
    "cancelled": CANCELLED,
}  # fmt: skip

REFUND_REQUESTED, REFUND_WITHDRAWN, REFUNDED, EXCHANGE = 1, 2, 4, 8
REFUND_BITS = {
    "refund_requested": REFUND_REQUESTED, "refund_withdrawn": REFUND_WITHDRAWN,
    "refunded": REFUNDED,
}  # fmt: skip


class Refund(msgspec.Struct, array_like=True, gc=False):
    """``key``: 8-byte hash of order id and refund id; ``seen``: bits; ``amount``: minor units."""

    key: bytes
    seen: int = 0
    amount: int | None = None


class OpenOrder(msgspec.Struct, array_like=True, gc=False):
    """An order kept whole. ``seen``: bits of the statuses; times in ms; amounts in minor units."""

    #: As ``streams.domain.names.short`` has it.
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
    #: Days since 1970 on the shop's clock: the row of ``Orders.days`` that has its part; 0: none has.
    paid_day: int = 0
    #: The hour (0-23) of the payment on the clock that the shop had then; -1: not kept.
    paid_hour: int = -1


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
    #: Paid orders that are held to be brushed, in none of the figures above; and what was paid for them.
    brushed: int = 0
    brushed_amount: int = 0


def is_whole(refund: Refund) -> bool:
    return refund.amount is None and not refund.seen & EXCHANGE


def contribution(order: OpenOrder) -> tuple[int, ...]:
    """An order's part in each of the totals, in the order of the fields of ``Totals``."""
    part = honest_part(order)
    if order.seen & BRUSHED:
        return (*_NO_PART, part[1], part[9])
    return (*part, 0, 0)


_NO_PART = (0,) * 13


def honest_part(order: OpenOrder) -> tuple[int, ...]:
    """The part in the totals that an order has unless it is brushed, all but the last two."""
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
            whole = whole or is_whole(refund)
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


def status_of(order: OpenOrder) -> str:
    """The furthest of what the order has seen, as a word."""
    figures = Totals(*honest_part(order))
    if order.seen & CANCELLED:
        return "cancelled"
    if figures.refunded:
        return "refunded"
    if any(is_pending(refund) for refund in order.refunds):
        return "refund_requested"
    for status in ("received", "shipped", "paid", "placed"):
        if order.seen & STATUS_BITS[status]:
            return status
    return "unknown"


def is_pending(refund: Refund) -> bool:
    return not refund.seen & (REFUND_WITHDRAWN | REFUNDED)


def is_finished(order: OpenOrder) -> bool:
    if any(is_pending(refund) for refund in order.refunds):
        return False
    return order.seen & (RECEIVED | CANCELLED) > 0 or honest_part(order)[5] > 0
