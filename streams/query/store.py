"""The rows, and how a batch becomes part of them: one transaction, or nothing.

Rows of orders and reviews are computed anew from the whole history of those that a batch touches, and
verdicts on them, so they are always a function of what the store holds of that; all of it and the offsets
change in the same transaction.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, func, literal, select, update

from streams.query.batch import Advance, Batch
from streams.query.connecting import Database
from streams.query.customer_records import forget_left_out, take_left_out
from streams.query.erasing import erase, erased_until
from streams.query.errors import OffsetsMoved
from streams.query.facts import Customer, CustomerFact, Fact, OrderKey, Place
from streams.query.histories import ORDERS, REVIEWS, leave_out, left_out_among, merge
from streams.query.moves import forget_moves, note_moves
from streams.query.orders import order_rows
from streams.query.products import write_products
from streams.query.profiles import write_profiles
from streams.query.reviews import review_row
from streams.query.service import write_service
from streams.query.statements import delete_rows, insert_rows
from streams.query.tables import (
    decisions,
    like_events,
    order_coupons,
    order_lines,
    orders,
    profile_events,
    refunds,
    reviews,
    service_events,
    sink_offsets,
    triggers,
    wish_events,
)
from streams.query.verdicts import ON_ORDERS, ON_WISHES
from streams.query.wishes import mark_wishes, write_wishes


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
            gone = leave_out(connection, batch.left_out)
            profiles_gone = forget_left_out(connection, profile_events, batch.left_out)
            service_gone = forget_left_out(connection, service_events, batch.left_out)
            wishes_gone = forget_left_out(connection, wish_events, batch.left_out)
            likes_gone = take_left_out(connection, like_events, batch.left_out)
            excluded = left_out_among(
                connection,
                [
                    *batch.orders,
                    *batch.reviews,
                    *batch.profiles,
                    *batch.service,
                    *batch.wishes,
                    *batch.erasures,
                ],
            )
            erasures = [one for one in batch.erasures if one.place not in excluded]
            erased = erase(connection, erasures, [*batch.verdicts, *batch.wish_verdicts])
            for history, of_orders in erased.orders.items():
                gone[history] |= of_orders
            good = _kept(connection, batch, excluded)
            gone[ORDERS] |= ON_ORDERS.take(connection, good.verdicts)
            _write_orders(connection, good.orders, gone[ORDERS])
            _write_reviews(connection, good.reviews, gone[REVIEWS])
            insert_rows(connection, triggers, good.triggers, existing="keep")
            insert_rows(connection, decisions, good.decisions, existing="keep")
            write_profiles(connection, good.profiles, profiles_gone | erased.until_ms.keys())
            write_service(connection, good.service, service_gone | erased.until_ms.keys())
            wishes_gone |= erased.until_ms.keys()
            write_wishes(connection, good.wishes, wishes_gone, likes_gone)
            mark_wishes(connection, erased.wishes | ON_WISHES.take(connection, good.wish_verdicts))
            write_products(connection, batch.products)
            forget_moves(connection, erased.until_ms)


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


class _Kept(NamedTuple):
    """What of a batch is stored."""

    orders: list[Fact]
    reviews: list[Fact]
    profiles: list[CustomerFact]
    service: list[CustomerFact]
    wishes: list[CustomerFact]
    triggers: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    verdicts: list[dict[str, Any]]
    wish_verdicts: list[dict[str, Any]]


def _kept(connection: Connection, batch: Batch, excluded: set[Place]) -> _Kept:
    """Without what is at the places that are ``excluded``, and what erased customers did until then."""
    until = erased_until(
        connection,
        [
            *(fact.order[:2] for fact in (*batch.orders, *batch.reviews)),
            *(fact.customer for fact in (*batch.profiles, *batch.service, *batch.wishes)),
            *(
                (row["shop_id"], row["customer_id"])
                for row in (
                    *batch.triggers,
                    *batch.decisions,
                    *batch.verdicts,
                    *batch.wish_verdicts,
                )
            ),
        ],
    )

    def counts(customer: Customer, time_ms: int) -> bool:
        until_ms = until.get(customer)
        return until_ms is None or time_ms > until_ms

    orders_kept, reviews_kept = (
        [f for f in some if f.place not in excluded and counts(f.order[:2], f.time_ms)]
        for some in (batch.orders, batch.reviews)
    )
    profiles_kept, service_kept, wishes_kept = (
        [f for f in some if f.place not in excluded and counts(f.customer, f.time_ms)]
        for some in (batch.profiles, batch.service, batch.wishes)
    )
    triggers_kept, decisions_kept, verdicts_kept, wish_verdicts_kept = (
        [row for row in some if counts((row["shop_id"], row["customer_id"]), row["time_ms"])]
        for some in (batch.triggers, batch.decisions, batch.verdicts, batch.wish_verdicts)
    )
    return _Kept(
        orders_kept, reviews_kept, profiles_kept, service_kept, wishes_kept, triggers_kept,
        decisions_kept, verdicts_kept, wish_verdicts_kept,
    )  # fmt: skip


def _write_orders(connection: Connection, facts: list[Fact], gone: set[OrderKey]) -> None:
    history = merge(connection, ORDERS, facts, gone)
    judged = ON_ORDERS.holding(connection, history.by_order)
    rows = [order_rows(own, judged.get(key)) for key, own in history.by_order.items()]
    times = {key: row.order["ordered_ms"] for key, row in zip(history.by_order, rows, strict=True)}
    note_moves(connection, {**times, **dict.fromkeys(history.emptied)})
    delete_rows(connection, orders, history.emptied)
    insert_rows(connection, orders, [row.order for row in rows], existing="replace")
    for table, children in (
        (order_lines, [line for row in rows for line in row.lines]),
        (order_coupons, [coupon for row in rows for coupon in row.coupons]),
        (refunds, [refund for row in rows for refund in row.refunds]),
    ):
        delete_rows(connection, table, [*history.by_order, *history.emptied])
        insert_rows(connection, table, children)


def _write_reviews(connection: Connection, facts: list[Fact], gone: set[OrderKey]) -> None:
    history = merge(connection, REVIEWS, facts, gone)
    by_review: dict[tuple[OrderKey, str], list[Fact]] = {}
    for of_order in history.by_order.values():
        for fact in of_order:
            by_review.setdefault((fact.order, fact.name[0]), []).append(fact)
    # All reviews of an order are computed anew with it: they are few.
    delete_rows(connection, reviews, [*history.by_order, *history.emptied])
    insert_rows(connection, reviews, [review_row(own) for own in by_review.values()])
