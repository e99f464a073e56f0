"""An answer as JSON and CSV for machines; docs/reports.md says what is in them."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from streams.cli.printable import csv_text
from streams.cli.report_pages import plain_number
from streams.query.freshness import Freshness
from streams.query.wording import local
from streams.reports.answer import PRODUCT, Answer, Line
from streams.reports.model import Progress, Value
from streams.reports.period import Period


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
        told = [csv_text(answer.names.get(key, ""))] if by_product else []
        told.append(_codes(values.values()))
        if beside:
            changes = line.changes.values() if line.changes else ()
            told += [csv_text(line.compared_key or ""), _codes(change.before for change in changes)]
        why = [f"{n}: {v.why}" for n, v in values.items() if v.number is None]
        # A figure that is not known has said why.
        goals = line.goals or {}
        why += [f"{n}: {p.why}" for n, p in goals.items() if p.why and values[n].number is not None]
        if named:
            cells.append(csv_text("; ".join(line.row.examples)))
        writer.writerow([line.row.kind, csv_text(key), *told, *cells, "; ".join(why)])
    return out.getvalue()


def _codes(values: Iterable[Value]) -> str:
    return " ".join(sorted({value.currency for value in values if value.currency}))


def _goal_cells(progress: Progress) -> list[Any]:
    return [plain_number(progress.goal), "" if progress.part is None else progress.part]


def _cell(value: Value) -> Any:
    return "" if value.number is None else value.number
