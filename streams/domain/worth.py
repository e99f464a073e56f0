"""What a customer's paid orders come to: windows, the rolling year, and how often they buy.

All of it follows from the days on which orders were paid (streams.domain.paid_days) and a day, on
the shop's clock, as of which it is asked. *Bought* below means net: an order that was cancelled or
wholly refunded later leaves no trace, not even as a day on which somebody bought.

What would need days that are not known is None, never less than it was: see ``Purchases.forgotten``.
An erased customer's days until the erase are such.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from streams.domain.orders import Orders, days_of
from streams.domain.paid_days import PaidDay, read, within_days
from streams.domain.shop import date_of, day_of, day_of_date

#: Windows in which merchants look at customers, days.
WINDOWS = (30, 90, 180, 365)
#: The newest days with net orders between which the order interval is taken: enough for a median
#: that one long absence does not move, few enough to follow a customer whose habits change.
INTERVAL_DAYS = 24
#: Days of which the year that ends with them is remembered: eleven years of them.
_REMEMBERED_DAYS = 4_096


class Purchases(NamedTuple):
    """A customer's paid orders as worth, life-cycle and membership read them."""

    #: The days with paid orders that are known, the oldest first.
    days: list[PaidDay]
    #: Those of them with net orders, the oldest first.
    bought: list[PaidDay]
    #: Net orders of the whole life, those of forgotten days too (but see ``erased``).
    net_orders: int
    #: The newest day of which orders are not in ``days``; 0: all are.
    forgotten: int
    #: Whether the customer was erased, up to and with ``forgotten``: then ``net_orders`` are those since.
    erased: bool = False

    def known_since(self, first: int) -> bool:
        """Whether all orders paid on ``first`` or later are in ``days``."""
        return not self.forgotten or self.forgotten < first


class Window(NamedTuple):
    """Sums over the days ``first`` to ``last``, both counted; amounts in minor units."""

    first: int
    last: int
    orders: int
    amount: int
    #: Of the orders: those of unknown amount, which ``amount`` lacks.
    unknown: int
    net_orders: int
    net_amount: int
    net_unknown: int


def purchases_of(orders: Orders | None, time_zone: str, erased_at: int | None = None) -> Purchases:
    """The purchases in a state's ``orders``; ``time_zone`` is the shop's.

    ``erased_at`` (ms): nothing is known of that day and those before, which is not that nothing was.
    """
    if orders is None:
        orders = Orders(forgotten=0)
    packed, forgotten = days_of(orders, time_zone)
    days = read(packed)
    bought = [row for row in days if row.net_orders]
    if erased_at is not None:
        forgotten = max(forgotten, within_days(day_of(erased_at, time_zone)))
    return Purchases(days, bought, orders.totals.net, forgotten, erased_at is not None)


def window(purchases: Purchases, first: int, last: int) -> Window | None:
    """The sums of the days ``first`` to ``last``; None where some of their orders are not known."""
    if not purchases.known_since(first):
        return None
    rows = [row for row in purchases.days if first <= row.day <= last]
    return Window(
        first,
        last,
        orders=sum(row.orders for row in rows),
        amount=sum(row.amount for row in rows),
        unknown=sum(row.unknown for row in rows),
        net_orders=sum(row.net_orders for row in rows),
        net_amount=sum(row.net_amount for row in rows),
        net_unknown=sum(row.net_unknown for row in rows),
    )


def window_of_days(purchases: Purchases, today: int, length: int) -> Window | None:
    """The ``length`` days that end with ``today``, which counts as far as it has gone."""
    return window(purchases, today - length + 1, today)


def twelve_months(purchases: Purchases, today: int) -> Window | None:
    """The rolling year: from the day after the same date a year ago (February 28 of the 29) on."""
    return window(purchases, first_of_year(today), today)


@lru_cache(maxsize=_REMEMBERED_DAYS)
def first_of_year(today: int) -> int:
    """The first day of the twelve months that end with ``today``."""
    moment = date_of(today)
    leap = (moment.month, moment.day) == (2, 29)
    return day_of_date(moment.replace(year=moment.year - 1, day=28 if leap else moment.day)) + 1


def twice_interval(bought: Sequence[PaidDay]) -> int | None:
    """Twice the order interval of these days (twice, so that it is a whole number); None: no two.

    The interval is the median of the days between consecutive days with net orders, of the newest
    INTERVAL_DAYS. Orders of one day are one purchase here: checkouts that a shop splits into several
    orders would make everybody's interval 0.
    """
    if len(bought) < 2:
        return None
    days = [row.day for row in bought[-INTERVAL_DAYS:]]
    distances = sorted([later - earlier for earlier, later in pairwise(days)])
    middle = len(distances) // 2
    return distances[middle] + distances[-middle - 1]


def interval(purchases: Purchases) -> float | None:
    """The order interval in days; None where there is none, or not enough days are known."""
    if purchases.forgotten and len(purchases.bought) < INTERVAL_DAYS:
        return None
    twice = twice_interval(purchases.bought)
    return None if twice is None else twice / 2


def expected_next(purchases: Purchases) -> int | None:
    """The day on which the next order is expected: the last one and the interval, rounded up."""
    days = interval(purchases)
    return None if days is None else purchases.bought[-1].day + int(days + 0.5)


def favourite_hour(orders: Orders | None) -> int | None:
    """The hour of day (0-23, shop's clock) with most paid orders, the earliest of equal ones."""
    if orders is None or not any(orders.hours):
        return None
    return orders.hours.index(max(orders.hours))
