"""What a liker's own key knows: how fast it likes, over all wishes, and since when the shop knows it.

A wish's owner asks for each like (``Liked``) and is told (``LikerTold``); both may come late, more than
once and in any order. Likes only become more and the first sight only earlier, so of two answers the
greater numbers are the newer ones.
"""

import msgspec

#: Likes given that are kept, the newest: more than any limit that a shop can set.
LIKES = 48
_HOUR_S, _DAY_S = 3_600, 86_400


class Liked(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """To the liker: a wish of ``owner_id`` was liked at ``time`` (s since 1970)."""

    liker_id: str
    owner_id: str
    wish_id: str
    time: int


class LikerTold(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """To the wish's owner: how many wishes the liker liked within an hour, and a day, that has the like,
    at most; and its age then, in s; 0: the shop had not heard of it.
    """

    owner_id: str
    wish_id: str
    liker_id: str
    in_an_hour: int
    in_a_day: int
    age_s: int


class GivenLike(msgspec.Struct, array_like=True, gc=False):
    """A like that was given at ``time`` (s); one that was taken back and given again is two."""

    owner_id: str
    wish_id: str
    time: int


class LikerIntegrity(msgspec.Struct, array_like=True, gc=False):
    """The likes that one customer gave, and since when (s) the shop knows it; 0: it does not."""

    first_seen: int = 0
    given: list[GivenLike] = []


def fold_liked(liker: LikerIntegrity, asked: Liked) -> tuple[LikerTold, ...]:
    """Note a like; tells its wish's owner, and those of other likes that are within a day of it."""
    like = GivenLike(asked.owner_id, asked.wish_id, asked.time)
    if like in liker.given:
        return ()
    liker.given.append(like)
    if len(liker.given) > LIKES:
        liker.given.remove(min(liker.given, key=lambda each: (each.time, each.wish_id)))
    return tuple(
        _told(liker, each, asked.liker_id)
        for each in liker.given
        if abs(each.time - like.time) <= _DAY_S
    )


def fold_first_seen(liker: LikerIntegrity, liker_id: str, time: int) -> tuple[LikerTold, ...]:
    """Note that the shop knew the liker at ``time`` (s); tells all owners where that is news."""
    if liker.first_seen and liker.first_seen <= time:
        return ()
    liker.first_seen = max(time, 1)
    return tuple(_told(liker, like, liker_id) for like in liker.given)


def _told(liker: LikerIntegrity, like: GivenLike, liker_id: str) -> LikerTold:
    in_an_hour, in_a_day = (_most_within(liker, like, window) for window in (_HOUR_S, _DAY_S))
    age = max(like.time - liker.first_seen, 0) if liker.first_seen else 0
    return LikerTold(like.owner_id, like.wish_id, liker_id, in_an_hour, in_a_day, age)


def _most_within(liker: LikerIntegrity, like: GivenLike, window: int) -> int:
    """The most wishes that were liked within ``window`` (s) of one another, ``like`` among them."""
    near = [each for each in liker.given if abs(each.time - like.time) <= window]
    starts = {each.time for each in near if each.time <= like.time} | {like.time}
    return max(
        len({(each.owner_id, each.wish_id) for each in near if 0 <= each.time - start <= window})
        for start in starts
    )
