"""Orders whose time changes, and where they stood before.

Pages are by an order's time, newest first, and that time is the earliest that is known of it: a ``placed``
that comes after its ``paid`` moves the order. Between two pages such an order could cross from the part that
was read to the part that was not, and be found twice, or the other way round, and never. So the change is
noted with a rising number, and all pages of one walk are by the times that were in force at its first page.

An order changes its time a few times at most, so there are fewer notes than events.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from streams.query.facts import OrderKey
from streams.query.statements import KEYS, among, chunks, insert_rows
from streams.query.tables import order_moves, orders


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
    insert_rows(
        connection,
        order_moves,
        [
            {
                "number": number, "shop_id": order[0], "customer_id": order[1], "order_id": order[2],
                "ordered_ms": was_ms,
            }
            for number, (order, was_ms) in enumerate(sorted(moved), first)
        ],
    )  # fmt: skip
