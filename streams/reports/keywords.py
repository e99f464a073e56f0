"""What customers search for."""

from typing import Final

from sqlalchemy import Connection

from streams.reports.live import Counted, Part, by_value, says
from streams.reports.model import Asked, Figure, Report, Row, Value

FIGURES: Final = (
    Figure("searches", "count", "Searches in the shop.", "live: shop.clicks", additive=True),
)


def _values(held: Counted) -> dict[str, Value]:
    return {"searches": held.sum("searches")}


def _rows(_: Connection, asked: Asked) -> list[Row]:
    return by_value(asked, FIGURES, "keyword", {"searches": Part("searches")}, _values)


REPORT = Report(
    "keywords", "What customers search for", FIGURES, ("keyword",), _rows, by="keyword",
    notes=("Keywords stand as they were typed.",), says=says, live=True,
)  # fmt: skip
