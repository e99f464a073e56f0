"""What a journal row says of the records that it covers and sends, to hold a later reading against it."""

import hashlib
import struct
import zlib
from collections.abc import Sequence
from typing import Protocol

#: Records summed at a time, so that the joined copy stays in the processor's cache.
_CRC_CHUNK = 512


class _HasBytes(Protocol):
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


def slice_crc(records: Sequence[_HasBytes]) -> int:
    """CRC-32 over the records' keys and values, None as empty; 0 for no records.

    For every 512 records: the bytes key, value, key, value... and after them their lengths as
    little-endian 32-bit numbers, so that no byte can move from one to the next unseen.
    """
    crc = 0
    for first in range(0, len(records), _CRC_CHUNK):
        parts: list[bytes] = []
        append = parts.append
        for record in records[first : first + _CRC_CHUNK]:
            append(record.key or b"")
            append(record.value or b"")
        crc = zlib.crc32(b"".join(parts), crc)
        crc = zlib.crc32(struct.pack(f"<{len(parts)}I", *map(len, parts)), crc)
    return crc


class RowsDigest:
    """BLAKE2b, 16 bytes, over outgoing rows in their order; each part behind its length (4 bytes)."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=16)

    def add(self, topic: str, key: bytes, value: bytes) -> None:
        """The next row; ``value`` without a coupon code, which is made with a key of the stack's."""
        for part in (topic.encode(), key, value):
            self._digest.update(len(part).to_bytes(4, "big"))
            self._digest.update(part)

    def digest(self) -> bytes:
        return self._digest.digest()
