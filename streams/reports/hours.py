"""Paid orders by the hour of day in which they were paid."""

from dataclasses import replace

from sqlalchemy import Connection

from streams.query.tables import orders
from streams.reports import paid
from streams.reports.amounts import rows_of
from streams.reports.model import Asked, Report, Row
from streams.reports.period import offsets
from streams.reports.sums import Parts, Raw, add_up, local_hour

_HOURS = range(24)


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
    return rows_of(asked, parts, paid.FIGURES, lambda raw: paid.values(raw, asked))


REPORT = Report("hours", "Hours of the day", paid.FIGURES, ("hour",), _rows, by="hour")
