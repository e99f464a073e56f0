"""Reading customers' live state from Redis, for Python users outside the workers.

>>> from streams.settings import Settings
>>> from streams.state.connection import connect
>>> settings = Settings()
>>> customer = read_customer(connect(settings.redis_url), settings, "shop", "42")
... # doctest: +SKIP
"""

from typing import Any, Protocol

import msgspec

from schemas.journal import ClockState
from schemas.partitioner import partition_of
from streams.domain.describe import describe
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, state_key
from streams.domain.timers import Occasion, pending
from streams.state.codec import decode
from streams.state.connection import Client
from streams.state.keys import PartitionKeys

_decode_clock = msgspec.msgpack.Decoder(ClockState).decode


class ReaderSettings(Protocol):
    """Of ``streams.settings.Settings``: where states are."""

    @property
    def redis_prefix(self) -> str: ...
    @property
    def partitions(self) -> int: ...


class Customer(msgspec.Struct, frozen=True):
    """One customer as of the commit ``seq`` of ``partition``; treat ``state`` as read-only."""

    partition: int
    #: The partition's commits so far; states of one partition with one seq belong together.
    seq: int
    state: CustomerState
    #: The timers that fire if nothing else happens.
    timers: list[Occasion]
    #: What the partition's timers know of this customer: the earliest due time in ms, None:
    #: nothing.
    next_due: int | None
    #: The partition's watermark, ms: it has processed all before; None before its first tick.
    watermark: int | None = None

    @property
    def as_of(self) -> int:
        """The moment (ms) that the customer's worth is of: the watermark or, where it is later, the
        customer's newest event; 0 before both.
        """
        return max(self.watermark or 0, self.state.last_seen or 0)

    def describe(self, shop: ShopSettings | None = None) -> dict[str, Any]:
        """As a plain dict for people and JSON; ``shop`` gives time zone, currency and what worth is
        judged by, as they hold at ``as_of``; without it these are None.
        """
        return {
            "partition": self.partition,
            "seq": self.seq,
            **describe(self.state, shop, self.as_of or None),
        }


def read_customer(
    redis: Client, settings: ReaderSettings, shop_id: str, customer_id: str
) -> Customer | None:
    """The live state of a customer, None where nothing was ever folded of one.

    One round trip (MULTI: state, timer and seq are of one moment); blocks for it. Works with a
    client with ``decode_responses=False`` (the default). Raises ``redis.RedisError``, and of
    ``streams.state.codec`` NewerStateError and CorruptStateError.
    """
    partition = partition_of(customer_id.encode(), settings.partitions)
    keys = PartitionKeys(settings.redis_prefix, partition)
    key = state_key(shop_id, customer_id)
    with redis.pipeline(transaction=True) as pipeline:
        pipeline.get(keys.state(key))
        pipeline.zscore(keys.timers, key)
        pipeline.hmget(keys.meta, "seq", "clock")
        encoded, due, (seq, clock) = pipeline.execute()
    if encoded is None:
        return None
    state = decode(encoded)
    return Customer(
        partition=partition,
        seq=int(seq or 0),
        state=state,
        timers=pending(state),
        next_due=None if due is None else int(due),
        watermark=_decode_clock(clock).watermark or None if clock else None,
    )
