"""A split that is not as it was asked for is said, and one that is only a little off by chance is not."""

import math

import pytest

from streams.campaigns.measure.split import BROKEN_BELOW, chi_square_above, mismatch


@pytest.mark.parametrize(
    ("value", "degrees", "chance"),
    [
        # Tables of the distribution: the values above which 5 %, 1 % and 0.1 % lie.
        (3.841459, 1, 0.05),
        (6.634897, 1, 0.01),
        (10.827566, 1, 0.001),
        (5.991465, 2, 0.05),
        (13.815511, 2, 0.001),
        (7.814728, 3, 0.05),
        (9.487729, 4, 0.05),
        (11.070498, 5, 0.05),
        (18.307038, 10, 0.05),
        (19.675138, 11, 0.05),
    ],
)
def test_chi_square(value: float, degrees: int, chance: float) -> None:
    assert chi_square_above(value, degrees) == pytest.approx(chance, rel=1e-5)
    assert chi_square_above(0, degrees) == 1


def test_a_split_as_asked_for_is_none() -> None:
    assert mismatch((("treated", 9_480, 9_500), ("held-out", 520, 500))) is None


def test_a_broken_split_says_sizes_and_what_they_should_be() -> None:
    found = mismatch((("treated", 9_600, 9_500), ("held-out", 400, 500)))
    assert found is not None
    assert [(each.arm, each.customers, each.expected) for each in found.arms] == [
        ("treated", 9_600, 9_500),
        ("held-out", 400, 500),
    ]
    # (100^2 / 9500 + 100^2 / 500) = 21.05: 4.6 standard errors.
    assert found.chance == pytest.approx(math.erfc(math.sqrt(21.0526 / 2)), rel=1e-3)
    assert str(found).startswith(
        "SAMPLE RATIO MISMATCH: treated 9,600 instead of 9,500, held-out 400"
    )


def test_the_limit_is_where_it_says() -> None:
    def at(off: int) -> float:
        return math.erfc(math.sqrt(off**2 / 25_000 / 2))

    off = next(off for off in range(1, 1_000) if at(off) < BROKEN_BELOW)
    assert mismatch((("a", 50_000 + off - 1, 1), ("b", 50_000 - off + 1, 1))) is None
    assert mismatch((("a", 50_000 + off, 1), ("b", 50_000 - off, 1))) is not None


def test_variants_are_checked_together() -> None:
    shares = (2_000, 7_900, 100)
    assert mismatch(tuple(zip("abc", (2_050, 7_840, 110), shares, strict=True))) is None
    assert mismatch(tuple(zip("abc", (2_050, 7_790, 160), shares, strict=True))) is not None


def test_too_few_to_tell_is_no_alarm() -> None:
    assert mismatch((("treated", 40, 9_500), ("held-out", 20, 500))) is None
    assert mismatch((("treated", 0, 9_500), ("held-out", 0, 500))) is None
