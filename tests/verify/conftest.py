"""One finished day of a shop, processed by a real worker, for all tests of verify to look at."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from streams.topics import create_topics
from streams.verify.verify import verify
from tests.conftest import settings_of
from tests.engine.harness import Bench, WorkerProcess, moment
from tests.engine.scenario import ShopDay
from tests.waiting import wait_for

#: The customer whose timer is still pending when the day is over.
WAITING = "waiting"


@pytest.fixture(scope="session")
def day(kafka: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopDay]:
    """80 customers in 8 partitions, duplicates and broken records among them; the worker is gone.

    Tests that damage it mend it, also when they fail: what they share is whole in the end.
    """
    settings = settings_of(kafka, redis_url, f"v{secrets.token_hex(5)}.")
    create_topics(settings)
    shop_day = ShopDay(Bench(settings), customers=80, withdrawing=3)
    worker = WorkerProcess(settings, tmp_path_factory.mktemp("worker") / "log")
    try:
        worker.wait_recovered()
        _live_through(shop_day)
        assert worker.stop() == 0
        shop_day.bench.wait_published()
        yield shop_day
    finally:
        worker.kill()
    report = verify(settings)
    assert report.agree, report.differences


def _live_through(day: ShopDay) -> None:
    """In waves, so that every partition has several commits."""
    bench = day.bench
    day.withdraw()
    bench.wait_processed()
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
