"""Paid orders by the date on which they were paid: the figures that several reports share."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, func

from streams.reports.amounts import average, codes, count, money_columns, money_of, rows_of
from streams.reports.honest import orders
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.sums import Columns, Facts, Raw, add_up, counted

_PAID = "orders.paid_ms: the earliest `paid` of the order"
PAID_ORDERS = Figure(
    "paid_orders", "count",
    "Orders that were paid in the period; those cancelled or refunded later count, too, brushed ones not.",
    _PAID,
    additive=True,
)  # fmt: skip
BUYERS = Figure("buyers", "count", "Different customers who paid an order in the period.", _PAID)
GROSS = Figure(
    "paid_amount", "money", "Gross: what was paid with these orders, before any refund.",
    "orders.amount: of `paid`, else of `placed`", additive=True,
)  # fmt: skip
NET = Figure(
    "net_amount", "money",
    "What is left of it now: less completed refunds, whenever they were; nothing of a cancelled order.",
    "orders.net_amount", additive=True,
)  # fmt: skip
PER_BUYER = Figure(
    "per_buyer", "money_average", "客单价: gross paid amount / buyers.", "paid_amount, buyers"
)
ORDER_VALUE = Figure(
    "order_value", "money_average", "笔单价, AOV: gross paid amount / paid orders.",
    "paid_amount, paid_orders",
)  # fmt: skip
FIGURES = (PAID_ORDERS, BUYERS, GROSS, NET, PER_BUYER, ORDER_VALUE)


def facts(asked: Asked) -> Facts:
    """The shop's paid orders."""
    return Facts(orders, orders.c.paid_ms, [orders.c.shop_id == asked.shop])


def columns(asked: Asked) -> Columns:
    """What ``values`` reads."""
    held = orders.c
    return [
        func.count(held.paid_ms).label("orders"),
        func.count(func.distinct(held.customer_id)).label("buyers"),
        func.count(held.amount).label("told"),
        *money_columns("gross", held.amount, held.paid_ms, asked),
        *money_columns("net", held.net_amount, held.paid_ms, asked),
    ]


def values(raw: Raw, asked: Asked) -> dict[str, Value]:
    """The figures of ``FIGURES``."""
    paid, buyers = counted(raw, "orders"), counted(raw, "buyers")
    lacking = paid - counted(raw, "told")
    gross = money_of(raw, "gross", asked, lacking=lacking, of=paid)
    return {
        "paid_orders": count(paid),
        "buyers": count(buyers),
        "paid_amount": gross,
        "net_amount": money_of(raw, "net", asked, lacking=lacking, of=paid),
        "per_buyer": average(gross, buyers, "buyer"),
        "order_value": average(gross, paid, "paid order"),
    }


def rows_by(
    connection: Connection, asked: Asked, of: Facts, key: ColumnElement[Any] | None
) -> list[Row]:
    """``FIGURES`` of the paid orders ``of``, each once, by ``key``, the largest amounts first."""
    # Amounts of several currencies do not compare.
    one = len(codes(asked)) == 1
    rank = func.coalesce(func.sum(orders.c.amount), 0) if one else func.count()
    found = add_up(connection, asked, of, columns(asked), key, rank)
    return rows_of(asked, found, FIGURES, lambda raw: values(raw, asked))


def by_column(name: str, title: str, dimension: str, column: ColumnElement[Any]) -> Report:
    """A report of the paid orders by what they have in one of their columns, the largest amounts first."""

    def rows(connection: Connection, asked: Asked) -> list[Row]:
        return rows_by(connection, asked, facts(asked), column)

    return Report(name, title, FIGURES, (dimension, "day", "week", "month"), rows, by=dimension)
