"""A worker that dies at a named point loses nothing and doubles nothing."""

from pathlib import Path

import pytest

from streams.engine.crashpoints import EXIT_CODE, POINTS, CrashPoints
from tests.engine.harness import Bench, Snapshot, WorkerProcess
from tests.engine.scenario import ShopDay
from tests.waiting import wait_for

#: Points that the plain day passes, at the first and at a later passing; the rest run with `make test-long`.
QUICK = ["after-commit", "after-produce", "after-transaction", "after-timers"]
SLOW = [
    "after-claim",
    "before-commit",
    "before-commit:2",
    "after-commit:2",
    "after-begin",
    "after-produce:2",
    "after-offsets",
    "after-transaction:2",
    "after-trim",
    "after-tick",
]
PLAIN = [*QUICK, *(pytest.param(spec, marks=pytest.mark.long) for spec in SLOW)]


def test_every_point_is_crashed_at_somewhere() -> None:
    here = {spec.partition(":")[0] for spec in (*QUICK, *SLOW)} | {"in-replay", "in-drain"}
    assert here == set(POINTS)


def test_an_unknown_point_is_refused() -> None:
    with pytest.raises(ValueError, match="no crash point 'after-lunch'"):
        CrashPoints("after-lunch")


@pytest.mark.parametrize("spec", PLAIN)
def test_crash(bench: Bench, tmp_path: Path, spec: str) -> None:
    log = tmp_path / "worker.log"
    crashing = WorkerProcess(bench.settings, log, HUITOU_CRASH=spec)
    day = ShopDay(bench)
    day.morning()
    day.evening()
    _assert_crashed(crashing, spec)
    _finish(bench, day, log)


@pytest.mark.long
def test_crash_in_a_drain(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    # The first release is that of the assignment that precedes every first one.
    crashing = WorkerProcess(bench.settings, log, HUITOU_CRASH="in-drain:2")
    crashing.wait_recovered()
    day = ShopDay(bench)
    day.morning()
    crashing.process.terminate()
    _assert_crashed(crashing, "in-drain")
    day.evening()
    _finish(bench, day, log)


def test_crash_in_a_replay(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    day = ShopDay(bench)
    first = WorkerProcess(bench.settings, log)
    day.morning()
    bench.wait_processed()
    early = Snapshot(bench)
    day.evening()
    bench.wait_processed()
    bench.wait_published()
    assert first.stop() == 0
    bench.wait_published()
    early.put_back()
    crashing = WorkerProcess(bench.settings, log, HUITOU_CRASH="in-replay")
    _assert_crashed(crashing, "in-replay")
    last = _finish(bench, day, log)
    assert last['shop_recoveries_total{case="replayed"}'] >= 1


def _assert_crashed(worker: WorkerProcess, spec: str) -> None:
    assert worker.wait() == EXIT_CODE, worker.tail()
    assert f"crash point {spec.partition(':')[0]}\n" in worker.log.read_text()


def _finish(bench: Bench, day: ShopDay, log: Path) -> dict[str, float]:
    """A healthy worker does the rest; returns its metrics."""
    healthy = WorkerProcess(bench.settings, log)
    try:
        healthy.wait_recovered()
        bench.wait_processed()
        wait_for(
            lambda: len(bench.triggers()) >= len(day.expected), 60, f"{len(day.expected)} triggers"
        )
        bench.wait_published()
        metrics = healthy.metrics()
    finally:
        code = healthy.stop()
    assert code == 0, healthy.tail()
    day.assert_exactly_once()
    return metrics
