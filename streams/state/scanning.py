"""Walking over keys in Redis, which goes on serving meanwhile."""

from collections.abc import Iterator

from streams.state.cluster import Cluster
from streams.state.connection import Client

#: Keys that Redis looks at in one step of a walk; a step takes it well below a millisecond.
SCAN_STEP = 1_000


def escape_pattern(text: str) -> str:
    """``text`` as a Redis glob pattern that matches nothing but itself.

    >>> escape_pattern("a*b")
    'a\\\\*b'
    """
    return "".join(f"\\{letter}" if letter in "*?[]\\^" else letter for letter in text)


def scan(client: Client, base: str, rest: str = "*", step: int = SCAN_STEP) -> Iterator[bytes]:
    """Keys that begin with ``base`` and go on like the pattern ``rest``, some twice perhaps.

    ``base`` holds the hash tag. A walk over all keys of the server, or of the one node of a cluster
    that has this slot. Raises redis.RedisError; ClusterError, at the end, where the slot was on the
    move so that keys may have been missed.
    """
    pattern = escape_pattern(base) + rest
    if isinstance(client, Cluster):
        return client.walk(base, pattern, step)
    return client.scan_iter(match=pattern, count=step)
