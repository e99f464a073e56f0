"""How complete the data are that upstream sends: which of its events have the fields that figures need."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from streams.domain.aggregates.clicks import FIELDS as CLICK_FIELDS
from streams.domain.aggregates.completeness import FIELDS as OTHER_FIELDS
from streams.domain.aggregates.completeness import TOLD
from streams.reports.amounts import share, unknown
from streams.reports.live import Counted, counted, says
from streams.reports.model import Asked, Figure, Report, Row, Value

FIGURES: Final = (
    Figure("events", "count", "Events of the topic.", "live: the customer topics"),
    Figure("told", "count", "Those that have the field.", "live: the customer topics"),
    Figure("told_share", "share", "数据的完整: events with the field / events.", "told, events"),
)
_FIELDS: Final = {"shop.clicks": CLICK_FIELDS, **OTHER_FIELDS}


def _values(events: int, told: int) -> dict[str, Value]:
    both = Value(told), Value(events)
    return {"events": both[1], "told": both[0], "told_share": share(*both, "no event")}


def _rows(_: Connection, asked: Asked) -> list[Row]:
    held = counted(asked, FIGURES)
    if not isinstance(held, Counted):
        return [Row("whole", held)]
    parts = dict(sorted(_parts(held, by_source=asked.by == "source")))
    keys = list(parts) if asked.keys is None else [key for key in asked.keys if key is not None]
    total = sum(amount for key, amount in held.sums.items() if _is_all(key))
    nothing = unknown("fields of several topics have no sum")
    rows = [Row("whole", {"events": Value(total), "told": nothing, "told_share": nothing})]
    return rows + [Row("part", _values(*parts.get(key, (0, 0))), key) for key in keys]


def _is_all(name: str) -> bool:
    figure, _, rest = name.partition("|")
    return figure == TOLD and rest.partition("|")[0].endswith(".")


def _parts(held: Counted, *, by_source: bool) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each field, of all sources together or of each, with its topic's events and those that have it."""
    events: dict[tuple[str, str], int] = {}
    told: dict[tuple[str, str, str], int] = {}
    for name, amount in held.sums.items():
        figure, _, rest = name.partition("|")
        if figure != TOLD:
            continue
        field, _, source = rest.partition("|")
        topic, _, column = field.rpartition(".")
        if not by_source:
            source = ""
        if not column:
            events[topic, source] = events.get((topic, source), 0) + amount
        else:
            place = (topic, source, column)
            told[place] = told.get(place, 0) + amount
    for (topic, source), number in events.items():
        for column in _FIELDS[topic]:
            key = f"{topic} {column}" + (f" ({source})" if by_source else "")
            yield key, (number, told.get((topic, source, column), 0))


REPORT = Report(
    "completeness", "How complete the data are", FIGURES, ("field", "source"), _rows, by="field",
    says=says, live=True,
)  # fmt: skip
