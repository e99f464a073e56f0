"""Every customer of a shop, read from Redis while workers go on."""

from collections.abc import Iterator
from itertools import islice

import msgspec

from schemas.journal import ClockState
from streams.domain.state import CustomerState
from streams.state.cluster import Cluster
from streams.state.codec import decode
from streams.state.connection import Client
from streams.state.keys import PartitionKeys
from streams.state.reader import ReaderSettings
from streams.state.scanning import SCAN_STEP, escape_pattern, scan

#: States fetched in one round trip; of 4 KB each they are 2 MB.
AT_ONCE = 500

_decode_clock = msgspec.msgpack.Decoder(ClockState).decode


def watermarks(redis: Client, settings: ReaderSettings) -> list[int | None]:
    """Up to when each partition has processed events, ms; None before its first tick.

    Raises redis.RedisError.
    """
    with redis.pipeline(transaction=False) as pipeline:
        for partition in range(settings.partitions):
            pipeline.hget(PartitionKeys(settings.redis_prefix, partition).meta, "clock")
        answers = pipeline.execute()
    return [_decode_clock(clock).watermark or None if clock else None for clock in answers]


def population(redis: Client, settings: ReaderSettings, shop_id: str) -> Iterator[CustomerState]:
    """The states of the shop's customers, as each is when it is read; some perhaps twice.

    Who is there from the first call to the last is among them. A walk over all keys of the server (of a
    cluster: of each partition's node), which goes on serving; memory for AT_ONCE states. Raises
    redis.RedisError, ClusterError where a slot was on the move, and streams.state.codec.StateCodecError.
    """
    keys = _keys(redis, settings, shop_id)
    while chunk := list(islice(keys, AT_ONCE)):
        with redis.pipeline(transaction=False) as pipeline:
            for key in chunk:
                pipeline.get(key)
            encoded = pipeline.execute()
        # One that was erased by a repartition since its key was seen is no longer there.
        yield from (decode(state) for state in encoded if state is not None)


def _keys(redis: Client, settings: ReaderSettings, shop_id: str) -> Iterator[bytes]:
    # A shop id has no slash, so a key is of this shop where its name follows at once.
    own = f"{escape_pattern(shop_id)}/*"
    bases = [
        PartitionKeys(settings.redis_prefix, partition).state_base
        for partition in range(settings.partitions)
    ]
    if isinstance(redis, Cluster):
        for base in bases:
            yield from scan(redis, base, own)
        return
    # One walk for all partitions; those of another generation with this prefix are not among ``bases``.
    pattern = f"{escape_pattern(settings.redis_prefix)}{{*}}:state:{own}"
    starts = tuple(base.encode() for base in bases)
    for key in redis.scan_iter(match=pattern, count=SCAN_STEP):
        if key.startswith(starts):
            yield key
