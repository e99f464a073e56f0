"""Has this event been folded already? A customer's newest event ids, as hashes in one binary.

An entry is 12 bytes: the 64-bit BLAKE2b of ``source NUL id``, then the event time in seconds since
1970 (unsigned, big-endian; 2106 is far enough). Entries stand in the order in which they were
folded.
"""

from hashlib import blake2b
from struct import Struct

#: Ids remembered per customer; those older than the horizon leave first.
IDS = 128
#: An id that must leave while younger than this was evicted too early, and is counted.
HORIZON_S = 7 * 86_400
HASH_BYTES = 8
ENTRY_BYTES = 12
FULL = IDS * ENTRY_BYTES
_LATEST_S = 2**32 - 1
_LATEST_MS = (_LATEST_S + 1) * 1000
_SECONDS = Struct(">I")
_ENTRY = Struct(">8sI")
#: Never fed itself.
_EIGHT = blake2b(digest_size=HASH_BYTES)


def hash_of(first: str, second: str) -> bytes:
    """The 8 bytes by which a pair of names is known: of an event, its source and id."""
    # As ``hash_of_eight``: every event asks for it.
    hasher = _EIGHT.copy()
    hasher.update(f"{first}\0{second}".encode())
    return hasher.digest()


def entry_of(digest: bytes, time: int) -> bytes:
    """The entry of an event of ``time`` (ms) with this hash."""
    if 0 <= time < _LATEST_MS:
        return _ENTRY.pack(digest, time // 1000)
    return digest + seconds_of(time)


def find(entries: bytes, digest: bytes, entry_bytes: int) -> int:
    """Where the entry that starts with ``digest`` begins, or -1.

    Entries are ``entry_bytes`` long each; a match that does not begin at an entry is none.
    """
    at = entries.find(digest)
    while at > 0 and at % entry_bytes:
        at = entries.find(digest, at + 1)
    return at


def make_room(entries: bytes, newest: int) -> tuple[bytes, int]:
    """Full ``entries`` without those past the horizon, seen from ``newest`` (ms), or at least one.

    Returns what stays and how many (0 or 1) had to leave before their seven days were over.
    """
    horizon = newest // 1000 - HORIZON_S
    if _SECONDS.unpack_from(entries, HASH_BYTES)[0] >= horizon:
        return entries[ENTRY_BYTES:], 1
    start, end = ENTRY_BYTES, len(entries)
    while start < end and _SECONDS.unpack_from(entries, start + HASH_BYTES)[0] < horizon:
        start += ENTRY_BYTES
    return entries[start:], 0


def later_than(entries: bytes, time: int) -> bytes:
    """The entries of events later than ``time`` (ms), and those of the same second."""
    second = time // 1000
    return b"".join(
        entries[start : start + ENTRY_BYTES]
        for start in range(0, len(entries), ENTRY_BYTES)
        if _seconds_at(entries, start) >= second
    )


def seconds_of(time: int) -> bytes:
    """The 4 bytes of a time (ms): seconds since 1970, cut to what they hold."""
    seconds = time // 1000
    if 0 <= seconds <= _LATEST_S:
        return _SECONDS.pack(seconds)
    return (0 if seconds < 0 else _LATEST_S).to_bytes(4, "big")


def _seconds_at(entries: bytes, start: int) -> int:
    seconds: int = _SECONDS.unpack_from(entries, start + HASH_BYTES)[0]
    return seconds
