"""By what a customer came: a touch for each session and traffic source in it.

A touch begins with the first click of its session that names its source; what else of that session
names it is the same touch. Clicks without an upstream session id are one touch as long as they are less
than 30 minutes apart, as they are one session (streams.domain.browsing). Beginnings and ends are
minima and maxima, so neither the order of arrival nor a repeat makes a difference within the bound.
"""

from struct import Struct
from typing import NamedTuple, get_args

from schemas.click import TrafficSource
from streams.domain.browsing import SESSION_GAP
from streams.domain.duplicates import find

#: By number; new ones come last.
SOURCES: tuple[str, ...] = get_args(TrafficSource)
NUMBERS = {source: number for number, source in enumerate(SOURCES)}
#: Touches kept; the one that began first leaves first.
TOUCHES = 16
#: How far back a touch is shown, s (30 days): the longest window of attribution.
TOUCH_AGE_S = 30 * 86_400

#: number of the source, hash of the session id (0: none), first and last click in s (of a session with
#: an id the first twice: it goes on over any gap)
TOUCH = Struct("<BIII")
TOUCH_BYTES = TOUCH.size
#: How it begins: its source and session.
_NAME = Struct("<BI")
_GAP_S = SESSION_GAP // 1000
_LATEST_S = 2**32 - 1


class Touch(NamedTuple):
    """Compares by its beginning; times in seconds since 1970."""

    start: int
    source: int
    session: int
    end: int


def add_touch(touches: bytes, source: int, session: int, first: int, last: int) -> bytes:
    """``touches`` with clicks from ``first`` to ``last`` (ms) by ``source``.

    ``session``: the hash of their session's id; 0: they have none, and are less than 30 minutes apart.
    """
    begun = _second(first)
    if session:
        at = find(touches, _NAME.pack(source, session), TOUCH_BYTES)
        if at < 0:
            if not touches or begun > TOUCH.unpack_from(touches, len(touches) - TOUCH_BYTES)[2]:
                # The usual case: a new session, after all others.
                packed = touches + TOUCH.pack(source, session, begun, begun)
                return packed[-TOUCHES * TOUCH_BYTES :]
        elif TOUCH.unpack_from(touches, at)[2] <= begun:
            return touches
    kept, new = read_touches(touches), Touch(begun, source, session, _second(last))
    joined = [touch for touch in kept if _is_one(touch, new)]
    start = min([new.start, *(touch.start for touch in joined)])
    end = start if session else max([new.end, *(touch.end for touch in joined)])
    others = [touch for touch in kept if touch not in joined]
    kept = sorted([*others, Touch(start, source, session, end)])[-TOUCHES:]
    return b"".join(
        TOUCH.pack(touch.source, touch.session, touch.start, touch.end) for touch in kept
    )


def add_packed(touches: bytes, others: bytes) -> bytes:
    """``touches`` with those of another customer."""
    for touch in read_touches(others):
        first, last = touch.start * 1000, touch.end * 1000
        touches = add_touch(touches, touch.source, touch.session, first, last)
    return touches


def _is_one(touch: Touch, new: Touch) -> bool:
    if (touch.source, touch.session) != (new.source, new.session):
        return False
    return new.session > 0 or (touch.start - _GAP_S < new.end and new.start < touch.end + _GAP_S)


def read_touches(touches: bytes) -> list[Touch]:
    """The touches, by their beginning."""
    return [
        Touch(start, source, session, end)
        for source, session, start, end in TOUCH.iter_unpack(touches)
    ]


def sources_between(touches: bytes, after: int, until: int) -> list[str]:
    """The sources of the touches that began later than ``after`` and by ``until`` (s), by the beginning."""
    return [
        SOURCES[source]
        for source, _, start, _ in TOUCH.iter_unpack(touches)
        if after < start <= until
    ]


def _second(time: int) -> int:
    return min(max(time // 1000, 0), _LATEST_S)
