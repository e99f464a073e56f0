"""What is put into carts and taken out again."""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Connection

from streams.domain.aggregates.carts import ADDERS
from streams.reports import visits
from streams.reports.amounts import unknown
from streams.reports.live import NO_CLICKS, Counted, Part, by_time, by_value, says
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS

FIGURES: Final = (
    Figure("adds", "count", "Times that something was added.", "live: shop.carts", additive=True),
    Figure("sets", "count", "Times that a quantity was set.", "live: shop.carts", additive=True),
    Figure(
        "removes", "count", "Times that something was removed.", "live: shop.carts", additive=True
    ),
    Figure("views", "count", "Product views.", "live: shop.clicks", additive=True),
    visits.ADDERS_FIGURE,
)
_SUMS: Final = ("adds", "sets", "removes", "views")


def _values(held: Counted) -> dict[str, Value]:
    found = {**{name: held.sum(name) for name in _SUMS}, ADDERS: held.set(ADDERS)}
    if not held.has_clicks:
        found["views"] = unknown(NO_CLICKS)
    return found


def _rows(_: Connection, asked: Asked) -> list[Row]:
    if asked.by is None or asked.by in TIME_DIMENSIONS:
        return by_time(asked, FIGURES, {ADDERS: [ADDERS]}, _values)
    parts = {name: Part(name) for name in _SUMS} | {ADDERS: Part(ADDERS, is_set=True)}
    return by_value(asked, FIGURES, asked.by, parts, _values, _whole_only(asked.by))


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
