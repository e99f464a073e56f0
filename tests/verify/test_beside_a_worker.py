"""Verify while a worker goes on: each partition is compared at commits of its own."""

import itertools
import threading
from pathlib import Path

from streams.settings import Settings
from streams.topics import create_topics
from streams.verify.verify import verify
from tests.engine.harness import Bench, TestClock, WorkerProcess, moment
from tests.engine.scenario import START_MS
from tests.waiting import wait_for

CUSTOMERS = 200
ROUNDS = 4


class Traffic(threading.Thread):
    """Views and carts of all customers without end; half of the carts are left, so timers fire."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        self._clock = TestClock(bench, START_MS, START_MS + 86_400_000)
        self._stopping = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            minute = 0
            while not self._stopping.wait(0.05):
                self._minute(minute)
                minute += 1
            self._clock.close(START_MS + (minute + 60) * 60_000)
        except BaseException as error:
            self.failure = error
            raise

    def _minute(self, minute: int) -> None:
        for number in range(minute % 10, CUSTOMERS, 10):
            name, time = f"c{number:03d}", moment(minute * 60 + number % 60)
            click = {"action": "view", "sku": f"s{minute % 7}"}
            self._bench.send("shop.clicks", name, click, id=f"v{minute}-{name}", time=time)
            if (minute // 10 + number) % 4 == 0:
                line = {"action": "add", "sku": "s1"}
                self._bench.send("shop.carts", name, line, id=f"a{minute}-{name}", time=time)
        self._clock.tick(START_MS + minute * 60_000)

    def stop(self) -> None:
        self._stopping.set()
        self.join(60)


def _went_on(bench: Bench, seqs: list[dict[int, int]], compared: list[int]) -> bool:
    """Whether each partition has committed since the last round, and triggers were published since."""
    if not seqs:
        return True
    later = all(bench.store.stored(number).position.seq > seq for number, seq in seqs[-1].items())
    return later and len(bench.triggers()) > compared[-1]


def test_every_partition_agrees_while_the_worker_goes_on(
    settings: Settings, tmp_path: Path
) -> None:
    create_topics(settings)
    bench = Bench(settings)
    worker = WorkerProcess(settings, tmp_path / "log")
    traffic = Traffic(bench)
    try:
        worker.wait_recovered()
        traffic.start()
        seqs: list[dict[int, int]] = []
        compared: list[int] = []
        for _ in range(ROUNDS):
            # Each round at later commits of every partition and with more triggers than the one before.
            wait_for(lambda: _went_on(bench, seqs, compared), message="the worker to go on")
            report = verify(settings)
            assert report.differences == []
            assert report.agree
            seqs.append(report.seqs)
            compared.append(report.triggers.compared)
        traffic.stop()
        assert traffic.failure is None
        bench.wait_processed()
        # It did: what was compared are those commits and those triggers.
        for before, after in itertools.pairwise(seqs):
            assert all(after[partition] > before[partition] for partition in before)
        assert compared == sorted(set(compared))
        assert worker.stop() == 0
        bench.wait_published()
        final = verify(settings)
        assert final.agree, final.differences
        assert final.events == sum(bench.published.values())
        assert final.states.compared == CUSTOMERS
    finally:
        traffic.stop()
        worker.kill()
