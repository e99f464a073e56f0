"""A worker that starts while Redis still reads its files must try again, not give up."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.exceptions import BusyLoadingError

from streams.local.ports import pick
from streams.local.redis import RedisProcess
from streams.state.redis_store import RedisStore, connect
from tests.waiting import wait_for

#: At DELAY microseconds each half a minute, which the test cuts short once it has seen what it came
#: for; Redis answers after every 1,024 of them.
KEYS = 30_000
DELAY = 1_000


@pytest.fixture
def loading(tmp_path: Path) -> Iterator[str]:
    """The URL of a Redis that takes seconds to read its append-only file."""
    (port,) = pick(1)
    process = RedisProcess(tmp_path, port)
    process.start()
    with connect(process.url) as client:
        pipe = client.pipeline(transaction=False)
        for number in range(KEYS):
            pipe.set(f"key-{number}", "value")
        pipe.execute()
    process.stop()
    slow = subprocess.Popen(
        ["redis-server", str(tmp_path / "redis.conf"), "--key-load-delay", str(DELAY)],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process.url
    finally:
        slow.kill()
        slow.wait(60)


def test_a_redis_that_is_loading_is_a_doubt_and_then_suitable(loading: str) -> None:
    def answer() -> str:
        try:
            RedisStore(loading, "test:").check_server()
        except BusyLoadingError:
            return "loading"
        except redis.ConnectionError:
            return ""
        return "suitable"

    assert wait_for(answer, 60, "an answer") == "loading"
    with redis.Redis.from_url(loading, socket_timeout=60.0) as client:
        client.config_set("key-load-delay", 0)
    wait_for(lambda: answer() == "suitable", 60, "the end of the loading")
