"""The supervisor: workers that end are started again, more slowly each time, and end in order."""

import os
import signal
import sys
from pathlib import Path

import pytest

from streams.supervisor import REFUSED, Backoff, Supervisor
from tests.waiting import wait_for

QUICK = Backoff(first=0.01, longest=0.04, healthy=30.0, refused=0.05)
#: Drains on SIGTERM, as a worker does.
LIVES = (
    "import os, signal, sys\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('drained', flush=True)))\n"
    "print('slot', os.environ['HUITOU_SLOT'], os.environ['HUITOU_METRICS_PORT'], flush=True)\n"
    "while True: signal.pause()\n"
)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def expect(log: Path, words: str) -> None:
    wait_for(lambda: words in read(log), message=f"{words!r} in {log}")


class TestBackoff:
    def test_it_doubles_up_to_the_longest(self) -> None:
        pauses, last = [], None
        for _ in range(7):
            last = Backoff().pause(1, 0.1, last)
            pauses.append(last)
        assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]

    def test_a_worker_that_lived_starts_over(self) -> None:
        assert Backoff().pause(1, 30.0, 8.0) == 0.5

    def test_a_refusal_waits_for_the_operator(self) -> None:
        assert Backoff().pause(REFUSED, 0.1, None) == 10.0


def test_each_worker_has_its_slot_and_port_and_drains_at_the_end(tmp_path: Path) -> None:
    with Supervisor(
        2, {}, metrics_port=9100, log_folder=tmp_path, command=python(LIVES), backoff=QUICK
    ) as supervisor:
        for slot in (0, 1):
            expect(tmp_path / f"worker-{slot}.log", f"slot {slot} {9100 + slot}")
        assert all(supervisor.pids)
    assert supervisor.pids == [None, None]
    assert supervisor.restarts == 0
    for slot in (0, 1):
        assert "drained" in read(tmp_path / f"worker-{slot}.log")


def test_a_worker_that_is_killed_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor(1, {}, command=python(LIVES), backoff=QUICK, say=said.append) as supervisor:
        first = wait_for(lambda: supervisor.pids[0], message="the worker to start")
        os.kill(first, signal.SIGKILL)
        second = wait_for(lambda: supervisor.pids[0] not in (None, first) and supervisor.pids[0])
    assert second != first
    assert supervisor.restarts == 1
    assert "worker 0 was ended by SIGKILL" in said[0]
    assert "starting it again in 0.01 s" in said[0]


def test_a_process_beside_the_workers_is_restarted_and_drained_too(tmp_path: Path) -> None:
    beside = LIVES.replace("os.environ['HUITOU_SLOT']", "os.getpid()").replace(
        "os.environ['HUITOU_METRICS_PORT']", "os.environ.get('HUITOU_SLOT')"
    )
    said: list[str] = []
    log = tmp_path / "sink.log"
    with Supervisor(
        1, {}, log_folder=tmp_path, command=python(LIVES), beside={"sink": python(beside)},
        backoff=QUICK, say=said.append,
    ):  # fmt: skip
        expect(tmp_path / "worker-0.log", "slot 0")
        expect(log, "slot ")
        os.kill(int(read(log).split()[1]), signal.SIGKILL)
        wait_for(lambda: read(log).count("slot") == 2, message="its restart")
    assert "sink was ended by SIGKILL" in said[0]
    assert "drained" in read(log)
    assert read(log).split()[2] == "None", "slots are the workers'"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; print('no seq, no trust'); sys.exit(3)", "ended with exit code 3"),
        ("import sys; print('no seq, no trust'); sys.exit(78)", "refuses to start"),
    ],
)
def test_a_worker_that_ends_itself_is_restarted_with_its_last_words(
    tmp_path: Path, code: str, words: str
) -> None:
    said: list[str] = []
    with Supervisor(
        1, {}, log_folder=tmp_path, command=python(code), backoff=QUICK, say=said.append
    ) as supervisor:
        wait_for(lambda: supervisor.restarts >= 2, message="two restarts")
    assert words in said[0]
    assert "no seq, no trust" in said[0]


def test_a_worker_that_does_not_drain_is_killed(tmp_path: Path) -> None:
    said: list[str] = []
    stubborn = LIVES.replace("lambda *_: sys.exit(print('drained', flush=True))", "signal.SIG_IGN")
    supervisor = Supervisor(
        1, {}, log_folder=tmp_path, command=python(stubborn), backoff=QUICK, say=said.append
    ).start()
    expect(tmp_path / "worker-0.log", "slot 0")
    supervisor.stop(timeout=0.2)
    assert supervisor.pids == [None]
    assert "killing it" in said[0]


def test_a_stop_during_a_pause_starts_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(
        1, {}, command=python("raise SystemExit(3)"), backoff=Backoff(first=600.0), say=said.append
    ).start()
    wait_for(lambda: said, message="the worker to end")
    supervisor.stop(timeout=5.0)
    assert supervisor.restarts == 0
    assert supervisor.pids == [None]
