"""Points of membership: earned by net paid money, gone after a year.

A member earns one point for every full 100 minor units (1.00) of a day's net paid money, from the day
of joining on. Points expire when the day on which they were earned is 365 days past, so those earned
in the last 365 days are what a member has earned and can still have. A cancelled or refunded order
takes its points back, since what is net is judged anew. What was paid with points is known in money, as
orders say it. Rate and time are fixed: a shop cannot set them yet.
"""

from typing import NamedTuple

from streams.domain.worth import Purchases

#: Minor units of net paid money that earn a point.
POINT_AMOUNT = 100
#: Days for which a point is good, its own counted, and how long before its end it counts as expiring.
POINT_DAYS, EXPIRING_DAYS = 365, 30


class Points(NamedTuple):
    """Points that are good on a day, used ones among them, as no event says which points were used."""

    earned: int
    #: Of these: how many will have expired in 30 days.
    expiring: int
    #: Net orders whose amount is unknown: they earned more than is known.
    unknown_amounts: int


def points(purchases: Purchases, today: int, joined: int | None) -> Points | None:
    """The points on ``today`` of who joined on ``joined``, both days since 1970 on the shop's clock.

    None: no member, or days are missing that may have earned some.
    """
    if joined is None:
        return None
    first = max(today - POINT_DAYS + 1, joined)
    if not purchases.known_since(first):
        return None
    rows = [row for row in purchases.days if first <= row.day <= today]
    expiring = today - POINT_DAYS + EXPIRING_DAYS
    return Points(
        earned=sum(row.net_amount // POINT_AMOUNT for row in rows),
        expiring=sum(row.net_amount // POINT_AMOUNT for row in rows if row.day <= expiring),
        unknown_amounts=sum(row.net_unknown for row in rows),
    )
