"""Intervals for the difference and the ratio of two means, also of skewed figures and unequal arms.

Both come from one statistic, T = (treated - theta * held_out - delta) / standard error, with each arm's own
variance: delta is unknown for the difference (theta = 1), theta for the ratio (delta = 0; E. C. Fieller, Some
problems in interval estimation, J. R. Statist. Soc. B 16 (1954)). An interval is all that T does not
reject, so the two agree about "no effect" always.

Spending is mostly 0 and rarely large, and a holdout is small: its mean and its variance are low together, T
is skewed, and intervals that take it for normal miss, to one side, twice as often as they should
(docs/lift.md). So both ends are moved by what the skewness of the difference does to T. The holdout alone is
too small to tell that skewness, so it comes from the skewness of one customer's figure, pooled over both
arms: they may differ in mean and spread, and are taken to be of about one shape. Only the correction rests on
that, and it vanishes as customers come.

To the first order the quantile of T at the normal quantile x is x - a (2 x^2 + 1) / 6 for a skewness of a
(X. H. Zhou, P. Dinh, Nonparametric confidence intervals for the one- and two-sample problems, Biostatistics 6
(2005)). That parabola turns back for a large a or x. Hall's cubic (P. Hall, On the removal of skewness by
transformation, J. R. Statist. Soc. B 54 (1992)) agrees with it to that order and always rises, but where T
has its long tail its inverse has a steep part, which puts that end needlessly far away. There an exponential
that agrees to the same order, too, is the guard.
"""

import math
from typing import Final, NamedTuple

import msgspec

from streams.campaigns.measure.sums import Sums

#: Times the exponential, which alone is a little short: chosen by coverage, on seeds other than those of the
#: tests and of docs/lift.md.
_GUARD: Final = 1.15
#: Below, the correction is less than a billionth of a standard error, and would divide by nearly 0.
_SYMMETRIC: Final = 1e-9


class Interval(NamedTuple):
    """From ``low`` to ``high``, both included."""

    low: float
    high: float

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


class Compared(msgspec.Struct, frozen=True):
    """Two means, their squared standard errors, and the skewness of their difference in its own units."""

    treated: float
    held_out: float
    treated_error: float
    held_out_error: float
    skewness: float

    @property
    def difference(self) -> float:
        return self.treated - self.held_out


def compare(treated: Sums, held_out: Sums) -> Compared:
    """``treated`` and ``held_out`` have at least two customers each, not all with the same figure."""
    return Compared(
        treated.mean,
        held_out.mean,
        treated.variance / treated.count,
        held_out.variance / held_out.count,
        _skewness(treated, held_out),
    )


def difference_interval(compared: Compared, critical: float) -> Interval:
    """All differences that are no further than ``critical`` standard errors from what was seen."""
    low, high = _limits(critical, compared.skewness)
    error = math.sqrt(compared.treated_error + compared.held_out_error)
    return Interval(compared.difference - high * error, compared.difference - low * error)


def ratio_interval(compared: Compared, critical: float) -> Interval | None:
    """All ratios treated / held-out of the same kind. None where the held-out mean is not known to be above 0
    at that many standard errors, so that there is no greatest ratio."""
    low, high = _limits(critical, compared.skewness)
    least = _ratio(compared, high)
    greatest = _ratio(compared, low)
    return None if least is None or greatest is None else Interval(least, greatest)


def _ratio(compared: Compared, limit: float) -> float | None:
    """The ratio theta at which T is ``limit``: of both roots of T^2 = limit^2 the one with its sign."""
    square = limit * limit
    leading = compared.held_out**2 - square * compared.held_out_error
    if compared.held_out <= 0 or leading <= 0:
        return None
    middle = compared.treated * compared.held_out
    last = compared.treated**2 - square * compared.treated_error
    root = math.sqrt(max(middle * middle - leading * last, 0.0))
    return (middle - math.copysign(root, limit)) / leading


def _skewness(treated: Sums, held_out: Sums) -> float:
    """Of the difference of the means, if both arms' figures have one shape: 0 for arms of one size."""
    many, few = treated.count, held_out.count
    together = many + few
    third = (many * treated.third_moment + few * held_out.third_moment) / together
    variance = (many * treated.variance + few * held_out.variance) / together
    # k3 = skew (1 / many^2 - 1 / few^2) and k2 = 1 / many + 1 / few, in units of one customer's spread:
    # k3 / k2^1.5, shortened.
    spread = math.sqrt(variance) ** 3
    return third / spread * (few - many) / math.sqrt(many * few * together)


def _limits(critical: float, skewness: float) -> Interval:
    """Where T ends that is no further off than a normal variable is beyond ``critical``."""
    return Interval(_quantile(-critical, skewness), _quantile(critical, skewness))


def _quantile(normal: float, skewness: float) -> float:
    """Of T, where a normal variable has ``normal``; ``skewness`` is the difference's."""
    if abs(skewness) < _SYMMETRIC:
        return normal
    # g(T) = ((1 + a T / 3)^3 - 1) / a + a / 6, solved for T.
    cubic = 3 / skewness * (math.cbrt(1 + skewness * (normal - skewness / 6)) - 1)
    if normal * skewness > 0:
        return cubic
    bent = -2 * skewness / 3
    guard = _GUARD * (math.expm1(bent * normal) / bent - skewness / 6)
    return math.copysign(min(abs(cubic), abs(guard)), normal)
