"""Generations of a stack: its topics, keys and group with one partition count, and what follows them.

A stack whose partition count changes goes on in another generation (docs/decisions/0007). The old one's
group names its successor in the metadata of its offsets; partitions between the two are fenced in Redis.
"""

from typing import Final

import msgspec

#: The epoch of a fence: above every generation that Kafka counts, which are signed 32-bit numbers.
FENCE_EPOCH: Final = 2**31
#: The member under which a repartition claims the partitions that it closes ...
CLOSING: Final = "repartition-closing"
#: ... and those that it fills.
LOADING: Final = "repartition-loading"
FENCES: Final = frozenset({CLOSING, LOADING})


class Successor(msgspec.Struct, frozen=True):
    """The settings by which the next generation differs."""

    topic_prefix: str
    redis_prefix: str
    group: str
    partitions: int

    def environment(self) -> dict[str, str]:
        """As workers and producers are given it."""
        return {
            "HUITOU_TOPIC_PREFIX": self.topic_prefix,
            "HUITOU_REDIS_PREFIX": self.redis_prefix,
            "HUITOU_GROUP": self.group,
            "HUITOU_PARTITIONS": str(self.partitions),
        }

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.environment().items())


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Successor).decode


def encode_successor(successor: Successor) -> str:
    """For the metadata of offsets, of which Kafka keeps 4,096 bytes."""
    return _encode(successor).decode()


def decode_successor(text: str) -> Successor:
    """Raises msgspec.MsgspecError, which is a ValueError for texts that are none."""
    return _decode(text)
