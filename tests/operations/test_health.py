"""/livez, /readyz and /metrics as a probe and a Prometheus see them, over real HTTP."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from streams.operations.health import Health, HealthServer
from streams.operations.metrics import Metrics


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Worker:
    """A health server on a free port, with a clock that the test turns."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.health = Health(stall_after=10.0, clock=self.clock)
        self.metrics = Metrics()
        self.server = HealthServer(self.health, self.metrics, "127.0.0.1", 0)
        self.port = self.server.start()

    def request(self, path: str, method: str = "GET") -> tuple[int, bytes, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body, answer.headers["Content-Type"]

    def report(self, path: str) -> tuple[int, list[str]]:
        status, body, content_type = self.request(path)
        assert content_type == "application/json"
        report = json.loads(body)
        assert report["ok"] is (status == 200)
        return status, report["reasons"]

    def make_ready(self) -> None:
        for condition in ("joined", "recovered", "redis", "kafka"):
            self.health.set(condition, True)


@pytest.fixture
def worker() -> Iterator[Worker]:
    started = Worker()
    yield started
    started.server.stop()


def test_alive_while_loop_and_poll_beat(worker: Worker) -> None:
    assert worker.report("/livez") == (200, [])
    worker.clock.now += 9
    worker.health.beat("loop")
    worker.health.beat("poll")
    worker.clock.now += 9
    assert worker.report("/livez") == (200, [])


@pytest.mark.parametrize(("standing", "turning"), [("loop", "poll"), ("poll", "loop")])
def test_dead_when_one_of_them_stands_still(worker: Worker, standing: str, turning: str) -> None:
    worker.clock.now += 10.5
    worker.health.beat(turning)
    status, reasons = worker.report("/livez")
    assert status == 503
    assert reasons == [f"{standing}: no progress for 10.5 s (limit 10 s)"]
    worker.health.beat(standing)
    assert worker.report("/livez") == (200, [])


def test_a_worker_that_never_polls_is_found_out(worker: Worker) -> None:
    worker.clock.now += 11
    assert worker.report("/livez")[0] == 503


def test_alive_says_nothing_of_redis_kafka_or_pauses(worker: Worker) -> None:
    worker.health.set("redis", False, "connection refused")
    worker.health.pause("partition", 3, "folding failed")
    assert worker.report("/livez") == (200, [])


def test_not_ready_until_everything_was_said_to_hold(worker: Worker) -> None:
    assert worker.report("/readyz") == (
        503,
        ["joined: not yet", "recovered: not yet", "redis: not yet", "kafka: not yet"],
    )
    worker.make_ready()
    assert worker.report("/readyz") == (200, [])


def test_not_ready_names_what_failed_and_why(worker: Worker) -> None:
    worker.make_ready()
    worker.health.set("redis", False, "redis 127.0.0.1:6379: connection refused")
    assert worker.report("/readyz") == (503, ["redis: redis 127.0.0.1:6379: connection refused"])
    worker.health.set("redis", True)
    assert worker.report("/readyz") == (200, [])


def test_not_ready_names_paused_topics_and_partitions(worker: Worker) -> None:
    worker.make_ready()
    worker.health.pause("shop.clicks", None, "610 of 1,000 are bad; run: huitou resume shop.clicks")
    worker.health.pause("partition", 3, "folding failed at shop.orders@17: KeyError")
    assert worker.report("/readyz") == (
        503,
        [
            "paused topic shop.clicks: 610 of 1,000 are bad; run: huitou resume shop.clicks",
            "paused partition 3: folding failed at shop.orders@17: KeyError",
        ],
    )
    worker.health.resume("shop.clicks", None)
    worker.health.resume("shop.clicks", None)
    (reason,) = worker.report("/readyz")[1]
    assert reason.startswith("paused partition 3: ")
    worker.health.resume("partition", 4)
    assert worker.report("/readyz")[1] == [reason]
    worker.health.resume("partition", 3)
    assert worker.report("/readyz") == (200, [])
    worker.health.pause("partition", 3, "again")
    worker.health.resume_all()
    assert worker.report("/readyz") == (200, [])


def test_metrics_are_served_as_prometheus_reads_them(worker: Worker) -> None:
    worker.metrics.events("shop.clicks", "applied").inc(120)
    status, body, content_type = worker.request("/metrics")
    assert status == 200
    assert content_type.startswith("text/plain; version=")
    assert b'shop_events_total{outcome="applied",topic="shop.clicks"} 120.0' in body


def test_head_has_the_status_without_a_body_and_other_paths_are_named(worker: Worker) -> None:
    assert worker.request("/readyz", "HEAD")[:2] == (503, b"")
    assert worker.request("/metrics?name=x")[0] == 200
    assert worker.request("/")[:2] == (404, b"/metrics /livez /readyz\n")


def test_one_silent_client_does_not_hold_up_another(worker: Worker) -> None:
    with socket.create_connection(("127.0.0.1", worker.port)):
        assert worker.report("/livez") == (200, [])


def test_concurrent_probes_and_pauses(worker: Worker) -> None:
    worker.make_ready()
    done = threading.Event()

    def churn() -> None:
        while not done.is_set():
            for partition in range(50):
                worker.health.pause("partition", partition, "x")
            worker.health.resume_all()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        statuses = {worker.request("/readyz")[0] for _ in range(50)}
    finally:
        done.set()
        thread.join()
    assert statuses <= {200, 503}


def test_stop_frees_the_port_and_may_be_repeated(worker: Worker) -> None:
    worker.server.stop()
    worker.server.stop()
    again = HealthServer(worker.health, worker.metrics, "127.0.0.1", worker.port)
    assert again.start() == worker.port
    again.stop()


def test_a_taken_port_is_an_error(worker: Worker) -> None:
    with pytest.raises(OSError, match="in use"):
        HealthServer(worker.health, worker.metrics, "127.0.0.1", worker.port).start()
