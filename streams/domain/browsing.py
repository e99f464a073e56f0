"""What a customer looks at: counts by action, and sessions.

A session is the upstream ``session_id`` where there is one; clicks without it form sessions of
their own, ended by 30 minutes without such a click. Only clicks make sessions: carts and orders
carry no session id.

Counts do not depend on the order of arrival. Sessions do not either, for clicks that are at most 23
sessions late: start and end are a minimum and a maximum, and a late click between two sessions less
than 30 minutes from both joins them. A click older than all 24 kept sessions belongs to none.
"""

from struct import Struct

import msgspec

from schemas.click import Click
from streams.domain.duplicates import find
from streams.domain.names import name_hash

#: Idle time that ends a session without an id, ms (30 minutes; the web's convention).
SESSION_GAP = 30 * 60_000
#: Sessions kept for late clicks, the current one included.
SESSIONS = 24

#: A past session: 8-byte hash of its id (zeros: none), start ms, end ms, clicks.
_PAST = Struct("<8sqqI")
PAST_BYTES = _PAST.size
_NO_ID = bytes(8)
_MOST_CLICKS = 2**32 - 1


class ActionCounts(msgspec.Struct, array_like=True, gc=False):
    """Clicks by action, each field named as the action."""

    view: int = 0
    search: int = 0
    favorite: int = 0
    unfavorite: int = 0
    share: int = 0
    ask: int = 0
    trial_apply: int = 0
    game_play: int = 0
    card_collect: int = 0
    live_enter: int = 0
    live_leave: int = 0
    campaign_open: int = 0
    store_visit: int = 0


class Session(msgspec.Struct, array_like=True, gc=False):
    """One visit. Times are ms; ``id`` is empty where the gap rule made the session."""

    id: str
    start: int
    end: int
    clicks: int


class Browsing(msgspec.Struct, array_like=True, gc=False):
    """Counts over a customer's whole life, and the newest sessions."""

    actions: ActionCounts = msgspec.field(default_factory=ActionCounts)
    dwell_ms: int = 0
    #: Sessions ever seen.
    sessions: int = 0
    #: The one that ended last, whole.
    session: Session | None = None
    #: Up to 23 before it, packed, by end; a late click may extend one of them.
    past: bytes = b""


def fold_click(browsing: Browsing, click: Click, time: int) -> None:
    """Count one click at ``time`` (ms)."""
    action = click.action
    counts = browsing.actions
    if action == "view":
        # Nearly every click.
        counts.view += 1
    else:
        setattr(counts, action, getattr(counts, action) + 1)
    if click.dwell_ms:
        browsing.dwell_ms += click.dwell_ms
    session_id = click.session_id or ""
    session = browsing.session
    if session is None:
        browsing.session = Session(session_id, time, time, 1)
        browsing.sessions += 1
        return
    newest_id, end = session.id, session.end
    # The newest session can be extended forward without a look at the others: none ends after it.
    if (
        newest_id == session_id
        and session.start <= time
        and (session_id or time - end < SESSION_GAP)
    ):
        session.clicks += 1
        if time > end:
            session.end = time
    elif not session_id and not newest_id and time - end >= SESSION_GAP:
        # None of the kept sessions ends after the newest, so this one joins none of them.
        _begin(browsing, session, session_id, time)
    elif session_id and time > end and newest_id != session_id:
        digest = _id_hash(session_id)
        if find(browsing.past, digest, PAST_BYTES) < 0:
            # Of none of the kept sessions, and after all of them.
            _begin(browsing, session, session_id, time)
        else:
            _place(browsing, session_id, time)
    else:
        _place(browsing, session_id, time)


def _begin(browsing: Browsing, before: Session, session_id: str, time: int) -> None:
    """Make a session of a click that is after all of the kept ones, of which ``before`` is the newest."""
    kept = browsing.past[-(SESSIONS - 2) * _PAST.size :]
    clicks = min(before.clicks, _MOST_CLICKS)
    browsing.past = kept + _PAST.pack(_id_hash(before.id), before.start, before.end, clicks)
    browsing.session = Session(session_id, time, time, 1)
    browsing.sessions += 1


def sessions_of(browsing: Browsing) -> list[tuple[int, int]]:
    """First and last click (ms) of each session that is kept, by the last."""
    return [(start, end) for end, _, start, _ in _entries(browsing)]


def drop_sessions(browsing: Browsing) -> None:
    """Bring the sessions of a state of version 1 or 2, which were more, within today's bound."""
    browsing.past = browsing.past[-(SESSIONS - 1) * PAST_BYTES :]


#: A session while it is placed: (end, hash of the id, start, clicks), in this order. Start comes
#: after the hash, so that a late click that only moves it cannot change which of two is the newest.
_Entry = tuple[int, bytes, int, int]


def _place(browsing: Browsing, session_id: str, time: int) -> None:
    """The general case: a click that starts, extends or joins any of the kept sessions."""
    entries: list[_Entry] = [
        (end, digest, start, clicks)
        for digest, start, end, clicks in _PAST.iter_unpack(browsing.past)
    ]
    current = browsing.session
    if current is not None:
        entries.append((current.end, _id_hash(current.id), current.start, current.clicks))
    digest = _id_hash(session_id)
    joined = [
        entry for entry in entries if entry[1] == digest and (session_id or _near(entry, time))
    ]
    if not joined and len(entries) >= SESSIONS and (time, digest) < entries[0][:2]:
        return
    merged = (
        max([time, *(entry[0] for entry in joined)]),
        digest,
        min([time, *(entry[2] for entry in joined)]),
        min(1 + sum(entry[3] for entry in joined), _MOST_CLICKS),
    )
    entries = sorted([*(entry for entry in entries if entry not in joined), merged])
    browsing.sessions += 1 - len(joined)
    end, newest, start, clicks = entries.pop()
    # Only the session of this click can have overtaken the one that was newest.
    newest_id = session_id if newest == digest or current is None else current.id
    browsing.session = Session(newest_id, start, end, clicks)
    browsing.past = b"".join(
        _PAST.pack(digest, start, end, min(clicks, _MOST_CLICKS))
        for end, digest, start, clicks in entries[-(SESSIONS - 1) :]
    )


def _near(entry: _Entry, time: int) -> bool:
    return entry[2] - SESSION_GAP < time < entry[0] + SESSION_GAP


def _id_hash(session_id: str) -> bytes:
    return name_hash(session_id) if session_id else _NO_ID


def merge_browsing(browsing: Browsing, other: Browsing) -> None:
    """Bring the browsing of one who was the same into ``browsing``, in place: counts add up."""
    for action in browsing.actions.__struct_fields__:
        both = getattr(browsing.actions, action) + getattr(other.actions, action)
        setattr(browsing.actions, action, both)
    browsing.dwell_ms += other.dwell_ms
    _merge_sessions(browsing, other)


def _merge_sessions(browsing: Browsing, other: Browsing) -> None:
    ids = {
        _id_hash(session.id): session.id
        for session in (browsing.session, other.session)
        if session is not None
    }
    entries = [*_entries(browsing), *_entries(other)]
    if not entries:
        return
    joined = _joined(entries)
    browsing.sessions += other.sessions - (len(entries) - len(joined))
    kept = sorted(joined)[-SESSIONS:]
    # On either side none ended after the current one, so the newest of all is one of these two.
    end, digest, start, clicks = kept.pop()
    browsing.session = Session(ids.get(digest, ""), start, end, clicks)
    browsing.past = b"".join(
        _PAST.pack(digest, start, end, min(clicks, _MOST_CLICKS))
        for end, digest, start, clicks in kept
    )


def _entries(browsing: Browsing) -> list[_Entry]:
    found = [
        (end, digest, start, clicks)
        for digest, start, end, clicks in _PAST.iter_unpack(browsing.past)
    ]
    current = browsing.session
    if current is not None:
        found.append((current.end, _id_hash(current.id), current.start, current.clicks))
    return found


def _joined(entries: list[_Entry]) -> list[_Entry]:
    """Sessions of one id are one; those without are where less than the gap lies between them."""
    joined: list[_Entry] = []
    for end, digest, start, clicks in sorted(entries, key=lambda entry: (entry[1], entry[2])):
        if joined:
            last_end, last_digest, last_start, last_clicks = joined[-1]
            near = digest != _NO_ID or start < last_end + SESSION_GAP
            if digest == last_digest and near:
                joined[-1] = (max(end, last_end), digest, last_start, clicks + last_clicks)
                continue
        joined.append((end, digest, start, clicks))
    return joined
