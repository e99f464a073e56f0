"""From when on the query store has all orders: it begins where retention had left the topics."""

from dataclasses import replace
from typing import Final, NamedTuple

from sqlalchemy import Connection, Table, select

from schemas.catalogue import ORDERS
from streams.query.tables import order_events, reviews, sink_offsets
from streams.query.wording import local
from streams.reports.model import Asked

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


def within_reach(
    connection: Connection, asked: Asked, topic: str, events: Table, what: str
) -> Asked:
    """``asked`` with how far back the store has the records of ``topic``, as ``reach`` has them: that is not
    how far it has the orders.
    """
    reached = reach(connection, topic, events, what)
    why = reached.why
    if why is None and reached.since_ms is not None:
        since = local(reached.since_ms, asked.period.zone)
        plural = f"{what}es" if what.endswith("sh") else f"{what}s"
        why = f"the store has this shop's {plural} from {since} on only"
    return replace(asked, reach_ms=reached.since_ms, reach_why=why)


def has_rows(connection: Connection, table: Table, shop_id: str) -> bool:
    """Whether ``table`` has any row of the shop."""
    own = select(table.c.shop_id).where(table.c.shop_id == shop_id).limit(1)
    return connection.execute(own).first() is not None


def has_shop(connection: Connection, shop_id: str) -> bool:
    """Whether the store has an order or a review of the shop."""
    return any(has_rows(connection, table, shop_id) for table in (order_events, reviews))
