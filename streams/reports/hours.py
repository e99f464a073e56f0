"""Visits and paid orders by the hour of day."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from streams.domain.aggregates.names import part
from streams.reports import paid
from streams.reports.amounts import rows_of
from streams.reports.honest import orders
from streams.reports.live import Counted, counted, says
from streams.reports.model import Asked, Report, Row, Value
from streams.reports.period import offsets
from streams.reports.sent import CLICKS
from streams.reports.sums import Parts, Raw, add_up, local_hour
from streams.reports.visits import VISITS

_HOURS = range(24)
FIGURES = (*paid.FIGURES, VISITS)


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    period = asked.period
    spans = offsets(period.since_ms, period.until_ms, period.zone)
    hour = local_hour(orders.c.paid_ms, spans)
    facts, columns = paid.facts(asked), paid.columns(asked)
    # All hours are shown, whatever the limit, in their order.
    every = replace(asked, keys=None, limit=len(_HOURS))
    found = add_up(connection, every, facts, columns, hour, hour)
    by_hour: dict[int, Raw] = {int(key or 0): raw for key, raw in found.parts}
    parts = Parts(found.whole, [(f"{each:02}", by_hour.get(each, {})) for each in _HOURS])
    rows = rows_of(asked, parts, paid.FIGURES, lambda raw: paid.values(raw, asked))
    visits = counted(asked, (VISITS,))
    return [replace(row, values={**row.values, "visits": _visits(visits, row.key)}) for row in rows]


def _visits(held: Counted | Mapping[str, Value], hour: str | None) -> Value:
    if not isinstance(held, Counted):
        return held["visits"]
    return held.sum("visits" if hour is None else part("visits", "hour", hour), CLICKS)


REPORT = Report(
    "hours", "Hours of the day", FIGURES, ("hour",), _rows, by="hour", says=says, live=True
)
