"""Has this event been folded already? A customer's newest event ids, as hashes in one binary.

An entry is 12 bytes: the 64-bit BLAKE2b of ``source NUL id``, then the event time in seconds since
1970 (unsigned, big-endian; 2106 is far enough). Entries stand in the order in which they were
folded.
"""

from hashlib import blake2b

#: Ids remembered per customer; those older than the horizon leave first.
IDS = 128
#: An id that must leave while younger than this was evicted too early, and is counted.
HORIZON_S = 7 * 86_400
HASH_BYTES = 8
ENTRY_BYTES = 12
FULL = IDS * ENTRY_BYTES
_LATEST_S = 2**32 - 1


def event_hash(source: str, event_id: str) -> bytes:
    """The 8 bytes by which an event is remembered."""
    return blake2b(f"{source}\0{event_id}".encode(), digest_size=HASH_BYTES).digest()


def contains(entries: bytes, digest: bytes, entry_bytes: int = ENTRY_BYTES) -> bool:
    """Whether an entry of ``entries``, each ``entry_bytes`` long, starts with ``digest``."""
    return find(entries, digest, entry_bytes) >= 0


def find(entries: bytes, digest: bytes, entry_bytes: int) -> int:
    """Where the entry that starts with ``digest`` begins, or -1. A match across entries is none."""
    at = entries.find(digest)
    while at > 0 and at % entry_bytes:
        at = entries.find(digest, at + 1)
    return at


def remember(entries: bytes, digest: bytes, time: int, newest: int) -> tuple[bytes, int]:
    """Append ``digest`` with its event time; both times in ms, ``newest`` the customer's latest.

    Returns the entries and how many ids (0 or 1) had to leave before their seven days were over.
    """
    early = 0
    if len(entries) >= FULL:
        horizon = newest // 1000 - HORIZON_S
        start = 0
        while start < len(entries) and _seconds_at(entries, start) < horizon:
            start += ENTRY_BYTES
        if start == 0:
            start, early = ENTRY_BYTES, 1
        entries = entries[start:]
    seconds = min(max(time // 1000, 0), _LATEST_S)
    return entries + digest + seconds.to_bytes(4, "big"), early


def _seconds_at(entries: bytes, start: int) -> int:
    return int.from_bytes(entries[start + HASH_BYTES : start + ENTRY_BYTES], "big")
