"""A data set through Kafka, workers and Redis: every figure and every coupon, whatever goes wrong."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import CUSTOMER_TOPICS
from streams.domain.describe import describe
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.engine.log import LogReader
from streams.settings import Settings
from streams.state.codec import decode
from tests.e2e import samples
from tests.engine.conftest import make_bench
from tests.engine.harness import Bench, WorkerProcess, environment, ids, run_cli
from tests.oracle.expected import Expected, expect
from tests.oracle.taobao import AFTER, FIRST, rows
from tests.taobao import sample_file
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]


def slowly(oracle: Expected) -> dict[str, str]:
    """Polls so small that there are a thousand cycles to strike in, with a backlog to the end."""
    return {"HUITOU_MAX_POLL_RECORDS": str(sum(oracle.events.values()) // 1_000)}


@pytest.fixture(scope="module", params=["taobao", "made"])
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "taobao":
        return sample_file()
    return samples.made(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def oracle(sample: Path) -> Expected:
    return expect(samples.published(sample))


@pytest.fixture
def bench(settings: Settings) -> Bench:
    return make_bench(settings)


@pytest.fixture
def workers(bench: Bench, tmp_path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    started: list[WorkerProcess] = []

    def start(slot: int = 0, **overrides: str) -> WorkerProcess:
        log = tmp_path / f"worker-{slot}-{len(started)}.log"
        started.append(WorkerProcess(bench.settings, log, HUITOU_SLOT=str(slot), **overrides))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


class Replay:
    """`huitou replay taobao` beside the workers."""

    def __init__(self, bench: Bench, sample: Path, *options: str) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streams.cli.main",
                "replay",
                "taobao",
                str(sample),
                *options,
                "--json",
            ],
            env=environment(bench.settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self) -> None:
        output, errors = self._process.communicate(timeout=200)
        assert self._process.returncode == 0, output + errors

    def running(self) -> bool:
        return self._process.poll() is None


def test_figures_and_coupons(
    bench: Bench, workers: Callable[..., WorkerProcess], sample: Path, oracle: Expected
) -> None:
    worker = workers()
    replay = Replay(bench, sample)
    replay.finish()
    _assert_all_of_it(bench, oracle)
    assert worker.stop() == 0


def test_the_known_figures_of_the_sample(
    bench: Bench, workers: Callable[..., WorkerProcess]
) -> None:
    """Over its own nine days in China, as Redis has them after a replay."""
    sample = sample_file()
    whole = list(rows(sample))
    assert len(whole) == 84_475
    inside = [row for row in whole if FIRST <= row.second < AFTER]
    assert len(inside) == 84_440
    worker = workers()
    Replay(bench, sample, "--since", str(FIRST), "--before", str(AFTER)).finish()
    wait_for(lambda: bench.processed() >= len(inside), 100, "the window processed")
    states = _states(bench).values()
    actions = [state["browsing"]["actions"] for state in states]
    orders = [state["orders"]["paid"] for state in states]
    assert sum(each["view"] > 0 for each in actions) == 813
    assert sum(each["favorite"] > 0 for each in actions) == 305
    assert sum(state["cart"]["adds"] > 0 for state in states) == 601
    assert sum(paid > 0 for paid in orders) == 559
    assert sum(paid >= 2 for paid in orders) == 373
    assert run_cli(bench.settings, "verify", "--json").returncode == 0
    assert worker.stop() == 0


def test_one_worker_killed_and_one_frozen(
    bench: Bench, workers: Callable[..., WorkerProcess], sample: Path, oracle: Expected
) -> None:
    first, second = workers(0, **slowly(oracle)), workers(1, **slowly(oracle))
    first.wait_recovered()
    second.wait_recovered()
    replay = Replay(bench, sample)
    total = sum(oracle.events.values())
    _strike(bench, first, signal.SIGKILL, at=total // 10)
    third = workers(0, **slowly(oracle))
    # What the killed one owned waits until its session ends, so there is lag for the second strike.
    _strike(bench, second, signal.SIGSTOP, at=bench.processed() + total // 20)
    everything = list(range(bench.settings.partitions))
    wait_for(
        lambda: any(line.get("partitions") == everything for line in _recoveries(third)),
        120,
        "the third worker to own everything",
    )
    second.signal(signal.SIGCONT)
    assert second.wait(120) != 0
    doubt = second.logged("doubt")
    assert doubt is not None, second.tail()
    assert any(word in str(doubt["error"]) for word in ("refused", "Publisher", "Gap")), doubt
    replay.finish()
    _assert_all_of_it(bench, oracle)
    assert third.stop() == 0


def test_topics_shuffled_against_each_other(
    bench: Bench, workers: Callable[..., WorkerProcess], sample: Path, oracle: Expected
) -> None:
    worker = workers()
    replay = Replay(bench, sample, "--shuffle", "7")
    replay.finish()
    _assert_all_of_it(bench, oracle)
    assert worker.stop() == 0


def test_a_cache_that_holds_one_in_a_hundred(
    bench: Bench, workers: Callable[..., WorkerProcess], sample: Path, oracle: Expected
) -> None:
    worker = workers(HUITOU_CACHE_STATES=str(len(oracle.customers) // 100), **slowly(oracle))
    replay = Replay(bench, sample)
    replay.finish()
    _assert_all_of_it(bench, oracle)
    metrics = worker.metrics()
    assert metrics["shop_state_cache_evictions_total"] > len(oracle.customers)
    assert metrics["shop_state_cache_misses_total"] > 2 * len(oracle.customers)
    assert worker.stop() == 0


def _recoveries(worker: WorkerProcess) -> list[dict[str, object]]:
    return [line for line in worker.lines() if line.get("message") == "recovered"]


def _strike(bench: Bench, worker: WorkerProcess, with_signal: signal.Signals, *, at: int) -> None:
    """Strike once ``at`` records are processed, while there is lag and an outbox that is not empty."""
    with LogReader(bench.settings.kafka_bootstrap) as log:

        def moment() -> bool:
            return bench.processed() >= at and _waiting(bench) > 0 and _lag(bench, log) > 0

        wait_for(moment, 120, "lag and an outbox that is not empty")
    os.kill(worker.process.pid, with_signal)


def _waiting(bench: Bench) -> int:
    """Commits in the outboxes."""
    numbers = range(bench.settings.partitions)
    return sum(bench.redis.xlen(bench.store.keys(number).out) for number in numbers)


def _lag(bench: Bench, log: LogReader) -> int:
    """Records that are written and not processed."""
    topics = [bench.prefix + topic for topic in CUSTOMER_TOPICS]
    numbers = range(bench.settings.partitions)
    ends = log.high_watermarks([(topic, number) for topic in topics for number in numbers])
    return sum(ends.values()) - bench.processed()


def _assert_all_of_it(bench: Bench, oracle: Expected) -> None:
    total = sum(oracle.events.values()) + sum(oracle.duplicates.values())
    wait_for(lambda: bench.processed() >= total, 200, f"{total} records processed")
    wait_for(
        lambda: len(bench.triggers()) >= len(oracle.triggers),
        60,
        f"{len(oracle.triggers)} triggers",
    )
    bench.wait_published()
    assert bench.processed() == total
    assert bench.counted("applied") == sum(oracle.events.values())
    assert bench.counted("dead_letter") == 0
    assert ids(bench.triggers()) == sorted(oracle.triggers)
    states = _states(bench)
    assert states.keys() == {f"{shop}/{customer}" for shop, customer in oracle.customers}
    for (shop, customer), expected in oracle.customers.items():
        found = states[f"{shop}/{customer}"]
        actions = found["browsing"]["actions"]
        assert actions["view"] == expected.views
        assert actions["favorite"] == expected.favourites
        assert found["cart"]["adds"] == expected.cart_adds
        assert found["orders"]["paid"] == expected.orders_paid
    verified = run_cli(bench.settings, "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _states(bench: Bench) -> dict[str, dict[str, Any]]:
    """State key -> described state, of every customer in Redis."""
    states = {}
    keys = list(bench.redis.scan_iter(match=f"{bench.settings.redis_prefix}*state:*", count=2_000))
    for key, value in zip(keys, bench.redis.mget(keys), strict=True):
        state: CustomerState = decode(value)
        states[key.decode().split("state:", 1)[1]] = describe(
            state, ShopSettings(shop_id=state.shop_id)
        )
    return states
