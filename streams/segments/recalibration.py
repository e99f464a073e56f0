"""Thresholds from the population, and what they would change."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.settings import RfmThresholds
from streams.domain.quintiles import FEWEST, ends_of_fifths, thresholds
from streams.domain.rfm import scored_by
from streams.segments.members import Member
from streams.segments.spool import Measure, Spool


class TooFew(Exception):
    """There are not enough customers whose value is known to divide them into fifths."""

    def __init__(self, measure: Measure, count: int) -> None:
        super().__init__(
            f"{count} customers with orders have a known {measure.replace('_', ' ')}, and "
            f"{FEWEST} are the fewest that can be divided into fifths"
        )


@dataclass(slots=True)
class Changes:
    """How many customers have another score or segment by the new thresholds."""

    customers: int = 0
    scored: int = 0
    r: int = 0
    f: int = 0
    m: int = 0
    segment: int = 0
    #: Customers by segment, before and after.
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)


def recalibrated(spool: Spool) -> RfmThresholds:
    """The thresholds that divide the customers with orders into fifths. Raises TooFew.

    Of each measure those customers count of whom it is known. Who had no order for 365 days counts with
    0 orders and 0 money, as they are scored.
    """

    def ends(measure: Measure) -> tuple[int, ...]:
        count = spool.known(measure)
        if count < FEWEST:
            raise TooFew(measure, count)
        return ends_of_fifths(spool.counted(measure), count)

    return thresholds(ends("recency_days"), ends("orders"), ends("amount"))


def changes(members: Iterable[Member], new: RfmThresholds) -> Changes:
    """What ``new`` thresholds make of ``members``, who have the scores of the ones in force."""
    found = Changes()
    for one in members:
        found.customers += 1
        after = one._replace(rfm=scored_by(one.rfm, new)) if one.rfm.scored else one
        found.before[one.segment] += 1
        found.after[after.segment] += 1
        if not one.rfm.scored:
            continue
        found.scored += 1
        found.r += one.rfm.r != after.rfm.r
        found.f += one.rfm.f != after.rfm.f
        found.m += one.rfm.m != after.rfm.m
        found.segment += one.segment != after.segment
    return found
