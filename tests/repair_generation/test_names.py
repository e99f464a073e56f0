"""What a generation is called, where its records go, and the digest by which two are compared."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.partitioner import partition_of
from streams.domain.state import new_state
from streams.engine.generation import Successor, decode_successor, encode_successor
from streams.repair.generation import number_of, settings_of, successor_of
from streams.repair.repartition_forward import forwarded_partition
from streams.repair.repartition_states import Tally, moved_state
from streams.settings import Settings
from streams.state.codec import encode

COUNTS = st.integers(1, 40)


@pytest.mark.parametrize(
    ("present", "number", "wanted"),
    [
        (("", "huitou:", "huitou"), 2, ("g2.", "huitou.g2:", "huitou.g2")),
        (("g2.", "huitou.g2:", "huitou.g2"), 3, ("g3.", "huitou.g3:", "huitou.g3")),
        (("g9.", "huitou.g9:", "huitou.g9"), 12, ("g12.", "huitou.g12:", "huitou.g12")),
        (("shop-a.", "a:", "a"), 2, ("shop-a.g2.", "a.g2:", "a.g2")),
        (("flag2.", "", "x"), 2, ("flag2.g2.", "g2:", "x.g2")),
    ],
)
def test_names(present: tuple[str, ...], number: int, wanted: tuple[str, ...]) -> None:
    topic_prefix, redis_prefix, group = present
    settings = Settings(topic_prefix=topic_prefix, redis_prefix=redis_prefix, group=group)
    successor = successor_of(settings, number, 5)
    assert successor == Successor(*wanted, 5)
    assert decode_successor(encode_successor(successor)) == successor
    assert number_of(settings_of(settings, successor)) == number
    assert not wanted[1].startswith(redis_prefix) or not redis_prefix


@given(st.binary(max_size=20), st.integers(0, 39), COUNTS, COUNTS)
def test_a_record_goes_where_its_key_belongs_if_it_stood_there(
    key: bytes, place: int, old: int, new: int
) -> None:
    found_in = place % old
    goes_to = forwarded_partition(key, found_in, old, new)
    assert 0 <= goes_to < new
    belonged = partition_of(key, old) == found_in
    assert new == 1 or (partition_of(key, new) == goes_to) == belonged
    assert 0 <= forwarded_partition(None, found_in, old, new) < new


@given(st.lists(st.text("abc", min_size=1, max_size=3), unique=True), st.randoms())
def test_the_digest_of_states_depends_on_what_they_are_and_not_on_their_order(
    names: list[str], shuffler: random.Random
) -> None:
    states = [moved_state(encode(new_state("shop", name))) for name in names]
    whole, parts, other = Tally(), Tally(), Tally()
    for state in states:
        whole.add(state)
    shuffler.shuffle(states)
    for state in states:
        part = Tally()
        part.add(state)
        parts.include(part)
    assert parts == whole
    for state in states[1:]:
        other.add(state)
    if states:
        other.add(states[0]._replace(due=1))
        assert other.digest != whole.digest
