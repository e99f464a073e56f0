"""The horizon: the newest 128 ids of a customer; what leaves it too early is counted."""

import pytest

from streams.domain.duplicates import find, seconds_of
from streams.domain.fold import fold
from streams.state.codec import encode
from tests.domain.events import DAY, SHOP, START, Timed, cart, click, fold_all


def test_an_id_seen_again_is_a_duplicate_and_changes_nothing() -> None:
    events = [click(f"e{number}", START + number) for number in range(128)]
    state = fold_all(events)
    before = encode(state)
    for event, time in events:
        assert fold(state, event, time + DAY, SHOP) is None
    assert encode(state) == before
    assert state.evicted_early == 0


def test_the_same_id_of_another_source_is_another_event() -> None:
    event, time = click("e", START)
    state = fold_all([(event, time)])
    event.source = "other"
    assert fold(state, event, time, SHOP) == ()
    assert state.browsing.actions.view == 2


def test_an_id_evicted_within_seven_days_is_counted_and_its_repeat_is_new() -> None:
    events = [click(f"e{number}", START + number) for number in range(130)]
    state = fold_all(events)
    assert state.evicted_early == 2
    event, time = events[0]
    assert fold(state, event, time, SHOP) == ()
    assert state.browsing.actions.view == 131


def test_ids_older_than_seven_days_leave_first_and_are_not_counted() -> None:
    old = [click(f"o{number}", START + number) for number in range(100)]
    new = [click(f"n{number}", START + 8 * DAY + number) for number in range(100)]
    state = fold_all(old + new)
    assert state.evicted_early == 0
    assert len(state.seen) == 100 * 12


@pytest.mark.parametrize(
    "repeat",
    [
        cart("2", START, "add", "a", quantity=5, attributes={"n": "v", "m": "w"}),
        cart("2", START, "add", "a", quantity=2, attributes={"m": "w", "n": "v"}),
    ],
)
def test_a_cart_line_with_the_same_time_and_action_is_a_duplicate(repeat: Timed) -> None:
    state = fold_all([cart("1", START, "add", "a", quantity=2, attributes={"m": "w", "n": "v"})])
    before = encode(state)
    event, time = repeat
    assert fold(state, event, time, SHOP) is None
    assert encode(state) == before


@pytest.mark.parametrize(
    "other",
    [
        cart("2", START, "add", "a", attributes={"m": "w"}),
        cart("2", START, "set", "a"),
        cart("2", START + 1, "add", "a"),
        cart("2", START, "add", "b"),
    ],
)
def test_another_line_action_or_time_is_not(other: Timed) -> None:
    state = fold_all([cart("1", START, "add", "a")])
    event, time = other
    assert fold(state, event, time, SHOP) is not None


def test_a_hash_across_two_entries_is_not_found() -> None:
    entries = b"abcdefgh0000ijklmnop0000"
    assert find(entries, b"efgh0000", 12) == -1
    assert find(entries, b"ijklmnop", 12) == 12
    assert find(b"xabcdefgh000" + entries, b"abcdefgh", 12) == 12


def test_times_that_four_bytes_cannot_hold_are_cut() -> None:
    assert seconds_of(-1) == bytes(4)
    assert seconds_of(10**15) == b"\xff" * 4
