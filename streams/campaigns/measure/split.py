"""Sample ratio mismatch: are the arms as large as the split says?

Where they are not, whatever made the difference (a holdout that was told elsewhere, one arm's events lost, a
decision that differed) may also have made the lift, and no interval knows of it. Pearson's chi-square test;
how it is used of experiments: A. Fabijan and others, Diagnosing sample ratio mismatch in online
controlled experiments, KDD 2019.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

#: Below, the split is held to be broken. So small because it is asked at every look.
BROKEN_BELOW: Final = 0.0005
#: Customers that the smallest arm must be expected to have: below, the test's distribution does not hold.
FEWEST_EXPECTED: Final = 5


class Split(msgspec.Struct, frozen=True):
    """Customers of an arm, and how many the shares would give it of all."""

    arm: str
    customers: int
    expected: float


class Mismatch(msgspec.Struct, frozen=True):
    """The arms are not of the sizes that were asked for: nothing may be concluded from them."""

    arms: tuple[Split, ...]
    chance: float

    def __str__(self) -> str:
        sizes = ", ".join(
            f"{each.arm} {each.customers:,} instead of {each.expected:,.0f}" for each in self.arms
        )
        return (
            f"SAMPLE RATIO MISMATCH: {sizes} (chance of that: {self.chance:.1g}). Customers were lost or "
            "sorted otherwise than by hash; no lift can be told until it is found why"
        )


def mismatch(arms: Sequence[tuple[str, int, float]]) -> Mismatch | None:
    """None where the arms' sizes are what the shares make likely, or too few to tell.

    ``arms``: at least two of (name, customers, share above 0; shares in whatever unit).
    """
    together = sum(customers for _, customers, _ in arms)
    whole = sum(share for _, _, share in arms)
    found = tuple(
        Split(name, customers, together * share / whole) for name, customers, share in arms
    )
    if min(each.expected for each in found) < FEWEST_EXPECTED:
        return None
    distance = sum((each.customers - each.expected) ** 2 / each.expected for each in found)
    chance = chi_square_above(distance, len(found) - 1)
    return Mismatch(found, chance) if chance < BROKEN_BELOW else None


def chi_square_above(value: float, degrees: int) -> float:
    """The chance that a chi-square variable of ``degrees`` (1 or more) is above ``value`` (0 or more).

    M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions, 26.4.4 and 26.4.5.
    """
    half = value / 2
    if degrees % 2:
        chance, term, step = math.erfc(math.sqrt(half)), 2 * math.sqrt(half / math.pi), 1.5
    else:
        chance, term, step = math.exp(-half), half, 2.0
    scale = math.exp(-half)
    for _ in range((degrees - 1) // 2):
        chance += scale * term
        term *= half / step
        step += 1
    return chance
