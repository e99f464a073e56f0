"""Where visitors come from."""

from typing import Final

from sqlalchemy import Connection

from streams.domain.aggregates.clicks import VISITORS
from streams.domain.aggregates.orders import PAYERS
from streams.reports import visits
from streams.reports.live import Counted, says
from streams.reports.live_parts import Part, by_value
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.sent import CLICKS, ORDERS

FIGURES: Final = (
    visits.VISITS,
    visits.VISITORS_FIGURE,
    Figure(
        "payers", "count", "Different customers with a paid order that tells this source.",
        "live: shop.orders",
    ),
)  # fmt: skip


def _values(held: Counted) -> dict[str, Value]:
    return {
        "visits": held.sum("visits", CLICKS),
        "visitors": held.set(VISITORS, CLICKS),
        "payers": held.set(PAYERS, ORDERS),
    }


def _rows(_: Connection, asked: Asked) -> list[Row]:
    parts = {
        "visits": Part("visits"),
        VISITORS: Part(VISITORS, is_set=True, of="visits"),
        PAYERS: Part(PAYERS, is_set=True, of="paid_orders", lacking="paid"),
    }
    return by_value(asked, FIGURES, asked.by or "source", parts, _values)


REPORT = Report(
    "sources", "Where visitors come from", FIGURES, ("source", "channel", "region"), _rows, by="source",
    says=says, live=True,
)  # fmt: skip
