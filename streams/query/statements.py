"""Statements that are about many rows at once, the same in SQLite and PostgreSQL."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

#: Keys looked up in one statement, of up to four values each: SQLite takes 32,766 values, PostgreSQL's
#: protocol 65,535.
KEYS: Final = 2_000

Row = Mapping[str, Any]
T = TypeVar("T")


def insert_rows(
    connection: Connection, table: Table, rows: Sequence[Row], *, existing: str = "none"
) -> None:
    """Insert rows that each have all columns. ``existing`` rows of the same key: ``keep`` or ``replace``
    them; ``none`` are expected.

    PostgreSQL takes all rows in one statement, an array a column. SQLite takes one prepared statement, which
    its driver runs for each row without a way back to Python.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_settled(_from_arrays(table), table, existing), _arrays(table, rows))
    else:
        connection.execute(_settled(sqlite.insert(table), table, existing), list(rows))


def _from_arrays(table: Table) -> postgresql.Insert:
    # Not the driver's executemany: its pipeline ends with a message after which PostgreSQL (seen with 15) no
    # longer counts the time that a transaction is idle, and a frozen sink would hold the store for ever.
    names = [column.name for column in table.columns]
    arrays = [bindparam(_array(c.name), type_=postgresql.ARRAY(c.type)) for c in table.columns]
    source = func.unnest(*arrays).table_valued(*names).render_derived()
    return postgresql.insert(table).from_select(names, select(*(source.c[name] for name in names)))


def _arrays(table: Table, rows: Sequence[Row]) -> dict[str, list[Any]]:
    return {_array(column.name): [row[column.name] for row in rows] for column in table.columns}


def _array(name: str) -> str:
    return f"all_{name}"


def _settled(statement: Any, table: Table, existing: str) -> Any:
    """``statement`` with what it does where a row of the same key exists."""
    if existing == "keep":
        return statement.on_conflict_do_nothing()
    if existing == "replace":
        rest = {
            column.name: statement.excluded[column.name]
            for column in table.c
            if not column.primary_key
        }
        return statement.on_conflict_do_update(
            index_elements=list(table.primary_key.columns), set_=rest
        )
    return statement


def delete_rows(connection: Connection, table: Table, keys: Sequence[tuple[Any, ...]]) -> None:
    """Remove the rows whose key begins with one of ``keys``, which are all of one length."""
    for some in chunks(keys, KEYS):
        columns: list[Column[Any]] = list(table.primary_key.columns)[: len(some[0])]
        connection.execute(delete(table).where(among(connection, columns, some)))


def among(
    connection: Connection, columns: Sequence[Column[Any]], keys: Sequence[tuple[Any, ...]]
) -> ColumnElement[bool]:
    """That ``columns`` are one of ``keys`` (at least one, at most KEYS).

    The keys are a table, to be joined by an index: a list of them PostgreSQL would plan one by one, and
    SQLite would walk the whole table for.
    """
    if connection.dialect.name != "postgresql":
        return _among_in_sqlite(columns, keys)
    arrays = [
        literal(list(values), postgresql.ARRAY(column.type))
        for column, values in zip(columns, zip(*keys, strict=True), strict=True)
    ]
    names = [column.name for column in columns]
    source = func.unnest(*arrays).table_valued(*names).render_derived()
    return tuple_(*columns).in_(select(*(source.c[name] for name in names)))


def _among_in_sqlite(
    columns: Sequence[Column[Any]], keys: Sequence[tuple[Any, ...]]
) -> ColumnElement[bool]:
    table = columns[0].table
    fits = " AND ".join(
        f"held.{column.name} = json_extract(one.value, '$[{at}]')"
        for at, column in enumerate(columns)
    )
    # A cross join keeps this order: each key is sought in the table, not each row among the keys.
    found = text(
        f"SELECT held.rowid FROM json_each(:keys) AS one CROSS JOIN {table} AS held ON {fits}"  # noqa: S608 - names are ours
    ).bindparams(bindparam("keys", json.dumps(keys, ensure_ascii=False), unique=True))
    return literal_column(f"{table}.rowid").in_(found.columns(literal_column("rowid")))


def chunks(items: Sequence[T], size: int) -> Iterator[list[T]]:
    for first in range(0, len(items), size):
        yield list(items[first : first + size])
