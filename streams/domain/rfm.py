"""Recency, frequency and money: scored 1 to 5 (5 best) by the shop's thresholds, then a segment.

R is days since the last net order; F net orders and M net paid money in the 365 days that end with
the day asked for. Scores compare with thresholds only, so equal values have equal scores. Who never
had a net order is not scored; whose last one is older than 365 days has F and M of 0, which score 1.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from schemas.settings import RfmThresholds
from streams.domain.worth import Purchases, window_of_days

Segment = Literal["champions", "loyal", "potential", "new", "at_risk", "hibernating", "lost"]

#: F and M look back so many days.
RFM_DAYS = 365
SCORES = range(1, 6)

#: Which scores of R, F and M (from, to) make which segment. Each of the 125 combinations is in one row.
SEGMENTS: tuple[tuple[tuple[int, int], tuple[int, int], tuple[int, int], Segment], ...] = (
    ((4, 5), (4, 5), (4, 5), "champions"),  # bought lately, often, for much
    ((4, 5), (4, 5), (1, 3), "loyal"),  # often, for less
    ((3, 3), (3, 5), (1, 5), "loyal"),  # often, though not quite lately
    ((4, 5), (2, 3), (1, 5), "potential"),  # lately, and not for the first time
    ((4, 5), (1, 1), (3, 5), "potential"),  # a first order that was large
    ((4, 5), (1, 1), (1, 2), "new"),
    ((1, 2), (3, 5), (1, 5), "at_risk"),  # bought often, but no longer
    ((1, 2), (1, 2), (4, 5), "at_risk"),  # bought for much, but no longer
    ((3, 3), (1, 2), (1, 5), "hibernating"),
    ((2, 2), (1, 2), (1, 3), "hibernating"),
    ((1, 1), (1, 2), (1, 3), "lost"),
)


class Rfm(NamedTuple):
    """Values and scores; None: not known, or nothing to score (``scored``)."""

    #: Whether there is a net order at all; None: that is not known of an erased customer.
    scored: bool | None
    recency_days: int | None = None
    orders: int | None = None
    #: Minor units; of the orders whose amount is known, None where none is.
    amount: int | None = None
    #: Net orders that ``amount`` lacks.
    unknown_amounts: int | None = None
    r: int | None = None
    f: int | None = None
    #: None where an amount is not known: it would be a guess from below.
    m: int | None = None
    #: None where it hangs on what is not known; the same for every possible M is known.
    segment: Segment | None = None


def rfm(purchases: Purchases, today: int, thresholds: RfmThresholds) -> Rfm:
    """R, F and M as of ``today``, days since 1970 on the shop's clock."""
    if not purchases.net_orders:
        return Rfm(scored=None if purchases.erased else False)
    recency = max(today - purchases.bought[-1].day, 0) if purchases.bought else None
    year = window_of_days(purchases, today, RFM_DAYS)
    if year is None:
        return scored_by(Rfm(scored=True, recency_days=recency), thresholds)
    values = Rfm(
        scored=True,
        recency_days=recency,
        orders=year.net_orders,
        amount=None if year.net_unknown == year.net_orders > 0 else year.net_amount,
        unknown_amounts=year.net_unknown,
    )
    return scored_by(values, thresholds)


def scored_by(values: Rfm, thresholds: RfmThresholds) -> Rfm:
    """``values`` with the scores and the segment that ``thresholds`` give, whatever they had before."""
    recency, orders = values.recency_days, values.orders
    r = f = m = segment = None
    if recency is not None:
        r = 5 - sum(recency > limit for limit in thresholds.recency_days)
    if orders is not None:
        f = 1 + _reached(orders, thresholds.orders)
        # Where no amount is known there is none to add up.
        at_least = 1 + _reached(values.amount or 0, thresholds.amount)
        m = None if values.unknown_amounts else at_least
        if r is not None:
            segment = _common(r, f, range(at_least, (m or SCORES[-1]) + 1))
    return values._replace(r=r, f=f, m=m, segment=segment)


def _reached(value: int, limits: Sequence[int]) -> int:
    return sum(value >= limit for limit in limits)


def _common(r: int, f: int, possible: Sequence[int]) -> Segment | None:
    """The segment that all ``possible`` scores of money give, None where they differ."""
    segments = {segment_of(r, f, m) for m in possible}
    return segments.pop() if len(segments) == 1 else None


def segment_of(r: int, f: int, m: int) -> Segment:
    """The segment of three scores, by SEGMENTS. Raises ValueError for what is no score."""
    for (r_low, r_high), (f_low, f_high), (m_low, m_high), segment in SEGMENTS:
        if r_low <= r <= r_high and f_low <= f <= f_high and m_low <= m <= m_high:
            return segment
    raise ValueError(f"scores are 1 to 5: R {r}, F {f}, M {m}")
