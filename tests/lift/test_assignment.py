"""Buckets are spread evenly, tell nothing of each other, and never change."""

import hashlib
import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.campaigns.measure.assignment import (
    BUCKETS,
    EVERY_CAMPAIGN,
    ShareError,
    Variant,
    held_out,
    holdout_bucket,
    variant_of,
)

CUSTOMERS = [f"u-{number}" for number in range(40_000)]
HALVES = (Variant("a", 5_000), Variant("b", 5_000))


def standard_errors(count: int, total: int, share: float) -> float:
    """How far a count is from what a share of the total would be."""
    return (count - total * share) / math.sqrt(total * share * (1 - share))


@pytest.mark.parametrize(
    ("campaign", "shop", "customer", "bucket"),
    [
        ("cart-rescue", "tea", "u-1", 5_702),
        ("cart-rescue", "tea", "u-2", 7_641),
        ("cart-rescue", "tea2", "u-1", 1_708),
        ("win-back", "tea", "u-1", 7_978),
        (EVERY_CAMPAIGN, "tea", "回头客", 9_347),
    ],
)
def test_buckets_are_these_for_ever(campaign: str, shop: str, customer: str, bucket: int) -> None:
    assert holdout_bucket(campaign, shop, customer) == bucket
    # As the docstring says, in other words.
    hashed = hashlib.sha256(
        b"holdout\x1f"
        + campaign.encode()
        + b"\x1f"
        + shop.encode()
        + b"\x1f"
        + customer.encode("utf-8")
    ).hexdigest()
    assert int(hashed[:16], 16) % 10_000 == bucket


def test_every_part_of_the_range_has_its_share_of_customers() -> None:
    counts = Counter(
        holdout_bucket("cart-rescue", "tea", customer) * 100 // BUCKETS for customer in CUSTOMERS
    )
    expected = len(CUSTOMERS) / 100
    distance = sum((counts[part] - expected) ** 2 / expected for part in range(100))
    # Chi-square of 99 degrees: above 160 by chance once in 10,000 times; the hash is fixed, so it is not.
    assert distance < 160


@pytest.mark.parametrize("share", [1, 50, 500, 5_000, 9_999])
def test_as_many_are_held_out_as_the_share_says(share: int) -> None:
    count = sum(held_out("cart-rescue", "tea", customer, share) for customer in CUSTOMERS)
    assert abs(standard_errors(count, len(CUSTOMERS), share / BUCKETS)) < 4


def test_none_and_all_can_be_held_out() -> None:
    assert not any(held_out("cart-rescue", "tea", customer, 0) for customer in CUSTOMERS[:1000])
    assert all(held_out("cart-rescue", "tea", customer, BUCKETS) for customer in CUSTOMERS[:1000])


def test_a_greater_holdout_keeps_those_of_the_smaller_one() -> None:
    sets = [
        {customer for customer in CUSTOMERS if held_out("cart-rescue", "tea", customer, share)}
        for share in (100, 500, 2_000)
    ]
    assert all(smaller < greater for smaller, greater in pairwise(sets))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("cart-rescue", "tea"), ("cart-rescue2", "tea")),
        (("cart-rescue", "tea"), ("win-back", "tea")),
        (("cart-rescue", "tea"), (EVERY_CAMPAIGN, "tea")),
        (("cart-rescue", "tea"), ("cart-rescue", "tea2")),
    ],
)
def test_who_is_held_out_of_one_says_nothing_of_another(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    first = [customer for customer in CUSTOMERS if held_out(*one, customer, 2_000)]
    both = sum(held_out(*other, customer, 2_000) for customer in first)
    assert abs(standard_errors(both, len(first), 0.2)) < 4


def test_who_is_held_out_says_nothing_of_the_variant() -> None:
    first = [customer for customer in CUSTOMERS if held_out("cart-rescue", "tea", customer, 5_000)]
    chosen = sum(variant_of("cart-rescue", "tea", customer, HALVES) == "a" for customer in first)
    assert abs(standard_errors(chosen, len(first), 0.5)) < 4


def test_variants_get_their_weights() -> None:
    variants = (Variant("ten", 2_000), Variant("twenty", 7_900), Variant("gift", 100))
    counts = Counter(variant_of("cart-rescue", "tea", customer, variants) for customer in CUSTOMERS)
    assert set(counts) == {"ten", "twenty", "gift"}
    for each in variants:
        assert (
            abs(standard_errors(counts[each.name], len(CUSTOMERS), each.buckets / BUCKETS)) < 4
        ), each


def test_a_variant_has_exactly_its_buckets() -> None:
    """Each side of the border between two, found by the hash worked out in other words."""
    found = {}
    for customer in CUSTOMERS:
        hashed = hashlib.sha256(f"variant\x1fcart-rescue\x1ftea\x1f{customer}".encode()).digest()
        found[int.from_bytes(hashed[:8], "big") % 10_000] = customer
    border = next(bucket for bucket in range(1, BUCKETS) if {bucket - 1, bucket} <= set(found))
    variants = (Variant("below", border), Variant("from there", BUCKETS - border))
    assert variant_of("cart-rescue", "tea", found[border - 1], variants) == "below"
    assert variant_of("cart-rescue", "tea", found[border], variants) == "from there"


@given(st.text(max_size=64), st.integers(0, BUCKETS))
def test_whatever_the_customer_is_called(customer: str, share: int) -> None:
    try:
        customer.encode()
    except UnicodeEncodeError:
        return
    assert 0 <= holdout_bucket("c", "s", customer) < BUCKETS
    assert held_out("c", "s", customer, share) == (holdout_bucket("c", "s", customer) < share)


@pytest.mark.parametrize("share", [-1, BUCKETS + 1])
def test_a_share_beyond_all_is_refused(share: int) -> None:
    with pytest.raises(ShareError, match="from 0 to 10,000"):
        held_out("cart-rescue", "tea", "u-1", share)


def test_weights_that_leave_buckets_over_or_nothing_for_a_variant_are_refused() -> None:
    with pytest.raises(ShareError, match="9,999 buckets, not 10,000"):
        variant_of("c", "s", "u", (Variant("a", 5_000), Variant("b", 4_999)))
    with pytest.raises(ShareError, match="'b' has 0"):
        variant_of("c", "s", "u", (Variant("a", 10_000), Variant("b", 0)))
