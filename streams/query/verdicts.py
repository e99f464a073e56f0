"""Verdicts on orders: all there were, of which the one with the greatest number holds, whatever came first.

A verdict names its order by the hash that a customer's state keeps. So the store looks for orders of the
customer, and of the visitors who turned out to be them, whose id has that hash; and each order that changes
looks for its verdict. An order's row is a function of its history and the verdicts that there are.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, select

from streams.domain.orders import order_hash
from streams.query.facts import OrderKey
from streams.query.statements import KEYS, Row, among, chunks, insert_rows
from streams.query.tables import orders, verdicts

_decode_ids = msgspec.json.Decoder(list[str]).decode


def take_verdicts(connection: Connection, rows: Sequence[dict[str, Any]]) -> set[OrderKey]:
    """Keep these verdicts; returns the stored orders that they may be about."""
    once = {
        (row["shop_id"], row["order_hash"], row["customer_id"], row["number"]): row for row in rows
    }
    insert_rows(connection, verdicts, list(once.values()), existing="keep")
    return judged_orders(connection, once.values())


def forget_verdicts(
    connection: Connection, shop_id: str, customer_id: str, until_ms: int
) -> set[OrderKey]:
    """Delete a customer's verdicts until then; returns the stored orders that they may be about."""
    rows = verdicts_of(connection, shop_id, customer_id, until_ms)
    if rows:
        connection.execute(delete(verdicts).where(_until(shop_id, customer_id, until_ms)))
    return judged_orders(connection, rows)


def verdicts_of(connection: Connection, shop_id: str, customer_id: str, until_ms: int) -> list[Row]:
    """The customer's verdicts until then."""
    found = connection.execute(select(verdicts).where(_until(shop_id, customer_id, until_ms)))
    return [dict(row) for row in found.mappings()]


def visitors_in(row: Row) -> list[str]:
    """The ids under which the customer of a verdict had come before."""
    return _decode_ids(row["visitors"])


def _until(shop_id: str, customer_id: str, until_ms: int) -> ColumnElement[bool]:
    held = verdicts.c
    return and_(held.shop_id == shop_id, held.customer_id == customer_id, held.time_ms <= until_ms)


def judged_orders(connection: Connection, rows: Iterable[Row]) -> set[OrderKey]:
    """The stored orders that these verdicts may be about."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        for customer_id in (row["customer_id"], *visitors_in(row)):
            wanted.setdefault((row["shop_id"], customer_id), set()).add(row["order_hash"])
    held = orders.c
    key = (held.shop_id, held.customer_id, held.order_id)
    found: set[OrderKey] = set()
    for some in chunks(sorted(wanted), KEYS):
        own = connection.execute(select(*key).where(among(connection, list(key[:2]), some)))
        found.update(
            (shop_id, customer_id, order_id)
            for shop_id, customer_id, order_id in own
            if order_hash(order_id).hex() in wanted[shop_id, customer_id]
        )
    return found


def verdicts_on(connection: Connection, keys: Iterable[OrderKey]) -> dict[OrderKey, Row]:
    """The verdict that holds of each of these orders, those that were ever judged."""
    by_hash: dict[tuple[str, str], list[OrderKey]] = {}
    for key in keys:
        by_hash.setdefault((key[0], order_hash(key[2]).hex()), []).append(key)
    found: dict[OrderKey, Row] = {}
    for row in _of(connection, sorted(by_hash)):
        owners = {row["customer_id"], *visitors_in(row)}
        for key in by_hash[row["shop_id"], row["order_hash"]]:
            if key[1] in owners and _rank(row) > _rank(found.get(key)):
                found[key] = row
    return found


def _of(connection: Connection, hashes: Sequence[tuple[str, str]]) -> Iterator[Row]:
    held = verdicts.c
    for some in chunks(hashes, KEYS):
        fits = among(connection, [held.shop_id, held.order_hash], some)
        yield from (
            dict(row) for row in connection.execute(select(verdicts).where(fits)).mappings()
        )


def _rank(row: Row | None) -> tuple[int, str]:
    """Numbers go on past a hand-over; two customers with one number share no order but by a mistake."""
    return (-1, "") if row is None else (row["number"], row["customer_id"])
