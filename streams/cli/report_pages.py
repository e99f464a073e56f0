"""An answer as tables for people, and as JSON and CSV for machines."""

import csv
import io
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from rich.table import Table

from streams.cli.printable import plain_console, printable
from streams.query.freshness import Freshness
from streams.query.wording import local, money
from streams.reports.answer import PRODUCT, Answer, Change, Line
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
    asked, notes = answer.asked, list(answer.notes)
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
        notes += _why(figure, value)
        reached = (whole.goals or {}).get(figure.name)
        if reached is not None and reached.why and value.number is not None:
            notes.append(f"{figure.name}: {reached.why}")
    console.print(table)
    if parts:
        console.print(_parts(answer, figures, parts))
        for line in parts:
            for figure in figures:
                notes += _why(figure, line.row.values[figure.name])
    if explain:
        definitions(answer.report)
    for note in dict.fromkeys(notes):
        console.print(note)


def _parts(answer: Answer, figures: list[Figure], parts: list[Line]) -> Table:
    names = answer.names
    told = [f for f in figures if any(_is_told(line.row.values[f.name]) for line in parts)]
    heads = (answer.asked.by or "", *(("name",) if names else ()))
    named = any(line.row.examples for line in parts)
    table = Table(*heads, *(figure.name for figure in told), *(("orders",) if named else ()))
    for line in parts:
        cells = []
        for figure in told:
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
            cells.append(cell)
        name = printable(_named(line))
        if line.compared_key is not None and line.compared_key != line.row.key:
            name += f"\nbefore: {printable(line.compared_key)}"
        called = [printable(names.get(line.row.key or "", DASH))] if names else []
        if named:
            cells.append("\n".join(map(printable, line.row.examples)))
        table.add_row(name, *called, *cells)
    return table


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


def _why(figure: Figure, value: Value) -> list[str]:
    if value.number is not None or value.why is None:
        return []
    if value.by_currency:
        sums = ", ".join(money(total, code) for code, total in value.by_currency.items())
        return [f"{figure.name}: {value.why}: {sums}"]
    return [f"{figure.name}: {value.why}"]


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


# --- for machines


def for_json(answer: Answer, fresh: Freshness, *, explain: bool) -> str:
    """One object; docs/reports.md says what is in it."""
    asked = answer.asked
    every = sorted({span.currency for span in asked.currencies})
    said: dict[str, Any] = {
        "report": answer.report.name,
        "shop": asked.shop,
        "currency": every[0] if len(every) == 1 else None,
        "period": _period(asked.period),
        "compared": None if answer.compared is None else _period(answer.compared),
        "by": asked.by,
        "rows": [_line(line, answer) for line in answer.lines],
        "notes": list(answer.notes),
        "since_at": _moment(asked.reach_ms) if asked.reach_why is None else None,
        "freshness": {"behind": fresh.behind, "appended_at": _moment(fresh.appended_ms)},
    }
    if explain:
        said["figures"] = [figure._asdict() for figure in answer.report.figures]
    return json.dumps(said, ensure_ascii=False)


def _period(period: Period) -> dict[str, Any]:
    return {
        "from": str(period.first),
        "to": str(period.last),
        "time_zone": period.zone,
        "since_at": _moment(period.since_ms),
        "until_at": _moment(period.until_ms),
    }


def _moment(time_ms: int | None) -> str | None:
    return None if time_ms is None else local(time_ms, None).replace(" ", "T")


def _line(line: Line, answer: Answer) -> dict[str, Any]:
    values = line.row.values
    named = {"name": answer.names.get(line.row.key or "")} if answer.asked.by == PRODUCT else {}
    said: dict[str, Any] = {
        "row": line.row.kind,
        "key": line.row.key,
        **named,
        "figures": {name: value.number for name, value in values.items()},
        "why": {n: value.why for n, value in values.items() if value.number is None},
    }
    at_least = {n: value.at_least for n, value in values.items() if value.at_least is not None}
    currencies = {n: v.by_currency for n, v in values.items() if v.by_currency}
    codes = {n: value.currency for n, value in values.items() if value.currency}
    errors = {n: value.error for n, value in values.items() if value.error}
    sometimes: dict[str, Any] = {
        "examples": list(line.row.examples),
        "at_least": at_least,
        "by_currency": currencies,
        "currency": codes,
        "error": errors,
    }
    said |= {name: found for name, found in sometimes.items() if found}
    if line.changes is not None:
        said["compared_key"] = line.compared_key
        said["compared"] = {
            name: {
                "before": change.before.number,
                **({"why": change.before.why} if change.before.number is None else {}),
                **({"currency": change.before.currency} if change.before.currency else {}),
                "change": change.by,
                "change_share": change.part,
            }
            for name, change in line.changes.items()
        }
    if line.goals:
        said["goals"] = {
            name: {
                "goal": plain_number(progress.goal),
                **({"currency": progress.currency} if progress.currency else {}),
                "progress": progress.part,
                **({"why": progress.why} if progress.why else {}),
            }
            for name, progress in line.goals.items()
        }
    return said


def for_csv(answer: Answer) -> str:
    """A line a row, with a header; what is not known is empty, and the last column says why."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [f.name for f in answer.report.figures if f.name in answer.lines[0].row.values]
    beside = answer.compared is not None
    aimed = {name for line in answer.lines for name in line.goals or ()}
    header = [
        n
        for name in names
        for n in (
            name,
            *((f"{name}_before",) if beside else ()),
            *((f"{name}_goal", f"{name}_progress") if name in aimed else ()),
        )
    ]
    beside_heads = ("key_before", "currency_before") if beside else ()
    by_product = answer.asked.by == PRODUCT
    heads = ("key", "name") if by_product else ("key",)
    named = any(line.row.examples for line in answer.lines)
    more = ("examples",) if named else ()
    writer.writerow(["row", *heads, "currency", *beside_heads, *header, *more, "why"])
    for line in answer.lines:
        values = line.row.values
        cells: list[Any] = []
        for name in names:
            cells.append(_cell(values[name]))
            if beside:
                cells.append(_cell(line.changes[name].before) if line.changes else "")
            if name in aimed:
                progress = (line.goals or {}).get(name)
                cells += ["", ""] if progress is None else _goal_cells(progress)
        key = line.row.key or ""
        told = [_text(answer.names.get(key, ""))] if by_product else []
        told.append(_codes(values.values()))
        if beside:
            changes = line.changes.values() if line.changes else ()
            told += [_text(line.compared_key or ""), _codes(change.before for change in changes)]
        why = [f"{n}: {v.why}" for n, v in values.items() if v.number is None]
        # A figure that is not known has said why.
        goals = line.goals or {}
        why += [f"{n}: {p.why}" for n, p in goals.items() if p.why and values[n].number is not None]
        if named:
            cells.append(_text("; ".join(line.row.examples)))
        writer.writerow([line.row.kind, _text(key), *told, *cells, "; ".join(why)])
    return out.getvalue()


def _text(written: str) -> str:
    """Somebody's words, which a spreadsheet must not take for a formula."""
    return f"'{written}" if written.startswith(("=", "+", "-", "@", "\t", "\r")) else written


def _codes(values: Iterable[Value]) -> str:
    return " ".join(sorted({value.currency for value in values if value.currency}))


def _goal_cells(progress: Progress) -> list[Any]:
    return [plain_number(progress.goal), "" if progress.part is None else progress.part]


def _cell(value: Value) -> Any:
    return "" if value.number is None else value.number
