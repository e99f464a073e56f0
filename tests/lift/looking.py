"""What somebody sees who looks at a campaign every day, and how often that is wrong."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streams.campaigns.measure.arm import METRICS, Arm, Metric
from streams.campaigns.measure.lift import Comparison, Estimate, Lift, Unknown, measure
from streams.campaigns.measure.sums import Sums
from tests.lift.candidates import DIFFERENCES, RATIOS
from tests.lift.population import NONE, Days, Effect, Population, draw, truth


@dataclass(frozen=True)
class Scenario:
    """``share`` is the holdout's; at each of ``horizons`` (days) there is one look that was agreed on."""

    population: Population
    effect: Effect
    share: float
    per_day: int
    horizons: tuple[int, ...]


@dataclass
class Tally:
    """Over seeds: keys are (metric, "absolute" or "relative") and for horizons the day."""

    scenario: Scenario
    seeds: int = 0
    shown: Counter[tuple[Metric, str, int]] = field(default_factory=Counter)
    covered: Counter[tuple[Metric, str, int]] = field(default_factory=Counter)
    #: Seeds in which the interval for every look was shown at some look; missed the truth at some look;
    #: and, the same with the interval for one look, looked at every day.
    looked: Counter[tuple[Metric, str]] = field(default_factory=Counter)
    missed: Counter[tuple[Metric, str]] = field(default_factory=Counter)
    peeked: Counter[tuple[Metric, str]] = field(default_factory=Counter)
    mismatches: int = 0

    def add(self, other: "Tally") -> None:
        self.seeds += other.seeds
        self.mismatches += other.mismatches
        for name in ("shown", "covered", "looked", "missed", "peeked"):
            getattr(self, name).update(getattr(other, name))

    def coverage(self, metric: Metric, kind: str, horizon: int) -> float:
        return self.covered[metric, kind, horizon] / self.shown[metric, kind, horizon]


def look_daily(scenario: Scenario, seeds: Iterable[int]) -> Tally:
    """Every day of the longest horizon is looked at, for each seed."""
    tally = Tally(scenario)
    true = {day: _true(scenario, day) for day in range(1, max(scenario.horizons) + 1)}
    for seed in seeds:
        _one(scenario, seed, tally, true)
    return tally


def comparisons(scenario: Scenario, seed: int) -> Iterator[tuple[int, Comparison]]:
    """(day, both arms until its end) for each day."""
    arms = draw(
        scenario.population,
        scenario.effect,
        scenario.share,
        scenario.per_day,
        max(scenario.horizons),
        seed,
    )
    share = round(scenario.share * 10_000)
    for day, (treated, held_out) in enumerate(zip(*map(_arms, arms), strict=True), 1):
        yield day, Comparison(share, treated, held_out)


def _one(
    scenario: Scenario,
    seed: int,
    tally: Tally,
    true: dict[int, dict[tuple[Metric, str], float]],
) -> None:
    tally.seeds += 1
    looked, missed, peeked = set(), set(), set()
    mismatched = False
    for day, comparison in comparisons(scenario, seed):
        for_ever, once = measure(comparison, "always"), measure(comparison, "horizon")
        mismatched |= for_ever.mismatch is not None
        for key, estimate in _estimates(for_ever.lifts):
            looked.add(key)
            if true[day][key] not in estimate.interval:
                missed.add(key)
        for key, estimate in _estimates(once.lifts):
            covered = true[day][key] in estimate.interval
            if not covered:
                peeked.add(key)
            if day in scenario.horizons:
                tally.shown[*key, day] += 1
                tally.covered[*key, day] += covered
    tally.looked.update(looked)
    tally.missed.update(missed)
    tally.peeked.update(peeked)
    tally.mismatches += mismatched


def _true(scenario: Scenario, day: int) -> dict[tuple[Metric, str], float]:
    treated = truth(scenario.population, scenario.effect, day)
    held_out = truth(scenario.population, NONE, day)
    found: dict[tuple[Metric, str], float] = {}
    for metric in METRICS:
        found[metric, "absolute"] = getattr(treated, metric) - getattr(held_out, metric)
        found[metric, "relative"] = getattr(treated, metric) / getattr(held_out, metric) - 1
    return found


def _estimates(lifts: tuple[Lift, ...]) -> Iterator[tuple[tuple[Metric, str], Estimate]]:
    for lift in lifts:
        for kind in ("absolute", "relative"):
            estimate: Estimate | Unknown = getattr(lift, kind)
            if isinstance(estimate, Estimate):
                yield (lift.metric, kind), estimate


def _arms(days: Days) -> Iterator[Arm]:
    """The arm as it is at the end of each day."""
    customers = np.cumsum(days.customers).tolist()
    counts = _running(days, np.ones_like(days.revenue), 1)
    revenue, margin = (
        [_running(days, amounts, power) for power in (1, 2, 3)]
        for amounts in (days.revenue, days.margin)
    )
    for day, count in enumerate(customers):
        converted = counts[day]
        yield Arm(
            count,
            Sums(count, converted, converted, converted),
            Sums(count, *(sums[day] for sums in revenue)),
            Sums(count, *(sums[day] for sums in margin)),
        )


def _running(days: Days, amounts: NDArray[np.float64], power: int) -> list[int]:
    """Floats add up to 15 digits of what the exact sums would be: close enough for a simulation."""
    each_day = np.bincount(days.day, amounts**power, minlength=len(days.customers))
    return [int(total) for total in np.cumsum(each_day)]


def look_at_candidates(scenario: Scenario, seeds: range) -> dict[str, float]:
    """Coverage of net revenue at the last horizon, by each of the intervals of tests.lift.candidates."""
    last = max(scenario.horizons)
    true = _true(scenario, last)
    covered: Counter[str] = Counter()
    for seed in seeds:
        *_, (_, comparison) = comparisons(scenario, seed)
        arms = comparison.treated.revenue, comparison.held_out.revenue
        for kind, candidates, of_truth in (
            ("difference", DIFFERENCES, true["revenue", "absolute"]),
            ("ratio", RATIOS, true["revenue", "relative"] + 1),
        ):
            for name, interval_of in candidates.items():
                interval = interval_of(*arms)
                # All ratios are possible where none can be excluded.
                covered[f"{kind}, {name}"] += interval is None or of_truth in interval
    return {name: count / len(seeds) for name, count in covered.items()}
