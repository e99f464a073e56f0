"""A day that a worker has done and left, with what it left behind in Redis and in the topics."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.settings import Settings
from streams.topics import create_topics
from tests.engine.harness import Bench, WorkerProcess
from tests.engine.scenario import ShopDay
from tests.waiting import wait_for

#: On a machine with other work to do.
PATIENCE = 120.0


@pytest.fixture
def bench(settings: Settings) -> Bench:
    """Topics made; the shortest session that a broker grants by default."""
    settings.session_timeout = 6.0
    create_topics(settings)
    return Bench(settings)


@pytest.fixture
def worker(bench: Bench, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker that owns all partitions."""
    process = WorkerProcess(bench.settings, tmp_path / "worker.log")
    try:
        process.wait_recovered(PATIENCE)
        yield process
    finally:
        process.kill()


@pytest.fixture
def day(bench: Bench, worker: WorkerProcess) -> ShopDay:
    """Two waves of it, so that every partition has several commits; the worker is gone."""
    shop_day = ShopDay(bench, customers=40)
    shop_day.morning()
    bench.wait_processed(PATIENCE)
    shop_day.evening()
    finish(shop_day)
    assert worker.stop() == 0
    bench.wait_published(PATIENCE)
    return shop_day


def finish(day: ShopDay) -> None:
    """All of the day's events processed, all of its triggers published."""
    bench = day.bench
    bench.wait_processed(PATIENCE)
    wait_for(lambda: len(bench.triggers()) == len(day.expected), PATIENCE, "all triggers")
    bench.wait_published(PATIENCE)


def redis_content(bench: Bench) -> dict[bytes, object]:
    """Everything that Redis has of the stack but who owns it."""
    found: dict[bytes, object] = {}
    for key in bench.redis.scan_iter(match=f"{bench.settings.redis_prefix}*", count=1_000):
        kind = bench.redis.type(key)
        if kind == b"set":
            found[key] = bench.redis.smembers(key)
        elif kind == b"string":
            found[key] = bench.redis.get(key)
        elif kind == b"set":
            found[key] = bench.redis.smembers(key)
        elif kind == b"zset":
            found[key] = bench.redis.zrange(key, 0, -1, withscores=True)
        elif kind == b"hash":
            meta = bench.redis.hgetall(key)
            found[key] = {
                name: value for name, value in meta.items() if name not in (b"epoch", b"member")
            }
        elif kind == b"stream" and (waiting := bench.redis.xrange(key)):
            found[key] = waiting
    return found


def empty_redis(bench: Bench) -> None:
    """As after the loss of its disk."""
    for key in bench.redis.scan_iter(match=f"{bench.settings.redis_prefix}*", count=1_000):
        bench.redis.delete(key)
