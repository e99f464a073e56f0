"""What customers search for."""

from typing import Final

from sqlalchemy import Connection

from streams.reports.live import Counted, says
from streams.reports.live_parts import Part, by_value
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.sent import CLICKS

FIGURES: Final = (
    Figure("searches", "count", "Searches in the shop.", "live: shop.clicks", additive=True),
)


def _values(held: Counted) -> dict[str, Value]:
    return {"searches": held.sum("searches", CLICKS)}


def _rows(_: Connection, asked: Asked) -> list[Row]:
    return by_value(asked, FIGURES, "keyword", {"searches": Part("searches")}, _values)


REPORT = Report(
    "keywords", "What customers search for", FIGURES, ("keyword",), _rows, by="keyword",
    notes=("Keywords stand as they were typed.",), says=says, live=True,
)  # fmt: skip
