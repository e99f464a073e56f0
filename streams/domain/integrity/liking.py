"""Where the folds meet the detector of bought likes: what a wish's owner asks, what a liker's state answers.

In shops whose settings judge likes (``liking``) each word of a liker goes from the owner's state to the
liker's (``Liked``), which adds since when the shop knows the liker, and on to the likes that the liker gave
(``LikeGiven``, a state of kind ``liker``, since a customer's has no room for them); from there the owner is
told (``LikerTold``). Until then the like counts, but towards no threshold (streams.domain.wishes ``reach``).

A visitor's likes follow a hand-over: the customer's state that holds them is asked anew, a mark sends on
what is asked of the visitor, and the owners learn whom their liker turned out to be. An erasure reaches them.
"""

import msgspec

from schemas.exchange import (
    Liked,
    LikeGiven,
    LikerForgotten,
    LikerMoved,
    LikerSeen,
    LikerTold,
)
from schemas.wish import Wish as WishData
from streams.domain.facts import Fact, Forward, WishLiked
from streams.domain.integrity.liker import (
    LikerIntegrity,
    fold_given,
    fold_seen,
    forget_likes,
    move,
)
from streams.domain.integrity.likes import judge_likes, take_told
from streams.domain.integrity.wish_verdicts import judged_wishes, suspicions
from streams.domain.names import name_hash
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.domain.wishes import (
    ASKED,
    Wishes,
    contribution,
    fold_wish,
    likers_of,
    reach,
    set_likers,
)

_NOTHING: tuple[Fact, ...] = ()


def watch_wish(
    state: CustomerState, data: WishData, time: int, settings: ShopSettings
) -> tuple[Fact, ...]:
    """Fold one event of ``time`` (ms) of a wish, and judge its likes where the shop does."""
    wishes = state.wishes
    if wishes is None:
        # A customer's first wish event is no repeat, so this is kept.
        wishes = state.wishes = Wishes()
    told = suspicions(wishes)
    facts = fold_wish(wishes, data, time, state.customer_id)
    if settings.liking is None:
        return (*facts, *reach(wishes), *judged_wishes(state, (told,), time))
    asked = _ask(wishes, data, time, state.customer_id)
    judge_likes(wishes, settings.liking)
    facts = tuple(_as_judged(wishes, data, fact) for fact in facts)
    return (*facts, *reach(wishes), *judged_wishes(state, (told,), time), *asked)


def hear_liked(state: CustomerState, body: Liked, time: int) -> tuple[Fact, ...]:
    """A like of ``time`` (ms) by this customer: on to the likes that they gave. Nothing is kept of one of
    before an erasure, and nobody knows how old it was.
    """
    if state.erased_at is not None and time <= state.erased_at:
        return (Forward(body.owner_id, time, _unknown(state, body)),)
    state.gave_likes = True
    given = LikeGiven(
        liker_id=body.visitor,
        owner_id=body.owner_id,
        wish_id=body.wish_id,
        word=body.word,
        first_seen=state.first_seen,
    )
    return (Forward(state.customer_id, time, given),)


def hear_told(
    state: CustomerState, body: LikerTold, time: int, settings: ShopSettings
) -> tuple[Fact, ...]:
    """What is known of a liker, told at ``time`` (ms) to the owner of the wish. Nothing is left of a wish of
    before an erasure.
    """
    wishes = state.wishes
    if wishes is None:
        return _NOTHING
    told = suspicions(wishes)
    take_told(wishes, body, settings.liking, state.customer_id)
    if settings.liking is not None:
        judge_likes(wishes, settings.liking)
    return (*reach(wishes), *judged_wishes(state, (told,), time))


def fold_likes(
    state: CustomerState,
    body: LikeGiven | LikerSeen | LikerMoved | LikerForgotten,
    time: int,
    settings: ShopSettings,
) -> tuple[Fact, ...]:
    """Fold ``body`` of ``time`` (ms) into the likes that a customer gave; what owners are to hear."""
    liker = state.liker_integrity
    if liker is None:
        liker = state.liker_integrity = LikerIntegrity()
    if isinstance(body, LikerForgotten):
        forget_likes(liker, time)
        return _NOTHING
    if isinstance(body, LikerMoved):
        return tuple(Forward(body.customer_id, at, liked) for at, liked in move(liker))
    if isinstance(body, LikeGiven):
        told = fold_given(liker, state.customer_id, body, time, settings.liking)
    else:
        told = fold_seen(liker, state.customer_id, time)
    return tuple(Forward(each.visitor, time, each) for each in told)


def tell_seen(state: CustomerState, before: int | None) -> tuple[Fact, ...]:
    """After ``first_seen`` was ``before`` (ms, None: never seen): the customer's likes are told if they gave
    any and were known earlier than was thought.
    """
    first = state.first_seen
    if not state.gave_likes or first is None or (before is not None and before <= first):
        return _NOTHING
    return (Forward(state.customer_id, first, LikerSeen()),)


def hand_likes_over(state: CustomerState, customer: str, time: int) -> tuple[Fact, ...]:
    """The likes that a visitor gave go to ``customer`` as of the alias at ``time`` (ms)."""
    if not state.gave_likes:
        return _NOTHING
    return (Forward(state.customer_id, time, LikerMoved(customer_id=customer)),)


def _ask(wishes: Wishes, data: WishData, time: int, owner: str) -> tuple[Fact, ...]:
    liker_id = data.liker_id
    if (data.action != "liked" and data.action != "unliked") or not liker_id or liker_id == owner:
        return _NOTHING
    key, liker_key = name_hash(data.wish_id), name_hash(liker_id)
    for wish in wishes.wishes:
        if wish.key == key:
            likers = likers_of(wish)
            for liker in likers:
                liker.flags |= ASKED if liker.key == liker_key else 0
            set_likers(wishes, wish, likers)
    liked = Liked(visitor=liker_id, owner_id=owner, wish_id=data.wish_id, word=data.action)
    return (Forward(liker_id, time, liked),)


def _as_judged(wishes: Wishes, data: WishData, fact: Fact) -> Fact:
    """A like's fact with the number of likes that count once it is judged."""
    if not isinstance(fact, WishLiked):
        return fact
    key = name_hash(data.wish_id)
    for wish in wishes.wishes:
        if wish.key == key:
            return msgspec.structs.replace(fact, likes=contribution(wish)[4])
    return fact


def _unknown(state: CustomerState, body: Liked) -> LikerTold:
    return LikerTold(
        visitor=body.owner_id,
        wish_id=body.wish_id,
        liker_id=body.visitor,
        customer_id=state.customer_id,
    )
