"""What customers were worth since their first paid order, by its month."""

from typing import Any

from sqlalchemy import Connection, func, select

from streams.reports.amounts import average, count, money_columns, money_of
from streams.reports.cohorts import CUSTOMERS, cohort_rows, firsts_of, with_orders
from streams.reports.honest import orders
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.sums import Raw, counted, place, raws

FIGURES = (
    CUSTOMERS,
    Figure(
        "paid_orders", "count", "Their paid orders until the period's end.", "orders.paid_ms", additive=True
    ),
    Figure(
        "paid_amount", "money", "Gross: what they paid until the period's end.", "orders.amount",
        additive=True,
    ),
    Figure(
        "net_amount", "money",
        "What is left of it now: less completed refunds; nothing of cancelled orders.", "orders.net_amount",
        additive=True,
    ),
    Figure(
        "value_per_customer", "money_average", "Lifetime value: net amount / customers.",
        "net_amount, customers",
    ),
)  # fmt: skip


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    months = asked.period.buckets("month")
    firsts, held = firsts_of(asked), orders.c
    columns: list[Any] = [
        func.count(func.distinct(firsts.c.customer_id)).label("customers"),
        func.count(held.paid_ms).label("orders"),
        func.count(held.amount).label("told"),
        *money_columns("gross", held.amount, held.paid_ms, asked),
        *money_columns("net", held.net_amount, held.paid_ms, asked),
    ]
    every = select(*columns).select_from(with_orders(firsts, asked))
    began = place(firsts.c.first_ms, months)
    found = raws(connection, every.add_columns(began.label("key")).group_by(began))
    by_month = {int(raw["key"]): raw for raw in found}
    (whole,) = raws(connection, every)
    parts = [_values(by_month.get(number, {}), asked) for number in range(len(months))]
    return cohort_rows(asked, months, _values(whole, asked), parts)


def _values(raw: Raw, asked: Asked) -> dict[str, Value]:
    customers, number = counted(raw, "customers"), counted(raw, "orders")
    lacking = number - counted(raw, "told")
    net = money_of(raw, "net", asked, lacking=lacking, of=number)
    return {
        "customers": count(customers),
        "paid_orders": count(number),
        "paid_amount": money_of(raw, "gross", asked, lacking=lacking, of=number),
        "net_amount": net,
        "value_per_customer": average(net, customers, "customer"),
    }


REPORT = Report(
    "value", "Lifetime value by the month of the first order", FIGURES, ("month",), _rows, by="month",
    notes=("Cohorts that began in the period; what they paid is counted until its last day.",),
)  # fmt: skip
