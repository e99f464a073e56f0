"""Registers and estimates: of any order, of unions, and near the truth."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.hyperloglog import (
    BODY_BYTES,
    STANDARD_ERROR,
    HyperLogLog,
    NotHyperLogLog,
    from_redis,
    merged,
    to_redis,
)

_members = st.lists(st.binary(max_size=24), max_size=60)


@given(_members, st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter(members: list[bytes], chance: random.Random) -> None:
    shuffled = members * 2
    chance.shuffle(shuffled)
    assert HyperLogLog(members).registers == HyperLogLog(shuffled).registers


@settings(max_examples=20)
@given(_members, _members)
def test_merging_is_adding_all(left: list[bytes], right: list[bytes]) -> None:
    bodies = [HyperLogLog(left).body(), HyperLogLog(right).body()]
    assert merged(bodies) == HyperLogLog(left + right).body()


@settings(max_examples=20)
@given(_members)
def test_packed_and_unpacked_it_is_the_same(members: list[bytes]) -> None:
    sketch = HyperLogLog(members)
    body = sketch.body()
    assert len(body) == BODY_BYTES
    assert HyperLogLog.of_body(body).registers == sketch.registers
    assert from_redis(to_redis(body)) == body


def test_nothing_is_nobody() -> None:
    assert HyperLogLog().estimate() == 0
    assert merged([]) == HyperLogLog().body()


@pytest.mark.parametrize("number", [100, 3_000, 60_000])
def test_the_estimate_is_near(number: int) -> None:
    members = (f"{number}:{one}".encode() for one in range(number))
    assert HyperLogLog(members).estimate() == pytest.approx(number, rel=4 * STANDARD_ERROR)


@pytest.mark.parametrize(
    "value",
    [b"", b"HYLL", b"OTHER" + bytes(12_300), b"HYLL" + bytes(100), b"HYLL\1" + bytes(11) + b"\x01"],
)
def test_other_bytes_are_refused(value: bytes) -> None:
    with pytest.raises(NotHyperLogLog):
        from_redis(value)
