"""streams.state.reader against a real Redis."""

import pytest
from redis import Redis

from schemas.partitioner import partition_of
from streams.domain.timers import next_due
from streams.settings import Settings
from streams.state.codec import CODEC_VERSION, NewerStateError, encode
from streams.state.keys import PartitionKeys
from streams.state.reader import read_customer
from tests.domain.events import MINUTE, START, cart, fold_all


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


def test_a_newer_state_is_refused(redis: Redis, settings: Settings) -> None:
    state = fold_all([])
    state.version = CODEC_VERSION + 1
    keys = PartitionKeys(settings.redis_prefix, partition_of(b"c1", settings.partitions))
    redis.set(keys.state("shop/c1"), encode(state))
    with pytest.raises(NewerStateError):
        read_customer(redis, settings, "shop", "c1")
