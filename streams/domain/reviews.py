"""A customer's reviews. The natural key is order/sku + action: each action of a review counts once.

A review is known by the actions seen of it, so the order of arrival makes no difference, and a
removed review no longer counts, whichever of ``posted`` and ``removed`` comes first.
"""

from struct import Struct

import msgspec

from schemas.review import Review
from streams.domain.duplicates import find, hash_of
from streams.domain.facts import Fact, ReviewChanged, ReviewPosted

POSTED, APPENDED, SHOWN, REMOVED, REPLIED = 1, 2, 4, 8, 16
ACTION_BITS = {
    "posted": POSTED, "appended": APPENDED, "shown": SHOWN, "removed": REMOVED, "replied": REPLIED,
}  # fmt: skip
#: A rating of this or less is a bad review.
BAD_RATING = 2
#: Reviews known by their actions; the one first seen leaves first, and what comes of it later is
#: new.
REVIEWS = 128

#: hash of order id and sku, actions seen, rating (0: unknown)
_KNOWN = Struct("<8sBB")
KNOWN_BYTES = _KNOWN.size


class Reviews(msgspec.Struct, array_like=True, gc=False):
    """Reviews posted and not removed, over a whole life; ``removed`` counts the others."""

    posted: int = 0
    #: Of these: with an addition (追评), shown with photos (晒单).
    appended: int = 0
    shown: int = 0
    #: Of these, by rating 1 to 5.
    ratings: list[int] = []
    #: Rated 1 or 2, and of these those without a reply.
    bad: int = 0
    bad_open: int = 0
    removed: int = 0
    #: The newest reviews, packed.
    known: bytes = b""


def fold_review(reviews: Reviews, data: Review) -> Fact | None:
    """Fold one action; None for a repeat (nothing is changed)."""
    bit = ACTION_BITS[data.action]
    digest = hash_of(data.order_id, data.sku)
    known = reviews.known
    at = find(known, digest, KNOWN_BYTES)
    seen, rating = _KNOWN.unpack_from(known, at)[1:] if at >= 0 else (0, 0)
    if seen & bit:
        return None
    _count(reviews, seen, rating, -1)
    seen |= bit
    if bit == POSTED:
        rating = data.rating or 0
    _count(reviews, seen, rating, 1)
    packed = _KNOWN.pack(digest, seen, rating)
    if at >= 0:
        reviews.known = known[:at] + packed + known[at + KNOWN_BYTES :]
    else:
        reviews.known = (known + packed)[-REVIEWS * KNOWN_BYTES :]
    if bit == POSTED:
        return ReviewPosted(data.order_id, data.sku, rating)
    return ReviewChanged(data.order_id, data.sku, data.action)


def _count(reviews: Reviews, seen: int, rating: int, step: int) -> None:
    """Add (step 1) or take back (-1) the part of a review with these actions."""
    if seen & REMOVED:
        reviews.removed += step
        return
    if not seen & POSTED:
        return
    reviews.posted += step
    if seen & APPENDED:
        reviews.appended += step
    if seen & SHOWN:
        reviews.shown += step
    if rating:
        if not reviews.ratings:
            reviews.ratings = [0] * 5
        reviews.ratings[rating - 1] += step
        if rating <= BAD_RATING:
            reviews.bad += step
            if not seen & REPLIED:
                reviews.bad_open += step


def merge_reviews(reviews: Reviews, other: Reviews) -> None:
    """Bring the reviews of one who was the same into ``reviews``, in place; each counts once."""
    for name in ("posted", "appended", "shown", "bad", "bad_open", "removed"):
        setattr(reviews, name, getattr(reviews, name) + getattr(other, name))
    if other.ratings:
        known = reviews.ratings or [0] * 5
        reviews.ratings = [a + b for a, b in zip(known, other.ratings, strict=True)]
    together = {digest: (seen, rating) for digest, seen, rating in _KNOWN.iter_unpack(other.known)}
    for digest, seen, rating in _KNOWN.iter_unpack(reviews.known):
        also = together.pop(digest, None)
        if also is None:
            together[digest] = seen, rating
            continue
        _count(reviews, seen, rating, -1)
        _count(reviews, *also, -1)
        one = seen | also[0], rating or also[1]
        _count(reviews, *one, 1)
        together[digest] = one
    packed = b"".join(_KNOWN.pack(digest, *what) for digest, what in together.items())
    reviews.known = packed[-REVIEWS * KNOWN_BYTES :]
