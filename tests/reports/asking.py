"""Asks the store as the command does, and compares with the oracle."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from schemas.settings import ReviewTheme, RfmThresholds, Tier
from streams.query.connecting import Database
from streams.reports.answer import Answer, answer
from streams.reports.model import Asked, CurrencySpan, Row, ThresholdSpan, TierSpan, Value
from streams.reports.period import Period
from streams.reports.reach import reach
from streams.reports.registry import REPORTS
from tests.reports.histories import SHOP
from tests.reports.oracle import THEMES, Figures, Question, Unknown

FOREVER = 1 << 62


def asked(
    connection: Connection, question: Question, name: str, by: str | None = None, limit: int = 20
) -> Asked:
    """``by`` None: the report's own; "whole": none."""
    turn = question.turn_ms
    spans = (CurrencySpan(FOREVER, "CNY"),)
    if turn is not None:
        spans = (CurrencySpan(turn, "CNY"), CurrencySpan(FOREVER, "USD"))  # type: ignore[assignment]
    limits: tuple[ThresholdSpan, ...] = ()
    if question.limits is not None:
        limits = (ThresholdSpan(FOREVER, RfmThresholds(**question.limits)),)  # type: ignore[arg-type]
    tiers: tuple[TierSpan, ...] = ()
    if question.tiers is not None:
        own = tuple(Tier(name=name, orders=n, amount=amount) for name, n, amount in question.tiers)
        tiers = (TierSpan(FOREVER, own),)
    reached = reach(connection)
    return Asked(
        SHOP, Period(question.first, question.last, question.zone), by or REPORTS[name].by, limit, spans,
        limits, tuple(ReviewTheme(name=name, words=words) for name, words in THEMES.items()),
        reached.since_ms, reached.why, tiers=tiers,
    )  # fmt: skip


def said(
    database: Database, question: Question, name: str, by: str | None = None,
    limit: int = 20, compare: Any = None,
) -> Answer:  # fmt: skip
    with database.reading() as connection:
        return answer(
            connection, REPORTS[name], asked(connection, question, name, by, limit), compare
        )


def rows(
    database: Database, question: Question, name: str, by: str | None = None, limit: int = 20
) -> list[Row]:
    return [line.row for line in said(database, question, name, by, limit).lines]


def plain(value: Value) -> Any:
    """A value in the oracle's form; what is not known has its reason."""
    if value.number is not None:
        assert value.why is None
        return value.number
    assert value.why
    if value.by_currency:
        return dict(value.by_currency)
    return Unknown(None if value.at_least is None else int(value.at_least))


def figures(row: Row) -> Figures:
    return {name: plain(value) for name, value in row.values.items()}


def by_key(found: list[Row]) -> dict[str | None, Figures]:
    assert found[0].kind == "whole"
    return {row.key: figures(row) for row in found[1:] if row.kind == "part"}


def moment_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)
