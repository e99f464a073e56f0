"""Made-up customers of a campaign, of whom every mean is known: seven days a week, most buy nothing.

Written from what shops' figures look like, not from the estimators, of which nothing is imported here.
Amounts are in fen. A week has its rhythm: on its last two days more come, and more of them buy, in both
arms alike.
"""

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: How many come, and how much likelier they buy, on each day of a week.
RHYTHM = ((0.9, 0.95), (0.85, 0.9), (0.9, 0.95), (0.95, 1.0), (1.1, 1.0), (1.25, 1.15), (1.05, 1.2))


@dataclass(frozen=True)
class Population:
    """``sigma`` is the standard deviation of the logarithm of an order's goods; ``bulk`` is the share of
    orders that are ``bulk_times`` as large; ``refunded`` that of orders of which all is paid back."""

    name: str
    converting: float
    median: float
    sigma: float
    bulk: float = 0.0
    bulk_times: float = 1.0
    refunded: float = 0.0
    cost_from: float = 0.4
    cost_to: float = 0.8

    @property
    def mean_goods(self) -> float:
        """Of an order, before any discount."""
        plain = self.median * math.exp(self.sigma**2 / 2)
        return plain * (1 - self.bulk + self.bulk * self.bulk_times)


@dataclass(frozen=True)
class Effect:
    """What the offer does: times on conversion, times on an order's goods, and the discount it costs."""

    name: str
    conversion: float = 1.0
    goods: float = 1.0
    discount: float = 0.0


POPULATIONS = (
    Population("groceries", 0.12, 6_000, 0.7),
    Population("fashion", 0.045, 15_000, 1.0, refunded=0.2),
    Population("electronics", 0.03, 60_000, 1.25, refunded=0.05, cost_from=0.7, cost_to=0.95),
    Population("wholesale too", 0.04, 9_000, 0.9, bulk=0.01, bulk_times=20, refunded=0.03),
)
NONE = Effect("none")
EFFECTS = (
    NONE,
    Effect("small", conversion=1.08, goods=1.02, discount=0.05),
    Effect("large", conversion=1.5, goods=0.9, discount=0.15),
)


@dataclass(frozen=True)
class Truth:
    """The means of a customer who is decided on within the first ``days``."""

    conversion: float
    revenue: float
    margin: float


def truth(population: Population, effect: Effect, days: int) -> Truth:
    """What the means of infinitely many such customers would be."""
    weights = [RHYTHM[day % 7] for day in range(days)]
    likelier = sum(come * buy for come, buy in weights) / sum(come for come, _ in weights)
    conversion = population.converting * likelier * effect.conversion
    goods = conversion * (1 - population.refunded) * population.mean_goods * effect.goods
    cost = (population.cost_from + population.cost_to) / 2
    return Truth(
        conversion, goods * (1 - effect.discount), goods * (1 - effect.discount) - goods * cost
    )


@dataclass(frozen=True)
class Days:
    """Of one arm, by day: customers, and for each who converted the day and the amounts."""

    customers: NDArray[np.int64]
    day: NDArray[np.int64]
    revenue: NDArray[np.float64]
    margin: NDArray[np.float64]


def draw(
    population: Population, effect: Effect, share: float, per_day: int, days: int, seed: int
) -> tuple[Days, Days]:
    """The treated and the held-out customers of ``days``, each with a ``share`` to be held out."""
    named = f"{population.name}/{effect.name}/{share}/{per_day}"
    random = np.random.default_rng([seed, zlib.crc32(named.encode())])
    arrivals = np.array([round(per_day * RHYTHM[day % 7][0]) for day in range(days)])
    out = random.binomial(arrivals, share)
    return (
        _arm(population, effect, arrivals - out, random),
        _arm(population, NONE, out, random),
    )


def _arm(
    population: Population,
    effect: Effect,
    customers: NDArray[np.int64],
    random: np.random.Generator,
) -> Days:
    likelier = np.array([RHYTHM[day % 7][1] for day in range(len(customers))])
    buyers = random.binomial(customers, population.converting * likelier * effect.conversion)
    together = int(buyers.sum())
    goods = population.median * np.exp(population.sigma * random.standard_normal(together))
    goods[random.random(together) < population.bulk] *= population.bulk_times
    goods = np.rint(goods * effect.goods)
    kept = random.random(together) >= population.refunded
    cost = np.rint(goods * random.uniform(population.cost_from, population.cost_to, together))
    paid = np.rint(goods * (1 - effect.discount))
    day = np.repeat(np.arange(len(customers)), buyers)
    return Days(customers, day, paid * kept, (paid - cost) * kept)
