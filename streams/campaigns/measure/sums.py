"""What is kept of a figure over customers: a count and three power sums, exact.

Whole numbers add up to the same in whatever order and however split, so sums of partitions, days and
replays are equal to the last digit, and a customer whose figure a late event changed is taken out exactly.
Python's integers have no bound: the cube of 10^12 fen over 10^9 customers is 10^45.
"""

from typing import Self

import msgspec


class Sums(msgspec.Struct, frozen=True):
    """``total``, ``squares`` and ``cubes`` of the values of ``count`` customers (minor units, their 2nd and
    3rd powers)."""

    count: int = 0
    total: int = 0
    squares: int = 0
    cubes: int = 0

    def add(self, value: int) -> Self:
        """With one more customer."""
        return self._with(1, value)

    def remove(self, value: int) -> Self:
        """Without a customer who was added with ``value``."""
        return self._with(-1, value)

    def merge(self, other: Self) -> Self:
        """Those of both, who must be different customers."""
        return type(self)(
            self.count + other.count,
            self.total + other.total,
            self.squares + other.squares,
            self.cubes + other.cubes,
        )

    @property
    def mean(self) -> float:
        """A customer's. Raises ZeroDivisionError for nobody."""
        return self.total / self.count

    @property
    def variance(self) -> float:
        """Of the population, estimated without bias. Raises ZeroDivisionError for fewer than two."""
        # The difference is taken of whole numbers: of floats it would be all rounding for large values.
        spread = self.count * self.squares - self.total * self.total
        return spread / (self.count * (self.count - 1))

    @property
    def third_moment(self) -> float:
        """The mean third power of the distance from the mean. Raises ZeroDivisionError for nobody."""
        count, total = self.count, self.total
        about = count * count * self.cubes - 3 * count * total * self.squares + 2 * total**3
        return about / count**3

    def _with(self, sign: int, value: int) -> Self:
        square = value * value
        return type(self)(
            self.count + sign,
            self.total + sign * value,
            self.squares + sign * square,
            self.cubes + sign * square * value,
        )
