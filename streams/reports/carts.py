"""What is put into carts and taken out again, and how much of it is bought."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from streams.domain.aggregates.carts import ADDERS
from streams.reports import abandonment, products, visits
from streams.reports.amounts import unknown
from streams.reports.live import Counted, by_time, says, spans_of
from streams.reports.live_parts import Part, by_value
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.sent import CARTS, CLICKS

_LIVE: Final = (
    Figure("adds", "count", "Times that something was added.", "live: shop.carts", additive=True),
    Figure("sets", "count", "Times that a quantity was set.", "live: shop.carts", additive=True),
    Figure(
        "removes", "count", "Times that something was removed.", "live: shop.carts", additive=True
    ),
    Figure("views", "count", "Product views.", "live: shop.clicks", additive=True),
    visits.ADDERS_FIGURE,
)
_BOUGHT: Final = next(one for one in products.FIGURES if one.name == "paid_orders")
FIGURES: Final = (*_LIVE, _BOUGHT, *abandonment.FIGURES)
_SUMS: Final = {"adds": CARTS, "sets": CARTS, "removes": CARTS, "views": CLICKS}


def _values(held: Counted) -> dict[str, Value]:
    sums = {name: held.sum(name, topic) for name, topic in _SUMS.items()}
    return {**sums, ADDERS: held.set(ADDERS, CARTS)}


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    carts = abandonment.Carts(asked)
    if asked.by is None or asked.by in TIME_DIMENSIONS:
        rows = by_time(asked, _LIVE, {ADDERS: [ADDERS]}, _values)
        own = [carts.values(), *(carts.values(days) for days in spans_of(asked))]
        bought = _bought(connection, asked)
    else:
        parts = {name: Part(name) for name in _SUMS}
        parts[ADDERS] = Part(ADDERS, is_set=True, of="adds")
        rows = by_value(asked, _LIVE, asked.by, parts, _values, _whole_only(asked.by))
        why = unknown("carts are counted as a whole and by time")
        split = dict.fromkeys((figure.name for figure in abandonment.FIGURES), why)
        own = [carts.values(), *(split for _ in rows[1:])]
        keys = tuple(row.key for row in rows if row.kind == "part")
        bought = _bought(connection, replace(asked, keys=keys))
    return [
        replace(
            row, values={**row.values, "paid_orders": bought.get(_name(row), _NONE), **of_carts}
        )
        for row, of_carts in zip(rows, own, strict=True)
    ]


_NONE: Final = unknown("asked of the store for the parts that are shown")


def _bought(connection: Connection, asked: Asked) -> dict[tuple[str, str | None], Value]:
    """Paid orders with it, by kind and key of the row."""
    rows: Sequence[Row] = products.REPORT.rows(connection, asked)
    return {_name(row): row.values["paid_orders"] for row in rows}


def _name(row: Row) -> tuple[str, str | None]:
    return row.kind, row.key


def _whole_only(dimension: str) -> Callable[[Mapping[str, int]], Mapping[str, str]]:
    why = (
        {ADDERS: "adders are counted by category and as a whole"} if dimension == "product" else {}
    )
    return lambda _: why


REPORT = Report(
    "carts", "What is put into carts", FIGURES, ("product", "category", "day", "week", "month"), _rows,
    by="product", notes=("Of adders there is no part by product.",),
    says=says, live=True,
)  # fmt: skip
