"""All that the store knows of one order: its row and lines, its history, and what happened around it."""

from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, select

from streams.query.tables import (
    order_coupons,
    order_events,
    order_lines,
    orders,
    refunds,
    review_events,
    reviews,
    triggers,
)

DAY_MS: Final = 86_400_000
#: Triggers of its customer count as around an order from a week before its first event ...
BEFORE_MS: Final = 7 * DAY_MS
#: ... until a month after its last.
AFTER_MS: Final = 30 * DAY_MS
#: The newest of them that are shown.
TRIGGERS: Final = 50

Row = dict[str, Any]


def pages(connection: Connection, order_id: str, shop: str | None = None) -> list[Row]:
    """The page of every order of this id: one a customer and shop, by these. Empty: there is none.

    A page has ``order`` (its row), ``lines``, ``coupons``, ``refunds``, ``history`` (oldest first, each with
    its ``data`` read), ``reviews`` (each with its own ``history``) and ``triggers``.
    """
    held = orders.c
    statement = select(orders).where(held.order_id == order_id)
    if shop is not None:
        statement = statement.where(held.shop_id == shop)
    found = connection.execute(statement.order_by(held.shop_id, held.customer_id)).mappings()
    return [_page(connection, dict(row)) for row in found]


def _page(connection: Connection, order: Row) -> Row:
    history = _of(connection, order_events, order, order_events.c.time_ms, order_events.c.status)
    of_reviews = _of(
        connection, review_events, order, review_events.c.time_ms, review_events.c.action
    )
    first = min([event["time_ms"] for event in history], default=order["ordered_ms"])
    lines = _of(connection, order_lines, order, order_lines.c.line)
    for line in lines:
        line["attributes"] = msgspec.json.decode(line["attributes"])
        del line["ordered_ms"]
    return {
        "order": order,
        "lines": lines,
        "coupons": [
            row["code"] for row in _of(connection, order_coupons, order, order_coupons.c.code)
        ],
        "refunds": _of(connection, refunds, order, refunds.c.refund_id),
        "history": [_read(event) for event in history],
        "reviews": [
            {
                **review,
                "history": [_read(e) for e in of_reviews if e["sku"] == review["sku"]],
            }
            for review in _of(connection, reviews, order, reviews.c.sku)
        ],
        "triggers": _around(connection, order, first - BEFORE_MS, order["changed_ms"] + AFTER_MS),
    }


def _of(connection: Connection, table: Table, order: Row, *by: ColumnElement[Any]) -> list[Row]:
    names = ("shop_id", "customer_id", "order_id")
    statement = select(table).where(*(table.c[name] == order[name] for name in names)).order_by(*by)
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    for row in rows:
        for name in names:
            del row[name]
    return rows


def _read(row: Row) -> Row:
    return {**row, "data": msgspec.json.decode(row["data"])}


def _around(connection: Connection, order: Row, since_ms: int, until_ms: int) -> list[Row]:
    held = triggers.c
    statement = (
        select(triggers)
        .where(held.shop_id == order["shop_id"], held.customer_id == order["customer_id"])
        .where(held.time_ms.between(since_ms, until_ms))
        .order_by(held.time_ms.desc(), held.trigger_id.desc())
        .limit(TRIGGERS)
    )
    rows = [_read(dict(row)) for row in connection.execute(statement).mappings()]
    return rows[::-1]
