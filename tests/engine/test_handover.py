"""A visitor's state goes to the customer's partition exactly once, whatever dies in between."""

import random
from pathlib import Path

import pytest

from streams.engine.crashpoints import EXIT_CODE
from streams.engine.engine import EXIT_DOUBT
from streams.settings import Settings
from tests.domain.events import START
from tests.engine.conftest import make_bench
from tests.engine.handing_over import (
    PATIENCE,
    assert_handed_over,
    is_level,
    pairs,
    send,
    state_of,
    told,
    wait_all_processed,
)
from tests.engine.harness import Bench, Snapshot, TestClock, WorkerProcess, run_cli
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture
def bench(settings: Settings) -> Bench:
    """Two partitions, and a clock that fires no timer."""
    settings.partitions = 2
    made = make_bench(settings)
    TestClock(made, START - 1, START + 1)
    return made


def _verified(bench: Bench) -> None:
    verified = run_cli(bench.settings, "verify", "--json", timeout=PATIENCE)
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.mark.parametrize(
    "crash",
    [
        "", "before-commit", "after-commit", "after-begin", "after-produce", "after-offsets",
        "after-transaction", "after-trim",
    ],
)  # fmt: skip
def test_two_workers_and_a_crash(bench: Bench, tmp_path: Path, crash: str) -> None:
    """Whoever passes the point dies, and is started again, as a supervisor does."""
    made, codes = pairs(bench), list[int]()
    workers = [_worker(bench, tmp_path, slot, crash) for slot in range(2)]

    def done() -> bool:
        for slot, worker in enumerate(workers):
            code = worker.process.poll()
            if code is not None:
                assert code in (EXIT_CODE, EXIT_DOUBT), worker.tail()
                codes.append(code)
                workers[slot] = _worker(bench, tmp_path, slot)
        return bench.processed() >= sum(bench.published.values()) and is_level(bench)

    events = [one for pair in made for one in (*pair.before, *pair.after)]
    random.Random(crash).shuffle(events)
    for at in range(0, len(events), 40):
        send(bench, events[at : at + 40])
        wait_for(done, PATIENCE, "all that was sent, and told, to be folded")
    assert_handed_over(bench, made)
    assert not crash or EXIT_CODE in codes
    for worker in workers:
        worker.wait_recovered(PATIENCE)
        assert worker.stop() in (0, EXIT_DOUBT), worker.tail()
    last = _worker(bench, tmp_path, 0)
    last.wait_recovered(PATIENCE)  # one that has only just been started does not know SIGTERM yet
    wait_all_processed(bench)
    assert last.stop() == 0, last.tail()
    bench.wait_published(PATIENCE)
    assert_handed_over(bench, made)
    _verified(bench)


def _worker(bench: Bench, folder: Path, slot: int, crash: str = "") -> WorkerProcess:
    log = folder / f"worker{slot}.log"
    return WorkerProcess(bench.settings, log, HUITOU_CRASH=crash, HUITOU_SLOT=str(slot))


def test_a_redis_that_lost_a_suffix_sends_nothing_again(bench: Bench, tmp_path: Path) -> None:
    """Repeated by the build that wrote it, adopted by another, and rebuilt from nothing."""
    made, log = pairs(bench), tmp_path / "worker.log"
    worker = WorkerProcess(bench.settings, log)
    send(bench, [one for pair in made for one in pair.before], random.Random(1))
    wait_all_processed(bench)
    early = Snapshot(bench)
    send(bench, [one for pair in made for one in pair.after], random.Random(2))
    wait_all_processed(bench)
    assert worker.stop() == 0
    bench.wait_published(PATIENCE)
    assert_handed_over(bench, made)
    facts = told(bench)

    for build, case in (("", "replayed"), ("other", "adopted")):
        bench.wait_no_members(PATIENCE)
        early.put_back()
        again = WorkerProcess(bench.settings, log, build=build)
        wait_for(lambda w=again: w.logged("recovered"), PATIENCE, "the recovery")
        wait_all_processed(bench)
        assert again.metrics()[f'shop_recoveries_total{{case="{case}"}}'] >= 1
        assert_handed_over(bench, made)
        assert again.stop() == 0
        assert told(bench) == facts

    before = {
        name: state_of(bench, name) for pair in made for name in (pair.customer, pair.visitor)
    }
    for key in bench.redis.scan_iter(match=f"{bench.settings.redis_prefix}*"):
        bench.redis.delete(key)
    rebuilt = run_cli(bench.settings, "rebuild", "--yes", timeout=PATIENCE)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert {name: state_of(bench, name) for name in before} == before
    assert told(bench) == facts
    _verified(bench)


def test_facts_of_another_build_are_verified(bench: Bench, tmp_path: Path) -> None:
    """What it told is in the digests of its rows, among triggers that this build would not issue."""
    made = pairs(bench)
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log", build="other")
    send(bench, [one for pair in made for one in (*pair.before, *pair.after)], random.Random(3))
    wait_all_processed(bench)
    assert worker.stop() == 0
    bench.wait_published(PATIENCE)
    assert_handed_over(bench, made)
    assert bench.triggers()
    _verified(bench)
