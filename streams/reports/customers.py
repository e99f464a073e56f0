"""A shop's customers one after another, each with the purchases that streams.domain judges them by.

The store's rows are read in the order of the customers, so that one customer's are held at a time. An order
counts as the store has it now: one that was cancelled or refunded since then leaves no trace in what is net.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, select

from streams.domain.paid_days import PaidDay, within_days
from streams.domain.shop import day_of, day_of_date
from streams.domain.worth import Purchases
from streams.query.tables import erased, profiles
from streams.reports.honest import orders
from streams.reports.model import Asked

#: Rows that are fetched at a time.
_ROWS: Final = 2_000
#: Orders of these are not net.
_LOST: Final = frozenset(("cancelled", "refunded"))


class Customer(NamedTuple):
    """A customer with a net order until the period's end.

    ``purchases``: amounts in the currency that is the shop's at that end; an order that was paid while it had
    another one is of unknown amount. ``erased``: whether what was until some day is gone. ``joined_ms``: when
    they became a member, None: they are none at that end, as far as profiles tell. ``used``: money of the
    period that was paid with points, None: no order tells any; ``used_elsewhere``: orders that tell some in
    another currency.
    """

    purchases: Purchases
    erased: bool
    joined_ms: int | None = None
    used: int | None = None
    used_elsewhere: int = 0


def today_of(asked: Asked) -> int:
    """The period's last day, in days since 1970."""
    return day_of_date(asked.period.last)


def customers(connection: Connection, asked: Asked) -> Iterator[Customer]:
    """The customers as of the period's end. To be read to its end before anything else is asked."""
    rows = connection.execution_options(yield_per=_ROWS).execute(_statement(asked))
    for _, own in groupby(rows, attrgetter("customer_id")):
        found = _customer(list(own), asked)
        if found.purchases.bought:
            yield found


def _statement(asked: Asked) -> Select[Any]:
    held, mark = orders.c, erased.c
    of_customer = and_(mark.shop_id == held.shop_id, mark.customer_id == held.customer_id)
    said = profiles.c
    own_profile = and_(said.shop_id == held.shop_id, said.customer_id == held.customer_id)
    return (
        select(
            held.customer_id, held.paid_ms, held.status, held.amount, held.net_amount,
            held.points_used, mark.until_ms, said.joined_ms,
        )
        .select_from(orders.outerjoin(erased, of_customer).outerjoin(profiles, own_profile))
        # The sum keeps the index of paid orders out: along the key the rows come in their order, unsorted.
        .where(held.shop_id == asked.shop, held.paid_ms + 0 < asked.period.until_ms)
        .order_by(held.customer_id)
    )  # fmt: skip


def _customer(rows: list[Row[Any]], asked: Asked) -> Customer:
    zone = asked.period.zone
    by_day: dict[int, list[int]] = {}
    for row in rows:
        day = day_of(row.paid_ms, zone)
        sums = by_day.setdefault(day, [0] * 6)
        for at, value in enumerate(_part(row, asked)):
            sums[at] += value
    days = [PaidDay(day, *by_day[day]) for day in sorted(by_day)]
    bought = [day for day in days if day.net_orders]
    until_ms = rows[0].until_ms
    # Both the store's beginning and an erasure hide days; what is hidden is not known to have been nothing.
    hidden = [each for each in (until_ms, asked.reach_ms) if each is not None]
    forgotten = 0
    if hidden:
        newest = min(max(hidden), asked.period.until_ms - 1)
        forgotten = within_days(day_of(newest, zone))
    net_orders = sum(day.net_orders for day in bought)
    joined_ms = rows[0].joined_ms
    if joined_ms is not None and joined_ms >= asked.period.until_ms:
        joined_ms = None
    used, elsewhere = _used(rows, asked)
    purchases = Purchases(days, bought, net_orders, forgotten, erased=bool(hidden))
    return Customer(purchases, until_ms is not None, joined_ms, used, elsewhere)


def _used(rows: list[Row[Any]], asked: Asked) -> tuple[int | None, int]:
    """What orders of the period say was paid with points, and how many say it in another currency."""
    told = [
        row for row in rows if row.points_used is not None and row.paid_ms >= asked.period.since_ms
    ]
    here = [row.points_used for row in told if asked.in_currency_of_end(row.paid_ms)]
    return sum(here) if told else None, len(told) - len(here)


def _part(row: Row[Any], asked: Asked) -> tuple[int, int, int, int, int, int]:
    """An order's part of a PaidDay, in the order of its fields."""
    lost = row.status in _LOST
    if row.amount is None or not asked.in_currency_of_end(row.paid_ms):
        return 1, 0, int(lost), 0, 1, int(lost)
    return 1, row.amount, int(lost), row.amount - row.net_amount, 0, 0
