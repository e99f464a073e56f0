"""From the visit to the payment: how many different customers come how far."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from streams.domain.aggregates.carts import ADDERS
from streams.domain.aggregates.clicks import VISITORS
from streams.domain.aggregates.orders import PAYERS, PLACERS
from streams.reports import visits
from streams.reports.amounts import share, unknown
from streams.reports.live import NO_CLICKS, Counted, Part, by_time, by_value, says
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS

_STEPS: Final = (VISITORS, ADDERS, PLACERS, PAYERS)
FIGURES: Final = (
    visits.VISITORS_FIGURE,
    visits.ADDERS_FIGURE,
    visits.PLACERS_FIGURE,
    visits.PAYERS_FIGURE,
    Figure("added_share", "share", "Adders for each visitor.", "adders, visitors"),
    Figure("placed_share", "share", "Who placed for each visitor.", "placers, visitors"),
    Figure("paid_share", "share", "Who paid for each visitor.", "payers, visitors"),
)
_SHARES: Final = (("added_share", ADDERS), ("placed_share", PLACERS), ("paid_share", PAYERS))
_GROUPS: Final = {name: [name] for name in _STEPS}


def _values(held: Counted) -> dict[str, Value]:
    found: dict[str, Value] = {name: held.set(name) for name in _STEPS}
    visitors = found[VISITORS]
    if not visitors.number:
        found[VISITORS] = visitors = unknown(NO_CLICKS) if not held.has_clicks else visitors
    for figure, step in _SHARES:
        rate = share(found[step], visitors, "no visitor")
        found[figure] = rate._replace(error=found[step].error or visitors.error)
    return found


def _rows(_: Connection, asked: Asked) -> list[Row]:
    if asked.by is None or asked.by in TIME_DIMENSIONS:
        return by_time(asked, FIGURES, _GROUPS, _values)
    parts: Mapping[str, Part] = {
        "visits": Part("visits"),
        **{name: Part(name, is_set=True) for name in _STEPS},
    }
    return by_value(asked, FIGURES, asked.by, parts, _values)


REPORT = Report(
    "funnel", "From the visit to the payment", FIGURES,
    ("day", "week", "month", "category", "source", "channel", "region"), _rows,
    notes=(
        "Each step counts all who took it in the period, whatever they did before, so a share may exceed 1.",
        "By source, channel and region each step goes by what its own event tells; carts tell no region.",
        "By category an order goes by the lines that its event carries.",
    ),
    says=says, live=True,
)  # fmt: skip
