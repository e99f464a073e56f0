"""How long customers stay away between two paid orders."""

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, func, select

from streams.reports.amounts import count, rows_of, withheld
from streams.reports.honest import orders
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import DAY_MS
from streams.reports.quantiles import add_quantiles, quantiles_of
from streams.reports.sums import Facts, Parts, Raw, add_up, counted

_PAID = "orders.paid_ms"
FIGURES = (
    Figure(
        "intervals", "count",
        "Paid orders of the period whose customer had paid another one before: the time between the two.",
        _PAID, additive=True,
    ),
    Figure("interval_median", "ms", "Median of these times.", _PAID),
    Figure("interval_p90", "ms", "90th percentile (nearest rank) of these times.", _PAID),
)  # fmt: skip
#: Whole days up to which an interval is in a class, and its name.
_CLASSES: Final = (
    (0, "under 1 day"), (6, "1-6 days"), (29, "7-29 days"), (59, "30-59 days"), (89, "60-89 days"),
    (179, "90-179 days"), (364, "180-364 days"), (None, "365 days and more"),
)  # fmt: skip


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    held = orders.c
    before = func.lag(held.paid_ms).over(
        partition_by=held.customer_id, order_by=(held.paid_ms, held.order_id)
    )
    every = (
        select(held.paid_ms, (held.paid_ms - before).label("lasted"))
        .where(held.shop_id == asked.shop, held.paid_ms < asked.period.until_ms)
        .subquery("bought")
    )
    lasted = every.c.lasted
    facts = Facts(every, every.c.paid_ms, [lasted.is_not(None)])
    number = _class_of(lasted)
    by_class = asked.by == "length"
    columns = [func.count().label("intervals")]
    key = number if by_class else None
    found = add_up(connection, _all_classes(asked), facts, columns, key, key)
    names: list[Any] = [name for name, _ in found.parts]
    whole, by_part, _ = add_quantiles(connection, asked, facts, "interval", lasted, names, key)
    parts: list[tuple[str | None, Raw]] = [
        (name, {**raw, **by_part.get(name, {})}) for name, raw in found.parts
    ]
    if by_class:
        numbered = {int(name or 0): raw for name, raw in parts}
        parts = [(name, numbered.get(at, {})) for at, (_, name) in enumerate(_CLASSES)]

    def values(raw: Raw) -> dict[str, Value]:
        return {
            "intervals": count(counted(raw, "intervals")),
            **quantiles_of(raw, "interval"),
        }

    rows = rows_of(asked, Parts({**found.whole, **whole}, parts), FIGURES, values)
    # The order before may be one that the store does not have.
    why = asked.whole_life()
    if why is None:
        return rows
    return [Row(row.kind, withheld(row.values, FIGURES, why), row.key) for row in rows]


def _class_of(lasted: ColumnElement[int]) -> ColumnElement[int]:
    whens = [
        (lasted < (days + 1) * DAY_MS, at)
        for at, (days, _) in enumerate(_CLASSES)
        if days is not None
    ]
    return case(*whens, else_=len(_CLASSES) - 1)


def _all_classes(asked: Asked) -> Asked:
    return replace(asked, keys=None, limit=len(_CLASSES))


REPORT = Report(
    "intervals",
    "Time between two orders",
    FIGURES,
    ("length", "day", "week", "month"),
    _rows,
    by="length",
)
