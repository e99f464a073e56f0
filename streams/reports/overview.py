"""The first look: what was paid and placed, and by how many."""

from sqlalchemy import Connection, func

from streams.query.tables import orders
from streams.reports import paid
from streams.reports.amounts import count, rows_of, unknown
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.sums import Facts, Parts, Raw, add_up, counted

_PLACED = "orders.placed_ms: the earliest `placed` of the order"
_NO_CLICKS = "clicks are not in the query store"
_FROM_CLICKS = "not in the query store"
FIGURES = (
    *paid.FIGURES,
    Figure(
        "placed_orders", "count",
        "Orders that were placed in the period; not known where an order paid in it does not say when it was "
        "placed.", _PLACED, additive=True,
    ),
    Figure(
        "unpaid_orders", "count",
        "催付: orders that were placed in the period and are neither paid nor cancelled by now.",
        "orders.placed_ms, paid_ms, cancelled_ms", additive=True,
    ),
    Figure("visitors", "count", "Different visitors with a view in the period.", _FROM_CLICKS),
    Figure("views", "count", "Product and page views in the period.", _FROM_CLICKS),
    Figure("conversion", "share", "支付转化率: paying visitors / visitors.", _FROM_CLICKS),
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
            "unpaid_orders": count(counted(raw, "unpaid")),
            **dict.fromkeys(("visitors", "views", "conversion"), unknown(_NO_CLICKS)),
        }

    return rows_of(asked, both, FIGURES, values)


def _placed(raw: Raw) -> Value:
    """A source that tells payments only has placed orders, too: nobody knows when."""
    placed, lacking = counted(raw, "placed"), counted(raw, "unplaced")
    if not lacking:
        return count(placed)
    of = counted(raw, "orders")
    return Value(
        None, f"{lacking:,} of {of:,} paid orders do not say when they were placed", placed
    )


REPORT = Report("overview", "Paid and placed orders", FIGURES, TIME_DIMENSIONS, _rows)
