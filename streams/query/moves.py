"""Orders whose time changes, and where they stood before.

Pages are by an order's time, newest first, and that time is the earliest that is known of it: a ``placed``
that comes after its ``paid`` moves the order. Between two pages such an order could cross from the part that
was read to the part that was not, and be found twice, or the other way round, and never. So the change is
noted with a rising number, and all pages of one walk are by the times that were in force at its first page.

An order changes its time a few times at most, so there are fewer notes than events.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, delete, func, select

from streams.query.facts import OrderKey
from streams.query.statements import KEYS, Row, among, chunks, insert_rows
from streams.query.tables import order_moves, orders

#: The key of no order: of a row that only holds the newest number.
_NOBODY: Final[OrderKey] = ("", "", "")


def newest_move(connection: Connection) -> int:
    """The number of the last change; 0: there was none yet."""
    return connection.execute(select(func.max(order_moves.c.number))).scalar() or 0


def note_moves(connection: Connection, now: Mapping[OrderKey, int | None]) -> None:
    """Note which orders will stand elsewhere. ``now``: their new time in ms since 1970; None: there is none.

    To be called before the orders are written, by the one writer that there is.
    """
    held = orders.c
    key = (held.shop_id, held.customer_id, held.order_id)
    moved: list[tuple[OrderKey, int]] = []
    for some in chunks(sorted(now), KEYS):
        found = connection.execute(
            select(*key, held.ordered_ms).where(among(connection, list(key), some))
        )
        for *own, was_ms in found:
            order = (own[0], own[1], own[2])
            if now[order] != was_ms:
                moved.append((order, was_ms))
    if not moved:
        return
    first = newest_move(connection) + 1
    rows = [_row(number, *move) for number, move in enumerate(sorted(moved), first)]
    insert_rows(connection, order_moves, rows)


def forget_moves(connection: Connection, until_ms: Mapping[tuple[str, str], int]) -> None:
    """Delete where the orders of erased customers stood until they were erased: (shop, customer) -> when.

    To be called after ``note_moves``, which notes where they stand when they go. A page that is read later
    may lack such an order, or have one that goes on for the second time.
    """
    if not until_ms:
        return
    newest, held = newest_move(connection), order_moves.c
    for (shop_id, customer_id), time_ms in until_ms.items():
        fits = (
            held.shop_id == shop_id,
            held.customer_id == customer_id,
            held.ordered_ms <= time_ms,
        )
        connection.execute(delete(order_moves).where(*fits))
    if newest_move(connection) == newest:
        return
    # A number is never given twice: walks that began at it would take another move for an old one.
    connection.execute(delete(order_moves).where(held.shop_id == _NOBODY[0]))
    insert_rows(connection, order_moves, [_row(newest, _NOBODY, 0)])


def _row(number: int, order: OrderKey, was_ms: int) -> Row:
    return {
        "number": number, "shop_id": order[0], "customer_id": order[1], "order_id": order[2],
        "ordered_ms": was_ms,
    }  # fmt: skip
