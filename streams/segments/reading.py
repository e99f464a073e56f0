"""Reads a shop's customers from Redis into a spool."""

import time
from collections.abc import Callable, Iterator

from streams.domain.shop import ShopSettings
from streams.segments.members import Member, member
from streams.segments.spool import Spool
from streams.state.connection import Client
from streams.state.population import population, watermarks
from streams.state.reader import ReaderSettings

#: Told how many customers were read so far.
Progress = Callable[[int], None]


def moment_of(redis: Client, settings: ReaderSettings) -> int:
    """The moment (ms) that customers are judged as of: the newest watermark, the wall clock before any."""
    known = [watermark for watermark in watermarks(redis, settings) if watermark is not None]
    return max(known) if known else time.time_ns() // 1_000_000


def fill(
    spool: Spool,
    redis: Client,
    settings: ReaderSettings,
    shop: ShopSettings,
    as_of: int,
    progress: Progress,
) -> None:
    """Note each customer of ``shop`` in ``spool``, judged as of ``as_of`` (ms). Blocks until all are read.

    Raises redis.RedisError and streams.state.codec.StateCodecError.
    """

    def judged() -> Iterator[Member]:
        for number, state in enumerate(population(redis, settings, shop.shop_id), 1):
            yield member(state, shop, as_of)
            progress(number)

    spool.add(judged())
