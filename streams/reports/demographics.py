"""Paid orders by who the buyers say they are: age, gender and region of their profiles."""

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, literal

from streams.domain.aggregates.demographics import BANDS
from streams.query.tables import profiles
from streams.reports.honest import orders
from streams.reports.model import Asked, Report, Row
from streams.reports.paid import FIGURES, facts, rows_by
from streams.reports.sums import Facts


def _age(last: date) -> ColumnElement[Any]:
    """The band on ``last``; NULL of whom it is not known, and of who is not born by then."""
    born = profiles.c.birthday
    # Dates in this form compare as texts, also with a 29 February of a year that has none.
    bands = [
        (born <= f"{last.year - least:04}-{last:%m-%d}", literal(name)) for least, name in BANDS
    ]
    return case((born.is_not(None), case(*bands)), else_=profiles.c.age_band)


_KEYS: Final[Mapping[str, Callable[[Asked], ColumnElement[Any]]]] = MappingProxyType(
    {
        "age": lambda asked: _age(asked.period.last),
        "gender": lambda _: profiles.c.gender,
        "region": lambda _: profiles.c.region,
    }
)


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    key = _KEYS.get(asked.by or "")
    if key is None:
        return rows_by(connection, asked, facts(asked), None)
    held, said = orders.c, profiles.c
    of_buyer = and_(said.shop_id == held.shop_id, said.customer_id == held.customer_id)
    source = orders.outerjoin(profiles, of_buyer)
    paid = Facts(source, held.paid_ms, [held.shop_id == asked.shop])
    return rows_by(connection, asked, paid, key(asked))


REPORT = Report(
    "demographics", "Buyers by age, gender and region", FIGURES, (*_KEYS, "day", "week", "month"), _rows,
    by="age",
    notes=(
        "By what the buyers' profiles say as they are known now, whenever they paid.",
        "Those who said nothing of it are a part of their own (key null); so is who paid as a visitor.",
        "An age is that of the birthday on the period's last day, else the age_band as it was said.",
    ),
)  # fmt: skip
