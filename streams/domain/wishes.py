"""A customer's wishes: what is wished for, what became of it, and who likes it.

What is said of a wish is folded by minima and maxima, so neither the order of arrival makes a
difference, nor that something is said again, under another event id or with another time:

- A wish is what its earliest ``made`` says; of two at one time what the one with the lesser sku,
  then the lesser attributes says.
- The last of ``withdrawn``, ``granted`` and ``declined`` by event time is what became of it, at one
  time the one named last here.
- A liker's last word on a wish, by event time, is what counts (at one time ``unliked``); a like by
  the wish's owner is a self-like and no like, and one that is held to be bought
  (streams.domain.integrity.likes) is suspicious and no like.

Comments and stories are counted, known by event id alone.
"""

from collections import Counter
from collections.abc import Sequence
from struct import Struct

import msgspec

from schemas.wish import Wish as WishData
from streams.domain.cart import Attributes, line_attributes
from streams.domain.duplicates import find
from streams.domain.facts import Fact, WishLiked, WishMade, WishReached
from streams.domain.names import cut, name_hash

MADE, WITHDRAWN, GRANTED, DECLINED = 1, 2, 4, 8
ACTION_BITS = {"made": MADE, "withdrawn": WITHDRAWN, "granted": GRANTED, "declined": DECLINED}
DECIDED = WITHDRAWN | GRANTED | DECLINED
#: Wishes kept whole, and the UTF-8 bytes of their ids, skus and attributes; decided ones leave first,
#: then the one longest without news.
WISHES = 8
WISHES_BYTES = 512
#: A wish's attributes longer than this together (UTF-8) are replaced by their SHA-256.
ATTRIBUTES_BYTES = 128
#: Wishes known by their actions after they left, the newest; they can still be made, and decided
#: once. What comes of an older one is a new wish's.
PAST_WISHES = 24
#: Likers known over all wishes that are kept whole. The one whose last word is oldest leaves first
#: (the owner never): a like stays counted, and whatever that liker says later is news.
LIKERS = 32

#: hash of the liker, time of the last word in ms, flags, hash of the device (zeros: unknown)
LIKER = Struct("<8sqB4s")
LIKER_BYTES = LIKER.size
LIKED, SELF = 1, 2
#: What the liker's own state told: likes too fast, told anything at all, is known for long enough; and
#: the verdict on the like that stands.
FAST, ANSWERED, OLD, SUSPICIOUS = 4, 8, 16, 32
#: The liker's own state was asked.
ASKED = 64
WORD = LIKED | SELF
#: Hashes of its owner's phones that are kept: the lesser ones.
DEVICES = 4
DEVICE_BYTES = 4
NO_DEVICE = bytes(DEVICE_BYTES)
#: hash of the wish id, actions seen
PAST = Struct("<8sB")
PAST_WISH_BYTES = PAST.size
_SEEN_AT = PAST_WISH_BYTES - 1


class Wish(msgspec.Struct, array_like=True, gc=False):
    """A wish kept whole. ``seen``: bits of its actions; times in ms."""

    key: bytes
    #: This and the sku cut to 64 bytes.
    wish_id: str
    seen: int = 0
    #: The newest time of any of its events.
    changed_at: int = 0
    made_at: int | None = None
    sku: str = ""
    attributes: Attributes = ()
    #: What became of it, as a bit, and when; 0: nothing yet.
    decision: int = 0
    decided_at: int | None = None
    comments: int = 0
    stories: int = 0
    #: Likes of likers who left ``likers``.
    likes_before: int = 0
    #: Those who ever liked it, packed.
    likers: bytes = b""
    #: Suspicious likes of likers who left ``likers``.
    suspicious_before: int = 0
    #: The most likers that ever counted (``reached``).
    reached: int = 0


class Wishes(msgspec.Struct, array_like=True, gc=False):
    """Wishes over a customer's whole life; those not made (yet) count in the last four only."""

    made: int = 0
    #: Of these, by what became of them last.
    withdrawn: int = 0
    granted: int = 0
    declined: int = 0
    #: Likers of each wish, summed; and wishes that their owner likes.
    likes: int = 0
    self_likes: int = 0
    comments: int = 0
    stories: int = 0
    wishes: list[Wish] = []
    #: Wishes that left ``wishes``, packed, oldest first.
    past: bytes = b""
    #: Likes that are held to be bought, in none of the figures above.
    suspicious: int = 0
    #: Phones from which the owner made a wish: DEVICE_BYTES of each one's hash, sorted.
    devices: bytes = b""


COUNTED = (
    "made", "withdrawn", "granted", "declined", "likes", "self_likes", "comments", "stories",
    "suspicious",
)  # fmt: skip


def fold_wish(wishes: Wishes, data: WishData, time: int, owner: str) -> tuple[Fact, ...]:
    """Fold one event of ``time`` (ms) of a wish of ``owner``; what was said before is no fact."""
    bit = ACTION_BITS.get(data.action, 0)
    if bit == MADE and data.device_hash:
        device = name_hash(data.device_hash, DEVICE_BYTES)
        wishes.devices = with_devices(wishes.devices, device)
    key = name_hash(data.wish_id)
    is_new = True
    for wish in wishes.wishes:
        if wish.key == key:
            is_new = False
            break
    else:
        at = find(wishes.past, key, PAST_WISH_BYTES)
        if at >= 0:
            return _fold_past(wishes, at, data, bit)
        wish = Wish(key, cut(data.wish_id))
    known = wish.seen
    liked, is_word, likes = False, False, 0
    if data.action == "commented":
        wish.comments += 1
        wishes.comments += 1
    elif data.action == "story":
        wish.stories += 1
        wishes.stories += 1
    elif bit == MADE:
        _take_content(wish, data, time)
        if not known & MADE:
            # Said again it has the part in the totals that it had.
            before = contribution(wish)
            wish.seen |= MADE
            count(wishes, before, contribution(wish))
    elif bit:
        before = contribution(wish)
        if wish.decided_at is None or (time, bit) > (wish.decided_at, wish.decision):
            wish.decision, wish.decided_at = bit, time
        wish.seen |= bit
        count(wishes, before, contribution(wish))
    else:
        before = contribution(wish)
        is_word = True
        liked = _take_word(wish, data, time, owner)
        after = contribution(wish)
        likes = after[4]
        count(wishes, before, after)
    wish.changed_at = max(wish.changed_at, time)
    if is_new:
        wishes.wishes.append(wish)
    if is_new or bit == MADE:
        bound_wishes(wishes)
    elif is_word:
        bound_likers(wishes)
    if bit == MADE:
        return () if known & MADE else (WishMade(data.wish_id, data.sku or ""),)
    return (WishLiked(data.wish_id, likes),) if liked else ()


def _take_content(wish: Wish, data: WishData, time: int) -> None:
    """Take over what a ``made`` says, unless an earlier one is known."""
    said = (time, cut(data.sku or ""), line_attributes(data.attributes, ATTRIBUTES_BYTES))
    if wish.made_at is None or said < (wish.made_at, wish.sku, wish.attributes):
        wish.made_at, wish.sku, wish.attributes = said


def _take_word(wish: Wish, data: WishData, time: int, owner: str) -> bool:
    """Note what a liker says of a wish; whether it is a new like of somebody else."""
    liker = data.liker_id or ""
    flags = (LIKED if data.action == "liked" else 0) | (SELF if liker == owner else 0)
    device = name_hash(data.device_hash, DEVICE_BYTES) if data.device_hash else NO_DEVICE
    key = name_hash(liker)
    at = find(wish.likers, key, LIKER_BYTES)
    packed = LIKER.pack(key, time, flags, device)
    if at < 0:
        wish.likers += packed
        return flags == LIKED
    _, known_time, known_flags, known_device = LIKER.unpack_from(wish.likers, at)
    # At one time ``unliked`` comes last, and of two likes the one with the greater hash.
    if (time, -flags, device) <= (known_time, -(known_flags & WORD), known_device):
        return False
    # What is known of the liker stays known.
    packed = LIKER.pack(key, time, flags | known_flags & ~WORD, device)
    wish.likers = wish.likers[:at] + packed + wish.likers[at + LIKER_BYTES :]
    return flags == LIKED and not known_flags & LIKED


def contribution(wish: Wish) -> tuple[int, ...]:
    """A wish's part in the totals, in the order of the fields of ``Wishes``."""
    made = wish.seen & MADE > 0
    likes, self_likes, suspicious = wish.likes_before, 0, wish.suspicious_before
    for _, _, flags, _ in LIKER.iter_unpack(wish.likers):
        if flags & WORD == LIKED:
            likes += not flags & SUSPICIOUS
            suspicious += flags & SUSPICIOUS > 0
        self_likes += flags & WORD == WORD
    decision = wish.decision if made else 0
    return (
        int(made), int(decision == WITHDRAWN), int(decision == GRANTED), int(decision == DECLINED),
        likes, self_likes, wish.comments, wish.stories, suspicious,
    )  # fmt: skip


class Liker(msgspec.Struct, gc=False):
    """One who said something of a wish, unpacked: hash, time of the last word (ms), flags, phone."""

    key: bytes
    time: int
    flags: int
    device: bytes


def likers_of(wish: Wish) -> list[Liker]:
    """Those who are known of a wish, in the order in which they were first heard of."""
    return [Liker(*entry) for entry in LIKER.iter_unpack(wish.likers)]


def set_likers(wishes: Wishes, wish: Wish, likers: Sequence[Liker]) -> None:
    """Put changed likers of a wish back, and count its part in the totals anew."""
    before = contribution(wish)
    wish.likers = repacked(likers)
    count(wishes, before, contribution(wish))


def repacked(likers: Sequence[Liker]) -> bytes:
    """``likers`` as a wish has them."""
    return b"".join(LIKER.pack(one.key, one.time, one.flags, one.device) for one in likers)


def counted_likers(wish: Wish) -> int:
    """Likers who count towards thresholds: not the owner, not suspicious, and no answer is waited for."""
    here = [
        flags
        for _, _, flags, _ in LIKER.iter_unpack(wish.likers)
        if flags & (WORD | SUSPICIOUS) == LIKED and flags & (ASKED | ANSWERED) != ASKED
    ]
    return wish.likes_before + len(here)


def reach(wishes: Wishes) -> tuple[Fact, ...]:
    """Of each wish that was made and has more likers who count than it ever had: that it does.

    So a number is reached once, whatever falls and rises again, and in whatever order it came to be.
    """
    facts = []
    for wish in wishes.wishes:
        # Of most there are not even so many, counted or not.
        if wish.likes_before + len(wish.likers) // LIKER_BYTES <= wish.reached:
            continue
        likers = counted_likers(wish)
        if wish.seen & MADE and likers > wish.reached:
            facts.append(WishReached(wish.wish_id, wish.sku, wish.reached, likers))
            wish.reached = likers
    return tuple(facts)


def likes_by_device(wish: Wish) -> dict[bytes, int]:
    """Likes by the hash of the device they came from, of likers and devices that are known."""
    return Counter(
        device
        for _, _, flags, device in LIKER.iter_unpack(wish.likers)
        if flags & WORD == LIKED and device != NO_DEVICE
    )


def status_of(wish: Wish) -> str:
    """What became of a wish, as a word."""
    if not wish.seen & MADE:
        return "unknown"
    words = {WITHDRAWN: "withdrawn", GRANTED: "granted", DECLINED: "declined"}
    return words.get(wish.decision, "open")


def _fold_past(wishes: Wishes, at: int, data: WishData, bit: int) -> tuple[Fact, ...]:
    """Count what comes of a wish of which only the actions are known; likes of it are forgotten."""
    key, known = PAST.unpack_from(wishes.past, at)
    seen = known
    before = contribution(past_wish(key, known))
    # A decision after the first one changes nothing: which of them came last is not known any more.
    seen |= bit if bit == MADE or not seen & DECIDED else 0
    after = past_wish(key, seen)
    after.comments, after.stories = int(data.action == "commented"), int(data.action == "story")
    count(wishes, before, contribution(after))
    packed = PAST.pack(key, seen)
    wishes.past = wishes.past[:at] + packed + wishes.past[at + PAST_WISH_BYTES :]
    if bit == MADE and not known & MADE:
        return (WishMade(data.wish_id, data.sku or ""),)
    return ()


def past_wish(key: bytes, seen: int) -> Wish:
    """A wish of which only the actions are known."""
    return Wish(key, "", seen, decision=seen & DECIDED)


def count(wishes: Wishes, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    """Take one part of a wish out of the totals and put another in."""
    if before == after:
        return
    for name, old, new in zip(COUNTED, before, after, strict=True):
        if new != old:
            setattr(wishes, name, getattr(wishes, name) + new - old)


def bound_wishes(wishes: Wishes) -> None:
    """Pack the wishes, and drop the likers, that no longer fit."""
    kept = wishes.wishes
    while len(kept) > WISHES or _weight(kept) > WISHES_BYTES:
        leaving = min(kept, key=_leaving_wish)
        kept.remove(leaving)
        packed = wishes.past + PAST.pack(leaving.key, leaving.seen & MADE | leaving.decision)
        wishes.past = packed[-PAST_WISHES * PAST_WISH_BYTES :]
    bound_likers(wishes)


def bound_likers(wishes: Wishes) -> None:
    """Drop the likers that no longer fit."""
    kept = wishes.wishes
    while sum([len(known.likers) for known in kept]) > LIKERS * LIKER_BYTES:
        _drop_liker(kept)


def _leaving_wish(wish: Wish) -> tuple[bool, int, bytes]:
    # What was only liked so far may still be made: it is as good as open.
    return (not wish.decision, wish.changed_at, wish.key)


def _drop_liker(kept: list[Wish]) -> None:
    _, _, flags, number, at = min(
        (time, key, flags, number, place * LIKER_BYTES)
        for number, wish in enumerate(kept)
        for place, (key, time, flags, _) in enumerate(LIKER.iter_unpack(wish.likers))
        if not flags & SELF
    )
    wish = kept[number]
    if flags & LIKED:
        wish.likes_before += not flags & SUSPICIOUS
        wish.suspicious_before += flags & SUSPICIOUS > 0
    wish.likers = wish.likers[:at] + wish.likers[at + LIKER_BYTES :]


def with_devices(devices: bytes, more: bytes) -> bytes:
    """Both hashes' lists as one, sorted, each once; the lesser ones that fit."""
    both = devices + more
    known = {both[at : at + DEVICE_BYTES] for at in range(0, len(both), DEVICE_BYTES)}
    return b"".join(sorted(known)[:DEVICES])


def _weight(wishes: Sequence[Wish]) -> int:
    """The bytes that the names of ``wishes`` take; two more for each of an attribute."""
    # Joined first, since this is asked for with every event.
    parts = [part for wish in wishes for part in wish.attributes]
    names = [name for wish in wishes for name in (wish.wish_id, wish.sku)]
    return len("".join(names + parts).encode()) + 2 * len(parts)
