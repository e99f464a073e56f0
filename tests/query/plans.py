"""Which statements the store is asked, and how SQLite carries each out."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

from streams.query.connecting import Database


def statements_of(database: Database, run: Callable[[], object]) -> list[tuple[str, Any]]:
    """The statements that ``run`` executes, with their parameters (of many rows the first's)."""
    said: list[tuple[str, Any]] = []

    def note(
        _1: object, _2: object, statement: str, parameters: Any, _3: object, many: bool
    ) -> None:
        said.append((statement, parameters[0] if many else parameters))

    engines: list[Engine] = [database.reader, database.writer]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        run()
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
    return said


def plan_of(connection: Connection, statement: str, parameters: Any) -> list[str]:
    """The steps of SQLite's plan."""
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    return [row[-1] for row in plan]
