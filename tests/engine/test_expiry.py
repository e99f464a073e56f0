"""States that go by a timer: once, whatever becomes of the worker or of Redis meanwhile."""

import time
from pathlib import Path

import pytest

from streams.engine.crashpoints import EXIT_CODE
from tests.engine.harness import Bench, Snapshot, TestClock, WorkerProcess, moment, run_cli
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

DAY_MS = 86_400_000
PATIENCE = 180
#: Of every partition some.
NAMES = [f"{number:03d}" for number in range(40)]


@pytest.mark.parametrize("spec", ["after-timers", "before-commit:2"])
def test_visitors_go_once_and_customers_stay(bench: Bench, tmp_path: Path, spec: str) -> None:
    """Through a crash at the commits that remove them, a Redis that lost these, and a rebuild."""
    log = tmp_path / "worker.log"
    start = int(time.time() * 1000) - 3_600_000
    clock = TestClock(bench, start, start + 60 * DAY_MS)
    first = WorkerProcess(bench.settings, log)
    for number, name in enumerate(NAMES):
        at = _moment(start + number * 1000)
        view = {"action": "view", "sku": "s1"}
        bench.send("shop.clicks", f"v{name}", view, id=f"v{name}", time=at)
        paid = {"order_id": f"o{name}", "status": "paid", "amount_paid": 100}
        bench.send("shop.orders", f"c{name}", paid, id=f"c{name}", time=at)
    bench.flush()
    clock.tick(start + 7_200_000)
    bench.wait_processed(PATIENCE)
    wait_for(lambda: len(bench.triggers()) == len(NAMES), PATIENCE, "a coupon each")
    bench.wait_published(PATIENCE)
    assert first.stop() == 0
    assert _customers(bench) == {f"{kind}{name}" for kind in "vc" for name in NAMES}
    early = Snapshot(bench)

    clock.tick(start + 32 * DAY_MS)
    crashing = WorkerProcess(bench.settings, log, HUITOU_CRASH=spec)
    assert crashing.wait(PATIENCE) == EXIT_CODE, crashing.tail()
    _wait_gone(bench, log, clock, start + 32 * DAY_MS)
    _assert_whole(bench)
    after = _states(bench)

    early.put_back()
    _wait_gone(bench, log, clock, start + 32 * DAY_MS)
    assert _states(bench) == after
    rebuilt = run_cli(bench.settings, "rebuild", "--yes")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert _states(bench) == after
    _assert_whole(bench)

    shown = run_cli(bench.settings, "customer", f"v{NAMES[0]}", "--shop", "shop")
    assert (shown.returncode, "is unknown" in shown.stderr) == (1, True)
    worker = WorkerProcess(bench.settings, log)
    try:
        # Nothing is remembered of a visitor who is back: they are as good as new.
        view, now = {"action": "view", "sku": "s1"}, _moment(start + 32 * DAY_MS)
        bench.send("shop.clicks", f"v{NAMES[0]}", view, id="back", time=now)
        bench.flush()
        bench.wait_processed(PATIENCE)
        bench.wait_published(PATIENCE)
        assert _customers(bench) - {f"c{name}" for name in NAMES} == {f"v{NAMES[0]}"}
        assert worker.stop() == 0
    finally:
        worker.kill()
    _assert_whole(bench)


def _moment(time_ms: int) -> str:
    return moment(time_ms / 1000, start="1970-01-01T00:00:00")


def _wait_gone(bench: Bench, log: Path, clock: TestClock, now_ms: int) -> None:
    worker = WorkerProcess(bench.settings, log)
    try:
        worker.wait_recovered(PATIENCE)
        # Where the worker crashed after the commit of the tick, nothing comes any more that it would act on.
        clock.tick(now_ms)
        customers = {f"c{name}" for name in NAMES}
        wait_for(lambda: _customers(bench) == customers, PATIENCE, "all visitors gone")
        bench.wait_published(PATIENCE)
        assert worker.stop() == 0
        bench.wait_published(PATIENCE)
    finally:
        worker.kill()


def _states(bench: Bench) -> dict[bytes, bytes]:
    pattern = f"{bench.settings.redis_prefix}*state:*"
    return {key: bench.redis.get(key) for key in bench.redis.scan_iter(match=pattern, count=1_000)}


def _customers(bench: Bench) -> set[str]:
    return {key.decode().rpartition("/")[2] for key in _states(bench)}


def _assert_whole(bench: Bench) -> None:
    """Each coupon once, each removal in the journal once, and Redis as the log has it."""
    triggers = [trigger["id"] for trigger in bench.triggers()]
    assert (len(triggers), len(set(triggers))) == (len(NAMES), len(NAMES))
    removed = [
        key for rows in bench.journal().values() for row in rows for key in row.expired or ()
    ]
    assert sorted(removed) == [f"shop/v{name}" for name in NAMES]
    verified = run_cli(bench.settings, "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
