"""shop.journal (internal): one row a commit of a partition, msgpack arrays, no envelope, no key.

The rows of a partition form a chain: ``previous`` is the digest of the row before, so a row names
not only its place (``seq``) but its whole lineage.
"""

import hashlib

import msgspec

from schemas.clock import SkipCause

#: What the first row of a partition names as its predecessor.
GENESIS = bytes(16)
#: 2: ``aggregates``. Rows of version 1 are read with an empty one. 3: ``expired``, None in older rows.
JOURNAL_VERSION = 3


class Slice(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Offsets [start, end) of ``topic``: ``count`` records, ``crc`` over their keys and values."""

    topic: str
    start: int
    end: int
    count: int
    crc: int


class ClockState(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Which clock rules the partition. Times in ms; ``tick`` is the newest applied one, else 0."""

    clock: str
    tick: int
    #: The end of the window a tool announced, 0 for the wall clock.
    until: int
    rate: float
    watermark: int
    #: The epoch of the newest wall tick accepted; older owners' ticks are ignored.
    epoch: int = 0


class Fired(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A timer-only commit: every timer up to (``due``, ``key``), in that order, was fired."""

    due: int
    key: str
    count: int


class Skipped(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What this commit left out on an operator's word, and why (schemas.clock.Skip)."""

    cause: SkipCause
    reason: str


class JournalRow(msgspec.Struct, array_like=True, frozen=True):
    version: int
    seq: int
    previous: bytes
    epoch: int
    #: In fold order.
    slices: list[Slice]
    #: The clock after this commit.
    clock: ClockState
    #: The newest event time that was not refused as too far ahead is judged against this, ms.
    latest: int
    fired: Fired | None
    #: What was left out, in the order in which it came; None: nothing. Skip records themselves are kept
    #: a day only, so every replay goes by this.
    skip: list[Skipped] | None
    #: Offsets of the definition topics that were in force.
    definitions: dict[str, int]
    build: str
    codec: int
    #: Digest of the configuration that folding and deciding read.
    config: str
    #: Name of the key that made the coupon codes.
    code_key: str
    #: Digest of the outgoing rows, coupon codes left out.
    rows: bytes
    #: Digest of the encoded states written, and of the keys of those removed, in order.
    states: bytes
    #: Digest of what was added to the aggregates, in order; empty where nothing was.
    aggregates: bytes = b""
    #: Keys of the states that this commit removed, in the order in which their timers fired.
    expired: list[str] | None = None


encode_row = msgspec.msgpack.Encoder().encode
decode_row = msgspec.msgpack.Decoder(JournalRow).decode


def chain(row: bytes) -> bytes:
    """The digest by which the next row, Redis and the offsets' metadata name this one."""
    return hashlib.blake2b(row, digest_size=16).digest()
