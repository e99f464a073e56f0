"""Wishes: what became of them, and how many others like them."""

import itertools

import msgspec
import pytest

from streams.domain.describe import describe
from streams.domain.facts import WishLiked, WishMade, WishReached
from streams.domain.fold import fold
from streams.domain.state import CustomerState
from streams.domain.wishes import LIKER_BYTES, LIKERS, PAST_WISHES, WISHES, WISHES_BYTES, Wishes
from tests.domain.events import DAY, MINUTE, SHOP, START, Timed, fold_all, wish


def found(state: CustomerState) -> Wishes:
    assert state.wishes is not None
    return state.wishes


def like(event_id: str, minute: int, liker: str, action: str = "liked", **data: str) -> Timed:
    return wish(event_id, START + minute * MINUTE, action, "w", liker_id=liker, **data)


def test_the_last_decision_by_event_time_is_what_became_of_it() -> None:
    events = [
        wish("1", START, "made", "w", sku="a"),
        wish("2", START + 2, "declined", "w"),
        wish("3", START + 3, "granted", "w"),
        wish("4", START + 1, "withdrawn", "w"),
    ]
    for shuffled in itertools.permutations(events):
        got = found(fold_all(list(shuffled)))
        assert (got.made, got.granted, got.declined, got.withdrawn) == (1, 1, 0, 0)


def test_at_one_time_the_decision_does_not_go_by_arrival() -> None:
    events = [wish("1", START, "made", "w", sku="a")]
    events += [wish(action, START, action, "w") for action in ("granted", "declined", "withdrawn")]
    for shuffled in itertools.permutations(events):
        assert found(fold_all(list(shuffled))).declined == 1


def test_a_wish_liked_before_it_was_made_is_kept_beside_as_many_open_ones_as_there_may_be() -> None:
    events = [wish(f"{n}", START + n, "made", f"w{n}") for n in range(WISHES)]
    events += [
        wish("l", START + DAY, "liked", "late", liker_id="c2"),
        wish("m", START + DAY + 1, "made", "late"),
    ]
    got = found(fold_all(events))
    assert (got.made, got.likes) == (WISHES + 1, 1)
    (late,) = [known for known in got.wishes if known.wish_id == "late"]
    assert len(late.likers) == LIKER_BYTES
    # The one that was longest without news has left.
    assert "w0" not in {known.wish_id for known in got.wishes}


@pytest.mark.parametrize("action", ["made", "withdrawn", "granted", "declined"])
def test_the_same_said_again_under_another_id_changes_nothing_and_is_no_fact(action: str) -> None:
    state = fold_all([wish("1", START, action, "w", sku="a")])
    before = msgspec.json.encode(found(state))
    event, time = wish("2", START, action, "w", sku="a")
    assert fold(state, event, time, SHOP) == ()
    assert msgspec.json.encode(found(state)) == before


def test_a_decision_taken_again_does_not_go_by_arrival() -> None:
    events = [
        wish("1", START, "made", "w"),
        wish("2", START + 1, "granted", "w"),
        wish("3", START + 2, "declined", "w"),
        wish("4", START + 3, "granted", "w"),
    ]
    for shuffled in itertools.permutations(events):
        got = found(fold_all(list(shuffled)))
        assert (got.granted, got.declined, got.wishes[0].decided_at) == (1, 0, START + 3)


def test_a_wish_is_what_its_earliest_making_says() -> None:
    events = [
        wish("1", START + 1, "made", "w", sku="a"),
        wish("2", START, "made", "w", sku="b", attributes={"size": "M"}),
        wish("3", START, "made", "w", sku="b", attributes={"size": "L"}),
        wish("4", START, "made", "w", sku="c"),
    ]
    for shuffled in itertools.permutations(events):
        got = found(fold_all(list(shuffled)))
        assert (got.made, got.wishes[0].made_at) == (1, START)
        assert (got.wishes[0].sku, got.wishes[0].attributes) == ("b", ("size", "L"))


def test_a_wish_that_was_never_made_counts_its_likes_only() -> None:
    state = fold_all([wish("1", START, "granted", "w"), like("2", 0, "c2")])
    got = found(state)
    assert (got.made, got.granted, got.likes) == (0, 0, 1)
    assert describe(state, SHOP)["wishes"]["recent"][0]["status"] == "unknown"
    fold_all([wish("3", START, "made", "w", sku="a")], state)
    assert (got.made, got.granted) == (1, 1)


def test_a_likers_last_word_counts_once() -> None:
    events = [
        like("1", 0, "c2"), like("2", 9, "c2", "unliked"), like("3", 5, "c2"),
        like("4", 0, "c3"), like("5", 1, "c3"),
        like("6", 3, "c4", "unliked"), like("7", 3, "c4"),
    ]  # fmt: skip
    for shuffled in itertools.permutations(events):
        assert found(fold_all(list(shuffled))).likes == 1


def test_the_owners_like_is_none_and_is_shown() -> None:
    state = fold_all([like("1", 0, "c1"), like("2", 0, "c2")])
    assert (found(state).likes, found(state).self_likes) == (1, 1)
    fold_all([like("3", 1, "c1", "unliked")], state)
    assert (found(state).likes, found(state).self_likes) == (1, 0)


def test_likes_by_device() -> None:
    state = fold_all(
        [
            like("1", 0, "c2", device_hash="d1"),
            like("2", 0, "c3", device_hash="d1"),
            like("3", 0, "c4", device_hash="d2"),
            like("4", 0, "c5"),
            like("5", 0, "c1", device_hash="d1"),
            like("6", 0, "c6", device_hash="d2"),
            like("7", 1, "c6", "unliked", device_hash="d2"),
        ]
    )
    (shown,) = describe(state, SHOP)["wishes"]["recent"]
    assert sorted(shown["likes_by_device"].values()) == [1, 2]
    assert (shown["likes"], shown["self_liked"]) == (4, True)


def test_comments_and_stories_count_each() -> None:
    events = [
        wish("1", START, "commented", "w", liker_id="c2"),
        wish("2", START, "commented", "w", liker_id="c2"),
        wish("3", START, "story", "w"),
    ]
    got = found(fold_all([*events, *events]))
    assert (got.comments, got.stories) == (2, 1)


def test_what_campaigns_are_told() -> None:
    events = [
        wish("1", START, "made", "w", sku="a"),
        like("2", 0, "c2"),
        like("3", 1, "c1"),
        like("4", 1, "c3"),
        like("5", 2, "c3"),
        like("6", 3, "c2", "unliked"),
        like("7", 4, "c2"),
    ]
    state = fold_all([])
    told = [fold(state, event, time, SHOP) for event, time in events]
    assert told == [
        (WishMade("w", "a"),), (WishLiked("w", 1), WishReached("w", "a", 0, 1)), (),
        (WishLiked("w", 2), WishReached("w", "a", 1, 2)), (), (), (WishLiked("w", 2),),
    ]  # fmt: skip


def test_a_wish_that_left_still_counts_and_can_be_decided_once() -> None:
    events = [
        wish("1", START, "made", "first"),
        wish("2", START, "liked", "first", liker_id="c2"),
        *(wish(f"m{n}", START + DAY + n, "made", f"w{n}") for n in range(WISHES)),
    ]
    state = fold_all(events)
    got = found(state)
    assert len(got.wishes) == WISHES
    assert (got.made, got.likes) == (WISHES + 1, 1)
    event, time = wish("again", START, "made", "first")
    assert fold(state, event, time, SHOP) == ()
    assert got.made == WISHES + 1
    later = [
        wish("3", START, "granted", "first"),
        wish("4", START + DAY, "declined", "first"),
        wish("5", START, "commented", "first"),
        wish("6", START, "liked", "first", liker_id="c3"),
    ]
    fold_all(later, state)
    assert (got.granted, got.declined, got.comments, got.likes) == (1, 0, 1, 1)


def test_decided_wishes_leave_first() -> None:
    events = [wish(f"m{n}", START + n, "made", f"w{n}") for n in range(WISHES)]
    events += [
        wish("g", START + DAY, "granted", "w5"),
        wish("n", START + DAY, "made", "new"),
    ]
    kept = {each.wish_id for each in found(fold_all(events)).wishes}
    assert "w5" not in kept
    assert "w0" in kept


def test_likers_beyond_the_bound_stay_counted_and_the_owner_stays_known() -> None:
    events = [like("self", -9, "c1")]
    events += [like(f"l{n}", n, f"liker-{n}") for n in range(3 * LIKERS)]
    state = fold_all(events)
    got = found(state)
    assert (got.likes, got.self_likes) == (3 * LIKERS, 1)
    assert len(got.wishes[0].likers) == LIKERS * LIKER_BYTES
    (shown,) = describe(state, SHOP)["wishes"]["recent"]
    assert (shown["likes"], shown["self_liked"]) == (3 * LIKERS, True)
    # One of the newest takes it back, and is known to have liked it.
    fold_all([like("u", 999, f"liker-{3 * LIKERS - 1}", "unliked")], state)
    assert got.likes == 3 * LIKERS - 1


def test_the_bounds_hold() -> None:
    # 64 bytes of the id, 64 of the sku and 6 of the attributes: three of them fit.
    long = [
        wish(f"e{n}", START + n, "made", f"{n}".ljust(64, "é"), sku="s" * 64, attributes={"a": "b"})
        for n in range(100)
    ]
    got = found(fold_all(long))
    assert (got.made, len(got.past)) == (100, PAST_WISHES * 9)
    assert len(got.wishes) == WISHES_BYTES // 134 == 3
    assert all(len(each.wish_id.encode()) == len(each.sku) == 64 for each in got.wishes)
    short = [wish(f"e{n}", START + n, "made", f"w{n}", sku="s") for n in range(100)]
    assert len(found(fold_all(short)).wishes) == WISHES
