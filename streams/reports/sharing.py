"""What customers share, and who comes by it."""

from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from streams.domain.aggregates.clicks import SHARED_VISITORS
from streams.domain.aggregates.names import part
from streams.reports import brought
from streams.reports.amounts import unknown
from streams.reports.live import Counted, by_time, says
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.sent import CLICKS

FIGURES: Final = (
    Figure("shares", "count", "Times that something was shared.", "live: shop.clicks", additive=True),
    Figure(
        "shared_visits", "count", "Visits by what somebody else had shared (shared_by).",
        "live: shop.clicks", additive=True,
    ),
    Figure("shared_visitors", "count", "Different customers who came so.", "live: shop.clicks"),
)  # fmt: skip


#: Of shops that tell by what a visitor came, but not by whom.
NOBODY_TOLD: Final = "there are visits by what was shared, and none tells by whom (shared_by)"


def _values(held: Counted) -> dict[str, Value]:
    found = {
        "shares": held.sum("shares", CLICKS),
        "shared_visits": held.sum("shared_visits", CLICKS),
        "shared_visitors": held.set(SHARED_VISITORS, CLICKS),
    }
    if not held.sums.get("shared_visits") and held.sums.get(part("visits", "source", "share")):
        found |= dict.fromkeys(("shared_visits", "shared_visitors"), unknown(NOBODY_TOLD))
    return found


def _rows(_: Connection, asked: Asked) -> list[Row]:
    live = by_time(asked, FIGURES, {SHARED_VISITORS: [SHARED_VISITORS]}, _values)
    if asked.by != "customer":
        nothing = {figure.name: unknown(_BY_CUSTOMER) for figure in brought.FIGURES}
        return [replace(row, values={**row.values, **nothing}) for row in live]
    whole, *parts = brought.rows(asked)
    nothing = {figure.name: unknown(_AS_A_WHOLE) for figure in FIGURES}
    return [
        replace(whole, values={**live[0].values, **whole.values}),
        *(replace(row, values={**nothing, **row.values}) for row in parts),
    ]


_BY_CUSTOMER: Final = "told with --by customer, which walks over all customers"
_AS_A_WHOLE: Final = "counted without names, so not by customer"
_NOTE: Final = (
    "By customer: who brought whom, from the customers' states as they are now; whom an erased customer "
    "brought is brought by nobody known (key null)."
)
REPORT = Report(
    "sharing",
    "What is shared, and who comes by it",
    (*FIGURES, *brought.FIGURES),
    (*TIME_DIMENSIONS, "customer"),
    _rows,
    notes=(_NOTE,),
    says=says,
    live=True,
    walks=("customer",),
)
