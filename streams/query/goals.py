"""The goals that people set for a shop's figures, as rows of the query store.

They are not in ``streams.query.tables``: those follow from the topics, and a store that is filled anew has
them again. Goals it has not.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, Table, delete, select

from streams.query.columns import TEXT
from streams.query.statements import insert_rows

goals = Table(
    "goals",
    MetaData(),
    Column("shop_id", TEXT, nullable=False),
    #: The report whose figure it is: figures of one name may be defined differently.
    Column("report", TEXT, nullable=False),
    Column("figure", TEXT, nullable=False),
    #: Days of the shop's clock, 2026-11-01; both included.
    Column("first_day", TEXT, nullable=False),
    Column("last_day", TEXT, nullable=False),
    #: A decimal number in the figure's unit, of money minor units.
    Column("value", TEXT, nullable=False),
    #: ISO 4217, of money only.
    Column("currency", TEXT),
    PrimaryKeyConstraint("shop_id", "report", "figure", "first_day", "last_day"),
)


class Goal(NamedTuple):
    """``value`` is to be reached by ``figure`` of ``report`` over the days ``first`` to ``last``."""

    shop: str
    report: str
    figure: str
    first: date
    last: date
    value: Decimal
    currency: str | None = None


def goals_of(connection: Connection, shop: str | None = None) -> list[Goal]:
    """All goals, or those of ``shop``, by their key."""
    asked = select(goals).order_by(*goals.primary_key.columns)
    if shop is not None:
        asked = asked.where(goals.c.shop_id == shop)
    return [
        Goal(row.shop_id, row.report, row.figure, _day(row.first_day), _day(row.last_day),
             Decimal(row.value), row.currency)
        for row in connection.execute(asked)
    ]  # fmt: skip


def set_goal(connection: Connection, goal: Goal) -> bool:
    """Keep ``goal`` in place of the one of its key; False where that is the same already."""
    if goal in goals_of(connection, goal.shop):
        return False
    row = {**_key(goal), "value": str(goal.value), "currency": goal.currency}
    insert_rows(connection, goals, [row], existing="replace")
    return True


def remove_goals(connection: Connection, found: list[Goal]) -> None:
    """Remove the goals with the keys of those ``found``."""
    for goal in found:
        conditions = [goals.c[name] == value for name, value in _key(goal).items()]
        connection.execute(delete(goals).where(*conditions))


def _key(goal: Goal) -> dict[str, str]:
    return {
        "shop_id": goal.shop, "report": goal.report, "figure": goal.figure,
        "first_day": goal.first.isoformat(), "last_day": goal.last.isoformat(),
    }  # fmt: skip


def _day(text: str) -> date:
    return date.fromisoformat(text)
