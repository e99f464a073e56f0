"""All that the store knows of one order: its row and lines, its history, and what happened around it."""

from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from streams.query.products import product_names
from streams.query.tables import (
    decisions,
    order_coupons,
    order_events,
    order_lines,
    orders,
    refunds,
    review_events,
    reviews,
    triggers,
)
from streams.query.verdicts import ON_ORDERS

_KEY: Final = ("shop_id", "customer_id", "order_id")
DAY_MS: Final = 86_400_000
#: Triggers and refusals of its customer count as around an order from a week before its first event ...
BEFORE_MS: Final = 7 * DAY_MS
#: ... until a month after its last.
AFTER_MS: Final = 30 * DAY_MS
#: The newest of them that are shown.
TRIGGERS: Final = 50

#: Orders of one id that are shown: two customers may use one, and so may all of a shop.
ORDERS: Final = 20
#: The newest events, refunds and reviews of an order that are shown.
NEWEST: Final = 500

Row = dict[str, Any]


class Pages(NamedTuple):
    """The pages of the orders of one id, at most ORDERS. ``more``: there are others."""

    pages: list[Row]
    more: bool


def pages(connection: Connection, order_id: str, shop: str | None = None) -> Pages:
    """The page of every order of this id: one a customer and shop, by these.

    A page has ``order`` (its row), ``lines``, ``coupons``, ``refunds``, ``verdict`` (None: it was never held
    to be brushed), ``history`` (oldest first, each with its ``data`` read), ``reviews`` (each with its own
    ``history``), and ``triggers`` and ``refusals`` of its customer around it; lines and reviews have the
    product's ``name``, None where it has none. Of refunds, history and reviews it has the newest NEWEST;
    ``left_out`` says how many there are beside them.
    """
    held = orders.c
    statement = select(orders).where(held.order_id == order_id)
    if shop is not None:
        statement = statement.where(held.shop_id == shop)
    statement = statement.order_by(held.shop_id, held.customer_id).limit(ORDERS + 1)
    found = [dict(row) for row in connection.execute(statement).mappings()]
    return Pages([_page(connection, row) for row in found[:ORDERS]], len(found) > ORDERS)


def _page(connection: Connection, order: Row) -> Row:
    events, parts = order_events.c, refunds.c
    history = _newest(
        connection, order_events, order, events.time_ms, events.status, events.refund_id
    )
    of_refunds = _newest(
        connection, refunds, order,
        func.coalesce(parts.requested_ms, parts.refunded_ms, parts.withdrawn_ms), parts.refund_id,
    )  # fmt: skip
    of_reviews = _newest(
        connection, reviews, order,
        func.coalesce(reviews.c.posted_ms, reviews.c.appended_ms, 0), reviews.c.sku,
    )  # fmt: skip
    lines = _of(connection, order_lines, order, order_lines.c.line)
    for line in lines:
        line["attributes"] = msgspec.json.decode(line["attributes"])
        del line["ordered_ms"]
    skus = [row["sku"] for row in (*lines, *of_reviews)]
    names = product_names(connection, order["shop_id"], skus)
    first = connection.execute(select(func.min(events.time_ms)).where(_is_of(order_events, order)))
    around = (first.scalar_one() - BEFORE_MS, order["changed_ms"] + AFTER_MS)
    return {
        "order": order,
        "lines": [{**line, "name": names.get(line["sku"])} for line in lines],
        "coupons": [
            row["code"] for row in _of(connection, order_coupons, order, order_coupons.c.code)
        ],
        "refunds": of_refunds,
        "verdict": _verdict(connection, order),
        "history": [_read(event) for event in history],
        "reviews": [
            {
                **review,
                "name": names.get(review["sku"]),
                "history": _review_history(connection, order, review["sku"]),
            }
            for review in of_reviews
        ],
        "triggers": _around(connection, triggers, order, *around),
        "refusals": _around(connection, decisions, order, *around),
        "left_out": {
            name: _count(connection, table, order) - NEWEST if len(shown) == NEWEST else 0
            for name, table, shown in (
                ("refunds", refunds, of_refunds),
                ("history", order_events, history),
                ("reviews", reviews, of_reviews),
            )
        },
    }


def _verdict(connection: Connection, order: Row) -> Row | None:
    """The one that holds, with its reasons; None: the order never was judged to be brushed."""
    key = (order["shop_id"], order["customer_id"], order["order_id"])
    row = ON_ORDERS.holding(connection, [key]).get(key)
    if row is None:
        return None
    return {
        "brushed": bool(row["brushed"]), "points": row["points"], "time_ms": row["time_ms"],
        "reasons": msgspec.json.decode(row["reasons"]), "sku": order["judged_sku"],
        "customer_id": row["customer_id"], "number": row["number"],
    }  # fmt: skip


def _review_history(connection: Connection, order: Row, sku: str) -> list[Row]:
    held = review_events.c
    of_review = _of(
        connection, review_events, order, held.time_ms, held.action, where=held.sku == sku
    )
    return [_read(event) for event in of_review]


def _newest(connection: Connection, table: Table, order: Row, *by: ColumnElement[Any]) -> list[Row]:
    """The last NEWEST by ``by``, in its order."""
    return _of(connection, table, order, *(each.desc() for each in by), most=NEWEST)[::-1]


def _of(
    connection: Connection,
    table: Table,
    order: Row,
    *by: ColumnElement[Any],
    where: ColumnElement[bool] | None = None,
    most: int | None = None,
) -> list[Row]:
    statement = select(table).where(_is_of(table, order)).order_by(*by).limit(most)
    if where is not None:
        statement = statement.where(where)
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    for row in rows:
        for name in _KEY:
            del row[name]
    return rows


def _count(connection: Connection, table: Table, order: Row) -> int:
    counted = select(func.count()).select_from(table).where(_is_of(table, order))
    return connection.execute(counted).scalar_one()


def _is_of(table: Table, order: Row) -> ColumnElement[bool]:
    return and_(*(table.c[name] == order[name] for name in _KEY))


def _read(row: Row) -> Row:
    return {**row, "data": msgspec.json.decode(row["data"])}


def _around(
    connection: Connection, table: Table, order: Row, since_ms: int, until_ms: int
) -> list[Row]:
    """The newest rows of the order's customer in that time, the oldest of them first."""
    held = table.c
    statement = (
        select(table)
        .where(held.shop_id == order["shop_id"], held.customer_id == order["customer_id"])
        .where(held.time_ms.between(since_ms, until_ms))
        .order_by(held.time_ms.desc(), *(column.desc() for column in table.primary_key))
        .limit(TRIGGERS)
    )
    rows = [_read(dict(row)) for row in connection.execute(statement).mappings()]
    return rows[::-1]
