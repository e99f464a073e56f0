"""Customers by the month of their first paid order: who came back in the months after."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, FromClause, Subquery, and_, func, select

from streams.reports.amounts import count, unknown, withheld
from streams.reports.honest import orders
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import Bucket, Period
from streams.reports.sums import in_period, place, raws

#: Months after the first that are shown.
MONTHS: Final = 12
_FIRST = "the least orders.paid_ms of a customer; orders cancelled or refunded later count, too"
CUSTOMERS = Figure(
    "customers",
    "count",
    "Customers whose first paid order was in this month.",
    _FIRST,
    additive=True,
)
FIGURES = (
    CUSTOMERS,
    *(
        Figure(
            f"month_{number}", "count",
            f"Those of them who paid an order in calendar month {number} after that.", "orders.paid_ms",
        )
        for number in range(1, MONTHS + 1)
    ),
)  # fmt: skip


def firsts_of(asked: Asked) -> Subquery:
    """Each customer's first paid order, where it lies in the period."""
    held = orders.c
    first = func.min(held.paid_ms)
    return (
        select(held.customer_id, first.label("first_ms"))
        .where(held.shop_id == asked.shop, held.paid_ms < asked.period.until_ms)
        .group_by(held.customer_id)
        .having(in_period(first, asked))
        .subquery("firsts")
    )


def with_orders(firsts: Subquery, asked: Asked) -> FromClause:
    """``firsts_of`` beside what these customers paid in the period."""
    held = orders.c
    return firsts.join(
        orders,
        and_(
            held.shop_id == asked.shop,
            held.customer_id == firsts.c.customer_id,
            in_period(held.paid_ms, asked),
        ),
    )


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    months = asked.period.buckets("month")
    firsts, held = firsts_of(asked), orders.c
    began, bought = place(firsts.c.first_ms, months), place(held.paid_ms, months)
    each = (
        select(firsts.c.customer_id, began.label("began"), bought.label("bought"))
        .select_from(with_orders(firsts, asked))
        .distinct()
        .subquery("each")
        .c
    )
    counts = raws(
        connection,
        select(each.began, each.bought, func.count().label("customers")).group_by(
            each.began, each.bought
        ),
    )
    by_month = {(int(raw["began"]), int(raw["bought"])): int(raw["customers"]) for raw in counts}
    parts = [_months_of(number, months, by_month, asked.period) for number in range(len(months))]
    whole = {
        "customers": count(sum(int(part["customers"].number or 0) for part in parts)),
        **{
            f"month_{number}": unknown("each cohort has its own months: --by month")
            for number in range(1, MONTHS + 1)
        },
    }
    return cohort_rows(asked, months, whole, parts)


def _months_of(
    began: int, months: list[Bucket], by_month: dict[tuple[int, int], int], period: Period
) -> dict[str, Value]:
    found = {"customers": count(by_month.get((began, began), 0))}
    whole_last = (period.last.month, period.last.year) != _month_after(period)
    for number in range(1, MONTHS + 1):
        at = began + number
        if at >= len(months) or (at == len(months) - 1 and not whole_last):
            value = unknown(f"{period.last} is before the end of that month")
        else:
            value = count(by_month.get((began, at), 0))
        found[f"month_{number}"] = value
    return found


def _month_after(period: Period) -> tuple[int, int]:
    """The month of the day after the period."""
    after = period.last + timedelta(days=1)
    return after.month, after.year


def cohort_rows(
    asked: Asked,
    months: list[Bucket],
    whole: dict[str, Value],
    parts: list[dict[str, Value]],
) -> list[Row]:
    """The whole and a part a month; all unknown where a first order may be one that the store lacks."""
    rows = [Row("whole", whole)]
    if asked.by == "month":
        rows += [Row("part", part, one.name) for one, part in zip(months, parts, strict=True)]
    why = asked.whole_life()
    if why is None:
        return rows
    return [Row(row.kind, withheld(row.values, (), why), row.key) for row in rows]


REPORT = Report(
    "cohorts", "Customers by the month of their first order", FIGURES, ("month",), _rows, by="month",
    notes=("Cohorts that began in the period; what they did is counted until its last day.",),
)  # fmt: skip
