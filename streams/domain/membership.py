"""The tier of a customer's membership, by net orders and net paid money of twelve rolling months.

Up at once: an order that reaches a tier gives it on its day. Down at month end only: as the year
rolls on, a tier is kept until the shop's next month begins, when what the months then give holds. So
the tier is the highest that was reached since the last month's last day.

A cancelled or refunded order is as if it had never been paid, so the tier that rested on it goes at
once. An order whose amount is unknown counts as an order and adds no money.
Points: streams.domain.points.
"""

from collections.abc import Sequence

from schemas.settings import NO_TIER, Tier
from streams.domain.shop import date_of, day_of_date
from streams.domain.worth import Purchases, first_of_year, twelve_months


def tier(purchases: Purchases, today: int, tiers: Sequence[Tier]) -> str | None:
    """The tier's name on ``today`` (days since 1970 on the shop's clock), NO_TIER for none.

    ``tiers`` are the shop's, the lowest first. None where it hangs on days that are not known.
    """
    month_end = last_of_month_before(today)
    if not purchases.known_since(first_of_year(month_end)):
        return None
    # Between two orders the year only loses some, so a tier is first reached on one of these days.
    days = [month_end, *(row.day for row in purchases.bought if month_end < row.day <= today)]
    reached = max(_reached(purchases, day, tiers) for day in days)
    return tiers[reached - 1].name if reached else NO_TIER


def last_of_month_before(day: int) -> int:
    """The last day of the month before the one of ``day``."""
    return day_of_date(date_of(day).replace(day=1)) - 1


def _reached(purchases: Purchases, day: int, tiers: Sequence[Tier]) -> int:
    """How many of ``tiers``, from the lowest, the twelve months that end with ``day`` reach."""
    year = twelve_months(purchases, day)
    if year is None:
        return 0
    return sum(year.net_orders >= tier.orders and year.net_amount >= tier.amount for tier in tiers)
