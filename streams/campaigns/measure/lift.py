"""Lift: what a campaign changed, by those it was kept from. Treated (issued) against held-out (would have
been issued) customers: conversion rate, net revenue and margin per customer, absolute and relative.

Which interval for which look (docs/lift.md has what was measured of both):
- ``always``: for whoever looks daily, or whenever. It holds at all looks together.
- ``horizon``: narrower, for one look at a moment that was fixed before the campaign began. Who looks at it
  every day and stops at the first effect finds one where there is none, up to three times out of ten.
"""

import math
from typing import Final, Literal, Self

import msgspec

from streams.campaigns.measure.arm import METRICS, Arm, Metric
from streams.campaigns.measure.assignment import BUCKETS, ShareError
from streams.campaigns.measure.critical import always, once
from streams.campaigns.measure.interval import (
    Interval,
    compare,
    difference_interval,
    ratio_interval,
)
from streams.campaigns.measure.split import Mismatch, mismatch

Look = Literal["always", "horizon"]
#: In each arm, at the conversion rate of both together: as many customers who convert, and as many who do
#: not. Not those who did: an arm would then be shown if it was lucky, and the lift with it.
FEWEST_CONVERSIONS: Final = 25
#: The same for revenue and margin: customers who convert. Of fewer, too little of the tail is seen.
FEWEST_BUYERS: Final = 100

_TREATED: Final = "treated"
_HELD_OUT: Final = "held-out"


class SharesDiffer(ValueError):
    """Customers who were split in different shares cannot be compared as one."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(
            f"holdouts of {one} and {other} of {BUCKETS:,} buckets: who came while one was in force differs "
            "from who came under the other, so together they compare moments, not offers: measure each alone"
        )


class Comparison(msgspec.Struct, frozen=True):
    """Both arms of a campaign, and the holdout's share in buckets of 10,000.

    Raises ShareError for a share of none or all.
    """

    share: int
    treated: Arm = Arm()
    held_out: Arm = Arm()

    def __post_init__(self) -> None:
        if not 0 < self.share < BUCKETS:
            raise ShareError(
                f"holdout of {self.share} buckets: without a holdout, and without anybody else, nothing can "
                f"be compared; it must be from 1 to {BUCKETS - 1:,}"
            )

    def merge(self, other: Self) -> Self:
        """Of different customers. Raises SharesDiffer."""
        if self.share != other.share:
            raise SharesDiffer(self.share, other.share)
        return type(self)(
            self.share, self.treated.merge(other.treated), self.held_out.merge(other.held_out)
        )


class Unknown(msgspec.Struct, frozen=True, tag=True):
    """There is nothing to show yet, or ever; ``why`` is a sentence for people."""

    why: str


class Estimate(msgspec.Struct, frozen=True, tag=True):
    """What was seen, and what it may be in truth, at 95 %."""

    value: float
    interval: Interval

    @property
    def direction(self) -> Literal["more", "less", "open"]:
        """What is sure of the sign: ``open`` while the interval holds 0."""
        if 0 in self.interval:
            return "open"
        return "more" if self.value > 0 else "less"


class Lift(msgspec.Struct, frozen=True):
    """Of one metric. ``absolute`` is per customer: minor units, or a share of 1 for conversion. ``relative``
    is of the held-out's mean: 0.1 is ten percent more."""

    metric: Metric
    absolute: Estimate | Unknown
    relative: Estimate | Unknown


class Measured(msgspec.Struct, frozen=True):
    """What one look showed. Where the split is broken, ``mismatch`` says so and no lift is shown."""

    look: Look
    treated: int
    held_out: int
    mismatch: Mismatch | None
    lifts: tuple[Lift, ...]


def measure(comparison: Comparison, look: Look) -> Measured:
    """All metrics of ``comparison``, with the intervals for that kind of look."""
    treated, held_out = comparison.treated, comparison.held_out
    broken = mismatch(
        (
            (_TREATED, treated.customers, BUCKETS - comparison.share),
            (_HELD_OUT, held_out.customers, comparison.share),
        )
    )
    lifts = tuple(
        _unknown(metric, str(broken)) if broken else _lift(metric, treated, held_out, look)
        for metric in METRICS
    )
    return Measured(look, treated.customers, held_out.customers, broken, lifts)


def _lift(metric: Metric, treated: Arm, held_out: Arm, look: Look) -> Lift:
    lacking = _lacking(metric, treated, held_out)
    if lacking is not None:
        return _unknown(metric, lacking)
    critical = once() if look == "horizon" else always(treated.customers, held_out.customers)
    compared = compare(treated.sums(metric), held_out.sums(metric))
    ratio = ratio_interval(compared, critical)
    relative: Estimate | Unknown
    if ratio is None:
        relative = Unknown(
            f"not enough data: the held-out customers' mean {metric} may be 0 or less, and has no parts"
        )
    else:
        relative = Estimate(
            compared.treated / compared.held_out - 1, Interval(ratio.low - 1, ratio.high - 1)
        )
    return Lift(
        metric, Estimate(compared.difference, difference_interval(compared, critical)), relative
    )


def _unknown(metric: Metric, why: str) -> Lift:
    return Lift(metric, Unknown(why), Unknown(why))


def _lacking(metric: Metric, treated: Arm, held_out: Arm) -> str | None:
    """Why nothing can be said of ``metric``; None where something can."""
    arms = ((_TREATED, treated), (_HELD_OUT, held_out))
    for name, arm in arms:
        unknown = arm.unknown(metric)
        if unknown:
            return f"{metric} of {unknown:,} {name} customers is not known; without them the rest misleads"
    rate = (treated.conversion.total + held_out.conversion.total) / max(
        treated.customers + held_out.customers, 1
    )
    for name, arm in arms:
        converting = rate * arm.customers
        if metric != "conversion":
            if converting < FEWEST_BUYERS:
                return _too_few(name, arm, converting, FEWEST_BUYERS, "convert")
        elif converting < FEWEST_CONVERSIONS:
            return _too_few(name, arm, converting, FEWEST_CONVERSIONS, "convert")
        elif arm.customers - converting < FEWEST_CONVERSIONS:
            staying = arm.customers - converting
            return _too_few(name, arm, staying, FEWEST_CONVERSIONS, "do not convert")
    for name, arm in arms:
        if not arm.sums(metric).variance:
            return f"all {name} customers have the same {metric}, so nothing says how it varies"
    return None


def _too_few(name: str, arm: Arm, count: float, fewest: int, does: str) -> str:
    return (
        f"not enough data: at the rate of all, of {arm.customers:,} {name} customers about "
        f"{math.floor(count):,} {does}, and it takes {fewest}"
    )
