"""From the visit to the payment: how many different customers come how far."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from streams.domain.aggregates.carts import ADDERS
from streams.domain.aggregates.clicks import VIEWERS, VISITORS
from streams.domain.aggregates.orders import PAYERS, PLACERS
from streams.reports import visits
from streams.reports.amounts import share, unknown
from streams.reports.live import Counted, by_time, says
from streams.reports.live_parts import Part, by_value
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.sent import CARTS, CLICKS, ORDERS

#: By its topic, by the sum of the events that make it, and by those of them that tell no part.
_STEPS: Final = {
    VISITORS: (CLICKS, "visits", None),
    VIEWERS: (CLICKS, "views", None),
    ADDERS: (CARTS, "adds", "adds"),
    PLACERS: (ORDERS, "placed_orders", "placed"),
    PAYERS: (ORDERS, "paid_orders", "paid"),
}
FIGURES: Final = (
    visits.VISITORS_FIGURE,
    Figure(
        "viewers", "count", "Different customers with a product or page view.", "live: shop.clicks"
    ),
    visits.ADDERS_FIGURE,
    visits.PLACERS_FIGURE,
    visits.PAYERS_FIGURE,
    Figure("added_share", "share", "Adders for each visitor.", "adders, visitors"),
    Figure("placed_share", "share", "Who placed for each visitor.", "placers, visitors"),
    Figure("paid_share", "share", "Who paid for each visitor.", "payers, visitors"),
)
_SHARES: Final = (("added_share", ADDERS), ("placed_share", PLACERS), ("paid_share", PAYERS))
NOT_PLACED: Final = "no order says when it was placed"
_GROUPS: Final = {name: [name] for name in _STEPS}


def _values(held: Counted) -> dict[str, Value]:
    found: dict[str, Value] = {name: held.set(name, topic) for name, (topic, *_) in _STEPS.items()}
    # Whose order is brushed has paid one all the same.
    paid = held.period.get("paid_orders", 0) + held.period.get("brushed_orders", 0)
    if paid and not held.period.get("placed_orders"):
        found[PLACERS] = unknown(NOT_PLACED)
    visitors = found[VISITORS]
    for figure, step in _SHARES:
        rate = share(found[step], visitors, "no visitor")
        found[figure] = rate._replace(error=found[step].error or visitors.error)
    return found


def _rows(_: Connection, asked: Asked) -> list[Row]:
    if asked.by is None or asked.by in TIME_DIMENSIONS:
        return by_time(asked, FIGURES, _GROUPS, _values)
    ranked_by = "views" if asked.by == "category" else "visits"
    parts: Mapping[str, Part] = {
        ranked_by: Part(ranked_by),
        **{
            name: Part(name, is_set=True, of=of, lacking=lacking)
            for name, (_, of, lacking) in _STEPS.items()
        },
        VISITORS: Part(VISITORS, is_set=True, of=ranked_by),
    }
    dimension = asked.by
    return by_value(
        asked, FIGURES, dimension, parts, _values, lambda sums: _whole_only(dimension, sums)
    )


def _whole_only(dimension: str, sums: Mapping[str, int]) -> dict[str, str]:
    """What events do not tell by ``dimension``."""
    if dimension == "category":
        # Who views something of a category is its visitor.
        found = {VIEWERS: "by category visitors are those who viewed something of it"}
        for status, step in (("placed", PLACERS), ("paid", PAYERS)):
            lacking = sums.get(f"{status}_without_lines", 0)
            if lacking:
                why = f"{lacking:,} orders name no lines in the event that says they were {status}"
                found |= {step: why, f"{status}_share": why}
        return found
    found = {VIEWERS: f"viewers are not counted by {dimension}"}
    if dimension == "region":
        why = "carts tell no region"
        found |= {ADDERS: why, "added_share": why}
    return found


REPORT = Report(
    "funnel", "From the visit to the payment", FIGURES,
    ("day", "week", "month", "category", "source", "channel", "region", "age", "gender"), _rows,
    notes=(
        "Each step counts all who took it in the period, whatever they did before, so a share may exceed 1.",
        "By source, channel and region each step goes by what its own event tells; carts tell no region.",
        "By category an order goes by the lines that its event carries.",
        "By age and gender each step goes by what the customer had said when its event was folded.",
    ),
    says=says, live=True,
)  # fmt: skip
