"""A shop that never told anything of a kind is not known to have had none of it."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection, Table

from streams.reports.amounts import unknown
from streams.reports.model import Asked, Row
from streams.reports.reach import has_rows

Rows = Callable[[Connection, Asked], list[Row]]


def unless_silent(rows: Rows, table: Table, what: str) -> Rows:
    """``rows``, of which nothing is known while ``table`` has no row of the shop, of any time.

    ``what``: what a row of it is called. One of them, and what is not there is 0: the shop tells such things.
    """

    def told(connection: Connection, asked: Asked) -> list[Row]:
        found = rows(connection, asked)
        if has_rows(connection, table, asked.shop):
            return found
        why = unknown(f"the shop has told no {what} yet")
        return [
            replace(
                row,
                values={
                    name: why if value.number is not None else value
                    for name, value in row.values.items()
                },
            )
            for row in found
        ]

    return told
