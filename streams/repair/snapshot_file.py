"""A snapshot on disk: one partition as of one commit, written whole or not at all.

``DIR/partition=<n>/<seq>-<chain>.snapshot``: a magic line, the header, blocks of states in the order of
their keys, a zero, blocks of aggregates by shop and day, a zero, and the BLAKE2b digest of all of it. Header
and blocks are msgpack, each behind its length as a little-endian 32-bit number; blocks are compressed with
zstd. The same commit gives the same bytes.
"""

import hashlib
import os
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

import cramjam
import msgspec

from streams.repair.refused import RepairRefused
from streams.repair.snapshot_days import BLOCK_DAYS
from streams.state.day_codec import pack_days, unpack_days
from streams.state.days import Place, StoredDay

#: 2: aggregates. A snapshot without them restores too little, so format 1 is not read.
FORMAT = 2
_MAGIC = b"huitou snapshot\n"
_LENGTH = struct.Struct("<I")
_DIGEST_BYTES = 32
#: States of one block: about 2 MB with typical ones.
BLOCK_STATES = 1_000
#: Bytes digested at a time.
_READ_BYTES = 1024 * 1024
_NAME = re.compile(r"(\d{20})-([0-9a-f]{16})\.snapshot")
_UNFINISHED = ".unfinished"


class Kept(NamedTuple):
    """A state's encoding and its earliest timer, ms; ``seq``: the commit as of which they are."""

    seq: int
    state: bytes
    due: int | None


class Header(msgspec.Struct, frozen=True):
    """What a snapshot says of itself before its states."""

    format: int
    partition: int
    seq: int
    chain: bytes
    #: The newest encoding of a state in it.
    codec: int
    #: The build that took it.
    build: str
    #: What Redis keeps of the partition as a whole, apart from who owns it: position, clock, offsets
    #: of the topics, counters.
    meta: dict[str, bytes]
    states: int
    timers: int
    #: Of the states, uncompressed.
    state_bytes: int
    #: Shop -> the first day of which its aggregates are kept.
    kept_from: dict[str, int] = {}

    @property
    def vector(self) -> dict[str, int]:
        """Next offset of each input topic."""
        return {
            name[7:]: int(value) for name, value in self.meta.items() if name.startswith("offset:")
        }


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A file that is named like a snapshot."""

    path: Path
    seq: int


_encode = msgspec.msgpack.Encoder().encode
_decode_header = msgspec.msgpack.Decoder(Header).decode
_decode_block = msgspec.msgpack.Decoder(list[tuple[str, bytes, int | None]]).decode


class SnapshotDamaged(RepairRefused):
    """A file is no whole snapshot that this build can read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


def snapshot_path(root: Path, partition: int, seq: int, chain: bytes) -> Path:
    """Where the snapshot of this commit belongs."""
    return root / f"partition={partition}" / f"{seq:020d}-{chain.hex()[:16]}.snapshot"


def snapshots_of(root: Path, partition: int) -> list[SnapshotFile]:
    """The snapshots of a partition, newest first."""
    found = []
    for path in (root / f"partition={partition}").glob("*.snapshot"):
        match = _NAME.fullmatch(path.name)
        if match is not None:
            found.append(SnapshotFile(path, int(match[1])))
    return sorted(found, key=lambda file: (file.seq, file.path.name), reverse=True)


def write(
    root: Path,
    header: Header,
    entries: Mapping[str, Kept],
    aggregates: Iterable[tuple[Place, StoredDay]],
) -> Path:
    """Write a snapshot so that it is there whole or not at all; one that is there stays as it is."""
    path = snapshot_path(root, header.partition, header.seq, header.chain)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}{_UNFINISHED}")
    with unfinished.open("wb") as file:
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        for part in _parts(header, entries, aggregates):
            digest.update(part)
            file.write(part)
        file.write(digest.digest())
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path


def _parts(
    header: Header, entries: Mapping[str, Kept], aggregates: Iterable[tuple[Place, StoredDay]]
) -> Iterator[bytes]:
    encoded = _encode(header)
    yield _MAGIC + _LENGTH.pack(len(encoded)) + encoded
    keys = iter(sorted(entries))
    while block := list(islice(keys, BLOCK_STATES)):
        rows = [(key, entries[key].state, entries[key].due) for key in block]
        yield _block(_encode(rows))
    yield _LENGTH.pack(0)
    remaining = iter(aggregates)
    while some := list(islice(remaining, BLOCK_DAYS)):
        yield _block(pack_days(some))
    yield _LENGTH.pack(0)


def _block(content: bytes) -> bytes:
    packed = bytes(cramjam.zstd.compress(content))
    return _LENGTH.pack(len(packed)) + packed


def read_header(path: Path) -> Header:
    """The header alone; says nothing of the rest. Raises SnapshotDamaged."""
    with path.open("rb") as file:
        return _read_header(path, file)


def check(path: Path) -> None:
    """Raises SnapshotDamaged unless every byte is as it was written. Reads the whole file."""
    left = path.stat().st_size - _DIGEST_BYTES
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    with path.open("rb") as file:
        while left > 0 and (part := file.read(min(_READ_BYTES, left))):
            digest.update(part)
            left -= len(part)
        if file.read() != digest.digest():
            raise SnapshotDamaged(path, "its checksum is not that of its content")


def blocks(path: Path) -> Iterator[list[tuple[str, bytes, int | None]]]:
    """(state key, encoding, due ms) in blocks. For files that ``check`` has passed."""
    with path.open("rb") as file:
        _read_header(path, file)
        while packed := _read_part(path, file):
            yield _decode_block(bytes(cramjam.zstd.decompress(packed)))


def days(path: Path) -> Iterator[tuple[Place, StoredDay]]:
    """The aggregates. For files that ``check`` has passed."""
    with path.open("rb") as file:
        _read_header(path, file)
        while _read_part(path, file):
            pass  # the states
        while packed := _read_part(path, file):
            yield from unpack_days(bytes(cramjam.zstd.decompress(packed)))


def _read_header(path: Path, file: BinaryIO) -> Header:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise SnapshotDamaged(path, "it is no snapshot")
    try:
        header = _decode_header(_read_part(path, file))
    except msgspec.MsgspecError as error:
        raise SnapshotDamaged(path, f"its header cannot be read ({error})") from error
    if header.format != FORMAT:
        raise SnapshotDamaged(path, f"it has format {header.format}, and this build reads {FORMAT}")
    return header


def _read_part(path: Path, file: BinaryIO) -> bytes:
    length = file.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        raise SnapshotDamaged(path, "it ends before its end")
    (size,) = _LENGTH.unpack(length)
    part = file.read(size)
    if len(part) < size:
        raise SnapshotDamaged(path, "it ends before its end")
    return part
