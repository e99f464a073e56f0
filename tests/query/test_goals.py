"""Goals as rows, in SQLite and in a real PostgreSQL."""

from datetime import date
from decimal import Decimal

from sqlalchemy import inspect

from streams.query.connecting import Database
from streams.query.goals import Goal, goals, goals_of, remove_goals, set_goal

NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))
PAID = Goal("tea", "overview", "paid_amount", *NOVEMBER, Decimal(10_000_000), "CNY")


def test_a_goal_is_kept_replaced_and_removed(database: Database) -> None:
    share = Goal("tea", "repurchase", "share", *NOVEMBER, Decimal("0.125"))
    elsewhere = PAID._replace(shop="north")
    with database.writing() as connection:
        for goal in (PAID, share, elsewhere):
            assert set_goal(connection, goal)
            assert not set_goal(connection, goal)
    more = PAID._replace(value=Decimal(12_000_000))
    with database.writing() as connection:
        assert set_goal(connection, more)
    with database.reading() as connection:
        assert goals_of(connection) == [elsewhere, more, share]
        assert goals_of(connection, "tea") == [more, share]
    with database.writing() as connection:
        remove_goals(connection, [more, PAID])
    with database.reading() as connection:
        assert goals_of(connection) == [elsewhere, share]


def test_the_table_is_the_one_that_the_migrations_make(database: Database) -> None:
    with database.reading() as connection:
        made = inspect(connection)
        columns = {(each["name"], each["nullable"]) for each in made.get_columns("goals")}
        key = made.get_pk_constraint("goals")["constrained_columns"]
    assert columns == {(column.name, column.nullable) for column in goals.columns}
    assert key == [column.name for column in goals.primary_key.columns]
