"""The intervals hold what they promise on shops whose lift is known."""

import pytest

from streams.campaigns.measure.arm import METRICS, Arm, Outcome
from streams.campaigns.measure.lift import Unknown, measure
from tests.lift.__main__ import ALARMS, COVERAGE, HORIZONS, KINDS, SCENARIOS
from tests.lift.looking import Scenario, comparisons, look_at_candidates, look_daily
from tests.lift.population import EFFECTS, NONE, POPULATIONS, Effect, Population, draw, truth

GROCERIES, FASHION, ELECTRONICS, WHOLESALE = POPULATIONS


def test_the_made_up_shops_have_the_means_that_they_say() -> None:
    """Else the intervals would be measured against something else. Means of 10^7 customers."""
    for population in POPULATIONS:
        for effect in EFFECTS:
            treated, _ = draw(population, effect, 0.0001, 500_000, 21, seed=1)
            true = truth(population, effect, 21)
            customers = treated.customers.sum()
            assert len(treated.day) / customers == pytest.approx(true.conversion, rel=0.005)
            assert treated.revenue.sum() / customers == pytest.approx(true.revenue, rel=0.01)
            assert treated.margin.sum() / customers == pytest.approx(
                true.margin, abs=true.revenue / 100
            )


def test_the_sums_of_the_simulation_are_those_of_its_customers() -> None:
    scenario = Scenario(FASHION, NONE, 0.1, 300, (7,))
    *_, (_, comparison) = comparisons(scenario, seed=3)
    _, held_out = draw(FASHION, NONE, 0.1, 300, 7, seed=3)
    one_by_one = Arm()
    for revenue, margin in zip(held_out.revenue, held_out.margin, strict=True):
        paid, left = round(float(revenue)), round(float(margin))
        one_by_one = one_by_one.add(Outcome(converted=True, revenue=paid, goods_cost=paid - left))
    for _ in range(int(held_out.customers.sum()) - len(held_out.day)):
        one_by_one = one_by_one.add(Outcome(converted=False))
    assert comparison.held_out.customers == one_by_one.customers
    for metric in METRICS:
        summed, exact = comparison.held_out.sums(metric), one_by_one.sums(metric)
        assert (summed.count, summed.total) == (exact.count, exact.total)
        assert summed.squares == pytest.approx(exact.squares, rel=1e-12)
        assert summed.cubes == pytest.approx(exact.cubes, rel=1e-12)


def test_a_hundred_campaigns_without_effect_alarm_seldom() -> None:
    """At most 5 % may; of 100, more than 12 would be one chance in a thousand."""
    tally = look_daily(Scenario(FASHION, NONE, 0.05, 4_000, (28,)), range(100))
    for metric in METRICS:
        for kind in KINDS:
            assert tally.looked[metric, kind] >= 90
            assert tally.missed[metric, kind] <= 12
    # Who peeks at the interval for one look is misled much more often.
    assert all(tally.peeked[metric, "absolute"] > 12 for metric in METRICS)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
def test_a_few_hundred_campaigns_are_covered_about_as_often_as_promised(effect: Effect) -> None:
    """Of 300 at 95 %, 285 +- 4 x 3.8."""
    tally = look_daily(Scenario(FASHION, effect, 0.1, 20_000, (3,)), range(300))
    for metric in METRICS:
        for kind in KINDS:
            assert tally.shown[metric, kind, 3] >= 295
            assert 0.90 < tally.coverage(metric, kind, 3) <= 0.995, (metric, kind)


def test_customers_who_are_lost_from_one_arm_are_noticed() -> None:
    """Every tenth held-out customer is not told: at 5 % of 28 days of 4,000, five standard errors."""
    *_, (_, comparison) = comparisons(Scenario(FASHION, NONE, 0.05, 4_000, (28,)), seed=1)
    assert measure(comparison, "always").mismatch is None
    kept = comparison.held_out.customers * 9 // 10
    held_out = Arm(kept, *(comparison.held_out.sums(metric) for metric in METRICS))
    measured = measure(type(comparison)(500, comparison.treated, held_out), "always")
    assert measured.mismatch is not None
    assert all(isinstance(lift.absolute, Unknown) for lift in measured.lifts)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("population", "share"),
    [*((population, 0.05) for population in POPULATIONS), (WHOLESALE, 0.5)],
    ids=lambda given: getattr(given, "name", None),
)
def test_a_thousand_campaigns_of_each_effect(population: Population, share: float) -> None:
    """Coverage 93.5 to 96.5 % at the horizon over the effects together; of one alone chance has 0.7 %."""
    tallies = [
        look_daily(scenario, range(1_000))
        for scenario in SCENARIOS
        if scenario.population == population and scenario.share == share
    ]
    assert len(tallies) == len(EFFECTS)
    last = max(HORIZONS)
    for metric in METRICS:
        for kind in KINDS:
            shown = sum(tally.shown[metric, kind, last] for tally in tallies)
            covered = sum(tally.covered[metric, kind, last] for tally in tallies)
            assert shown > 2_900, (metric, kind)
            assert COVERAGE[0] <= 100 * covered / shown <= COVERAGE[1], (metric, kind)
            for tally in tallies:
                # Three standard errors of a thousand campaigns.
                assert 0.929 <= tally.coverage(metric, kind, last) <= 0.971, (metric, kind)
                assert 100 * tally.missed[metric, kind] / tally.seeds <= ALARMS, (metric, kind)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_textbooks_interval_is_wrong_where_the_chosen_one_is_right() -> None:
    """So the correction does something: a small holdout, and large orders that are rare."""
    (scenario,) = (
        each
        for each in SCENARIOS
        if (each.population, each.effect, each.share) == (WHOLESALE, NONE, 0.05)
    )
    covered = look_at_candidates(scenario, range(1_000))
    for right in ("difference, chosen", "ratio, chosen"):
        assert COVERAGE[0] <= 100 * covered[right] <= COVERAGE[1]
    for wrong in (
        "difference, Welch",
        "difference, own skewness",
        "ratio, delta",
        "ratio, Fieller",
    ):
        assert covered[wrong] < 0.915
