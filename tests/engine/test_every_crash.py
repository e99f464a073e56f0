"""The twelve crash points, each at every one of its passings in a short run, in one history.

First a worker that says what it passes does the run to its end; that tells how often each point is
passed. Then workers die, one after the other, at the first passing of a point, at its second ... and the
next one goes on with what is there. At the end a healthy one does the rest, and all of it must be right.
"""

import re
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.engine.crashpoints import EXIT_CODE, POINTS
from streams.settings import Settings
from tests.engine.conftest import make_bench
from tests.engine.harness import Bench, Snapshot, TestClock, WorkerProcess, ids, moment, run_cli
from tests.engine.scenario import HALF_HOUR, START_MS, trigger_id
from tests.waiting import wait_for

#: Few, so that a wave is few commits.
PARTITIONS = 2
#: Within so many waves a worker usually passes each point as often as one that was counted did in its only
#: one; how many commits share a transaction is the publisher's affair, so some take more.
WAVES = 4
#: Customers of a wave.
CUSTOMERS = 4
#: The points that every wave passes while a tool holds the clock.
IN_A_WAVE = (
    "after-claim", "before-commit", "after-commit", "after-timers", "after-begin", "after-produce",
    "after-offsets", "after-transaction", "after-trim",
)  # fmt: skip
#: While a tool holds the clock there are none; afterwards there is one a second.
TICKS = 3
#: Seconds, in which something must move on.
PATIENCE = 120.0


class Run:
    """A stream of waves: customers who each leave a cart, and the half hour that makes it abandoned."""

    def __init__(self, bench: Bench, log: Path) -> None:
        self.bench = bench
        self.log = log
        self.clock = TestClock(bench, START_MS, START_MS + 30 * 86_400_000)
        self.expected: list[str] = []
        self.seconds = 0
        #: (point, passing) of each crash.
        self.crashes: list[tuple[str, int]] = []

    def send_wave(self) -> None:
        for number in range(CUSTOMERS):
            name = f"c{len(self.expected)}"
            at = self.seconds + number
            self.bench.send(
                "shop.carts", name, {"action": "add", "sku": "s1"}, id=name, time=moment(at)
            )
            since = START_MS + at * 1_000
            self.expected.append(trigger_id("abandoned-cart", name, f"s1;;1;{since}"))
        self.bench.flush()

    def pass_time(self) -> None:
        self.seconds += 2 * HALF_HOUR
        self.clock.tick(START_MS + self.seconds * 1_000)

    def worker(self, crash: str = "", build: str = "") -> WorkerProcess:
        return WorkerProcess(self.bench.settings, self.log, build=build, HUITOU_CRASH=crash)

    def waves(self, worker: WorkerProcess, most: int) -> None:
        """Waves, each done before the next, until the worker dies or ``most`` are done."""
        for _ in range(most):
            self.events(worker)
            self.timers(worker)
            if worker.process.poll() is not None:
                return

    def events(self, worker: WorkerProcess) -> None:
        """The first half of a wave."""
        self.send_wave()
        self._until(worker, lambda: self.bench.processed() >= len(self.expected))

    def timers(self, worker: WorkerProcess) -> None:
        """Its second half."""
        self.pass_time()
        self._until(worker, lambda: len(self.bench.triggers()) >= len(self.expected))

    def _until(self, worker: WorkerProcess, done: Callable[[], bool]) -> None:
        wait_for(lambda: worker.process.poll() is not None or done(), PATIENCE, "a part of a wave")

    def died(self, worker: WorkerProcess, point: str, passing: int) -> None:
        assert worker.wait(PATIENCE) == EXIT_CODE, f"{point}:{passing}\n{worker.tail()}"
        self.crashes.append((point, passing))


def passed(worker: WorkerProcess) -> Counter[str]:
    """What a worker of the build `counting` has said so far."""
    text = worker.log.read_text(errors="replace")
    return Counter(re.findall(r"^passed ([a-z-]+)$", text, re.MULTILINE))


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_a_crash_at_every_passing_of_every_point(settings: Settings, tmp_path: Path) -> None:
    settings.partitions = PARTITIONS
    run = Run(make_bench(settings), tmp_path / "worker.log")
    # A successor waits until the group has given the dead one up.
    settings.session_timeout = 3.0
    bench = run.bench
    counts = _count_and_crash_in_replays(run, tmp_path / "counting.log")
    for point in IN_A_WAVE:
        for passing in range(1, counts[point] + 1):
            _crash_in_waves(run, point, passing)
    _crash_in_drains(run)
    run.clock.close(START_MS + (run.seconds + 1) * 1_000)
    for passing in range(1, TICKS + 1):
        run.died(run.worker(f"after-tick:{passing}"), "after-tick", passing)
    healthy = run.worker()
    healthy.wait_recovered(PATIENCE)
    bench.wait_processed(PATIENCE)
    wait_for(lambda: len(bench.triggers()) >= len(run.expected), PATIENCE, "all triggers")
    bench.wait_published(PATIENCE)
    assert healthy.stop() == 0, healthy.tail()

    hits = Counter(point for point, _ in run.crashes)
    for point in POINTS:
        print(f"{point:<20}{counts[point]:>4} passings counted, {hits[point]:>3} crashes")
    assert set(hits) == set(POINTS)
    assert ids(bench.triggers()) == sorted(run.expected)
    assert bench.counted("applied") == len(run.expected)
    verified = run_cli(settings, "verify", "--json", timeout=PATIENCE)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _count_and_crash_in_replays(run: Run, log: Path) -> Counter[str]:
    """A wave without a crash, under a tool's clock, and how often each point is passed in it.

    Then Redis loses its second half, again and again: each worker dies a row further on than the one
    before it.
    """
    bench = run.bench
    worker = WorkerProcess(bench.settings, log, build="counting")
    worker.wait_recovered(PATIENCE)
    run.events(worker)
    bench.wait_published(PATIENCE)
    half = Snapshot(bench)
    run.timers(worker)
    bench.wait_published(PATIENCE)
    assert worker.stop() == 0, worker.tail()
    bench.wait_published(PATIENCE)
    counts = passed(worker)
    rows = sum(position.seq for position in bench.kafka_positions().values())
    half.put_back()
    counts["in-replay"] = rows - sum(
        bench.store.stored(number).position.seq for number in range(PARTITIONS)
    )
    for passing in range(1, counts["in-replay"] + 1):
        half.put_back()
        run.died(run.worker(f"in-replay:{passing}"), "in-replay", passing)
    return counts


def _crash_in_waves(run: Run, point: str, passing: int) -> None:
    worker = run.worker(f"{point}:{passing}")
    # But for a claim, each wave passes each point at least once.
    run.waves(worker, WAVES if point == "after-claim" else WAVES + passing)
    if point == "after-claim" and passing > 1 and worker.process.poll() is None:
        # How often a starting worker is given its partitions is the group's affair.
        assert worker.stop() == 0, worker.tail()
        return
    run.died(worker, point, passing)


def _crash_in_drains(run: Run) -> None:
    """At the release before the first assignment, and at the one that ends a worker."""
    run.died(run.worker("in-drain:1"), "in-drain", 1)
    worker = run.worker("in-drain:2")
    worker.wait_recovered(PATIENCE)
    run.send_wave()
    worker.signal(signal.SIGTERM)
    run.died(worker, "in-drain", 2)
    run.pass_time()
