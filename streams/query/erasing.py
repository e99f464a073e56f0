"""Customers who were erased: of what they did until then nothing is in any row, whichever came first.

The store goes by event time alone, so what it has is a function of the set of records. What a worker's state
dropped beyond that (events later than the erase that it had folded before it) follows from the order in
which the worker read, which the store does not know: it keeps them.

What was deleted comes back only by filling another store.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, select

from streams.query.batch import Erasure
from streams.query.facts import OrderKey
from streams.query.histories import ORDERS, REVIEWS, History
from streams.query.statements import KEYS, among, chunks, insert_rows
from streams.query.tables import erased, repeats, triggers

#: Shop, customer.
Customer: TypeAlias = tuple[str, str]
#: Tables of records from which nothing is computed.
_RECORDS: Final[tuple[Table, ...]] = (repeats, triggers)


class Gone(NamedTuple):
    """What was deleted: ``until_ms`` of each customer of whom there may have been something, and the orders
    whose history has less than before, by history."""

    until_ms: Mapping[Customer, int]
    orders: Mapping[History, set[OrderKey]]


def erase(connection: Connection, erasures: Sequence[Erasure]) -> Gone:
    """Note these erasures, and delete what is of their customers until then from the records' tables.

    What follows from the histories is to be computed anew by the caller.
    """
    asked: dict[Customer, int] = {}
    for one in erasures:
        customer = (one.shop_id, one.customer_id)
        asked[customer] = max(one.until_ms, asked.get(customer, one.until_ms))
    held = erased_until(connection, asked)
    # Up to where a customer was erased before, nothing was stored since then.
    new = {
        customer: until_ms
        for customer, until_ms in asked.items()
        if customer not in held or until_ms > held[customer]
    }
    rows = [
        {"shop_id": shop, "customer_id": customer, "until_ms": until_ms}
        for (shop, customer), until_ms in new.items()
    ]
    insert_rows(connection, erased, rows, existing="replace")
    gone: dict[History, set[OrderKey]] = {ORDERS: set(), REVIEWS: set()}
    for customer, until_ms in new.items():
        for history, found in gone.items():
            found |= _delete_facts(connection, history.table, customer, until_ms)
        for table in _RECORDS:
            connection.execute(delete(table).where(_until(table, customer, until_ms)))
    return Gone(new, gone)


def erased_until(connection: Connection, customers: Iterable[Customer]) -> dict[Customer, int]:
    """Customer -> ms since 1970 until which they are erased; of those of ``customers`` who ever were."""
    held = erased.c
    found: dict[Customer, int] = {}
    for some in chunks(sorted(set(customers)), KEYS):
        key = [held.shop_id, held.customer_id]
        rows = connection.execute(select(erased).where(among(connection, key, some)))
        found.update(((row.shop_id, row.customer_id), row.until_ms) for row in rows)
    return found


def _delete_facts(
    connection: Connection, table: Table, customer: Customer, until_ms: int
) -> set[OrderKey]:
    """The orders that had any."""
    held, fits = table.c, _until(table, customer, until_ms)
    key = (held.shop_id, held.customer_id, held.order_id)
    found = {(row[0], row[1], row[2]) for row in connection.execute(select(*key).where(fits))}
    if found:
        connection.execute(delete(table).where(fits))
    return found


def _until(table: Table, customer: Customer, until_ms: int) -> ColumnElement[bool]:
    held = table.c
    shop_id, customer_id = customer
    return and_(held.shop_id == shop_id, held.customer_id == customer_id, held.time_ms <= until_ms)
