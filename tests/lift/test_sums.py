"""The sums of an arm do not depend on order, on how they were split, nor on what was taken out again."""

import statistics
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.campaigns.measure.arm import METRICS, Arm, Outcome
from streams.campaigns.measure.sums import Sums

#: A margin may be negative; 10^12 fen is the most that an event may say.
AMOUNTS = st.lists(st.integers(-(10**12), 10**12), min_size=2, max_size=30)
MONEY = st.none() | st.integers(-(10**12), 10**12)
OUTCOMES = st.lists(
    st.builds(Outcome, converted=st.booleans(), revenue=MONEY, goods_cost=MONEY, offer_cost=MONEY),
    max_size=20,
)


def summed(values: list[int]) -> Sums:
    sums = Sums()
    for value in values:
        sums = sums.add(value)
    return sums


def arm(outcomes: list[Outcome]) -> Arm:
    made = Arm()
    for outcome in outcomes:
        made = made.add(outcome)
    return made


@given(AMOUNTS)
def test_moments_are_those_of_the_values(values: list[int]) -> None:
    sums = summed(values)
    mean = Fraction(sum(values), len(values))
    assert sums.mean == float(mean)
    assert sums.variance == float(statistics.variance(map(Fraction, values)))
    assert sums.third_moment == float(sum((value - mean) ** 3 for value in values) / len(values))


def test_small_differences_of_large_amounts_are_not_lost() -> None:
    """Of floats the variance of these would come out as 0 or as thousands."""
    assert summed([10**12, 10**12 + 1, 10**12 + 2]).variance == 1.0


@given(OUTCOMES, st.randoms(use_true_random=False), st.integers(0, 20))
def test_order_and_partitions_make_no_difference(
    outcomes: list[Outcome], random: object, cut: int
) -> None:
    whole = arm(outcomes)
    mixed = list(outcomes)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert arm(mixed) == whole
    assert arm(mixed[:cut]).merge(arm(mixed[cut:])) == whole
    assert arm(mixed[cut:]).merge(arm(mixed[:cut])) == whole


@given(OUTCOMES, st.lists(st.integers(0, 100), max_size=10))
def test_who_is_taken_out_was_never_there(outcomes: list[Outcome], order: list[int]) -> None:
    stays, goes = outcomes[::2], outcomes[1::2]
    made = arm(outcomes)
    for outcome in goes:
        made = made.remove(outcome)
    assert made == arm(stays)


def test_a_late_refund_changes_the_sums_as_if_it_had_been_known() -> None:
    before = Outcome(converted=True, revenue=120_00, goods_cost=70_00, offer_cost=5_00)
    after = Outcome(converted=True, revenue=20_00, goods_cost=10_00, offer_cost=5_00)
    other = Outcome(converted=False)
    assert arm([before, other]).remove(before).add(after) == arm([other, after])


def test_margin_is_after_goods_and_offer() -> None:
    bought = Outcome(converted=True, revenue=90_00, goods_cost=60_00, offer_cost=8_00)
    assert bought.margin == 22_00
    assert Outcome(converted=False, offer_cost=8_00).margin == -8_00


@pytest.mark.parametrize("lacking", ["revenue", "goods_cost", "offer_cost"])
def test_a_margin_of_which_a_part_is_not_known_is_not_known(lacking: str) -> None:
    known = {"revenue": 90_00, "goods_cost": 60_00, "offer_cost": 8_00}
    outcome = Outcome(converted=True, **{**known, lacking: None})
    assert outcome.margin is None
    made = arm([outcome, Outcome(converted=False)])
    assert [made.unknown(metric) for metric in METRICS] == [0, int(lacking == "revenue"), 1]


def test_conversion_counts_customers_not_orders_or_money() -> None:
    made = arm(
        [Outcome(converted=True, revenue=0), Outcome(converted=False), Outcome(converted=True)]
    )
    assert made.conversion == Sums(3, 2, 2, 2)
