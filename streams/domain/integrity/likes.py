"""How much a like of a wish looks bought: its signs, their points, and the verdict.

| sign | full | near: half the points |
|---|---|---|
| device | ``likers`` likers of the owner's wishes on one phone, or two or more who are all young | two |
| own device | the like came from a phone from which its owner made a wish, or liked one of the own | |
| rate | the liker likes more than ``likes_in_an_hour`` wishes within an hour | |
| young | the shop first heard of the liker less than ``young_hours`` before the like | |

The first two lie with the wish's owner, whose state hears of every like; the others with the liker
(streams.domain.integrity.liker), and are told. A verdict is a function of what is known, so it goes as
it came. Likers and wishes that left the owner's state stay as they were judged.
"""

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
                liker.flags |= FAST if told.likes > liking.likes_in_an_hour else 0
                liker.flags |= OLD if told.age_s >= liking.young_hours * 3_600 else 0
                set_likers(wishes, wish, likers)
                return liker.flags != before
    return False


def judge_likes(wishes: Wishes, liking: Liking) -> None:
    """Judge all likes of which anything is known; those that look bought no longer count."""
    known = [(wish, likers_of(wish)) for wish in wishes.wishes]
    on_device: dict[bytes, dict[bytes, bool]] = {}
    own = {
        wishes.devices[at : at + DEVICE_BYTES] for at in range(0, len(wishes.devices), DEVICE_BYTES)
    }
    for _, likers in known:
        for liker in likers:
            if liker.flags & SELF:
                own.add(liker.device)
            elif liker.flags & LIKED:
                there = on_device.setdefault(liker.device, {})
                there[liker.key] = there.get(liker.key, True) and _is_young(liker)
    own.discard(NO_DEVICE)
    on_device.pop(NO_DEVICE, None)
    for wish, likers in known:
        for liker in likers:
            liker.flags &= ~SUSPICIOUS
            if liker.flags & (LIKED | SELF) == LIKED:
                points = sum(reason.points for reason in reasons(liker, on_device, own, liking))
                liker.flags |= SUSPICIOUS if points >= liking.verdict_points else 0
        set_likers(wishes, wish, likers)


def reasons(
    liker: Liker, on_device: dict[bytes, dict[bytes, bool]], own: set[bytes], liking: Liking
) -> tuple[Reason, ...]:
    """The signs of one like. ``on_device``: phone -> liker -> whether young; ``own``: the owner's."""
    there = on_device.get(liker.device, {})
    many = len(there) >= liking.likers or (len(there) >= _NEAR and all(there.values()))
    halves: dict[Sign, tuple[int, int]] = {
        "device": (liking.device_points, 2 if many else int(len(there) >= _NEAR)),
        "own_device": (liking.own_device_points, 2 if liker.device in own else 0),
        "rate": (liking.rate_points, 2 if liker.flags & FAST else 0),
        "young": (liking.young_points, 2 if _is_young(liker) else 0),
    }
    return tuple(Reason(sign, points * n // 2) for sign, (points, n) in halves.items() if n)


def _is_young(liker: Liker) -> bool:
    return liker.flags & ANSWERED > 0 and not liker.flags & OLD
