"""Live streams: who enters which."""

from typing import Final

from sqlalchemy import Connection

from streams.domain.aggregates.clicks import LIVE_VISITORS
from streams.reports.live import Counted, says
from streams.reports.live_parts import Part, by_value
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.sent import CLICKS

FIGURES: Final = (
    Figure(
        "live_entries", "count", "Entries into live streams.", "live: shop.clicks", additive=True
    ),
    Figure("live_visitors", "count", "Different customers who entered.", "live: shop.clicks"),
)


def _values(held: Counted) -> dict[str, Value]:
    return {
        "live_entries": held.sum("live_entries", CLICKS),
        "live_visitors": held.set(LIVE_VISITORS, CLICKS),
    }


def _rows(_: Connection, asked: Asked) -> list[Row]:
    parts = {
        "live_entries": Part("live_entries"),
        LIVE_VISITORS: Part(LIVE_VISITORS, is_set=True, of="live_entries"),
    }
    return by_value(asked, FIGURES, "live", parts, _values)


REPORT = Report(
    "live", "Live streams", FIGURES, ("live",), _rows, by="live",
    notes=("Entries that tell no live_id are in the whole only.",), says=says, live=True,
)  # fmt: skip
