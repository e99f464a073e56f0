"""One finished day of a shop, processed by a real worker, for all tests of a module to look at."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from streams.settings import Settings
from streams.topics import create_topics
from tests.engine.harness import Bench, WorkerProcess, moment
from tests.engine.scenario import ShopDay
from tests.waiting import wait_for

#: The customer whose timer is still pending when the day is over.
WAITING = "waiting"


@pytest.fixture(scope="module")
def fresh(kafka: str, redis_url: str) -> Settings:
    """Settings and topics of their own for a module."""
    prefix = f"v{secrets.token_hex(3)}."
    settings = Settings(
        kafka_bootstrap=kafka,
        redis_url=redis_url,
        topic_prefix=prefix,
        redis_prefix=f"{prefix}:",
        group=f"{prefix}group",
        code_key=SecretStr(secrets.token_hex(32)),
        metrics_port=0,
    )
    create_topics(settings)
    return settings


@pytest.fixture(scope="module")
def worker_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worker") / "log"


@pytest.fixture(scope="module")
def day(fresh: Settings, worker_log: Path) -> Iterator[ShopDay]:
    """80 customers in 8 partitions, duplicates and broken records among them; the worker is gone."""
    shop_day = ShopDay(Bench(fresh), customers=80)
    worker = WorkerProcess(fresh, worker_log)
    try:
        worker.wait_recovered()
        _live_through(shop_day)
        assert worker.stop() == 0
        shop_day.bench.wait_published()
        yield shop_day
    finally:
        worker.kill()


def _live_through(day: ShopDay) -> None:
    """In waves, so that every partition has several commits."""
    bench = day.bench
    day.morning()
    bench.wait_processed()
    for _, name in day.names():
        again = {"action": "view", "sku": "s0"}
        bench.send("shop.clicks", name, again, id=f"{name}-v0", time=moment(0))
    for partition in range(bench.settings.partitions):
        bench.send_raw("shop.clicks", b"c", b"no json", partition)
    tomorrow = datetime.now(UTC) + timedelta(hours=20)
    bench.send(
        "shop.carts", WAITING, {"action": "add", "sku": "s1"},
        id="waiting", time=tomorrow.isoformat(),
    )  # fmt: skip
    bench.flush()
    bench.wait_processed()
    day.evening()
    bench.wait_processed()
    wait_for(lambda: len(bench.triggers()) == len(day.expected), 60, "every trigger")
