"""How many standard errors an estimate may be off: looked at once, or at every moment.

The first is the normal quantile. The second is the boundary of Robbins' normal mixture, which a standardised
Brownian motion ever crosses with probability alpha: H. Robbins, Statistical methods related to the law of
the iterated logarithm, Ann. Math. Statist. 41 (1970). That it also holds for means whose variance is
estimated, from a first look on that is late enough: I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy,
A. Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, Ann. Statist. 52 (2024).
Here is their Gaussian mixture boundary divided by the standard error, with the rho that they advise for a
moment at which it is to be narrowest.
"""

import math
from statistics import NormalDist
from typing import Final

#: Of the intervals; a false alarm is at most the rest.
CONFIDENCE: Final = 0.95
_ALPHA: Final = 1 - CONFIDENCE
#: Effective customers (below) at which the interval for every moment is as narrow as it can be: those that a
#: holdout of 5 % of 21,000 customers makes. At a tenth or at a hundredfold of them it is a quarter wider than
#: it could be at most. It must not be chosen after a look at the data, so it is no setting.
TIGHTEST_AT: Final = 1_000
_PER_CUSTOMER: Final = (-2 * math.log(_ALPHA) + math.log(-2 * math.log(_ALPHA)) + 1) / TIGHTEST_AT


def once() -> float:
    """For a look at a moment that was fixed before: 1.96."""
    return NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def always(treated: int, held_out: int) -> float:
    """For looks at every moment, of arms of so many customers (at least one each): from 3.03 on."""
    mixed = effective(treated, held_out) * _PER_CUSTOMER
    return math.sqrt((1 + 1 / mixed) * math.log((mixed + 1) / _ALPHA**2))


def effective(treated: int, held_out: int) -> float:
    """Customers that the difference of two arms is worth: the clock of the sequence. The difference has the
    standard error of a mean over so many. At most the smaller arm."""
    return treated * held_out / (treated + held_out)
