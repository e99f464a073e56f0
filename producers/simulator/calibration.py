"""How simulated customers behave: figures fitted to Taobao's sample, and what it says itself.

The sample: 815 customers, 84,440 rows in the nine days 2017-11-25 to 2017-12-03 (+08:00).
"""

from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

#: The days that the sample's figures are of.
SAMPLE_DAYS: Final = 9
SAMPLE_MS: Final = SAMPLE_DAYS * 86_400_000
_HOUR_MS: Final = 3_600_000
#: Shop time, +08:00 all year.
_SHANGHAI_MS: Final = 8 * _HOUR_MS

#: Figures of the sample inside its nine days, for comparing (tests/producers/test_calibration.py).
SAMPLE_FIGURES: Final[dict[str, float]] = {
    "customers": 815,
    "share_view": 75_837 / 84_440,
    "share_cart": 4_497 / 84_440,
    "share_favourite": 2_356 / 84_440,
    "share_purchase": 1_750 / 84_440,
    "customers_buying": 559 / 815,
    "customers_buying_twice": 373 / 815,
    "customers_with_cart": 601 / 815,
    "customers_with_favourite": 305 / 815,
    "purchases_per_buyer": 1_750 / 559,
    "events_per_customer": 84_440 / 815,
    "sessions_per_customer": 17.30,
    "events_per_session": 5.99,
}
#: Of 559 buyers, how many bought 1, 2, 3, 4, 5, 6 to 9, and 10 or more times.
SAMPLE_PURCHASES: Final = (186, 123, 78, 53, 43, 55, 21)

#: Share of the sample's rows in each hour of the day, Shanghai time.
HOURS: Final = (
    0.0354, 0.0157, 0.0079, 0.0044, 0.0053, 0.0075, 0.0159, 0.0264, 0.0326, 0.0402, 0.0446, 0.0459,
    0.0405, 0.0508, 0.0501, 0.0552, 0.0541, 0.0459, 0.0493, 0.0653, 0.0783, 0.0884, 0.0792, 0.0608,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A population. Gamma shapes say how much customers differ: 1 is exponential, less is more.

    Means are over nine days and the whole population, and found by trial against the sample.
    """

    sessions: float = 19.2
    sessions_shape: float = 2.9
    #: Behaviours of a session: 1 and the whole part of a lognormal.
    session_median: float = 2.12
    session_sigma: float = 1.32
    #: How much the sizes of one customer's sessions have in common: sigma of a lognormal factor.
    session_customer_sigma: float = 0.45
    #: Seconds between two behaviours of a session; longer than 30 minutes would be another session.
    gap_median: float = 54.0
    gap_sigma: float = 1.35
    #: Purchases grow with this power of a customer's sessions.
    purchases: float = 2.36
    purchases_shape: float = 1.3
    purchases_by_activity: float = 0.5
    #: Share of cart additions and favourites among browsing.
    cart_share: float = 0.0545
    cart_shape: float = 0.95
    favourite_share: float = 0.028
    favourite_shape: float = 0.21
    #: Views that are of a product seen before in the session.
    repeated_views: float = 0.21
    #: Purchases of something that lay in the cart.
    purchases_from_cart: float = 0.167
    #: Cart additions that are taken back, or changed in quantity, in the same session.
    cart_regrets: float = 0.10
    searches: float = 0.25


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """An order's life, which the sample says nothing of: a shop that delivers within the hour.

    Delays are medians in seconds of a lognormal with ``sigma``; shares are of orders (reviews: of
    orders received).
    """

    sigma: float = 0.5
    pay: float = 60.0
    ship: float = 8 * 60.0
    receive: float = 25 * 60.0
    review: float = 12 * 60.0
    refund: float = 15 * 60.0
    #: Placed and never paid; cancelled a quarter of an hour later.
    unpaid: float = 0.07
    #: Paid at once, without an event ``placed``.
    paid_at_once: float = 0.15
    discounted: float = 0.30
    refunded_before_shipping: float = 0.02
    refunded_after_receipt: float = 0.06
    refund_withdrawn: float = 0.20
    reviewed: float = 0.40
    #: Of reviews, by rating 1 to 5.
    ratings: tuple[float, ...] = (0.05, 0.04, 0.07, 0.16, 0.68)
    appended: float = 0.15


class ShopHours:
    """Time as customers feel it: an hour of the evening counts for more than one of the night.

    ``flat`` makes all hours the same.
    """

    def __init__(self, flat: bool = False) -> None:
        weights = [1 / 24] * 24 if flat else list(HOURS)
        total = sum(weights)
        #: Felt hours from midnight to the end of each hour; 24 in a day.
        self._until = [24 * value / total for value in accumulate(weights)]
        self._from = [0.0, *self._until[:-1]]

    def later(self, time_ms: int, felt_hours: float) -> int:
        """The time that is ``felt_hours`` after ``time_ms``."""
        day, within = divmod(time_ms + _SHANGHAI_MS, 24 * _HOUR_MS)
        hour, rest = divmod(within, _HOUR_MS)
        share = rest / _HOUR_MS
        felt = self._from[hour] + share * (self._until[hour] - self._from[hour]) + felt_hours
        days, felt = divmod(felt, 24)
        at = min(bisect(self._until, felt), 23)
        share = (felt - self._from[at]) / (self._until[at] - self._from[at])
        felt_ms = int((at + share) * _HOUR_MS)
        return (day + int(days)) * 24 * _HOUR_MS + felt_ms - _SHANGHAI_MS
