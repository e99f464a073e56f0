"""The tier of a customer's membership, by net orders and net paid money of twelve rolling months.

Up at once: an order that reaches a tier gives it on its day. Down at month end only: as the year
rolls on, a tier is kept until the shop's next month begins, when what the months then give holds. So
the tier is the highest that was reached since the last month's last day.

A cancelled or refunded order is as if it had never been paid, so the tier that rested on it goes at
once. An order whose amount is unknown counts as an order and adds no money.
Points: streams.domain.points.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

from schemas.settings import NO_TIER, Tier
from streams.domain.shop import date_of, day_of_date
from streams.domain.worth import Purchases, first_of_year

#: Months that begin until an order of today is in no year that a tier rests on.
MONTHS_HELD = 13
#: Days of which it is remembered what their month is: eleven years, and orders are mostly of the last days.
_REMEMBERED_DAYS = 4_096


def tier(purchases: Purchases, today: int, tiers: Sequence[Tier]) -> str | None:
    """The tier's name on ``today`` (days since 1970 on the shop's clock), NO_TIER for none.

    ``tiers`` are the shop's, the lowest first. None where it hangs on days that are not known.
    """
    level = tier_level(purchases, today, tiers)
    if level is None:
        return None
    return tiers[level - 1].name if level else NO_TIER


def tier_level(purchases: Purchases, today: int, tiers: Sequence[Tier]) -> int | None:
    """The number of the tier on ``today``, 1 the lowest of ``tiers``, 0 for none; None as ``tier``."""
    month_end = last_of_month_before(today)
    if not purchases.known_since(first_of_year(month_end)):
        return None
    if all(purchases.net_orders < tier.orders for tier in tiers):
        # Most customers have bought too little in all their life.
        return 0
    # Between two orders the year only loses some, so a tier is first reached on one of these days.
    level = _reached(purchases, month_end, tiers)
    for row in reversed(purchases.bought):
        if row.day <= month_end:
            break
        if row.day <= today:
            level = max(level, _reached(purchases, row.day, tiers))
    return level


def drops(
    purchases: Purchases, today: int, tiers: Sequence[Tier]
) -> Iterator[tuple[int, int, int]]:
    """The days after ``today`` on which the tier goes down if nothing is bought: (day, before, after).

    Each is the first of a month; tiers by number, as of ``tier_level``. None where that is unknown.
    """
    level = tier_level(purchases, today, tiers)
    starts = _months_from(today) if level else ()
    while level:
        held = level
        # The rolling year only loses orders, so what a month's last day gives only goes down.
        at = bisect_left(
            starts, True, lo=1, key=lambda day: _reached(purchases, day - 1, tiers) < held
        )
        if at == len(starts):
            return
        level = _reached(purchases, starts[at] - 1, tiers)
        yield starts[at], held, level


@lru_cache(maxsize=_REMEMBERED_DAYS)
def last_of_month_before(day: int) -> int:
    """The last day of the month before the one of ``day``."""
    return day_of_date(date_of(day).replace(day=1)) - 1


@lru_cache(maxsize=_REMEMBERED_DAYS)
def _months_from(today: int) -> tuple[int, ...]:
    """The first days of the month of ``today`` and of those after it in which a tier may rest on it."""
    first = date_of(today).replace(day=1)
    months = [first.month + ahead for ahead in range(MONTHS_HELD + 1)]
    return tuple(
        day_of_date(date(first.year + (month - 1) // 12, (month - 1) % 12 + 1, 1))
        for month in months
    )


def _reached(purchases: Purchases, day: int, tiers: Sequence[Tier]) -> int:
    """How many of ``tiers``, from the lowest, the twelve months that end with ``day`` reach."""
    first = first_of_year(day)
    if not purchases.known_since(first):
        return 0
    # As streams.domain.worth ``twelve_months`` has them, but for what tiers do not rest on: every purchase
    # asks for some ten such years.
    net_orders = net_amount = 0
    for at, orders, amount, lost_orders, lost_amount, _, _ in purchases.days:
        if first <= at <= day:
            net_orders += orders - lost_orders
            net_amount += amount - lost_amount
    level = 0
    for tier in tiers:
        if net_orders >= tier.orders and net_amount >= tier.amount:
            level += 1
    return level
