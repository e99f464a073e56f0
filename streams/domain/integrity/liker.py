"""What is known of the likes that one customer gave, over all wishes: how fast, and since when it is known.

The state of kind ``liker`` under the customer's id. Each like comes by way of the customer's own state, which
says since when the shop knows the customer, and is answered to the wish's owner (``LikerTold``); both may
come late, more than once and in any order. Likes only become more and the first sight only earlier, so of
two answers the greater numbers are the newer ones.

A visitor's likes go to the customer whom the visitor turned out to be, under the names that they were given
by, so that the owners learn who their likers are.
"""

import msgspec

from schemas.exchange import LIKES_TOLD, Liked, LikeGiven, LikerTold
from schemas.settings import Liking

#: Likes given that are kept, and the UTF-8 bytes of their names (of 48 likes with the longest ASCII ones
#: 85 each); the earliest leave first. More than any limit that a shop can set.
LIKES = LIKES_TOLD
NAMES_BYTES = 16_384
_HOUR_S, _DAY_S = 3_600, 86_400


class GivenLike(msgspec.Struct, array_like=True, gc=False):
    """A like that ``liker_id`` gave at ``time`` (s); one that was taken back and given again is two."""

    owner_id: str
    wish_id: str
    time: int
    #: The customer's own id, or that of a visitor whom they were.
    liker_id: str


class LikerIntegrity(msgspec.Struct, array_like=True, gc=False):
    """The likes that one customer gave, and since when (s) the shop knows it; 0: it does not."""

    first_seen: int = 0
    given: list[GivenLike] = []


def fold_given(
    liker: LikerIntegrity, customer_id: str, body: LikeGiven, time: int, liking: Liking | None
) -> tuple[LikerTold, ...]:
    """Note a like of ``time`` (ms) by ``customer_id``; tells its wish's owner, and those of other likes
    that were too fast only together with it: to the others it is no news.

    ``liking``: how the shop judges likes; None: it does not, and nothing is too fast. A like that is taken
    back stays given. Its owner is told only who took it back, where that is a visitor whom the customer was.
    """
    seen = () if body.first_seen is None else fold_seen(liker, customer_id, body.first_seen)
    if body.word == "unliked":
        if body.liker_id == customer_id:
            return seen
        known_as = LikerTold(
            visitor=body.owner_id, wish_id=body.wish_id, liker_id=body.liker_id,
            customer_id=customer_id, age_s=0,
        )  # fmt: skip
        return (*seen, known_as)
    like = GivenLike(body.owner_id, body.wish_id, max(time // 1000, 0), body.liker_id)
    if like in liker.given:
        # Of one that is said again its owner is told again: it may have forgotten the liker meanwhile.
        return (*seen, _told(liker, like, customer_id))
    slow = [
        each
        for each in liker.given
        if liking is not None
        and abs(each.time - like.time) <= _DAY_S
        and not is_fast(_told(liker, each, customer_id), liking)
    ]
    liker.given.append(like)
    others = [_told(liker, each, customer_id) for each in slow]
    fast = [each for each in others if liking is not None and is_fast(each, liking)]
    told = _told(liker, like, customer_id)
    _bound(liker)
    return (*seen, *fast, told)


def is_fast(told: LikerTold, liking: Liking) -> bool:
    """Whether the liker liked too many wishes within an hour, or a day, of the like that is told of."""
    return told.in_an_hour > liking.likes_in_an_hour or told.in_a_day > liking.likes_in_a_day


def fold_seen(liker: LikerIntegrity, customer_id: str, time: int) -> tuple[LikerTold, ...]:
    """Note that the shop knew the customer at ``time`` (ms); tells all owners where that is news."""
    second = max(time // 1000, 1)
    if liker.first_seen and liker.first_seen <= second:
        return ()
    liker.first_seen = second
    return tuple(_told(liker, like, customer_id) for like in liker.given)


def move(liker: LikerIntegrity) -> tuple[tuple[int, Liked], ...]:
    """The likes as somebody else's, with their times (ms); none stay."""
    given = [
        (
            like.time * 1000,
            Liked(visitor=like.liker_id, owner_id=like.owner_id, wish_id=like.wish_id),
        )
        for like in liker.given
    ]
    liker.first_seen, liker.given = 0, []
    return tuple(given)


def forget_likes(liker: LikerIntegrity, time: int) -> None:
    """Drop what was until ``time`` (ms), and since when the customer is known."""
    liker.first_seen = 0
    liker.given = [like for like in liker.given if like.time * 1000 > time]


def _told(liker: LikerIntegrity, like: GivenLike, customer_id: str) -> LikerTold:
    in_an_hour, in_a_day = (_most_within(liker, like, window) for window in (_HOUR_S, _DAY_S))
    return LikerTold(
        visitor=like.owner_id,
        wish_id=like.wish_id,
        liker_id=like.liker_id,
        customer_id=customer_id,
        in_an_hour=in_an_hour,
        in_a_day=in_a_day,
        age_s=max(like.time - liker.first_seen, 0) if liker.first_seen else 0,
    )


def _most_within(liker: LikerIntegrity, like: GivenLike, window: int) -> int:
    """The most wishes that were liked within ``window`` (s) of one another, ``like`` among them."""
    near = [each for each in liker.given if abs(each.time - like.time) <= window]
    starts = {each.time for each in near if each.time <= like.time} | {like.time}
    most = max(
        len({(each.owner_id, each.wish_id) for each in near if 0 <= each.time - start <= window})
        for start in starts
    )
    return min(most, LIKES_TOLD)


def _bound(liker: LikerIntegrity) -> None:
    size = sum(map(_weight, liker.given))
    while len(liker.given) > LIKES or size > NAMES_BYTES:
        leaving = min(
            liker.given, key=lambda like: (like.time, like.wish_id, like.owner_id, like.liker_id)
        )
        liker.given.remove(leaving)
        size -= _weight(leaving)


def _weight(like: GivenLike) -> int:
    return sum(len(name.encode()) for name in (like.owner_id, like.wish_id, like.liker_id))
