"""Redis's HyperLogLog and ours are one, register by register, and so are the estimates."""

import pytest
import redis

from streams.domain.hyperloglog import HyperLogLog, from_redis, merged, to_redis


@pytest.mark.parametrize("number", [0, 1, 30, 900, 4_000, 25_000])
def test_registers_and_estimates_are_those_of_redis(
    redis_url: str, prefix: str, number: int
) -> None:
    """A few are sparse in Redis, many dense; members have every length of a tail."""
    members = [str(one**3).encode() for one in range(number)]
    client = redis.Redis.from_url(redis_url)
    client.pfadd(prefix, *members)
    ours = HyperLogLog(members)
    assert from_redis(client.get(prefix)) == ours.body()
    assert client.pfcount(prefix) == ours.estimate()


def test_redis_goes_on_with_ours(redis_url: str, prefix: str) -> None:
    client = redis.Redis.from_url(redis_url)
    left, right = [[f"{side}{n}".encode() for n in range(2_000)] for side in "ab"]
    client.set(prefix, to_redis(HyperLogLog(left).body()))
    client.pfadd(prefix, *right)
    client.pfadd(prefix + "right", *right)
    union = merged([HyperLogLog(left).body(), from_redis(client.get(prefix + "right"))])
    assert from_redis(client.get(prefix)) == union
    assert client.pfcount(prefix) == HyperLogLog.of_body(union).estimate()
