"""What the query store knows of one customer that the live state does not: for a page about them."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, and_, bindparam, column, func, inspect, select, table

from streams.query.known import Response
from streams.query.tables import order_coupons, orders, triggers

#: Of a catalogue's table, where this store has one.
_PRODUCTS: Final = "products"
_COLUMNS: Final = frozenset(("shop_id", "sku", "name"))
#: Names asked for at once; far below what a statement's parameters may be.
_AT_ONCE: Final = 500


def product_names(connection: Connection, shop_id: str, skus: Iterable[str]) -> dict[str, str]:
    """Names by sku, of those that have one; empty where the store has no catalogue of products."""
    inspected = inspect(connection)
    if not inspected.has_table(_PRODUCTS):
        return {}
    if not {found["name"] for found in inspected.get_columns(_PRODUCTS)} >= _COLUMNS:
        return {}
    products = table(_PRODUCTS, *(column(name) for name in sorted(_COLUMNS)))
    wanted = sorted(set(skus))
    names: dict[str, str] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        found = connection.execute(
            select(products.c.sku, products.c.name).where(
                products.c.shop_id == shop_id,
                products.c.sku.in_(bindparam("skus", expanding=True)),
                products.c.name.is_not(None),
            ),
            {"skus": wanted[start : start + _AT_ONCE]},
        )
        names |= {sku: name for sku, name in found if name}
    return names


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
