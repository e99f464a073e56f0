"""Tables of every record about customers, by place: what is computed of it is computed anew from all of it.

So a verdict that takes a record away leaves no trace of it, and a record that comes again changes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, select

from streams.query.batch import LeftOut
from streams.query.facts import Customer, CustomerFact
from streams.query.statements import KEYS, Row, among, chunks, insert_rows

#: The columns of such a table, in the order of a CustomerFact.
_COLUMNS = (
    "shop_id", "customer_id", "time_ms", "source", "event_id", "data", "topic", "partition", "offset",
)  # fmt: skip


def keep_records(connection: Connection, table: Table, facts: Sequence[CustomerFact]) -> None:
    """Add ``facts``; those that are there stay."""
    insert_rows(connection, table, [_row(fact) for fact in facts], existing="keep")


def forget_left_out(
    connection: Connection, table: Table, verdicts: Sequence[LeftOut]
) -> set[Customer]:
    """Delete the records that a worker left out; whose they were."""
    return {fact.customer for fact in take_left_out(connection, table, verdicts)}


def take_left_out(
    connection: Connection, table: Table, verdicts: Sequence[LeftOut]
) -> list[CustomerFact]:
    """Delete the records that a worker left out; returns them."""
    held = table.c
    found: list[CustomerFact] = []
    for some in chunks([one.place for one in verdicts], KEYS):
        of_records = among(connection, [held.topic, held.partition, held.offset], some)
        gone = [_fact(row) for row in connection.execute(select(table).where(of_records))]
        if gone:
            connection.execute(delete(table).where(of_records))
        found += gone
    return found


def records_of(
    connection: Connection, table: Table, customers: Iterable[Customer], *only: ColumnElement[bool]
) -> dict[Customer, list[CustomerFact]]:
    """Customer -> all that there is of them, in no order; of those of ``customers`` who have any.

    ``only``: of these, the records for which all of this holds.
    """
    held = table.c
    found: dict[Customer, list[CustomerFact]] = {}
    for some in chunks(sorted(set(customers)), KEYS):
        of_customers = among(connection, [held.shop_id, held.customer_id], some)
        for row in connection.execute(select(table).where(of_customers, *only)):
            fact = _fact(row)
            found.setdefault(fact.customer, []).append(fact)
    return found


def _fact(row: Any) -> CustomerFact:
    return CustomerFact(
        (row.shop_id, row.customer_id), row.time_ms, row.source, row.event_id, row.data,
        (row.topic, row.partition, row.offset),
    )  # fmt: skip


def each_once(facts: Iterable[CustomerFact]) -> list[CustomerFact]:
    """Of each source and event id the record that counts, the earliest first: of several the one with the
    earlier time, then the lesser content and place."""
    once: dict[tuple[str, str], CustomerFact] = {}
    for fact in sorted(facts, key=_rank):
        once.setdefault((fact.source, fact.event_id), fact)
    return list(once.values())


def _rank(fact: CustomerFact) -> tuple[object, ...]:
    return fact.time_ms, fact.source, fact.event_id, fact.data, fact.place


def _row(fact: CustomerFact) -> Row:
    values = (
        *fact.customer, fact.time_ms, fact.source, fact.event_id, fact.data, *fact.place,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))
