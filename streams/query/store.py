"""The rows, and how a batch becomes part of them: one transaction, or nothing.

Rows of orders and reviews are computed anew from the whole history of those that a batch touches, so they
are always a function of what the history holds; the history and the offsets change in the same transaction.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Table,
    delete,
    func,
    literal,
    select,
    update,
)

from streams.query.batch import Advance, Batch, LeftOut
from streams.query.connecting import Database
from streams.query.errors import OffsetsMoved
from streams.query.facts import Fact, OrderKey, Place, kept
from streams.query.orders import order_rows
from streams.query.reviews import review_row
from streams.query.statements import KEYS, among, chunks, delete_rows, insert_rows
from streams.query.tables import (
    left_out,
    order_coupons,
    order_events,
    order_lines,
    orders,
    refunds,
    review_events,
    reviews,
    sink_offsets,
    triggers,
)


class Stored(NamedTuple):
    """What the store has of a partition: offsets [first, next) of the topic with Kafka's id ``topic_id``."""

    topic: str
    partition: int
    topic_id: str
    first: int
    next: int
    appended_ms: int | None
    records: int
    passed_over: int


class QueryStore:
    """Writes batches. Every call may block; errors of the database are SQLAlchemy's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def offsets(self) -> dict[tuple[str, int], Stored]:
        """(topic, partition) -> what the store has of it."""
        with self._database.reading() as connection:
            return stored_offsets(connection)

    def begin(self, parts: Sequence[Stored]) -> None:
        """Make the offsets of partitions that the store has nothing of; others stay as they are."""
        if not parts:
            return
        rows = [
            {
                "topic": part.topic, "partition": part.partition, "topic_id": part.topic_id,
                "first_offset": part.first, "next_offset": part.next, "appended_ms": part.appended_ms,
                "records": part.records, "passed_over": part.passed_over,
            }
            for part in parts
        ]  # fmt: skip
        with self._database.writing() as connection:
            insert_rows(connection, sink_offsets, rows, existing="keep")

    def write(self, batch: Batch) -> None:
        """Write a batch and its offsets. Raises OffsetsMoved, and then nothing was written."""
        with self._database.writing() as connection:
            # A statement a partition that moved, not one an event.
            for advance in batch.advances:
                _advance(connection, advance)
            gone = _leave_out(connection, batch.left_out)
            excluded = _left_out_among(connection, [*batch.orders, *batch.reviews])
            _write_orders(connection, [f for f in batch.orders if f.place not in excluded], gone)
            _write_reviews(connection, [f for f in batch.reviews if f.place not in excluded], gone)
            insert_rows(connection, triggers, batch.triggers, existing="keep")


def stored_offsets(connection: Connection) -> dict[tuple[str, int], Stored]:
    """(topic, partition) -> what the store has of it."""
    rows = [Stored(*row) for row in connection.execute(select(sink_offsets))]
    return {(row.topic, row.partition): row for row in rows}


def _advance(connection: Connection, advance: Advance) -> None:
    """Compare and set: the partition stands where this sink believes it to stand, or nothing counts."""
    held = sink_offsets.c
    of_partition = (held.topic == advance.topic, held.partition == advance.partition)
    moved = connection.execute(
        update(sink_offsets)
        .where(*of_partition, held.next_offset == advance.start)
        .values(
            next_offset=advance.end,
            records=held.records + advance.records,
            passed_over=held.passed_over + advance.passed_over,
            appended_ms=func.coalesce(literal(advance.appended_ms, BigInteger), held.appended_ms),
        )
    )
    if moved.rowcount != 1:
        found = connection.execute(select(held.next_offset).where(*of_partition)).scalar()
        raise OffsetsMoved(advance.topic, advance.partition, advance.start, found)


# --- what a worker left out


def _leave_out(connection: Connection, verdicts: Sequence[LeftOut]) -> "_Gone":
    """Note these records, and take what was kept of them out of the histories."""
    gone = _Gone(set(), set())
    if not verdicts:
        return gone
    rows = [
        dict(zip(("topic", "partition", "offset", "reason"), (*one.place, one.reason), strict=True))
        for one in verdicts
    ]
    insert_rows(connection, left_out, rows, existing="keep")
    places = [one.place for one in verdicts]
    for table, found in ((order_events, gone.orders), (review_events, gone.reviews)):
        held = table.c
        place = (held.topic, held.partition, held.offset)
        for some in chunks(places, KEYS):
            key = (
                held.shop_id,
                held.customer_id,
                held.order_id,
                table.primary_key.columns.values()[3],
            )
            found_here = connection.execute(
                select(*key).where(among(connection, place, some))
            ).all()
            found.update(tuple(row) for row in found_here)
            connection.execute(delete(table).where(among(connection, place, some)))
    return gone


class _Gone(NamedTuple):
    """Whose histories lost a fact: (shop, customer, order, status) and (shop, customer, order, sku)."""

    orders: set[tuple[Any, ...]]
    reviews: set[tuple[Any, ...]]


def _left_out_among(connection: Connection, facts: Sequence[Fact]) -> set[Place]:
    """The places of those of ``facts`` that a worker left out."""
    least: dict[tuple[str, int], int] = {}
    for fact in facts:
        topic, partition, offset = fact.place
        least[topic, partition] = min(offset, least.get((topic, partition), offset))
    found: set[Place] = set()
    for (topic, partition), offset in least.items():
        held = left_out.c
        # Verdicts come after the events, so there is hardly ever one ahead of the store.
        rows = connection.execute(
            select(held.offset).where(
                held.topic == topic, held.partition == partition, held.offset >= offset
            )
        )
        found.update((topic, partition, row.offset) for row in rows)
    return found


# --- orders


def _write_orders(connection: Connection, facts: list[Fact], gone: _Gone) -> None:
    touched = sorted({fact.order for fact in facts} | {_order(key) for key in gone.orders})
    if not touched:
        return
    held = list(_read_facts(connection, order_events, touched, ("status", "refund_id")))
    histories = _merge(connection, order_events, ("status", "refund_id"), held, facts)
    changed = {fact.order for fact in _new(held, histories)} | {_order(key) for key in gone.orders}
    by_order = _grouped(histories.values(), lambda fact: fact.order)
    rows = [order_rows(by_order[key]) for key in sorted(changed) if key in by_order]
    emptied = [key for key in sorted(changed) if key not in by_order]
    delete_rows(connection, orders, emptied)
    insert_rows(connection, orders, [row.order for row in rows], existing="replace")
    for table, children in (
        (order_lines, [line for row in rows for line in row.lines]),
        (order_coupons, [coupon for row in rows for coupon in row.coupons]),
        (refunds, [refund for row in rows for refund in row.refunds]),
    ):
        delete_rows(connection, table, sorted(changed))
        insert_rows(connection, table, children)


def _order(key: tuple[Any, ...]) -> OrderKey:
    return key[0], key[1], key[2]


# --- reviews


def _write_reviews(connection: Connection, facts: list[Fact], gone: _Gone) -> None:
    touched = {(*fact.order, fact.name[0]) for fact in facts} | gone.reviews
    if not touched:
        return
    of_orders = sorted({_order(key) for key in touched})
    held = list(_read_facts(connection, review_events, of_orders, ("sku", "action")))
    histories = _merge(connection, review_events, ("sku", "action"), held, facts)
    changed = {(*fact.order, fact.name[0]) for fact in _new(held, histories)} | gone.reviews
    by_review = _grouped(histories.values(), lambda fact: (*fact.order, fact.name[0]))
    rows = [review_row(by_review[key]) for key in sorted(changed) if key in by_review]
    delete_rows(connection, reviews, [key for key in sorted(changed) if key not in by_review])
    insert_rows(connection, reviews, rows, existing="replace")


# --- histories


def _read_facts(
    connection: Connection, table: Table, keys: Sequence[OrderKey], name: tuple[str, str]
) -> Iterator[Fact]:
    held = table.c
    order = (held.shop_id, held.customer_id, held.order_id)
    columns = (
        *order, held[name[0]], held[name[1]], held.time_ms, held.source, held.event_id, held.data,
        held.topic, held.partition, held.offset,
    )  # fmt: skip
    for some in chunks(keys, KEYS):
        for row in connection.execute(select(*columns).where(among(connection, order, some))):
            yield Fact(
                _order(tuple(row)), (row[3], row[4]), row.time_ms, row.source, row.event_id, row.data,
                (row.topic, row.partition, row.offset),
            )  # fmt: skip


def _merge(
    connection: Connection, table: Table, name: tuple[str, str], held: list[Fact], facts: list[Fact]
) -> dict[Any, Fact]:
    """Natural key -> what is kept of ``held`` and ``facts``; writes what is new of it."""
    histories = kept([*held, *facts])
    rows = [
        {
            **dict(zip(("shop_id", "customer_id", "order_id"), fact.order, strict=True)),
            **dict(zip(name, fact.name, strict=True)),
            "time_ms": fact.time_ms, "source": fact.source, "event_id": fact.event_id,
            "data": fact.data,
            **dict(zip(("topic", "partition", "offset"), fact.place, strict=True)),
        }
        for fact in _new(held, histories)
    ]  # fmt: skip
    insert_rows(connection, table, rows, existing="replace")
    return histories


def _new(held: Iterable[Fact], histories: Mapping[Any, Fact]) -> list[Fact]:
    """What is kept now and was not in the store."""
    before = set(held)
    return [fact for fact in histories.values() if fact not in before]


def _grouped(facts: Iterable[Fact], key: Callable[[Fact], Any]) -> dict[Any, list[Fact]]:
    found: dict[Any, list[Fact]] = {}
    for fact in facts:
        found.setdefault(key(fact), []).append(fact)
    return found
