"""How much a like of a wish looks bought: its signs, their points, and the verdict.

- device: ``likers`` likers of the owner's wishes on one phone within twelve hours of the like, or two or
  more who are all young; near, for half the points: two.
- own device: the like came from a phone from which its owner made a wish, or liked one of the own.
- rate: more than ``likes_in_an_hour`` wishes that the liker liked within an hour, or ``likes_in_a_day``.
- young: the shop first heard of the liker less than ``young_hours`` before the like.

The first two lie with the wish's owner, whose state hears of every like; the others with the liker
(streams.domain.integrity.liker), and are told. A verdict is a function of what is known, so it goes as
it came. Likers and wishes that left the owner's state stay as they were judged. A liker who turned out to
be somebody else is that customer from then on: who liked under two names likes once.
"""

from collections.abc import Iterable, Sequence, Set
from typing import Literal, NamedTuple

from schemas.exchange import LikerTold
from schemas.settings import Liking
from streams.domain.integrity.liker import is_fast
from streams.domain.merging_wishes import last_words
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
    Wish,
    Wishes,
    contribution,
    count,
    likers_of,
    repacked,
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


def take_told(wishes: Wishes, told: LikerTold, liking: Liking | None, owner: str) -> None:
    """Fold what is known of a liker into the wishes of ``owner``. What is not known any more is left.

    ``liking`` None: nothing is judged, but that there was an answer is noted.
    """
    wish_key, key = name_hash(told.wish_id), name_hash(told.liker_id)
    wish = next((wish for wish in wishes.wishes if wish.key == wish_key), None)
    if wish is None:
        return
    before, likers = contribution(wish), likers_of(wish)
    customer = name_hash(told.customer_id)
    for liker in likers:
        if liker.key not in (key, customer):
            continue
        # Under both names they are one, so it is said of both.
        liker.flags |= ANSWERED
        if told.age_s is None:
            liker.flags |= OLD
        elif liking is not None:
            liker.flags |= FAST if is_fast(told, liking) else 0
            liker.flags |= OLD if told.age_s >= liking.young_hours * 3_600 else 0
        liker.key = customer
    wish.likers = last_words(repacked(likers), name_hash(owner))
    count(wishes, before, contribution(wish))


def judge_likes(wishes: Wishes, liking: Liking) -> None:
    """Judge all likes of which anything is known; those that look bought no longer count."""
    held = {
        (wish.key, liker.key)
        for wish, liker, signs in judgements(wishes, liking)
        if sum(sign.points for sign in signs) >= liking.verdict_points
    }
    for wish in wishes.wishes:
        likers = likers_of(wish)
        for liker in likers:
            suspicious = (wish.key, liker.key) in held
            liker.flags = liker.flags & ~SUSPICIOUS | (SUSPICIOUS if suspicious else 0)
        set_likers(wishes, wish, likers)


def judgements(wishes: Wishes, liking: Liking) -> list[tuple[Wish, Liker, tuple[Reason, ...]]]:
    """Every like that is kept, with its signs."""
    known = [(wish, likers_of(wish)) for wish in wishes.wishes]
    others = [liker for _, likers in known for liker in likers]
    phones = _own_phones(wishes, others)
    return [
        (wish, liker, reasons(liker, others, phones, liking))
        for wish, likers in known
        for liker in likers
    ]


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
