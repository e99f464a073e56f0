"""What campaigns refuse is published once, whatever the worker dies of; what they issue is counted."""

from collections import Counter
from pathlib import Path

import pytest

from schemas.catalogue import DECISIONS
from schemas.partitioner import partition_of
from streams.domain.aggregates.coupons import ISSUED, RECEIVERS
from streams.domain.aggregates.names import parts_of
from streams.engine.crashpoints import EXIT_CODE
from streams.state.aggregates import RedisAggregates
from tests.engine.harness import Bench, Snapshot, WorkerProcess
from tests.engine.scenario import START_MS, ShopDay
from tests.waiting import wait_for

DAY = START_MS // 86_400_000
CUSTOMERS = 30


@pytest.fixture
def day(bench: Bench, tmp_path: Path) -> ShopDay:
    """A day of whose customers a third withdrew all channels before it began."""
    shop_day = ShopDay(bench, customers=CUSTOMERS, withdrawing=3)
    shop_day.withdraw()
    worker = WorkerProcess(bench.settings, tmp_path / "first")
    try:
        bench.wait_processed()
        assert worker.stop() == 0
    finally:
        worker.kill()
    bench.wait_published()
    return shop_day


@pytest.mark.parametrize(
    "point",
    [
        "after-produce",
        *(
            pytest.param(one, marks=pytest.mark.long)
            for one in ("before-commit:2", "after-commit", "after-transaction", "after-timers")
        ),
    ],
)
def test_each_refusal_is_published_once(day: ShopDay, tmp_path: Path, point: str) -> None:
    crashing = WorkerProcess(day.bench.settings, tmp_path / "second", HUITOU_CRASH=point)
    day.morning()
    day.evening()
    assert crashing.wait() == EXIT_CODE, crashing.tail()
    _finish(day, tmp_path)
    for partition, value in day.bench.read_placed(DECISIONS):
        assert f'"subject":"{_customer(day, partition, value)}"'.encode() in value


def test_refusals_that_redis_lost_are_not_published_again(day: ShopDay, tmp_path: Path) -> None:
    before = Snapshot(day.bench)
    worker = WorkerProcess(day.bench.settings, tmp_path / "second")
    try:
        day.morning()
        day.evening()
        day.bench.wait_processed()
        wait_for(lambda: len(day.bench.read(DECISIONS)) >= len(day.refused), 60, "the refusals")
        assert worker.stop() == 0
    finally:
        worker.kill()
    day.bench.wait_published()
    before.put_back()
    _finish(day, tmp_path)


def _finish(day: ShopDay, folder: Path) -> None:
    """A healthy worker does the rest; then all of it is looked at."""
    bench = day.bench
    worker = WorkerProcess(bench.settings, folder / "last")
    try:
        worker.wait_recovered()
        bench.wait_processed()
        wait_for(lambda: len(bench.triggers()) >= len(day.expected), 60, "the triggers")
        wait_for(lambda: len(bench.read(DECISIONS)) >= len(day.refused), 60, "the refusals")
        bench.wait_published()
    finally:
        code = worker.stop()
    assert code == 0, worker.tail()
    day.assert_exactly_once()
    _assert_counted(day)


def _assert_counted(day: ShopDay) -> None:
    """Redis has the coupons by campaign, each once."""
    aggregates = RedisAggregates(day.bench.redis, day.bench.settings)
    sums = aggregates.counts("shop", range(DAY, DAY + 1))[DAY]
    got = day.bench.triggers()
    issued = Counter(str(event["data"]["campaign"]) for event in got)  # type: ignore[index]
    assert sums[ISSUED] == len(day.expected) > 0
    assert parts_of(sums, ISSUED, "campaign") == issued
    assert sum(parts_of(sums, ISSUED, "hour").values()) == sums[ISSUED]
    found = aggregates.distinct("shop", range(DAY, DAY + 1), [RECEIVERS])
    assert found[RECEIVERS].number == CUSTOMERS - CUSTOMERS // 3


def _customer(day: ShopDay, partition: int, value: bytes) -> str:
    """Whose refusal it is; it lies in the customer's partition."""
    (name,) = (name for _, name in day.names() if f'"customer_id":"{name}"'.encode() in value)
    assert partition_of(name.encode(), day.bench.settings.partitions) == partition
    return name
