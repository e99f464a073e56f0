"""What customers ask and complain of, how soon the shop replied and resolved it, and what surveys say."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, func

from schemas.catalogue import SERVICE
from streams.query.tables import cases, service_events, surveys
from streams.reports.amounts import count, rows_of, unknown
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.quantiles import add_quantiles, quantiles_of
from streams.reports.reach import within_reach
from streams.reports.silence import unless_silent
from streams.reports.sums import Facts, Parts, Raw, add_up, counted

_CASES = "cases.opened_ms, replied_ms, resolved_ms"
FIGURES = (
    Figure(
        "cases", "count", "Cases opened in the period: by the earliest inquiry or complaint.", _CASES,
        additive=True,
    ),
    Figure("complaints", "count", "Those of them with a complaint.", "cases.complaint", additive=True),
    Figure(
        "replied_cases", "count", "Those of them that were replied to by now, at or after the opening.",
        _CASES, additive=True,
    ),
    Figure("resolved_cases", "count", "Those of them that were resolved by now.", _CASES, additive=True),
    Figure("open_cases", "count", "Those of them that were not.", _CASES, additive=True),
    Figure("first_reply_median", "ms", "Median of the times from the opening to the first reply.", _CASES),
    Figure("first_reply_p90", "ms", "90th percentile (nearest rank) of these times.", _CASES),
    Figure(
        "resolution_median", "ms",
        "Median of the times from the opening to the last resolution, of cases not resolved before it.",
        _CASES,
    ),
    Figure("resolution_p90", "ms", "90th percentile (nearest rank) of these times.", _CASES),
    Figure(
        "answers", "count", "Surveys answered in the period, of each case the last answer.",
        "surveys.answered_ms", additive=True,
    ),
    Figure("average_score", "rating", "Mean score of these answers, 0 to 10.", "surveys.score"),
)  # fmt: skip
#: Name of a time -> how long it was.
_TIMES: Final = {
    "first_reply": cases.c.replied_ms - cases.c.opened_ms,
    "resolution": cases.c.resolved_ms - cases.c.opened_ms,
}
_KEYS: Final[dict[str, ColumnElement[Any]]] = {"topic": cases.c.topic}


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    asked = within_reach(connection, asked, SERVICE, service_events, "service case")
    held = cases.c
    opened = Facts(cases, held.opened_ms, [held.shop_id == asked.shop])
    columns = [
        func.count(held.opened_ms).label("cases"),
        func.sum(held.complaint).label("complaints"),
        func.count(held.replied_ms).label("replied"),
        func.count(held.resolved_ms).label("resolved"),
        func.count(case((held.resolved_ms.is_(None), 1))).label("open"),
    ]
    key = _KEYS.get(asked.by or "")
    found = add_up(connection, asked, opened, columns, key, func.count())
    whole, others = dict(found.whole), dict(found.others or {})
    parts: list[tuple[str | None, dict[str, Any]]] = [
        (name, dict(raw)) for name, raw in found.parts
    ]
    for time, lasted in _TIMES.items():
        names = [name for name, _ in parts]
        of_whole, by_part, of_others = add_quantiles(
            connection, asked, opened, time, lasted, names, key
        )
        whole |= of_whole
        others |= of_others
        for name, raw in parts:
            raw |= by_part.get(name, {})
    answers = _answers(connection, asked)
    whole |= answers.whole
    by_time = dict(answers.parts)
    for name, raw in parts:
        raw |= by_time.get(name, {})
    shown = Parts(whole, parts, None if found.others is None else others)
    return rows_of(asked, shown, FIGURES, lambda raw: _values(raw, asked))


def _answers(connection: Connection, asked: Asked) -> Parts:
    held = surveys.c
    answered = Facts(surveys, held.answered_ms, [held.shop_id == asked.shop])
    columns = [func.count().label("answers"), func.sum(held.score).label("scores")]
    return add_up(connection, asked, answered, columns)


def _values(raw: Raw, asked: Asked) -> dict[str, Value]:
    names = ("replied", "resolved", "open")
    number = counted(raw, "answers")
    answers, score = count(number), unknown("no answer")
    if number:
        score = Value(round(counted(raw, "scores") / number, 2))
    if asked.by not in TIME_DIMENSIONS and "answers" not in raw:
        answers = score = unknown("an answer tells no topic")
    return {
        "cases": count(counted(raw, "cases")),
        "complaints": count(counted(raw, "complaints")),
        **{f"{name}_cases": count(counted(raw, name)) for name in names},
        **quantiles_of(raw, "first_reply"),
        **quantiles_of(raw, "resolution"),
        "answers": answers,
        "average_score": score,
    }


REPORT = Report(
    "service", "Service cases and surveys", FIGURES, (*TIME_DIMENSIONS, "topic"),
    unless_silent(_rows, service_events, "service case or survey"),
    notes=(
        "Cases are of the day on which they were opened, answers of that on which they were given.",
        "A case's topic is what its opening names; a survey's answer has none.",
        "What was said of a case under a visitor's name and under the customer's is of two cases.",
    ),
)  # fmt: skip
