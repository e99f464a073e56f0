"""Signs of a like at their limits, and verdicts that come and go."""

import random
from typing import Any

import pytest

from schemas.settings import Liking
from schemas.wish import Wish as WishData
from streams.domain.integrity.liker import (
    LIKES,
    Liked,
    LikerIntegrity,
    LikerTold,
    fold_first_seen,
    fold_liked,
)
from streams.domain.integrity.likes import asks, judge_likes, take_told
from streams.domain.wishes import LIKERS, Wishes, fold_wish
from tests.integrity.like_router import LikingShop
from tests.integrity.liking import FAKE, like_falsely, like_honestly
from tests.integrity.shop import HOUR, MINUTE, SECOND, Shop

ASKED = Liking()
NOON = 1_780_000_000_000
DAY_S = 86_400


def say(wishes: Wishes, action: Any, time: int, **data: Any) -> None:
    fold_wish(wishes, WishData(shop_id="shop", wish_id="w", action=action, **data), time, "owner")


def answer(wishes: Wishes, liker: str, *, hour: int = 1, day: int = 1, age_s: int = DAY_S) -> None:
    take_told(wishes, LikerTold("owner", "w", liker, hour, day, age_s), ASKED)


def likes(wishes: Wishes) -> tuple[int, int]:
    """Likes that count, and suspicious ones."""
    judge_likes(wishes, ASKED)
    return wishes.likes, wishes.suspicious


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ([0, 1, 2], (3, 0)),
        ([0, 1, 2, 3], (0, 4)),
        ([0, 1, 2, 13], (2, 2)),
        ([0, 13, 26, 39], (4, 0)),
    ],
)
def test_four_likers_on_a_phone_within_half_a_day(
    hours: list[int], expected: tuple[int, int]
) -> None:
    wishes = Wishes()
    for number, hour in enumerate(hours):
        say(wishes, "liked", NOON + hour * HOUR, liker_id=f"l{number}", device_hash="phone")
        answer(wishes, f"l{number}")
    assert likes(wishes) == expected


def test_two_on_a_phone_who_are_both_new_and_two_of_whom_one_is_not() -> None:
    wishes = Wishes()
    for liker in ("l1", "l2"):
        say(wishes, "liked", NOON, liker_id=liker, device_hash="phone")
        answer(wishes, liker, age_s=60)
    assert likes(wishes) == (0, 2)
    # The shop had known one of them for long: it only heard of that late.
    answer(wishes, "l2", age_s=DAY_S)
    assert likes(wishes) == (2, 0)
    # Older answers change nothing.
    answer(wishes, "l2", age_s=60)
    assert likes(wishes) == (2, 0)


def test_a_phone_that_nobody_named_is_shared_by_nobody() -> None:
    wishes = Wishes()
    for number in range(9):
        say(wishes, "liked", NOON, liker_id=f"l{number}")
        answer(wishes, f"l{number}", age_s=0)
    assert likes(wishes) == (9, 0)


@pytest.mark.parametrize("own", [{"action": "made"}, {"action": "liked", "liker_id": "owner"}])
def test_a_new_account_on_the_owners_phone(own: dict[str, Any]) -> None:
    wishes = Wishes()
    say(wishes, time=NOON, device_hash="own phone", **own)
    say(wishes, "liked", NOON, liker_id="l1", device_hash="own phone")
    # Nothing is known of the liker yet.
    assert likes(wishes) == (1, 0)
    answer(wishes, "l1", age_s=60)
    assert likes(wishes) == (0, 1)
    assert wishes.self_likes == (own["action"] == "liked")


@pytest.mark.parametrize(
    ("hour", "day", "age_s", "suspicious"),
    [(10, 15, 60, 0), (11, 11, 60, 1), (1, 16, 60, 1), (11, 16, DAY_S, 0)],
)
def test_likes_that_are_too_fast_for_a_new_liker(
    hour: int, day: int, age_s: int, suspicious: int
) -> None:
    wishes = Wishes()
    say(wishes, "liked", NOON, liker_id="l1", device_hash="phone")
    answer(wishes, "l1", hour=hour, day=day, age_s=age_s)
    assert likes(wishes) == (1 - suspicious, suspicious)


def test_a_like_that_is_taken_back_is_neither() -> None:
    wishes = Wishes()
    say(wishes, "liked", NOON, liker_id="l1")
    answer(wishes, "l1", hour=30, age_s=60)
    assert likes(wishes) == (0, 1)
    say(wishes, "unliked", NOON + HOUR, liker_id="l1")
    assert likes(wishes) == (0, 0)
    # What is known of the liker stays known.
    say(wishes, "liked", NOON + 2 * HOUR, liker_id="l1")
    assert likes(wishes) == (0, 1)


def test_a_suspicious_liker_who_left_stays_suspicious() -> None:
    wishes = Wishes()
    say(wishes, "liked", NOON, liker_id="bot")
    answer(wishes, "bot", hour=30, age_s=60)
    assert likes(wishes) == (0, 1)
    for number in range(LIKERS):
        say(wishes, "liked", NOON + HOUR + number, liker_id=f"l{number}")
    assert likes(wishes) == (LIKERS, 1)
    assert wishes.wishes[0].suspicious_before == 1


def test_who_is_asked() -> None:
    def of(action: Any, **data: Any) -> Liked | None:
        return asks(WishData(shop_id="shop", wish_id="w", action=action, **data), NOON, "owner")

    assert of("liked", liker_id="l1") == Liked("l1", "owner", "w", NOON // 1000)
    assert of("liked", liker_id="owner") is None
    assert of("unliked", liker_id="l1") is None
    assert of("commented", liker_id="l1") is None


def test_a_liker_tells_how_fast_it_likes_and_since_when_it_is_known() -> None:
    liker = LikerIntegrity()
    now = NOON // 1000
    assert fold_liked(liker, Liked("l", "o1", "w1", now)) == (LikerTold("o1", "w1", "l", 1, 1, 0),)
    assert fold_liked(liker, Liked("l", "o1", "w1", now)) == ()
    assert fold_first_seen(liker, "l", now - 50) == (LikerTold("o1", "w1", "l", 1, 1, 50),)
    assert fold_first_seen(liker, "l", now - 10) == ()
    assert set(fold_liked(liker, Liked("l", "o2", "w2", now + 3_600))) == {
        LikerTold("o1", "w1", "l", 2, 2, 50),
        LikerTold("o2", "w2", "l", 2, 2, 3_650),
    }
    # Two hours after the first: within a day of it, within an hour of none but the second.
    assert set(fold_liked(liker, Liked("l", "o3", "w3", now + 7_200))) == {
        LikerTold("o1", "w1", "l", 2, 3, 50),
        LikerTold("o2", "w2", "l", 2, 3, 3_650),
        LikerTold("o3", "w3", "l", 2, 3, 7_250),
    }
    # The same wish again is another word, but no other wish; the greatest of two answers counts.
    told = fold_liked(liker, Liked("l", "o3", "w3", now + 7_300))
    assert {(each.wish_id, each.in_an_hour, each.in_a_day) for each in told} == {
        ("w1", 2, 3), ("w2", 2, 3), ("w3", 2, 3), ("w3", 1, 3),
    }  # fmt: skip


def test_given_likes_are_bounded_the_oldest_leave() -> None:
    liker = LikerIntegrity()
    numbers = list(range(LIKES + 30))
    random.Random(1).shuffle(numbers)
    for number in numbers:
        fold_liked(liker, Liked("l", "o", f"w{number}", number * 60))
    assert sorted(like.time for like in liker.given) == [
        number * 60 for number in range(30, LIKES + 30)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_verdicts_are_the_same_whatever_the_order_of_arrival(seed: int) -> None:
    """As long as nobody has to leave: few likes, and none of a wish that goes viral."""
    shop = Shop(seed, 4)
    wishes = []
    for _ in range(12):
        owner, wish_id, made = shop.person("owner"), shop.name("wish"), shop.moment()
        shop.wish(owner, wish_id, made)
        friend = shop.person("friend")
        shop.view(friend, "sku", made - HOUR, 30)
        shop.like("honest", friend, owner, wish_id, made + MINUTE)
        wishes.append((owner, wish_id, made))
    for kind in ("own_accounts", "small_farm"):
        like_falsely(shop, kind, wishes)
    bot = shop.person("bot")
    last = max(made for _, _, made in wishes) + HOUR
    shop.view(bot, "sku", last, 1)
    for owner, wish_id, _ in wishes:
        shop.like("bots", bot, owner, wish_id, last + shop.between(SECOND, 20 * MINUTE))
    in_order = sorted(shop.happenings, key=lambda each: each.time)
    expected = LikingShop(0, ASKED)
    expected.run(in_order)
    held = {like: expected.is_held(*like) for like in shop.likes}
    assert {like for like in held if held[like]} == {
        like for like, kind in shop.likes.items() if kind in FAKE
    }
    for again in range(4):
        shuffled = list(in_order)
        random.Random(again).shuffle(shuffled)
        other = LikingShop(again, ASKED, latest_ms=again * 12 * HOUR)
        other.run(shuffled)
        assert {like: other.is_held(*like) for like in shop.likes} == held
        for customer, wishes_ in expected.owners.items():
            shown = [wishes_.likes, wishes_.suspicious, wishes_.devices]
            mine = other.owners[customer]
            assert [mine.likes, mine.suspicious, mine.devices] == shown


def test_without_limits_nothing_is_suspicious() -> None:
    shop = Shop(1, 4)
    wishes = like_honestly(shop, 200)
    like_falsely(shop, "farm", wishes)
    nobody = LikingShop(1, None)
    nobody.run(sorted(shop.happenings, key=lambda each: each.time))
    assert not any(nobody.held.values())
    assert sum(wishes_.suspicious for wishes_ in nobody.owners.values()) == 0
