"""From when on the query store has all orders: it begins where retention had left the topics."""

from typing import Final, NamedTuple

from sqlalchemy import Connection, Table, select

from schemas.catalogue import ORDERS
from streams.query.tables import order_events, reviews, sink_offsets

#: Later than any event: nothing is known.
NEVER: Final = 1 << 62


class Reach(NamedTuple):
    """``since_ms``: all orders from then on are in the store; None: all there ever were."""

    since_ms: int | None
    why: str | None


def reach(
    connection: Connection,
    topic: str = ORDERS,
    events: Table = order_events,
    what: str = "order",
) -> Reach:
    """How far back the store has the orders, by the topics that it was filled from; or the records of another
    ``topic``, which are in the table ``events`` and called ``what``.

    A partition from which retention had removed the beginning tells by its first event; one that is empty
    since then tells nothing, and then nothing is known.
    """
    held = sink_offsets.c
    parts = [row for row in connection.execute(select(sink_offsets)).mappings()
             if row[held.topic].endswith(topic)]  # fmt: skip
    if not parts:
        return Reach(NEVER, f"the store has no {what} yet: `huitou sink` fills it")
    latest: int | None = None
    for part in parts:
        if part[held.first_offset] == 0:
            continue
        event = events.c
        first = connection.execute(
            select(event.time_ms)
            .where(event.topic == part[held.topic], event.partition == part[held.partition])
            .order_by(event.offset)
            .limit(1)
        ).scalar()
        if first is None:
            return Reach(
                NEVER,
                f"the store has nothing of {part[held.topic]}[{part[held.partition]}] any more",
            )
        latest = first if latest is None else max(latest, first)
    return Reach(latest, None)


def has_shop(connection: Connection, shop_id: str) -> bool:
    """Whether the store has an order or a review of the shop."""
    return any(
        connection.execute(
            select(table.c.shop_id).where(table.c.shop_id == shop_id).limit(1)
        ).first()
        for table in (order_events, reviews)
    )
