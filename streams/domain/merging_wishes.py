"""Wishes of a visitor and a customer as one's: what both know of a wish is one wish, and counts once.

A like of the visitor's wish by the customer, or the other way round, is a self-like from then on.
"""

from streams.domain.names import name_hash
from streams.domain.wishes import (
    COUNTED,
    LIKER,
    PAST,
    PAST_WISH_BYTES,
    PAST_WISHES,
    SELF,
    WORD,
    Wish,
    Wishes,
    bound_wishes,
    contribution,
    count,
    past_wish,
    with_devices,
)


def merge_wishes(wishes: Wishes, other: Wishes, owner: str) -> None:
    """Bring ``other`` into ``wishes`` of ``owner``, in place."""
    for name in COUNTED:
        setattr(wishes, name, getattr(wishes, name) + getattr(other, name))
    wishes.devices = with_devices(wishes.devices, other.devices)
    liker = name_hash(owner)
    mine, theirs = _by_key(wishes), _by_key(other)
    for key, wish in theirs.items():
        known = mine.get(key)
        _uncount(wishes, wish)
        if known is not None:
            _uncount(wishes, known)
        one = mine[key] = _one(known or Wish(key, ""), wish, liker)
        count(wishes, _NOTHING, contribution(one))
    wishes.wishes = [wish for wish in mine.values() if wish.wish_id]
    past = b"".join(PAST.pack(w.key, w.seen) for w in mine.values() if not w.wish_id)
    wishes.past = past[-PAST_WISHES * PAST_WISH_BYTES :]
    bound_wishes(wishes)


_NOTHING = contribution(Wish(b"", ""))


def _uncount(wishes: Wishes, wish: Wish) -> None:
    count(wishes, contribution(wish), _NOTHING)


def _by_key(wishes: Wishes) -> dict[bytes, Wish]:
    """Those of which only the actions are known, without names, and those kept whole."""
    past = {key: past_wish(key, seen) for key, seen in PAST.iter_unpack(wishes.past)}
    return past | {wish.key: wish for wish in wishes.wishes}


def _one(mine: Wish, other: Wish, owner: bytes) -> Wish:
    said = [
        (wish.made_at, wish.sku, wish.attributes)
        for wish in (mine, other)
        if wish.made_at is not None
    ]
    decided = [(wish.decided_at or 0, wish.decision) for wish in (mine, other) if wish.decision]
    one = Wish(
        mine.key,
        mine.wish_id or other.wish_id,
        mine.seen | other.seen,
        max(mine.changed_at, other.changed_at),
        comments=mine.comments + other.comments,
        stories=mine.stories + other.stories,
        likes_before=mine.likes_before + other.likes_before,
        likers=last_words(mine.likers + other.likers, owner),
        suspicious_before=mine.suspicious_before + other.suspicious_before,
        reached=max(mine.reached, other.reached),
    )
    if said:
        one.made_at, one.sku, one.attributes = min(said)
    if decided:
        time, one.decision = max(decided)
        one.decided_at = time or None
    return one


def last_words(packed: bytes, owner: bytes) -> bytes:
    """Each liker's last word, as streams.domain.wishes takes it, and all that is known of the liker."""
    last: dict[bytes, tuple[int, int, bytes]] = {}
    known: dict[bytes, int] = {}
    for key, time, flags, device in LIKER.iter_unpack(packed):
        word = (time, -(flags & WORD | (SELF if key == owner else 0)), device)
        last[key] = max(last[key], word) if key in last else word
        known[key] = known.get(key, 0) | flags & ~WORD
    return b"".join(
        LIKER.pack(key, time, -flags | known[key], device)
        for key, (time, flags, device) in last.items()
    )
