"""Medians and 90th percentiles of times between two moments, worked out by the database."""

from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, case, func, literal, select

from streams.reports.amounts import unknown
from streams.reports.model import Asked, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.sums import Facts, Raw, among, bucket_number, in_period, raws

_NONE: Final = "none of them has got that far yet"


def add_quantiles(
    connection: Connection,
    asked: Asked,
    facts: Facts,
    name: str,
    lasted: ColumnElement[int],
    keys: list[str | None],
    key: ColumnElement[Any] | None = None,
) -> tuple[Raw, dict[str | None, Raw], Raw]:
    """(of the whole, by part, of the others): columns for ``quantiles_of``, of ``lasted`` (ms) where it is
    known and not negative. ``keys``: the parts that are shown.
    """
    held = [in_period(facts.time, asked), *facts.where, lasted >= 0]
    nothing = literal(0, BigInteger)
    whole = _quantiles(connection, facts, held, name, lasted, nothing).get(0, {})
    if asked.by in TIME_DIMENSIONS:
        number = bucket_number(facts.time, asked.period, asked.by)
        by_number = _quantiles(connection, facts, held, name, lasted, number)
        names = [one.name for one in asked.period.buckets(asked.by)]
        return whole, {names[int(at)]: raw for at, raw in by_number.items()}, {}
    if key is None:
        return whole, {}, {}
    inside = _quantiles(connection, facts, [*held, among(key, keys)], name, lasted, key)
    outside = _quantiles(connection, facts, [*held, ~among(key, keys)], name, lasted, nothing)
    return whole, inside, outside.get(0, {})


def _quantiles(
    connection: Connection,
    facts: Facts,
    where: list[ColumnElement[bool]],
    name: str,
    lasted: ColumnElement[int],
    key: ColumnElement[Any],
) -> dict[Any, Raw]:
    # The key is worked out before it is ranked by: its parameters would make it another expression.
    known = (
        select(key.label("key"), lasted.label("lasted"))
        .select_from(facts.source)
        .where(*where)
        .subquery("known")
    )
    at = func.row_number().over(partition_by=known.c.key, order_by=known.c.lasted)
    of = func.count().over(partition_by=known.c.key)
    ranked = select(known, at.label("at"), of.label("of")).subquery("ranked").c

    def nth(rank: ColumnElement[int]) -> ColumnElement[int]:
        return func.max(case((ranked.at == rank, ranked.lasted)))

    statement = select(
        ranked.key,
        nth((ranked.of + 1) // 2).label(f"{name}_lower"),
        nth(ranked.of // 2 + 1).label(f"{name}_upper"),
        nth((9 * ranked.of + 9) // 10).label(f"{name}_p90"),
    ).group_by(ranked.key)
    return {row["key"]: row for row in raws(connection, statement)}


def quantiles_of(raw: Raw, name: str) -> dict[str, Value]:
    """The median (of two in the middle their mean, rounded half up) and the p90 (nearest rank), ms."""
    lower, upper, p90 = (raw.get(f"{name}_{which}") for which in ("lower", "upper", "p90"))
    if lower is None or upper is None or p90 is None:
        return dict.fromkeys((f"{name}_median", f"{name}_p90"), unknown(_NONE))
    return {
        f"{name}_median": Value((int(lower) + int(upper) + 1) // 2),
        f"{name}_p90": Value(int(p90)),
    }
