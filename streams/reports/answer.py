"""A report asked for a period, and beside it the period that it is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple

from sqlalchemy import Connection

from streams.query.products import product_names
from streams.reports.amounts import differ
from streams.reports.model import Asked, Figure, Number, Progress, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS, Period

#: The dimension whose parts are skus, and have names.
PRODUCT: Final = "product"
Compare = Literal["previous", "year"]
#: Units of which a change is told as a part of what there was before, too.
_RELATIVE: Final = frozenset({"count", "money", "money_average", "ms", "days"})
_MONEY: Final = frozenset({"money", "money_average"})
_PLACES: Final = 6


class Change(NamedTuple):
    """What a figure was before, and by how much it has changed; None where either is not known.

    ``part``: the change as a part of ``before``.
    """

    before: Value
    by: Number | None
    part: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A row and, where it was asked, its changes by figure; ``compared_key`` names the part of before.

    ``goals``: those set for the row's days, by figure.
    """

    row: Row
    changes: dict[str, Change] | None = None
    compared_key: str | None = None
    goals: Mapping[str, Progress] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a report says. ``compared``: the period beside it, None where none was asked for.

    ``names``: of products, by key, what those are called that have a name; empty by other dimensions.
    """

    report: Report
    asked: Asked
    lines: list[Line]
    compared: Period | None
    notes: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)


def compared_with(period: Period, compare: Compare) -> Period:
    """The period of the same length before, or the same dates of the year before."""
    return period.previous() if compare == "previous" else period.year_before()


def answer(
    connection: Connection, report: Report, asked: Asked, compare: Compare | None = None
) -> Answer:
    """Asks the store, once a period. Raises ValueError for a period with too many parts."""
    if compare is not None and asked.by not in TIME_DIMENSIONS:
        # Before there may have been more parts than now.
        asked = replace(asked, others=True)
    rows = report.rows(connection, asked)
    keys = tuple(row.key for row in rows if row.kind == "part")
    if asked.others and not keys:
        # Without a part nothing is beside another, and a row of others only where there are some.
        asked = replace(asked, others=False)
        rows = report.rows(connection, asked)
    names: Mapping[str, str] = {}
    if asked.by == PRODUCT:
        names = product_names(connection, asked.shop, [row.key for row in rows if row.key])
    notes = [*report.notes, *report.says(asked), *_notes(report, rows)]
    if not asked.currencies and any(figure.unit in _MONEY for figure in report.figures):
        notes.append(
            "The shop's currency is not known: if it had several, they are added together."
        )
    if compare is None:
        return Answer(report, asked, [Line(row) for row in rows], None, tuple(notes), names)
    period = compared_with(asked.period, compare)
    if compare == "year" and (period.has_leap_day or asked.period.has_leap_day):
        notes.append("There is a February 29 in one of the years, and nothing is beside it.")
    asked_before = replace(asked, period=period, keys=keys if asked.others and keys else None)
    before = report.rows(connection, asked_before)
    notes += report.says(asked_before)
    pairs = _pairs(rows, before, dates=compare == "year" and asked.by == "day")
    lines = _beside(report.figures, rows, before, pairs)
    return Answer(report, asked, lines, period, tuple(dict.fromkeys(notes)), names)


def _pairs(rows: list[Row], before: list[Row], *, dates: bool) -> dict[str | None, Row]:
    """The part of before that stands beside the part of each key.

    Parts by time in their order, of days of two years the same ``dates``; others by key, so in order, too.
    """
    keys = [row.key for row in rows if row.kind == "part"]
    parts = [row for row in before if row.kind == "part"]
    if not dates:
        return dict(zip(keys, parts, strict=False))
    by_date = {row.key: row for row in parts}
    beside = {key: by_date.get(_year_before(key)) for key in keys}
    return {key: row for key, row in beside.items() if row is not None}


def _year_before(day: str | None) -> str:
    """The same date of the year before, also where there is none."""
    year, _, date = (day or "0-").partition("-")
    return f"{int(year) - 1:04}-{date}"


def _beside(
    figures: Sequence[Figure],
    rows: list[Row],
    before: list[Row],
    pairs: Mapping[str | None, Row],
) -> list[Line]:
    others = {row.kind: row for row in before if row.kind != "part"}
    lines = []
    for row in rows:
        other = pairs.get(row.key) if row.kind == "part" else others.get(row.kind)
        if other is None:
            lines.append(Line(row))
            continue
        changes = {
            figure.name: _change(figure, row.values[figure.name], other.values[figure.name])
            for figure in figures
            if figure.name in row.values
        }
        lines.append(Line(row, changes, other.key))
    return lines


def _change(figure: Figure, now: Value, before: Value) -> Change:
    if now.number is None or before.number is None:
        return Change(before, None, None)
    if differ(now, before):
        return Change(before, None, None)
    by = now.number - before.number
    if isinstance(by, float):
        by = round(by, _PLACES)
    relative = figure.unit in _RELATIVE and before.number
    return Change(before, by, round(by / before.number, _PLACES) if relative else None)


def _notes(report: Report, rows: list[Row]) -> list[str]:
    notes = []
    if any(row.kind == "part" for row in rows):
        names = [figure.name for figure in report.figures if not figure.additive]
        if names:
            notes.append(f"The parts do not add up to the whole for {', '.join(names)}.")
    if any(value.error for row in rows for value in row.values.values()):
        notes.append(
            "~ is an estimate: of very many customers (HyperLogLog); JSON has its standard error."
        )
    if any(row.kind == "others" for row in rows):
        shown = sum(row.kind == "part" for row in rows)
        notes.append(f"The {shown} greatest are shown; all others are one row (--limit).")
    return notes
