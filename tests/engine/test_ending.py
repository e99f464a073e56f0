"""How a worker ends: drained within ten seconds when asked, with a code that says why when not."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.engine.engine import EXIT_DOUBT, EXIT_REFUSED
from streams.local.stack import LocalStack
from tests.conftest import settings_of
from tests.engine.conftest import make_bench
from tests.engine.harness import Bench, WorkerProcess
from tests.engine.scenario import ShopDay

#: DRAIN_DEADLINE is the worker's own, and a busy machine adds to it; a call to Kafka that hangs would be
#: waited for 30 s.
ENDS_WITHIN = 25.0


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens, nor will: it is held."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_drains(bench: Bench, tmp_path: Path, number: signal.Signals) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    worker.wait_recovered()
    day = ShopDay(bench, customers=20)
    day.morning()
    bench.wait_processed()
    worker.signal(number)
    assert worker.wait(ENDS_WITHIN) == 0
    kafka = bench.kafka_positions()
    assert all(bench.store.stored(n).position.seq == kafka[n].seq for n in kafka)


@pytest.mark.long
def test_asked_to_end_while_kafka_hangs_it_ends_all_the_same(tmp_path: Path) -> None:
    with LocalStack(tmp_path / "stack") as stack:
        bench = make_bench(settings_of(stack.kafka, stack.redis_url, "hang."))
        worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
        worker.wait_recovered()
        day = ShopDay(bench, customers=20)
        day.morning()
        bench.wait_processed()
        broker = stack.kafka_process.pid
        assert broker is not None
        os.kill(broker, signal.SIGSTOP)
        try:
            worker.signal(signal.SIGTERM)
            assert worker.wait(ENDS_WITHIN) == 0
        finally:
            os.kill(broker, signal.SIGCONT)


def test_asked_to_end_while_it_starts_it_ends(bench: Bench, tmp_path: Path) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    worker.wait_for_log("worker starts")
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0


def test_without_a_code_key_it_is_refused(bench: Bench, tmp_path: Path) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log", HUITOU_CODE_KEY="")
    assert worker.wait() == EXIT_REFUSED
    assert "HUITOU_CODE_KEY" in worker.tail()


def test_without_redis_it_says_so_and_ends(bench: Bench, tmp_path: Path, nobody: str) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log", REDIS_URL=f"redis://{nobody}/0")
    assert worker.wait() == EXIT_DOUBT
    assert "Redis" in worker.tail() or "redis" in worker.tail()


def test_without_kafka_it_says_so_and_ends(bench: Bench, tmp_path: Path, nobody: str) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log", KAFKA_BOOTSTRAP=nobody)
    assert worker.wait(90) == EXIT_DOUBT
    assert "Kafka" in worker.tail()


def test_topics_that_differ_are_refused(bench: Bench, tmp_path: Path) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log", HUITOU_PARTITIONS="4")
    assert worker.wait() == EXIT_REFUSED
    assert "shop.clicks" in worker.tail()
