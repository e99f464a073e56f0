"""The histories of orders and of reviews: each natural key once, whatever came, in whatever order.

Of the records that read well and were not left out, the least of each natural key is kept
(streams.query.facts) and the others are among the repeats: so it is known what to keep in its place when a
worker's verdict takes the least away.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Table, delete, select

from streams.query.batch import Erasure, LeftOut
from streams.query.facts import CustomerFact, Fact, OrderKey, Place, kept
from streams.query.statements import KEYS, Row, among, chunks, delete_rows, insert_rows
from streams.query.tables import left_out, order_events, repeats, review_events


class History(NamedTuple):
    """A table of facts: ``kind`` names it among the repeats, ``name`` are the columns of a fact's name."""

    kind: str
    table: Table
    name: tuple[str, str]


ORDERS: Final = History("order", order_events, ("status", "refund_id"))
REVIEWS: Final = History("review", review_events, ("sku", "action"))

_ORDER: Final = ("shop_id", "customer_id", "order_id")
_PLACE: Final = ("topic", "partition", "offset")


class Merged(NamedTuple):
    """What a batch has changed: the whole history of each such order, and the orders that have none left."""

    by_order: dict[OrderKey, list[Fact]]
    emptied: list[OrderKey]


def merge(
    connection: Connection, history: History, facts: Sequence[Fact], gone: set[OrderKey]
) -> Merged:
    """Take ``facts`` into a history. ``gone``: the orders from which ``leave_out`` took one."""
    touched = sorted({fact.order for fact in facts} | gone)
    if not touched:
        return Merged({}, [])
    held = set(_read(connection, history.table, history.name, touched))
    # Only where something is gone can one that came second move up.
    waiting = set(_waiting(connection, history, sorted(gone)))
    every = held | waiting | set(facts)
    chosen = kept(every)
    winners = set(chosen.values())
    new = winners - held
    rows = [_row(fact, history.name) for fact in new]
    insert_rows(connection, history.table, rows, existing="replace")
    losers = [
        {**_row(fact, ("name", "second_name")), "kind": history.kind}
        for fact in every - winners - waiting
    ]
    insert_rows(connection, repeats, losers, existing="keep")
    delete_rows(connection, repeats, [fact.place for fact in waiting & winners])
    changed = {fact.order for fact in new} | gone
    by_order: dict[OrderKey, list[Fact]] = {}
    for fact in winners:
        if fact.order in changed:
            by_order.setdefault(fact.order, []).append(fact)
    return Merged(by_order, sorted(changed - by_order.keys()))


def leave_out(connection: Connection, verdicts: Sequence[LeftOut]) -> dict[History, set[OrderKey]]:
    """Note these records, and take what was kept of them out of the histories; from which orders."""
    gone: dict[History, set[OrderKey]] = {ORDERS: set(), REVIEWS: set()}
    rows = [{**_placed(one.place), "reason": one.reason} for one in verdicts]
    insert_rows(connection, left_out, rows, existing="keep")
    places = [one.place for one in verdicts]
    delete_rows(connection, repeats, places)
    for history, found in gone.items():
        held = history.table.c
        for some in chunks(places, KEYS):
            of_records = among(connection, [held[name] for name in _PLACE], some)
            found_here = connection.execute(
                select(*(held[name] for name in _ORDER)).where(of_records)
            )
            found.update((row[0], row[1], row[2]) for row in found_here)
            connection.execute(delete(history.table).where(of_records))
    return gone


def left_out_among(
    connection: Connection, facts: Iterable[Fact | CustomerFact | Erasure]
) -> set[Place]:
    """The places of those of ``facts`` that a worker left out."""
    offsets: dict[tuple[str, int], list[int]] = {}
    for fact in facts:
        topic, partition, offset = fact.place
        offsets.setdefault((topic, partition), []).append(offset)
    found: set[Place] = set()
    for (topic, partition), own in offsets.items():
        held = left_out.c
        # A batch's offsets lie close together. Where the verdicts were read long before the events, as when a
        # store is filled anew, there may be any number of them behind these.
        rows = connection.execute(
            select(held.offset).where(
                held.topic == topic,
                held.partition == partition,
                held.offset.between(min(own), max(own)),
            )
        )
        found.update((topic, partition, row.offset) for row in rows)
    return found


def _waiting(
    connection: Connection, history: History, of_orders: Sequence[OrderKey]
) -> Iterator[Fact]:
    """The repeats of these orders."""
    return _read(connection, repeats, ("name", "second_name"), of_orders, kind=history.kind)


def _read(
    connection: Connection,
    table: Table,
    name: tuple[str, str],
    of_orders: Sequence[OrderKey],
    **equal: str,
) -> Iterator[Fact]:
    held = table.c
    columns = (*_ORDER, *name, "time_ms", "source", "event_id", "data", *_PLACE)
    for some in chunks(of_orders, KEYS):
        statement = (
            select(*(held[column] for column in columns))
            .where(among(connection, [held[column] for column in _ORDER], some))
            .where(*(held[column] == value for column, value in equal.items()))
        )
        for row in connection.execute(statement):
            yield Fact(
                (row[0], row[1], row[2]), (row[3], row[4]), row.time_ms, row.source, row.event_id,
                row.data, (row.topic, row.partition, row.offset),
            )  # fmt: skip


def _row(fact: Fact, name: tuple[str, str]) -> Row:
    return {
        **dict(zip(_ORDER, fact.order, strict=True)),
        **dict(zip(name, fact.name, strict=True)),
        "time_ms": fact.time_ms,
        "source": fact.source,
        "event_id": fact.event_id,
        "data": fact.data,
        **_placed(fact.place),
    }


def _placed(place: Place) -> dict[str, Any]:
    return dict(zip(_PLACE, place, strict=True))
