"""How much a like of a wish looks bought: its signs, their points, and the verdict.

- device: ``likers`` likers of the owner's wishes on one phone within twelve hours of the like, or two or
  more who are all young; near, for half the points: two.
- own device: the like came from a phone from which its owner made a wish, or liked one of the own.
- rate: more than ``likes_in_an_hour`` wishes that the liker liked within an hour, or ``likes_in_a_day``.
- young: the shop first heard of the liker less than ``young_hours`` before the like.

The first two lie with the wish's owner, whose state hears of every like; the others with the liker
(streams.domain.integrity.liker), and are told. A verdict is a function of what is known, so it goes as
it came. Likers and wishes that left the owner's state stay as they were judged.
"""

from collections.abc import Iterable, Sequence, Set
from typing import Literal, NamedTuple

from schemas.settings import Liking
from schemas.wish import Wish as WishData
from streams.domain.integrity.liker import Liked, LikerTold
from streams.domain.names import name_hash
from streams.domain.wishes import (
    ANSWERED,
    DEVICE_BYTES,
    FAST,
    LIKED,
    NO_DEVICE,
    OLD,
    SELF,
    SUSPICIOUS,
    Liker,
    Wishes,
    likers_of,
    set_likers,
)

Sign = Literal["device", "own_device", "rate", "young"]
_NEAR = 2
#: Twelve hours.
_TOGETHER_MS = 43_200_000


class Reason(NamedTuple):
    """A sign that a like has, and its points."""

    sign: Sign
    points: int


def asks(data: WishData, time: int, owner: str) -> Liked | None:
    """What the liker of a like at ``time`` (ms) is asked; None where nobody is."""
    liker = data.liker_id
    if data.action != "liked" or not liker or liker == owner:
        return None
    return Liked(liker, owner, data.wish_id, time // 1000)


def take_told(wishes: Wishes, told: LikerTold, liking: Liking) -> bool:
    """Fold what a liker's state told; whether anything is new. What is not known any more is left."""
    wish_key, key = name_hash(told.wish_id), name_hash(told.liker_id)
    for wish in wishes.wishes:
        if wish.key != wish_key:
            continue
        likers = likers_of(wish)
        for liker in likers:
            if liker.key == key:
                before = liker.flags
                liker.flags |= ANSWERED
                fast = (
                    told.in_an_hour > liking.likes_in_an_hour
                    or told.in_a_day > liking.likes_in_a_day
                )
                liker.flags |= FAST if fast else 0
                liker.flags |= OLD if told.age_s >= liking.young_hours * 3_600 else 0
                set_likers(wishes, wish, likers)
                return liker.flags != before
    return False


def judge_likes(wishes: Wishes, liking: Liking) -> None:
    """Judge all likes of which anything is known; those that look bought no longer count."""
    known = [(wish, likers_of(wish)) for wish in wishes.wishes]
    others = [liker for _, likers in known for liker in likers]
    phones = _own_phones(wishes, others)
    for wish, likers in known:
        for liker in likers:
            points = sum(reason.points for reason in reasons(liker, others, phones, liking))
            suspicious = points >= liking.verdict_points
            liker.flags = liker.flags & ~SUSPICIOUS | (SUSPICIOUS if suspicious else 0)
        set_likers(wishes, wish, likers)


def reasons(
    liker: Liker, others: Sequence[Liker], own_phones: Set[bytes], liking: Liking
) -> tuple[Reason, ...]:
    """The signs of a like among ``others`` of its owner's wishes; none of what is no like."""
    if liker.flags & (LIKED | SELF) != LIKED:
        return ()
    there = [
        other
        for other in others
        if liker.device == other.device != NO_DEVICE
        and other.flags & (LIKED | SELF) == LIKED
        and abs(other.time - liker.time) <= _TOGETHER_MS
    ]
    people = len({other.key for other in there})
    many = people >= liking.likers or (people >= _NEAR and all(map(_is_young, there)))
    halves: dict[Sign, tuple[int, int]] = {
        "device": (liking.device_points, 2 if many else int(people >= _NEAR)),
        "own_device": (liking.own_device_points, 2 if liker.device in own_phones else 0),
        "rate": (liking.rate_points, 2 if liker.flags & FAST else 0),
        "young": (liking.young_points, 2 if _is_young(liker) else 0),
    }
    return tuple(Reason(sign, points * n // 2) for sign, (points, n) in halves.items() if n)


def _own_phones(wishes: Wishes, likers: Iterable[Liker]) -> Set[bytes]:
    packed = wishes.devices
    made = {packed[at : at + DEVICE_BYTES] for at in range(0, len(packed), DEVICE_BYTES)}
    return (made | {liker.device for liker in likers if liker.flags & SELF}) - {NO_DEVICE}


def _is_young(liker: Liker) -> bool:
    return liker.flags & ANSWERED > 0 and not liker.flags & OLD
