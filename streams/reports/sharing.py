"""What customers share, and who comes by it."""

from typing import Final

from sqlalchemy import Connection

from streams.domain.aggregates.clicks import SHARED_VISITORS
from streams.reports.live import Counted, by_time, says
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS

FIGURES: Final = (
    Figure("shares", "count", "Times that something was shared.", "live: shop.clicks", additive=True),
    Figure(
        "shared_visits", "count", "Visits by what somebody else had shared (shared_by).",
        "live: shop.clicks", additive=True,
    ),
    Figure("shared_visitors", "count", "Different customers who came so.", "live: shop.clicks"),
)  # fmt: skip


def _values(held: Counted) -> dict[str, Value]:
    return {
        "shares": held.sum("shares"),
        "shared_visits": held.sum("shared_visits"),
        "shared_visitors": held.set(SHARED_VISITORS),
    }


def _rows(_: Connection, asked: Asked) -> list[Row]:
    return by_time(asked, FIGURES, {SHARED_VISITORS: [SHARED_VISITORS]}, _values)


REPORT = Report(
    "sharing",
    "What is shared, and who comes by it",
    FIGURES,
    TIME_DIMENSIONS,
    _rows,
    says=says,
    live=True,
)
