"""Where a customer stands: exclusive stages, the first that fits.

- visitor: no order.
- new: one order, at most 30 days ago.
- lost: last order more than 180 days ago, and more than 3 times the own interval.
- dormant: more than 90 days ago, or (of 3 or more orders) more than 2 times the own interval.
- won back: at most 30 days ago an order came when the customer was dormant or lost. It stays so for
  those 30 days, whatever is bought after it.
- repeat: 2 or more orders in 365 days.
- active: everybody else.

Orders are net ones, days those of the shop's clock, the own interval that of streams.domain.worth. Who
has none (orders on one day only) is judged by the days alone.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from streams.domain.paid_days import PaidDay
from streams.domain.shop import start_of_day
from streams.domain.worth import INTERVAL_DAYS, Purchases, twice_interval

Stage = Literal["visitor", "new", "lost", "dormant", "won_back", "repeat", "active"]

#: Days since an order until which a customer is new, or won back.
FRESH_DAYS = 30
DORMANT_DAYS, LOST_DAYS = 90, 180
#: From so many orders on, twice the own interval makes dormant.
DORMANT_ORDERS = 3
REPEAT_DAYS, REPEAT_ORDERS = 365, 2
#: Days with net orders that tell the stage of a customer with forgotten ones: as many as an interval
#: takes, before each of those on which somebody may have been won back.
_ENOUGH_DAYS = INTERVAL_DAYS + FRESH_DAYS + 1


def stage(purchases: Purchases, today: int) -> Stage | None:
    """The stage on ``today`` (days since 1970 on the shop's clock, no earlier than the last order).

    None where it hangs on days that are not known.
    """
    if not purchases.net_orders:
        return None if purchases.erased else "visitor"
    bought = purchases.bought
    if not _is_known(purchases):
        return None
    age = today - bought[-1].day
    if purchases.net_orders == 1 and age <= FRESH_DAYS:
        return "new"
    if age > LOST_DAYS:
        twice = twice_interval(bought)
        if twice is None or 2 * age > 3 * twice:
            return "lost"
    if _is_dormant(age, bought, purchases.net_orders):
        return "dormant"
    if _was_won_back(purchases, today):
        return "won_back"
    lately = sum(row.net_orders for row in bought if row.day > today - REPEAT_DAYS)
    return "repeat" if lately >= REPEAT_ORDERS else "active"


def next_change(purchases: Purchases, today: int) -> int | None:
    """The first day after ``today`` with another stage if nothing happens; None: it stays for ever."""
    now = stage(purchases, today)
    if now is None:
        return None
    for day in sorted(set(_turning_days(purchases))):
        if day > today and stage(purchases, day) != now:
            return day
    return None


def lapses(purchases: Purchases) -> tuple[int, int] | None:
    """The first days on which the customer is dormant and lost, if nothing is bought before.

    None where nothing was bought, or too few days are known.
    """
    if not purchases.bought or not _is_known(purchases):
        return None
    last, twice = purchases.bought[-1].day, twice_interval(purchases.bought)
    dormant, lost = DORMANT_DAYS + 1, LOST_DAYS + 1
    if twice is not None:
        if purchases.net_orders >= DORMANT_ORDERS:
            dormant = min(dormant, twice + 1)
        lost = max(lost, 3 * twice // 2 + 1)
    return last + dormant, last + lost


def next_change_at(purchases: Purchases, today: int, time_zone: str) -> int | None:
    """The moment (ms) of ``next_change`` after ``today``: a midnight on the shop's clock."""
    day = next_change(purchases, today)
    return None if day is None else start_of_day(day, time_zone)


def _is_known(purchases: Purchases) -> bool:
    return not purchases.forgotten or len(purchases.bought) >= _ENOUGH_DAYS


def _is_dormant(age: int, bought: Sequence[PaidDay], orders: int) -> bool:
    """Dormant or lost, since who is lost is dormant too, ``age`` days after the last of ``bought``."""
    if age > DORMANT_DAYS or orders < DORMANT_ORDERS:
        return age > DORMANT_DAYS
    twice = twice_interval(bought)
    return twice is not None and age > twice


def _was_won_back(purchases: Purchases, today: int) -> bool:
    bought, before = purchases.bought, purchases.net_orders
    for at in range(len(bought) - 1, 0, -1):
        row = bought[at]
        if today - row.day > FRESH_DAYS:
            break
        before -= row.net_orders
        if _is_dormant(row.day - bought[at - 1].day, bought[:at], before):
            return True
    return False


def _turning_days(purchases: Purchases) -> Iterator[int]:
    """The days on which a clause of ``stage`` may turn over; between two of them nothing does."""
    if not purchases.bought:
        return
    last = purchases.bought[-1].day
    yield from (last + days + 1 for days in (FRESH_DAYS, DORMANT_DAYS, LOST_DAYS))
    twice = twice_interval(purchases.bought)
    if twice is not None:
        yield last + twice + 1
        yield last + 3 * twice // 2 + 1
    for row in purchases.bought:
        yield row.day + FRESH_DAYS + 1
        yield row.day + REPEAT_DAYS
