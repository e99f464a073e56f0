"""Statements that are about many rows at once, the same in SQLite and PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Column, Connection, Table, delete, tuple_
from sqlalchemy.dialects import postgresql, sqlite

#: Keys looked up in one statement, of up to four values each: SQLite takes 32,766 values, PostgreSQL's
#: protocol 65,535.
KEYS: Final = 2_000

Row = Mapping[str, Any]
T = TypeVar("T")


def insert_rows(
    connection: Connection, table: Table, rows: Sequence[Row], *, existing: str = "none"
) -> None:
    """``existing`` rows of the same key: ``keep`` or ``replace`` them; ``none`` are expected.

    One statement, prepared once and run for all rows: SQLite's driver loops in C, PostgreSQL's sends them
    in a pipeline, one round trip for all.
    """
    if not rows:
        return
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    if existing == "keep":
        statement = statement.on_conflict_do_nothing()
    elif existing == "replace":
        key = table.primary_key.columns
        rest = {
            column.name: statement.excluded[column.name]
            for column in table.c
            if not column.primary_key
        }
        statement = statement.on_conflict_do_update(index_elements=list(key), set_=rest)
    connection.execute(statement, list(rows))


def delete_rows(connection: Connection, table: Table, keys: Sequence[tuple[Any, ...]]) -> None:
    """Remove the rows whose key begins with one of ``keys``, which are all of one length."""
    for some in chunks(keys, KEYS):
        columns: list[Column[Any]] = list(table.primary_key.columns)[: len(some[0])]
        connection.execute(delete(table).where(tuple_(*columns).in_(some)))


def chunks(items: Sequence[T], size: int) -> Iterator[list[T]]:
    for first in range(0, len(items), size):
        yield list(items[first : first + size])
