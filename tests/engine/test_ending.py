"""How a worker ends: drained within ten seconds when asked, with a code that says why when not."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from streams.engine.engine import EXIT_DOUBT, EXIT_REFUSED
from streams.local.stack import LocalStack
from tests.conftest import settings_of
from tests.engine.conftest import make_bench
from tests.engine.harness import Bench, WorkerProcess
from tests.engine.scenario import ShopDay


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_drains(bench: Bench, tmp_path: Path, number: signal.Signals) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    worker.wait_recovered()
    day = ShopDay(bench, customers=20)
    day.morning()
    bench.wait_processed()
    began = time.monotonic()
    worker.signal(number)
    assert worker.wait(20) == 0
    assert time.monotonic() - began < 10
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
            began = time.monotonic()
            worker.signal(signal.SIGTERM)
            assert worker.wait(20) == 0
            assert time.monotonic() - began < 10
        finally:
            os.kill(broker, signal.SIGCONT)


def test_asked_to_end_while_it_starts_it_ends(bench: Bench, tmp_path: Path) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    worker.wait_for_log("worker starts")
    worker.signal(signal.SIGTERM)
    assert worker.wait(20) == 0


def test_without_a_code_key_it_is_refused(bench: Bench, tmp_path: Path) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log", HUITOU_CODE_KEY="")
    assert worker.wait() == EXIT_REFUSED
    assert "HUITOU_CODE_KEY" in worker.tail()


def test_without_redis_it_says_so_and_ends(bench: Bench, tmp_path: Path) -> None:
    began = time.monotonic()
    worker = WorkerProcess(
        bench.settings, tmp_path / "worker.log", REDIS_URL=f"redis://{_nobody()}/0"
    )
    assert worker.wait() == EXIT_DOUBT
    assert time.monotonic() - began < 30
    assert "Redis" in worker.tail() or "redis" in worker.tail()


def test_without_kafka_it_says_so_and_ends(bench: Bench, tmp_path: Path) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log", KAFKA_BOOTSTRAP=_nobody())
    assert worker.wait(60) == EXIT_DOUBT
    assert "Kafka" in worker.tail()


def test_topics_that_differ_are_refused(bench: Bench, tmp_path: Path) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log", HUITOU_PARTITIONS="4")
    assert worker.wait() == EXIT_REFUSED
    assert "shop.clicks" in worker.tail()


def _nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{held.getsockname()[1]}"
