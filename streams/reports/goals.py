"""Goals beside figures: which figure a goal is for, how it is written, how much of it is reached.

A goal is of a figure of one report, and shown in every report that has this figure with this definition, in
each row whose days are exactly the goal's: the whole period, or a day, week or month of it.
"""

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from streams.query.goals import Goal
from streams.query.wording import minor_units
from streams.reports.answer import Answer, Line
from streams.reports.model import Figure, Progress, Report, Value
from streams.reports.period import FIRST_DATE, LAST_DATE, TIME_DIMENSIONS, Period, day_of
from streams.reports.registry import REPORTS, report_named

_UNIT_MS: Final[Mapping[str, int]] = {"ms": 1, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_LENGTH: Final = re.compile(r"([0-9.]+)\s*(ms|min|h|d)")
_PERIOD_FORMS: Final = "2026, 2026-11, 2026-W46, 2026-11-11 or 2026-11-01..2026-11-11"
#: Digits of a goal; a figure that needs more is a mistake of whoever wrote it.
_MOST: Final = Decimal(10) ** 15
#: Decimal digits of a part, as of changes.
_PLACES: Final = 6
_MONEY: Final = frozenset({"money", "money_average"})


class Known(NamedTuple):
    """A figure and the report whose definition it has."""

    report: Report
    figure: Figure


def figure_named(name: str, report: str | None = None) -> Known:
    """The figure ``name`` of ``report``, or of the first report that has one.

    Raises ValueError, which lists those there are.
    """
    reports = list(REPORTS.values()) if report is None else [report_named(report)]
    for each in reports:
        for figure in each.figures:
            if figure.name == name:
                return Known(each, figure)
    there = sorted({figure.name for each in reports for figure in each.figures})
    where = "" if report is None else f" in {report}"
    raise ValueError(f"no figure {name!r}{where}; there are {', '.join(there)}")


def days_of(text: str) -> tuple[date, date]:
    """The first and the last day of a period as people write it. Raises ValueError.

    >>> [day.isoformat() for day in days_of("2026-02")]
    ['2026-02-01', '2026-02-28']
    >>> [day.isoformat() for day in days_of("2026-W46")]
    ['2026-11-09', '2026-11-15']
    """
    first, last = _days_of(text)
    if not FIRST_DATE <= first <= last <= LAST_DATE:
        raise ValueError(f"no period {text!r}: it lies between {FIRST_DATE} and {LAST_DATE}")
    return first, last


def _days_of(text: str) -> tuple[date, date]:
    try:
        if re.fullmatch(r"\d{4}", text):
            return date(int(text), 1, 1), date(int(text), 12, 31)
        if re.fullmatch(r"\d{4}-\d{2}", text):
            year, month = int(text[:4]), int(text[5:])
            first = date(year, month, 1)
            return first, first.replace(day=calendar.monthrange(year, month)[1])
        if re.fullmatch(r"\d{4}-W\d{2}", text):
            first = date.fromisocalendar(int(text[:4]), int(text[6:]), 1)
            return first, first + timedelta(days=6)
    except ValueError:
        raise ValueError(f"{text!r} is no period: write {_PERIOD_FORMS}") from None
    first_day, dots, last_day = text.partition("..")
    try:
        return day_of(first_day), day_of(last_day if dots else first_day)
    except ValueError:
        raise ValueError(f"{text!r} is no period: write {_PERIOD_FORMS}") from None


def value_of(text: str, figure: Figure, currency: str | None) -> Decimal:
    """A goal as people write it, in the figure's unit: of money minor units of ``currency``, of a share its
    part of 1, of a time milliseconds. Raises ValueError, which says how it is written.
    """
    unit = figure.unit
    if unit in _MONEY:
        if currency is None:
            raise ValueError("whose currency is not known")
        return _above_zero(minor_units(_number(text, "100000.00"), currency), text)
    if unit == "share":
        part = text.rstrip().endswith("%")
        number = _number(text.rstrip().rstrip("%"), '"12.5 %" or 0.125')
        return _above_zero(number / 100 if part else number, text)
    if unit == "ms":
        length = _LENGTH.fullmatch(text.strip())
        if length is None:
            raise ValueError(f"{text!r} is no length of time: write 36h, 1.5d, 90min or 500ms")
        return _above_zero(_number(length[1], "36h") * _UNIT_MS[length[2]], text)
    number = _number(text, "1200")
    if unit == "count" and number != number.to_integral_value():
        raise ValueError(f"{text!r}: {figure.name} is a number of things: write 1200")
    return _above_zero(number, text)


def _number(text: str, form: str) -> Decimal:
    try:
        number = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number: write {form}") from None
    if not number.is_finite():
        raise ValueError(f"{text!r} is no number: write {form}")
    return number


def _above_zero(number: Decimal, text: str) -> Decimal:
    if not 0 < number < _MOST:
        raise ValueError(f"{text!r} cannot be a goal: it is above 0 and below {_MOST:,}")
    # One form of a number, so that equal goals are the same row.
    return Decimal(f"{number.normalize():f}")


def with_goals(answer: Answer, goals: Iterable[Goal]) -> Answer:
    """``answer`` with the goals of its shop beside the figures that they are for."""
    figures = {figure.name: figure for figure in answer.report.figures}
    by_days: dict[tuple[date, date], list[Goal]] = {}
    for goal in goals:
        figure = figures.get(goal.figure)
        if figure is not None and goal.shop == answer.asked.shop and _is_for(goal, figure):
            by_days.setdefault((goal.first, goal.last), []).append(goal)
    if not by_days:
        return answer
    lines = []
    for line in answer.lines:
        days = _days(line, answer.asked.period, answer.asked.by)
        beside = {
            goal.figure: _progress(goal, line.row.values[goal.figure])
            for goal in (by_days.get(days, ()) if days else ())
            if goal.figure in line.row.values
        }
        lines.append(replace(line, goals=beside) if beside else line)
    return replace(answer, lines=lines)


def _is_for(goal: Goal, figure: Figure) -> bool:
    """Whether the goal's figure is defined as ``figure``; a report of another build is none of these."""
    owner = REPORTS.get(goal.report)
    return owner is not None and any(
        (own.name, own.unit, own.definition) == (figure.name, figure.unit, figure.definition)
        for own in owner.figures
    )


def _days(line: Line, period: Period, by: str | None) -> tuple[date, date] | None:
    """The days that a row is about; None where it is not all of a period's days of the shop."""
    if line.row.kind == "whole":
        return period.first, period.last
    if line.row.kind != "part" or by not in TIME_DIMENSIONS or line.row.key is None:
        return None
    if by == "month":
        first, last = days_of(line.row.key)
    else:
        first = day_of(line.row.key)
        last = first if by == "day" else first + timedelta(days=6 - first.weekday())
    # A week or month that the period cuts is not the one that a goal was set for.
    return max(first, period.first), min(last, period.last)


def _progress(goal: Goal, value: Value) -> Progress:
    if value.number is None:
        return Progress(goal.value, goal.currency, None, value.why or "the figure is not known")
    if goal.currency is not None and value.currency not in (None, goal.currency):
        why = f"the goal is in {goal.currency}, the figure in {value.currency}"
        return Progress(goal.value, goal.currency, None, why)
    if goal.currency is not None and value.currency is None and value.number:
        why = f"the goal is in {goal.currency}, and the figure's currency is not known"
        return Progress(goal.value, goal.currency, None, why)
    part = round(float(Decimal(value.number) / goal.value), _PLACES)
    return Progress(goal.value, goal.currency, part, None)
