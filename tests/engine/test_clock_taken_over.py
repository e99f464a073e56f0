"""A tool takes the clock over and sends at once: what it sent is judged by its clock alone.

Topics are read side by side, so a worker may come upon the tool's events before the record that hands
the clock to the tool. An open transaction on shop.clock makes that certain: what comes after it there is
not read until it ends.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas.catalogue import CLOCK
from schemas.clock import WALL, Tick, encode_clock
from schemas.partitioner import partition_of
from tests.engine.harness import Bench, TestClock, WorkerProcess
from tests.engine.scenario import START_MS, moment
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]

DAY_MS = 86_400_000
#: Of every partition some.
NAMES = [f"c{number}" for number in range(40)]


@contextmanager
def clock_withheld(bench: Bench) -> Iterator[None]:
    """What is written to shop.clock inside is read afterwards."""
    producer = Producer(
        {
            "bootstrap.servers": bench.settings.kafka_bootstrap,
            "transactional.id": f"{bench.prefix}withheld",
            "transaction.timeout.ms": 300_000,
        }
    )
    producer.init_transactions(60)
    producer.begin_transaction()
    for number in range(bench.settings.partitions):
        # Of an owner of the past: it says nothing.
        record = Tick(number, int(time.time() * 1000), WALL, 0, {})
        producer.produce(f"{bench.prefix}{CLOCK}", encode_clock(record), partition=number)
    assert producer.flush(60) == 0
    yield
    producer.commit_transaction(60)


def test_the_wall_s_watermark_fires_nothing_that_a_tool_has_sent(
    bench: Bench, tmp_path: Path
) -> None:
    _pass_wall_time(bench, tmp_path)
    worker = WorkerProcess(bench.settings, tmp_path / "log")
    try:
        with clock_withheld(bench):
            clock = TestClock(bench, START_MS, START_MS + DAY_MS)
            _change_carts(bench, 0, {"action": "add", "sku": "s1"})
            # Ten minutes later they are emptied: nobody abandoned anything.
            _change_carts(bench, 600, {"action": "clear"})
            clock.tick(START_MS + 3_600_000)
            clock.close(START_MS + 7_200_000)
        wait_for(lambda: _timers(bench) == [], 60, "every timer settled")
        bench.wait_published()
        assert bench.triggers() == []
        assert worker.stop() == 0
    finally:
        worker.kill()


def _change_carts(bench: Bench, second: int, change: dict[str, object]) -> None:
    """Returns once the changes are folded, and what became due by those before is fired."""
    for number, name in enumerate(NAMES):
        time = moment(number + second)
        bench.send("shop.carts", name, change, id=f"{name}-{second}", time=time)
    bench.flush()
    bench.wait_processed()


def _timers(bench: Bench) -> list[int]:
    found = [bench.store.stored(number).next_due for number in range(bench.settings.partitions)]
    # Each state has a timer that is due in a month.
    return [due for due in found if due is not None and due < START_MS + DAY_MS]


def _pass_wall_time(bench: Bench, tmp_path: Path) -> None:
    """A worker has run under the wall's clock."""
    worker = WorkerProcess(bench.settings, tmp_path / "log")
    try:
        worker.wait_recovered()
        wait_for(lambda: _wall_is_committed(bench), 60, "a watermark of the wall's")
        bench.wait_processed()
        assert worker.stop() == 0
    finally:
        worker.kill()


def _wall_is_committed(bench: Bench) -> bool:
    """Sends views, with whose commit the newest applied tick is stored."""
    now = datetime.now(UTC).isoformat()
    view = {"action": "view", "sku": "s1"}
    for name in NAMES:
        bench.send("shop.clicks", name, view, id=f"{name}-{now}", time=now)
    bench.flush()
    clocks = [bench.store.stored(number).clock for number in range(bench.settings.partitions)]
    return all(clock is not None and clock.watermark > START_MS + DAY_MS for clock in clocks)


def test_a_time_is_not_ahead_of_a_window_that_was_announced_before_it(
    bench: Bench, tmp_path: Path
) -> None:
    _pass_wall_time(bench, tmp_path)
    before = bench.counted("applied")
    view = {"action": "view", "sku": "s1"}
    ahead, others = NAMES[0], [n for n in NAMES if _home(bench, n) != _home(bench, NAMES[0])]
    start = int(time.time() * 1000)
    with clock_withheld(bench):
        clock = TestClock(bench, start, start + 30 * DAY_MS)
        bench.send("shop.clicks", ahead, view, id="ahead", time=_in_days(20))
        bench.flush()
        for name in others:
            bench.send("shop.clicks", name, view, id=name, time=_in_days(0))
        bench.flush()
        worker = WorkerProcess(bench.settings, tmp_path / "log")
        # By then it has come upon the one that is ahead, which was there first.
        wait_for(lambda: bench.counted("applied") == before + len(others), 60, "all the others")
    try:
        bench.wait_processed()
        assert bench.counted("dead_letter") == 0
        # The window is over, and the wall's is a day.
        clock.close(start + 22 * DAY_MS)
        bench.send("shop.clicks", ahead, view, id="further ahead", time=_in_days(40))
        bench.flush()
        bench.wait_processed()
        assert bench.counted("dead_letter") == 1
        assert worker.stop() == 0
    finally:
        worker.kill()


def _home(bench: Bench, name: str) -> int:
    return partition_of(name.encode(), bench.settings.partitions)


def _in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()
