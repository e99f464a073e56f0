"""What the query store knows of one customer that the live state does not: for a page about them."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, and_, func, select

from streams.domain.orders import order_hash
from streams.query.known import LateRefunds, Response
from streams.query.tables import order_coupons, orders, triggers


def order_channels(connection: Connection, shop_id: str, customer_id: str) -> list[str]:
    """The channels of the customer's orders, the most used first."""
    count = func.count()
    rows = connection.execute(
        select(orders.c.channel, count)
        .where(
            orders.c.shop_id == shop_id,
            orders.c.customer_id == customer_id,
            orders.c.channel.is_not(None),
        )
        .group_by(orders.c.channel)
        .order_by(count.desc(), orders.c.channel)
    )
    return [channel for channel, _ in rows]


def responses(
    connection: Connection, shop_id: str, customer_id: str, until: dict[str, int]
) -> dict[str, Response]:
    """What followed the offers whose trigger ids ``until`` has, each with the end of its time in ms.

    Offers that the store does not have are left out: nothing is known of what followed them.
    """
    own = and_(triggers.c.shop_id == shop_id, triggers.c.customer_id == customer_id)
    issued = connection.execute(
        select(triggers.c.trigger_id, triggers.c.time_ms, triggers.c.code).where(
            own, triggers.c.trigger_id.in_(sorted(until))
        )
    ).all()
    if not issued:
        return {}
    used = _redeemed(connection, shop_id, customer_id, [code for _, _, code in issued if code])
    paid = connection.execute(
        select(orders.c.paid_ms, orders.c.order_id)
        .where(
            orders.c.shop_id == shop_id,
            orders.c.customer_id == customer_id,
            orders.c.paid_ms > min(time_ms for _, time_ms, _ in issued),
        )
        .order_by(orders.c.paid_ms, orders.c.order_id)
    ).all()
    found = {}
    for trigger_id, time_ms, code in issued:
        after = next((order for at, order in paid if time_ms < at <= until[trigger_id]), None)
        found[trigger_id] = Response(used.get(code), after)
    return found


def late_refunds(
    connection: Connection, shop_id: str, customers: Sequence[str], unmatched: Collection[str]
) -> LateRefunds:
    """What of the orders ``unmatched`` (hexadecimal hashes) was paid, and is no longer net.

    ``customers``: the customer's id and those under which they came before. An order whose amount is not
    known, or one that was brushed, takes none.
    """
    if not unmatched:
        return LateRefunds()
    held = orders.c
    rows = connection.execute(
        select(held.order_id, held.status, held.amount, held.net_amount).where(
            held.shop_id == shop_id,
            held.customer_id.in_(customers),
            held.paid_ms.is_not(None),
            held.brushed == 0,
        )
    )
    late = [row for row in rows if order_hash(row.order_id).hex() in unmatched]
    return LateRefunds(
        orders=len(late),
        lost_orders=sum(row.status in ("cancelled", "refunded") for row in late),
        amount=sum(row.amount - row.net_amount for row in late if row.net_amount is not None),
    )


def _redeemed(
    connection: Connection, shop_id: str, customer_id: str, codes: list[str]
) -> dict[str, str]:
    rows = connection.execute(
        select(order_coupons.c.code, order_coupons.c.order_id)
        .where(
            order_coupons.c.shop_id == shop_id,
            order_coupons.c.customer_id == customer_id,
            order_coupons.c.code.in_(codes),
        )
        .order_by(order_coupons.c.ordered_ms, order_coupons.c.order_id)
    )
    used: dict[str, str] = {}
    for code, order_id in rows:
        used.setdefault(code, order_id)
    return used
