"""Sums in SQL, as a whole and by parts: what all reports have in common that add up rows of a period.

One statement gives the whole, one the parts, and where there are more parts than are shown a third gives the
others: so buyers, who do not add up, are right there, too.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Executable,
    FromClause,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
)

from streams.reports.model import Asked
from streams.reports.period import DAY_MS, TIME_DIMENSIONS, Bucket, Offset, Period, offsets

#: Column -> what the store says.
Raw: TypeAlias = Mapping[str, Any]
Columns: TypeAlias = Sequence[ColumnElement[Any]]
#: Sums are taken of quotient and remainder by it: SQLite's sum of large numbers would overflow.
_HALF: Final = 1_000_000_000
_EPOCH: Final = date(1970, 1, 1).toordinal()
#: 1970-01-01 was a Thursday, and weeks begin on Monday.
_WEEKDAY: Final = 3


class Facts(NamedTuple):
    """The rows that a report adds up: those of ``source`` that fit ``where`` and whose ``time`` fits."""

    source: FromClause
    time: ColumnElement[int]
    where: Sequence[ColumnElement[bool]]


class Parts(NamedTuple):
    """``parts`` in their order. ``others`` is None where all are shown; empty raws are of no row at all."""

    whole: Raw
    parts: Sequence[tuple[str | None, Raw]]
    others: Raw | None = None


def add_up(
    connection: Connection,
    asked: Asked,
    facts: Facts,
    columns: Columns,
    key: ColumnElement[Any] | None = None,
    rank: ColumnElement[Any] | None = None,
) -> Parts:
    """``columns`` over the facts of the period: as a whole, and by ``asked.by`` if that is a time, else by
    ``key``: the greatest ``asked.limit`` by ``rank``, or those of ``asked.keys``.
    """
    period = asked.period
    held = select(*columns).select_from(facts.source).where(*facts.where)
    held = held.where(within(facts.time, period.since_ms, period.until_ms))
    (whole,) = raws(connection, held)
    if asked.by in TIME_DIMENSIONS:
        number = bucket_number(facts.time, period, asked.by)
        rows = raws(connection, held.add_columns(number.label("key")).group_by(number))
        by_number = {int(row["key"]): row for row in rows}
        buckets = period.buckets(asked.by)
        return Parts(whole, [(one.name, by_number.get(at, {})) for at, one in enumerate(buckets)])
    if key is None:
        return Parts(whole, [])
    assert rank is not None
    split = held.add_columns(key.label("key")).group_by(key)
    if asked.keys is not None:
        by_key = {row["key"]: row for row in raws(connection, split.where(among(key, asked.keys)))}
        (others,) = raws(connection, held.where(~among(key, asked.keys)))
        return Parts(whole, [(each, by_key.get(each, {})) for each in asked.keys], others)
    # NULL is least in one database and greatest in the other.
    ordered = split.order_by(rank.desc(), key.is_(None), key).limit(asked.limit + 1)
    rows = raws(connection, ordered)
    parts = [(row["key"], row) for row in rows[: asked.limit]]
    if len(rows) <= asked.limit:
        return Parts(whole, parts, {} if asked.others else None)
    (others,) = raws(connection, held.where(~among(key, [each for each, _ in parts])))
    return Parts(whole, parts, others)


def raws(connection: Connection, statement: Executable) -> list[Raw]:
    """The rows that a statement gives."""
    return [row._asdict() for row in connection.execute(statement)]


def among(key: ColumnElement[Any], keys: Sequence[str | None]) -> ColumnElement[bool]:
    """That ``key`` is one of ``keys``; true or false, never NULL."""
    known = [each for each in keys if each is not None]
    in_known = and_(key.is_not(None), key.in_(known)) if known else false()
    return or_(key.is_(None), in_known) if None in keys else in_known


def within(time: ColumnElement[int], since_ms: int, until_ms: int) -> ColumnElement[bool]:
    """That ``time`` lies in [since, until)."""
    return and_(time >= since_ms, time < until_ms)


def in_period(time: ColumnElement[int], asked: Asked) -> ColumnElement[bool]:
    """That ``time`` lies in the period asked for."""
    return within(time, asked.period.since_ms, asked.period.until_ms)


def bucket_number(time: ColumnElement[int], period: Period, dimension: str) -> ColumnElement[int]:
    """Which of ``period.buckets(dimension)`` a time of the period lies in, from 0."""
    if dimension == "month":
        return place(time, period.buckets(dimension))
    first = period.first.toordinal() - _EPOCH
    day = local_day(time, offsets(period.since_ms, period.until_ms, period.zone))
    if dimension == "day":
        return day - first
    return (day + _WEEKDAY) // 7 - (first + _WEEKDAY) // 7


def place(time: ColumnElement[int], buckets: Sequence[Bucket]) -> ColumnElement[int]:
    """Which of ``buckets``, which follow one another, a time lies in; before them 0, behind them the last."""
    last = literal(len(buckets) - 1, BigInteger)
    whens = [(time < one.until_ms, literal(at, BigInteger)) for at, one in enumerate(buckets[:-1])]
    return case(*whens, else_=last) if whens else last


def local_day(time: ColumnElement[int], spans: Sequence[Offset]) -> ColumnElement[int]:
    """Days since 1970 on the shop's clock."""
    return _local(time, spans) // DAY_MS


def local_hour(time: ColumnElement[int], spans: Sequence[Offset]) -> ColumnElement[int]:
    """The hour of day, 0 to 23, on the shop's clock."""
    return _local(time, spans) // (DAY_MS // 24) % 24


def _local(time: ColumnElement[int], spans: Sequence[Offset]) -> ColumnElement[int]:
    whens = [(time < span.until_ms, literal(span.offset_ms, BigInteger)) for span in spans[:-1]]
    last = literal(spans[-1].offset_ms, BigInteger)
    return time + (case(*whens, else_=last) if whens else last)


def exact_sum(name: str, of: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Two columns that ``summed`` puts together; NULL counts as nothing."""
    return [
        func.sum(of // _HALF).label(f"{name}_high"),
        func.sum(of % _HALF).label(f"{name}_low"),
    ]


def summed(raw: Raw, name: str) -> int:
    """The sum of ``exact_sum``."""
    return int(raw.get(f"{name}_high") or 0) * _HALF + int(raw.get(f"{name}_low") or 0)


def counted(raw: Raw, name: str) -> int:
    """A count; 0 where there was no row."""
    return int(raw.get(name) or 0)
