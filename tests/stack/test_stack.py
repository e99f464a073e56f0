"""The local stack: starts, keeps its data, stops only what it started."""

import redis
from confluent_kafka.admin import AdminClient

from streams.local.stack import Stack


def test_both_servers_answer(stack: Stack, kafka: str, redis_url: str) -> None:
    assert AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=5).brokers
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
