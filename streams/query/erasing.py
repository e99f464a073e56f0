"""Customers who were erased: of what they did until then nothing is in any row, whichever came first.

The store goes by event time alone, so what it has is a function of the set of records. What a worker's state
dropped beyond that (events later than the erase that it had folded before it) follows from the order in
which the worker read, which the store does not know: it keeps them.

A verdict names the visitors who had turned out to be its customer by then: an erasure of the customer
reaches them, too, whether it or the verdict comes first. Without that an order that one of them paid would
be held to be honest again when the verdict on it goes.

What was deleted comes back only by filling another store.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, select

from streams.query.batch import Erasure
from streams.query.facts import Customer, OrderKey
from streams.query.histories import ORDERS, REVIEWS, History
from streams.query.statements import KEYS, among, chunks, insert_rows
from streams.query.tables import (
    decisions,
    erased,
    like_events,
    profile_events,
    repeats,
    service_events,
    triggers,
    wish_events,
)
from streams.query.verdicts import ON_ORDERS, ON_WISHES, Key, visitors_in

#: Tables of records that are deleted without a look at what they were of: nothing is computed from them, or
#: it is computed anew for each customer erased.
_RECORDS: Final[tuple[Table, ...]] = (
    repeats, triggers, decisions, profile_events, service_events, wish_events, like_events,
)  # fmt: skip


class Gone(NamedTuple):
    """What was deleted: ``until_ms`` of each customer of whom there may have been something, the orders
    whose history or verdicts are less than before, by history, and the wishes whose verdicts are."""

    until_ms: Mapping[Customer, int]
    orders: Mapping[History, set[OrderKey]]
    wishes: set[Key]


def erase(
    connection: Connection, erasures: Sequence[Erasure], arriving: Sequence[dict[str, Any]] = ()
) -> Gone:
    """Note these erasures, and delete what is of their customers until then from the records' tables.

    ``arriving``: verdicts that come with them, rows of either kind. What follows from the histories is to be
    computed anew by the caller.
    """
    asked: dict[Customer, int] = {}
    for one in erasures:
        _ask(asked, (one.shop_id, one.customer_id), one.until_ms)
    _ask_visitors(connection, asked, arriving)
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
    wishes: set[Key] = set()
    for customer, until_ms in new.items():
        for history, found in gone.items():
            found |= _delete_facts(connection, history.table, customer, until_ms)
        gone[ORDERS] |= ON_ORDERS.forget(connection, *customer, until_ms)
        wishes |= ON_WISHES.forget(connection, *customer, until_ms)
        for table in _RECORDS:
            connection.execute(delete(table).where(_until(table, customer, until_ms)))
    return Gone(new, gone, wishes)


def _ask(asked: dict[Customer, int], customer: Customer, until_ms: int) -> None:
    asked[customer] = max(until_ms, asked.get(customer, until_ms))


def _ask_visitors(
    connection: Connection, asked: dict[Customer, int], arriving: Sequence[dict[str, Any]]
) -> None:
    """Add the visitors whom verdicts name, as of the verdict's time, and whom these had been before.

    That is of verdicts stored on customers in ``asked``, and of those arriving on anybody who is erased.
    """
    judged = {(row["shop_id"], row["customer_id"]) for row in arriving}
    ends = erased_until(connection, judged) if judged else {}
    for customer, until_ms in asked.items():
        _ask(ends, customer, until_ms)
    reached = set(ends)
    while reached:
        rows = [
            row
            for one in sorted(reached)
            for judged in (ON_ORDERS, ON_WISHES)
            for row in judged.of_customer(connection, *one, ends[one])
        ]
        reached = set()
        for row in (*rows, *arriving):
            time_ms = row["time_ms"]
            if time_ms > ends.get((row["shop_id"], row["customer_id"]), -1):
                continue
            for visitor in visitors_in(row):
                one = (row["shop_id"], visitor)
                if time_ms > ends.get(one, -1):
                    _ask(ends, one, time_ms)
                    _ask(asked, one, time_ms)
                    reached.add(one)


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
