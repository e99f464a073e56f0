"""streams.state.reader against a real Redis."""

import msgspec
import pytest
from redis import Redis

from schemas.clock import WALL
from schemas.journal import ClockState
from schemas.partitioner import partition_of
from streams.domain.timers import next_due
from streams.settings import Settings
from streams.state.codec import CODEC_VERSION, NewerStateError, encode
from streams.state.keys import PartitionKeys
from streams.state.reader import read_customer
from tests.domain.events import DAY, MINUTE, SHOP, START, cart, fold_all


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return Redis.from_url(redis_url)


def test_reads_state_timers_and_position(redis: Redis, settings: Settings) -> None:
    state = fold_all([cart("1", START, "add", "a")])
    partition = partition_of(b"c1", settings.partitions)
    keys = PartitionKeys(settings.redis_prefix, partition)
    assert read_customer(redis, settings, "shop", "c1") is None
    redis.set(keys.state("shop/c1"), encode(state))
    due = next_due(state)
    assert due is not None
    redis.zadd(keys.timers, {"shop/c1": due})
    redis.hset(keys.meta, "seq", "17")
    clock = ClockState(WALL, START + 2 * DAY, 0, 1.0, START + 2 * DAY - 5_000)
    redis.hset(keys.meta, "clock", msgspec.msgpack.encode(clock))
    customer = read_customer(redis, settings, "shop", "c1")
    assert customer is not None
    assert (customer.partition, customer.seq) == (partition, 17)
    assert customer.state == state
    assert customer.next_due == START + 30 * MINUTE
    assert [timer.key for timer in customer.timers] == [f"a;;1;{START}"]
    shown = customer.describe()
    assert shown["timers"] == [
        {"kind": "abandoned-cart", "due": "2024-06-01T00:30:00.000Z", "key": f"a;;1;{START}"}
    ]
    assert (shown["partition"], shown["seq"], shown["customer_id"]) == (partition, 17, "c1")
    assert customer.watermark == START + 2 * DAY - 5_000
    assert customer.describe(SHOP)["worth"]["as_of"] == "2024-06-02T23:59:55.000Z"


def test_worth_is_as_of_the_newest_event_where_the_watermark_is_older(
    redis: Redis, settings: Settings
) -> None:
    keys = PartitionKeys(settings.redis_prefix, partition_of(b"c1", settings.partitions))
    redis.set(keys.state("shop/c1"), encode(fold_all([cart("1", START, "add", "a")])))
    for clock in (None, ClockState(WALL, 0, 0, 1.0, 0), ClockState(WALL, 5, 0, 1.0, START - 5)):
        if clock is not None:
            redis.hset(keys.meta, "clock", msgspec.msgpack.encode(clock))
        customer = read_customer(redis, settings, "shop", "c1")
        assert customer is not None
        assert customer.describe(SHOP)["worth"]["as_of"] == "2024-06-01T00:00:00.000Z"


def test_a_newer_state_is_refused(redis: Redis, settings: Settings) -> None:
    state = fold_all([])
    state.version = CODEC_VERSION + 1
    keys = PartitionKeys(settings.redis_prefix, partition_of(b"c1", settings.partitions))
    redis.set(keys.state("shop/c1"), encode(state))
    with pytest.raises(NewerStateError):
        read_customer(redis, settings, "shop", "c1")
