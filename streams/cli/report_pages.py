"""An answer as tables for people: streams.cli.report_data is for machines."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from rich.cells import cell_len
from rich.table import Table

from streams.cli.printable import plain_console, printable
from streams.query.wording import money
from streams.reports.answer import Answer, Change, Line
from streams.reports.model import Figure, Number, Progress, Report, Value
from streams.reports.period import Period
from streams.reports.registry import REPORTS

#: What is not known.
DASH = "-"
_OTHERS = "(all others)"
_WHOLE = "(whole)"
_UNKNOWN_PART = "(unknown)"
_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000


def listed() -> None:
    """The reports that there are."""
    table = Table("report", "what it shows", "--by")
    for report in REPORTS.values():
        table.add_row(report.name, report.title, ", ".join(report.dimensions) or DASH)
    plain_console().print(table)


def definitions(report: Report) -> None:
    """Each figure's definition and source, and how parts add up."""
    table = Table(
        "figure", "definition", "source", "parts add up", title=report.title, show_lines=True
    )
    for figure in report.figures:
        table.add_row(
            figure.name, figure.definition, figure.source, "yes" if figure.additive else "no"
        )
    plain_console().print(table)
    for note in report.notes:
        plain_console().print(note)


def printed(answer: Answer, *, explain: bool) -> None:
    """Tables: the whole, then the parts; notes; with ``explain`` the definitions."""
    console = plain_console()
    asked, reasons = answer.asked, _Reasons()
    console.print(
        f"{answer.report.title}: shop {printable(asked.shop)}, {_days(asked.period)}", style="bold"
    )
    if answer.compared is not None:
        console.print(f"beside it: {_days(answer.compared)}")
    whole, *parts = answer.lines
    figures = [f for f in answer.report.figures if f.name in whole.row.values]
    beside = ("before", "change") if whole.changes else ()
    table = Table("figure", "", *beside, *(("goal", "reached") if whole.goals else ()))
    for figure in figures:
        value = whole.row.values[figure.name]
        cells = [figure.name, shown(figure, value)]
        if whole.changes:
            change = whole.changes[figure.name]
            cells += [shown(figure, change.before), _changed(figure, change, value)]
        if whole.goals:
            cells += _goal(figure, whole.goals.get(figure.name))
        table.add_row(*cells)
        reasons.add(figure, value)
        reached = (whole.goals or {}).get(figure.name)
        if reached is not None and reached.why and value.number is not None:
            reasons.say(figure, reached.why)
    console.print(table)
    if parts:
        for some in _parts(answer, figures, parts, console.width):
            console.print(some)
        for line in parts:
            for figure in figures:
                reasons.add(figure, line.row.values[figure.name])
    if explain:
        definitions(answer.report)
    for note in dict.fromkeys([*answer.notes, *reasons.said(len(figures))]):
        console.print(note)


class _Reasons:
    """Why figures are not known: each reason once, with the figures that it is of."""

    def __init__(self) -> None:
        self._figures: dict[str, dict[str, None]] = {}

    def add(self, figure: Figure, value: Value) -> None:
        if value.number is not None or value.why is None:
            return
        why = value.why
        if value.by_currency:
            why += ": " + ", ".join(money(sum_, code) for code, sum_ in value.by_currency.items())
        self.say(figure, why)

    def say(self, figure: Figure, why: str) -> None:
        self._figures.setdefault(why, {})[figure.name] = None

    def said(self, every: int) -> list[str]:
        """``every``: how many figures there are."""
        return [
            f"{'every figure' if 1 < every == len(names) else ', '.join(names)}: {why}"
            for why, names in self._figures.items()
        ]


def _parts(answer: Answer, figures: list[Figure], parts: list[Line], width: int) -> Iterator[Table]:
    """The parts as one table, or where that is wider than ``width`` as several, each with their names."""
    names = answer.names
    heads = {answer.asked.by or "": [_part_name(line) for line in parts]}
    if names:
        heads["name"] = [printable(names.get(line.row.key or "", DASH)) for line in parts]
    columns = {
        figure.name: [_part_cell(figure, line) for line in parts]
        for figure in figures
        if any(_is_told(line.row.values[figure.name]) for line in parts)
    }
    if any(line.row.examples for line in parts):
        columns["orders"] = ["\n".join(map(printable, line.row.examples)) for line in parts]
    room = width - 1 - sum(_column_width(name, cells) for name, cells in heads.items())
    for some in _fitting(columns, room):
        table = Table(*heads, *some)
        for row in zip(*heads.values(), *(columns[name] for name in some), strict=True):
            table.add_row(*row)
        yield table


def _part_name(line: Line) -> str:
    name = printable(_named(line))
    if line.compared_key is not None and line.compared_key != line.row.key:
        name += f"\nbefore: {printable(line.compared_key)}"
    return name


def _part_cell(figure: Figure, line: Line) -> str:
    value = line.row.values[figure.name]
    cell = shown(figure, value)
    if line.changes:
        change = line.changes[figure.name]
        cell += f"\nbefore {shown(figure, change.before)}"
        if change.by is not None:
            cell += f" ({_changed(figure, change, value)})"
    if line.goals and figure.name in line.goals:
        goal, reached = _goal(figure, line.goals[figure.name])
        cell += f"\ngoal {goal} ({reached})"
    return cell


def _fitting(columns: Mapping[str, list[str]], room: int) -> Iterator[list[str]]:
    """The columns' names in their order, as many at a time as fit; one that is too wide stands alone."""
    some: list[str] = []
    left = room
    for name, cells in columns.items():
        needed = _column_width(name, cells)
        if some and needed > left:
            yield some
            some, left = [], room
        some.append(name)
        left -= needed
    yield some


def _column_width(name: str, cells: Sequence[str]) -> int:
    """With its border and the blanks beside it."""
    return 3 + max(cell_len(line) for text in (name, *cells) for line in text.split("\n"))


def _goal(figure: Figure, progress: Progress | None) -> tuple[str, str]:
    """A goal and how much of it is reached; nothing where none is set."""
    if progress is None:
        return "", ""
    goal = _number(figure, plain_number(progress.goal), progress.currency)
    return goal, DASH if progress.part is None else f"{progress.part * 100:.1f} %"


def plain_number(number: Decimal) -> Number:
    """A goal's number as JSON has it."""
    return int(number) if number == number.to_integral_value() else float(number)


def _is_told(value: Value) -> bool:
    return value.number is not None or bool(value.by_currency) or value.at_least is not None


def _named(line: Line) -> str:
    if line.row.kind == "part":
        return _UNKNOWN_PART if line.row.key is None else line.row.key
    return _OTHERS if line.row.kind == "others" else _WHOLE


def shown(figure: Figure, value: Value) -> str:
    """A value for people; a dash where it is not known, with the least that it may be."""
    if value.number is not None:
        estimated = "~" if value.error else ""
        return estimated + _number(figure, value.number, value.currency)
    if value.at_least:
        return f"{DASH} (at least {_number(figure, value.at_least, value.currency)})"
    return DASH


def _number(figure: Figure, number: Number, currency: str | None) -> str:
    if figure.unit in ("money", "money_average"):
        sign = "-" if number < 0 else ""
        return sign + money(abs(int(number)), currency)
    if figure.unit == "share":
        return f"{number * 100:.2f} %"
    if figure.unit == "ms":
        return duration(number)
    return f"{number:,}"


def duration(time_ms: Number) -> str:
    """A length of time for people.

    >>> duration(90_000), duration(5_400_000), duration(183_600_000)
    ('1.5 min', '1.5 h', '2.1 d')
    """
    for unit, length in (("d", _DAY_MS), ("h", _HOUR_MS)):
        if abs(time_ms) >= length:
            return f"{time_ms / length:,.1f} {unit}"
    return f"{time_ms / _MINUTE_MS:.1f} min"


def _changed(figure: Figure, change: Change, value: Value) -> str:
    if change.by is None:
        return DASH
    if change.part is not None:
        return f"{change.part * 100:+.1f} %"
    if figure.unit == "share":
        return f"{change.by * 100:+.2f} points"
    sign = "+" if change.by > 0 else ""
    return sign + _number(figure, change.by, value.currency)


def _days(period: Period) -> str:
    return f"{period.first} to {period.last}, both included, {period.zone}"
