"""Thresholds from a population, against a plain computation."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.settings import RfmThresholds
from schemas.settings import Settings as Version
from streams.definition_checks import check_version
from streams.domain.quintiles import MOST_COUNT, MOST_MONEY, ends_of_fifths, thresholds
from streams.domain.rfm import Rfm, scored_by
from tests.domain.events import START
from tests.segments.people import at

values = st.lists(st.integers(0, 30) | st.integers(0, MOST_COUNT), min_size=5, max_size=200)


def plain_ends(population: list[int]) -> tuple[int, ...]:
    """All values side by side, cut at the nearest ranks."""
    ordered = sorted(population)
    return tuple(ordered[(fifth * len(ordered) + 4) // 5 - 1] for fifth in (1, 2, 3, 4))


def ends(population: list[int]) -> tuple[int, ...]:
    return ends_of_fifths(sorted(Counter(population).items()), len(population))


@given(values)
def test_fifths_end_where_a_plain_computation_ends_them(population: list[int]) -> None:
    assert ends(population) == plain_ends(population)


@given(values, st.randoms())
def test_the_order_of_customers_changes_nothing(population: list[int], random: object) -> None:
    shuffled = list(population)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ends(shuffled) == ends(population)


@given(st.lists(st.integers(0, 10**6 - 10), min_size=5, max_size=200, unique=True))
def test_distinct_values_are_scored_by_their_fifth(population: list[int]) -> None:
    """A customer's score is the fifth in which they stand: of n, so many fifths end before theirs."""
    found = ends(population)
    limits = thresholds(found, found, found)
    for place, value in enumerate(sorted(population), 1):
        fifth = 1 + 5 * (place - 1) // len(population)
        scores = scored_by(Rfm(True, value, value, value, 0), limits)
        assert (scores.r, scores.f, scores.m) == (6 - fifth, fifth, fifth)


@given(values, values, values)
def test_limits_are_what_the_settings_take_and_score_as_the_fifths_do(
    recency: list[int], orders: list[int], amounts: list[int]
) -> None:
    limits = thresholds(ends(recency), ends(orders), ends(amounts))
    check_version(Version(shop_id="tea", version=1, effective_from=at(START), rfm=limits), None)
    # Where the fifths end at values apart, a limit is what it is by definition.
    for wanted, got, most in (
        (list(ends(recency)), limits.recency_days, MOST_COUNT),
        ([end + 1 for end in ends(orders)], limits.orders, MOST_COUNT),
        ([end + 1 for end in ends(amounts)], limits.amount, MOST_MONEY),
    ):
        assert len(got) == 4
        assert all(low < high for low, high in pairwise(got))
        if all(low < high for low, high in pairwise(wanted)) and wanted[-1] <= most - 4:
            assert list(got) == wanted
        # Else each is the least that rises.
        for place in range(4):
            least = max(wanted[place], got[place - 1] + 1) if place else wanted[place]
            assert got[place] == min(least, most - 3 + place)


@given(values)
def test_equal_values_have_equal_scores_and_better_ones_no_worse(population: list[int]) -> None:
    found = ends(population)
    limits = thresholds(found, found, found)
    scores: list[Rfm] = [
        scored_by(Rfm(True, value, value, value, 0), limits) for value in sorted(population)
    ]
    for low, high in pairwise(scores):
        assert (low.f or 0) <= (high.f or 0)
        assert (low.m or 0) <= (high.m or 0)
        assert (low.r or 0) >= (high.r or 0)


def test_many_with_one_order_leave_the_limits_rising() -> None:
    found = ends([1] * 8 + [2, 7])
    assert found == (1, 1, 1, 1)
    limits = thresholds((0, 0, 0, 0), found, (0, 0, 0, 0))
    assert limits == RfmThresholds(
        recency_days=(0, 1, 2, 3), orders=(2, 3, 4, 5), amount=(1, 2, 3, 4)
    )


def test_the_greatest_values_leave_room_for_the_limits() -> None:
    limits = thresholds((MOST_COUNT,) * 4, (MOST_COUNT,) * 4, (MOST_MONEY,) * 4)
    assert limits.orders == (999_997, 999_998, 999_999, 1_000_000)
    assert limits.amount[-1] == MOST_MONEY


@pytest.mark.parametrize("count", [0, 4])
def test_fewer_than_five_are_not_divided(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} customers cannot be divided"):
        ends([1] * count)
