"""The intervals that textbooks have for the same question, to be measured beside the one that was chosen."""

import math
from collections.abc import Callable
from typing import Final

from streams.campaigns.measure.critical import once
from streams.campaigns.measure.interval import (
    Interval,
    compare,
    difference_interval,
    ratio_interval,
)
from streams.campaigns.measure.sums import Sums

_NORMAL: Final = 1.959964

Of = Callable[[Sums, Sums], Interval | None]


def welch(treated: Sums, held_out: Sums) -> Interval:
    """Of the difference: each arm's own variance, the normal quantile."""
    error = math.sqrt(treated.variance / treated.count + held_out.variance / held_out.count)
    difference = treated.mean - held_out.mean
    return Interval(difference - _NORMAL * error, difference + _NORMAL * error)


def own_skewness(treated: Sums, held_out: Sums) -> Interval:
    """Of the difference: Hall's transformation with each arm's own third moment."""
    error = math.sqrt(treated.variance / treated.count + held_out.variance / held_out.count)
    third = treated.third_moment / treated.count**2 - held_out.third_moment / held_out.count**2
    skewness = third / error**3
    low, high = (
        3 / skewness * (math.cbrt(1 + skewness * (normal - skewness / 6)) - 1)
        for normal in (-_NORMAL, _NORMAL)
    )
    difference = treated.mean - held_out.mean
    return Interval(difference - high * error, difference - low * error)


def delta(treated: Sums, held_out: Sums) -> Interval | None:
    """Of the ratio: the delta method."""
    ratio = treated.mean / held_out.mean
    error = _relative_error(treated, held_out) * ratio
    return Interval(ratio - _NORMAL * error, ratio + _NORMAL * error)


def log_delta(treated: Sums, held_out: Sums) -> Interval | None:
    """Of the ratio: the delta method on its logarithm."""
    if treated.mean <= 0 or held_out.mean <= 0:
        return None
    ratio = treated.mean / held_out.mean
    times = math.exp(_NORMAL * _relative_error(treated, held_out))
    return Interval(ratio / times, ratio * times)


def fieller(treated: Sums, held_out: Sums) -> Interval | None:
    """Of the ratio: all that Welch's statistic does not reject."""
    square = _NORMAL**2
    leading = held_out.mean**2 - square * held_out.variance / held_out.count
    if held_out.mean <= 0 or leading <= 0:
        return None
    middle = treated.mean * held_out.mean
    last = treated.mean**2 - square * treated.variance / treated.count
    root = math.sqrt(middle * middle - leading * last)
    return Interval((middle - root) / leading, (middle + root) / leading)


def chosen_difference(treated: Sums, held_out: Sums) -> Interval:
    """That of streams.campaigns.measure."""
    return difference_interval(compare(treated, held_out), once())


def chosen_ratio(treated: Sums, held_out: Sums) -> Interval | None:
    """That of streams.campaigns.measure."""
    return ratio_interval(compare(treated, held_out), once())


DIFFERENCES: Final[dict[str, Of]] = {
    "Welch": welch,
    "own skewness": own_skewness,
    "chosen": chosen_difference,
}
RATIOS: Final[dict[str, Of]] = {
    "delta": delta,
    "log delta": log_delta,
    "Fieller": fieller,
    "chosen": chosen_ratio,
}


def _relative_error(treated: Sums, held_out: Sums) -> float:
    return math.sqrt(sum(sums.variance / sums.count / sums.mean**2 for sums in (treated, held_out)))
