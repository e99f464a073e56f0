"""Runs worker processes and restarts those that end: what systemd or Kubernetes do elsewhere.

A worker ends itself on any doubt and recovers when it starts again, so whatever runs workers must
restart them. Every restart is said, with the exit code and the pause before it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

from streams.local.files import tail

#: What a worker is: a process of its own, in this Python.
WORKER_COMMAND = (sys.executable, "-m", "streams.cli.main", "worker")
SINK_COMMAND = (sys.executable, "-m", "streams.cli.main", "sink")
#: EX_CONFIG of sysexits.h: the worker refuses to start until an operator acts.
REFUSED = 78
#: Lines of its log that are said when a worker ended by itself.
_LAST_LINES = 10


@dataclass(frozen=True)
class Backoff:
    """Seconds to wait before a restart: ``first``, doubled each time up to ``longest``.

    A worker that lived ``healthy`` seconds starts over at ``first``; one that refused to start
    waits ``refused``, so as not to flood the log while an operator acts.
    """

    first: float = 0.5
    longest: float = 10.0
    healthy: float = 30.0
    refused: float = 10.0

    def pause(self, exit_code: int, lived: float, last: float | None) -> float:
        """The pause after a worker that lived ``lived`` seconds; ``last``: the pause before it."""
        if exit_code == REFUSED:
            return self.refused
        if last is None or lived >= self.healthy:
            return self.first
        return min(last * 2, self.longest)


class Supervisor:
    """``workers`` processes, each with a HUITOU_SLOT (0, 1, ...) and a metrics port of its own.

    ``environment`` goes over this process's own. ``metrics_port`` is slot 0's, the next slot has
    the next one; 0: each picks a free one and logs it. With ``log_folder`` a worker writes to
    ``worker-<slot>.log`` there, and its last lines are said when it ends; without one it shares
    this process's output. ``say`` gets whole messages, from any thread. ``beside``, name -> command, are
    processes that are kept running in the same way, one of each, with no slot.
    """

    def __init__(
        self,
        workers: int,
        environment: Mapping[str, str],
        *,
        metrics_port: int = 0,
        log_folder: Path | None = None,
        say: Callable[[str], None] | None = None,
        command: Sequence[str] = WORKER_COMMAND,
        beside: Mapping[str, Sequence[str]] = MappingProxyType({}),
        backoff: Backoff | None = None,
    ) -> None:
        self._say = say or _say_on_stderr
        self._workers = [
            _Worker(
                name=f"worker {slot}",
                command=command,
                environment={
                    **os.environ,
                    **environment,
                    "HUITOU_SLOT": str(slot),
                    "HUITOU_METRICS_PORT": str(metrics_port + slot if metrics_port else 0),
                },
                log=log_folder / f"worker-{slot}.log" if log_folder else None,
                say=self._say,
                backoff=backoff or Backoff(),
            )
            for slot in range(workers)
        ]
        self._beside = [
            _Worker(
                name=name,
                command=other,
                environment={**os.environ, **environment},
                log=log_folder / f"{name}.log" if log_folder else None,
                say=self._say,
                backoff=backoff or Backoff(),
            )
            for name, other in beside.items()
        ]

    @property
    def pids(self) -> list[int | None]:
        """The pid of each slot's worker; None while it waits for its restart."""
        return [worker.pid for worker in self._workers]

    @property
    def restarts(self) -> int:
        """How often workers were started again."""
        return sum(worker.restarts for worker in self._workers)

    def start(self) -> Self:
        """Starts all processes without waiting for them; they are restarted until ``stop``."""
        for worker in (*self._workers, *self._beside):
            worker.start()
        return self

    def stop(self, timeout: float = 15.0) -> None:
        """Ends all processes with SIGTERM, so that they drain; after ``timeout`` s with SIGKILL."""
        every = (*self._workers, *self._beside)
        for worker in every:
            worker.end(signal.SIGTERM)
        deadline = time.monotonic() + timeout
        for worker in every:
            if not worker.ended(max(0.0, deadline - time.monotonic())):
                self._say(f"{worker.name} did not end in {timeout:g} s after SIGTERM: killing it")
                worker.end(signal.SIGKILL)
                worker.ended(None)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Worker:
    """One process: a thread that starts it, waits for its end and starts it again."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path | None,
        say: Callable[[str], None],
        backoff: Backoff,
    ) -> None:
        self.name = name
        self.restarts = 0
        self._command = command
        self._environment = environment
        self._log = log
        self._say = say
        self._backoff = backoff
        self._stopping = threading.Event()
        #: Held while a process is started or signalled: none is started after the stop.
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name=f"supervise {name}", daemon=True)

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        self._thread.start()

    def end(self, number: signal.Signals) -> None:
        """Signals the process, if there is one, and starts no other."""
        with self._lock:
            self._stopping.set()
            if self._process is not None:
                self._process.send_signal(number)

    def ended(self, timeout: float | None) -> bool:
        """Whether the process is gone and reaped, after at most ``timeout`` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause: float | None = None
        while (process := self._launch()) is not None:
            started = time.monotonic()
            exit_code = process.wait()
            if self._stopping.is_set():
                return
            lived = time.monotonic() - started
            pause = self._backoff.pause(exit_code, lived, pause)
            self._say(self._obituary(exit_code, lived, pause))
            if self._stopping.wait(pause):
                return
            self.restarts += 1

    def _launch(self) -> subprocess.Popen[bytes] | None:
        """Starts the process; None once the stop was asked for."""
        with self._lock:
            if self._stopping.is_set():
                return None
            if self._log is None:
                self._process = self._open(None)
            else:
                self._log.parent.mkdir(parents=True, exist_ok=True)
                with self._log.open("ab") as log:
                    self._process = self._open(log.fileno())
            return self._process

    def _open(self, output: int | None) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches the supervisor alone, which ends workers in order.
        return subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def _obituary(self, exit_code: int, lived: float, pause: float) -> str:
        if exit_code < 0:
            how = f"was ended by {signal.Signals(-exit_code).name}"
        elif exit_code == REFUSED:
            how = "refuses to start until an operator acts"
        else:
            how = f"ended with exit code {exit_code}"
        line = f"{self.name} {how} after {lived:.1f} s; starting it again in {pause:g} s"
        if self._log is None:
            return line
        return f"{line}. {self._log} ends:\n{tail(self._log, _LAST_LINES)}"


def _say_on_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
