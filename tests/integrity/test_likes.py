"""Signs of a like at their limits, and verdicts that come and go."""

import random
from typing import Any

import pytest

from schemas.exchange import LikeGiven, LikerTold
from schemas.settings import Liking
from schemas.wish import Wish as WishData
from streams.domain.integrity.liker import (
    LIKES,
    NAMES_BYTES,
    LikerIntegrity,
    fold_given,
    fold_seen,
)
from streams.domain.integrity.likes import judge_likes, take_told
from streams.domain.wishes import LIKERS, Wishes, fold_wish
from tests.integrity.liking import FAKE, like_falsely, like_honestly
from tests.integrity.router import Shops
from tests.integrity.shop import HOUR, MINUTE, SECOND, Shop

ASKED = Liking()
NOON = 1_780_000_000_000
DAY_S = 86_400


def say(wishes: Wishes, action: Any, time: int, **data: Any) -> None:
    fold_wish(wishes, WishData(shop_id="shop", wish_id="w", action=action, **data), time, "owner")


def answer(wishes: Wishes, liker: str, *, hour: int = 1, day: int = 1, age_s: int = DAY_S) -> None:
    told = LikerTold(
        visitor="owner", wish_id="w", liker_id=liker, customer_id=liker, in_an_hour=hour,
        in_a_day=day, age_s=age_s,
    )  # fmt: skip
    take_told(wishes, told, ASKED, "owner")


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


#: More than one like in an hour, or two in a day, are too many.
FEW = Liking(likes_in_an_hour=1, likes_in_a_day=2)


def give(liker: LikerIntegrity, owner: str, wish_id: str, second: int) -> set[tuple[Any, ...]]:
    """A like that ``l`` gives; what owners are told: wish, most within an hour and a day, age."""
    body = LikeGiven(liker_id="l", owner_id=owner, wish_id=wish_id)
    return shown(fold_given(liker, "l", body, second * 1000, FEW))


def shown(told: tuple[LikerTold, ...]) -> set[tuple[Any, ...]]:
    assert all((each.liker_id, each.customer_id) == ("l", "l") for each in told)
    return {(each.wish_id, each.in_an_hour, each.in_a_day, each.age_s) for each in told}


def test_a_liker_tells_how_fast_it_likes_and_since_when_it_is_known() -> None:
    liker = LikerIntegrity()
    now = NOON // 1000
    assert give(liker, "o1", "w1", now) == {("w1", 1, 1, 0)}
    assert shown(fold_seen(liker, "l", NOON - 50_000)) == {("w1", 1, 1, 50)}
    assert fold_seen(liker, "l", NOON - 10_000) == ()
    # Said again, it is answered again, and no other like.
    assert give(liker, "o1", "w1", now) == {("w1", 1, 1, 50)}
    assert give(liker, "o2", "w2", now + 3_600) == {("w1", 2, 2, 50), ("w2", 2, 2, 3_650)}
    # Two hours after the first: within a day of it, within an hour of none but the second. Of the others it
    # is known already that they were too many.
    assert give(liker, "o3", "w3", now + 7_200) == {("w3", 2, 3, 7_250)}
    # The same wish again is another word, but no other wish; the greatest of two answers counts.
    assert {each[:3] for each in give(liker, "o3", "w3", now + 7_300)} == {("w3", 1, 3)}


def test_owners_are_told_of_other_likes_where_the_shop_judges_them() -> None:
    for liking, told in ((None, 1), (Liking(), 1), (Liking(likes_in_a_day=1), 2)):
        liker = LikerIntegrity()
        for number in range(2):
            body = LikeGiven(liker_id="l", owner_id=f"o{number}", wish_id="w")
            heard = fold_given(liker, "l", body, NOON + number * 7_200_000, liking)
        assert len(heard) == told


def test_a_like_that_is_taken_back_stays_given() -> None:
    liker = LikerIntegrity()
    give(liker, "o1", "w1", 1_000)
    back = LikeGiven(liker_id="l", owner_id="o1", wish_id="w1", word="unliked")
    assert fold_given(liker, "l", back, 1_001_000, FEW) == ()
    assert len(liker.given) == 1
    # Of a visitor whom the customer was, the owner learns who it is.
    (told,) = fold_given(liker, "c", back, 1_001_000, FEW)
    assert (told.liker_id, told.customer_id) == ("l", "c")


def test_given_likes_are_bounded_the_oldest_leave() -> None:
    liker = LikerIntegrity()
    numbers = list(range(LIKES + 30))
    random.Random(1).shuffle(numbers)
    for number in numbers:
        give(liker, "o", f"w{number}", number * 60)
    assert sorted(like.time for like in liker.given) == [
        number * 60 for number in range(30, LIKES + 30)
    ]


def test_the_names_of_given_likes_are_bounded() -> None:
    liker = LikerIntegrity()
    for number in range(LIKES):
        give(liker, "\U00020bb7" * 64, f"w{number}".ljust(64, "\U00020bb7"), number)
    names = [like.owner_id + like.wish_id + like.liker_id for like in liker.given]
    assert NAMES_BYTES - 600 < sum(len(name.encode()) for name in names) <= NAMES_BYTES
    assert max(like.time for like in liker.given) == LIKES - 1


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
    expected = Shops(0, None, ASKED)
    expected.run(in_order)
    held = {like: expected.is_held(*like) for like in shop.likes}
    assert {like for like in held if held[like]} == {
        like for like, kind in shop.likes.items() if kind in FAKE
    }
    for again in range(4):
        shuffled = list(in_order)
        random.Random(again).shuffle(shuffled)
        other = Shops(again, None, ASKED, again * 12 * HOUR)
        other.run(shuffled)
        assert {like: other.is_held(*like) for like in shop.likes} == held
        for key, state in expected.states.items():
            mine, theirs = other.states[key].wishes, state.wishes
            assert (mine is None) == (theirs is None)
            if mine is not None and theirs is not None:
                assert (mine.likes, mine.suspicious, mine.devices) == (
                    theirs.likes, theirs.suspicious, theirs.devices,
                )  # fmt: skip


def test_without_limits_nothing_is_suspicious() -> None:
    shop = Shop(1, 4)
    wishes = like_honestly(shop, 200)
    like_falsely(shop, "farm", wishes)
    nobody = Shops(1, None)
    nobody.run(sorted(shop.happenings, key=lambda each: each.time))
    assert not any(nobody.is_held(*like) for like in shop.likes)
    # Nobody is asked either.
    assert all(state.kind == "" and not state.gave_likes for state in nobody.states.values())
