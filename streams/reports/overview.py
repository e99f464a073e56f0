"""The first look: who visited, what was paid and placed, and by how many."""

from dataclasses import replace

from sqlalchemy import Connection, func

from streams.reports import paid, visits
from streams.reports.amounts import count, rows_of
from streams.reports.honest import orders
from streams.reports.live import by_time, says
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.sums import Facts, Parts, Raw, add_up, counted

_PLACED = "orders.placed_ms: the earliest `placed` of the order"
FIGURES = (
    *paid.FIGURES,
    Figure(
        "placed_orders", "count",
        "Orders that were placed in the period; not known where an order paid in it does not say when it was "
        "placed.", _PLACED, additive=True,
    ),
    Figure(
        "unpaid_orders", "count",
        "催付: orders that were placed in the period and are neither paid nor cancelled by now; at least "
        "so many where some orders are told by their payment alone.",
        "orders.placed_ms, paid_ms, cancelled_ms", additive=True,
    ),
    *visits.FIGURES,
)  # fmt: skip


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    held = orders.c
    unplaced = func.count(held.paid_ms).filter(held.placed_ms.is_(None)).label("unplaced")
    bought = add_up(connection, asked, paid.facts(asked), [*paid.columns(asked), unplaced])
    # The order's time is that of placing where that is known, and the index has it.
    facts = Facts(
        orders, held.ordered_ms, [held.shop_id == asked.shop, held.placed_ms.is_not(None)]
    )
    waiting = held.paid_ms.is_(None) & held.cancelled_ms.is_(None)
    columns = [
        func.count(held.placed_ms).label("placed"),
        func.count(held.placed_ms).filter(waiting).label("unpaid"),
    ]
    ordered = add_up(connection, asked, facts, columns)
    both = Parts(
        {**bought.whole, **ordered.whole},
        [
            (name, {**one, **other})
            for (name, one), (_, other) in zip(bought.parts, ordered.parts, strict=True)
        ],
    )

    def values(raw: Raw) -> dict[str, Value]:
        return {
            **paid.values(raw, asked),
            "placed_orders": _placed(raw),
            "unpaid_orders": _unpaid(raw),
        }

    stored = rows_of(asked, both, FIGURES, values)
    live = by_time(asked, visits.FIGURES, visits.GROUPS, visits.values)
    return [
        replace(row, values={**row.values, **beside.values})
        for row, beside in zip(stored, live, strict=True)
    ]


def _placed(raw: Raw) -> Value:
    """A source that tells payments only has placed orders, too: nobody knows when."""
    placed, lacking = counted(raw, "placed"), counted(raw, "unplaced")
    if not lacking:
        return count(placed)
    of = counted(raw, "orders")
    return Value(
        None, f"{lacking:,} of {of:,} paid orders do not say when they were placed", placed
    )


def _unpaid(raw: Raw) -> Value:
    """Who tells of payments alone tells of no order that waits for its payment."""
    unpaid, lacking = counted(raw, "unpaid"), counted(raw, "unplaced")
    if not lacking:
        return count(unpaid)
    if not counted(raw, "placed"):
        return Value(None, "no order says when it was placed")
    return Value(
        None,
        f"{lacking:,} paid orders do not say when they were placed, so others may wait",
        unpaid,
    )


REPORT = Report(
    "overview", "Visitors and orders", FIGURES, TIME_DIMENSIONS, _rows, says=says, live=True
)
