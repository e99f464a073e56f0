"""A tool takes the clock over and sends at once: what it sent is judged by its clock alone.

Topics are read side by side, so a worker may come upon the tool's events before the record that hands
the clock to the tool. One record a poll makes that certain.
"""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.catalogue import CLOCK
from streams.engine.log import LogReader
from tests.engine.harness import Bench, TestClock, WorkerProcess
from tests.engine.scenario import START_MS, moment
from tests.waiting import wait_for

#: Before its clock, so that the clock is what a worker comes upon last.
ONE_AT_A_TIME = {"HUITOU_MAX_POLL_RECORDS": "1"}
DAY_MS = 86_400_000


#: Of every partition some: in which order a worker's client hands over topics is drawn for each.
NAMES = [f"c{number}" for number in range(40)]


def test_the_wall_s_watermark_fires_nothing_that_a_tool_has_sent(
    bench: Bench, tmp_path: Path
) -> None:
    _pass_wall_time(bench, tmp_path)
    clock = TestClock(bench, START_MS, START_MS + DAY_MS)
    for number, name in enumerate(NAMES):
        # Emptied ten minutes later: nobody abandoned anything.
        for minutes, action in ((0, {"action": "add", "sku": "s1"}), (10, {"action": "clear"})):
            bench.send(
                "shop.carts", name, action, id=f"{name}-{minutes}",
                time=moment(number + minutes * 60),
            )  # fmt: skip
    clock.tick(START_MS + 3_600_000)
    clock.close(START_MS + 7_200_000)
    worker = WorkerProcess(bench.settings, tmp_path / "log", **ONE_AT_A_TIME)
    try:
        bench.wait_processed()
        wait_for(lambda: _timers(bench) == [], 60, "every timer settled")
        bench.wait_published()
        assert bench.triggers() == []
        assert worker.stop() == 0
    finally:
        worker.kill()


def _timers(bench: Bench) -> list[int]:
    found = [bench.store.stored(number).next_due for number in range(bench.settings.partitions)]
    return [due for due in found if due is not None]


def _pass_wall_time(bench: Bench, tmp_path: Path) -> None:
    """A worker has run under the wall's clock, and has left ticks behind for the next one to read."""
    worker = WorkerProcess(bench.settings, tmp_path / "log")
    try:
        worker.wait_recovered()
        wait_for(lambda: _wall_is_committed(bench), 60, "a watermark of the wall's")
        bench.wait_processed()
        wait_for(lambda: _ticks_ahead(bench) > 0, 60, "a tick that is in no commit")
        assert worker.stop() == 0
    finally:
        worker.kill()


def _ticks_ahead(bench: Bench) -> int:
    """Clock records of a partition that are in the log and in no commit, at least."""
    topic, numbers = f"{bench.prefix}{CLOCK}", range(bench.settings.partitions)
    with LogReader(bench.settings.kafka_bootstrap) as log:
        ends = log.high_watermarks([(topic, number) for number in numbers])
    return min(ends[topic, n] - bench.store.stored(n).vector.get(topic, 0) for n in numbers)


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
    start = int(time.time() * 1000)
    clock = TestClock(bench, start, start + 30 * DAY_MS)
    ahead = (datetime.now(UTC) + timedelta(days=20)).isoformat()
    for name in NAMES:
        bench.send("shop.clicks", name, {"action": "view", "sku": "s1"}, id=name, time=ahead)
    clock.tick(start + 21 * DAY_MS)
    worker = WorkerProcess(bench.settings, tmp_path / "log", **ONE_AT_A_TIME)
    try:
        bench.wait_processed()
        assert bench.counted("applied") == before + len(NAMES)
        # Without a window it is: that of the wall's clock is a day.
        clock.close(start + 22 * DAY_MS)
        worse = (datetime.now(UTC) + timedelta(days=40)).isoformat()
        bench.send("shop.clicks", NAMES[0], {"action": "view"}, id="worse", time=worse)
        bench.flush()
        bench.wait_processed()
        assert bench.counted("dead_letter") == 1
        assert worker.stop() == 0
    finally:
        worker.kill()
