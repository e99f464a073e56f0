"""A server process that outlives the command that started it, found again by its pid file."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from streams.local.errors import StartError
from streams.local.files import tail, write_whole
from streams.local.ports import is_free

_POLL_SECONDS = 0.02
#: SIGKILL cannot be refused; what is still there after this hangs in the kernel.
_KILL_SECONDS = 30.0


@dataclass(frozen=True)
class Identity:
    """Names one process for ever: a pid is reused, a pid with its start time is not."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """The live process ``pid``, None when there is none or only its zombie."""
        try:
            status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The command's name, in brackets, may hold anything; the fields after it are plain.
        fields = status.rpartition(")")[2].split()
        # proc(5): field 3 is the state, 20 the number of threads, 22 the start in ticks since boot.
        state, threads, ticks = fields[0], int(fields[17]), fields[19]
        # While other threads are still ending, the process holds its ports and files.
        if state in "ZX" and threads <= 1:
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return cls(pid, f"{boot}:{ticks}")


class ServerProcess:
    """One server of the stack: its folder holds its data, ``log`` and ``pid.json``."""

    def __init__(self, name: str, folder: Path, ports: Sequence[int]) -> None:
        self.name = name
        self.folder = folder
        self._ports = ports
        self.log = folder / "log"
        self._pid_file = folder / "pid.json"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The pid of the running server, whoever started it; None when it does not run."""
        identity = self._identity()
        return identity.pid if identity else None

    @property
    def running(self) -> bool:
        return self.pid is not None

    def launch(
        self,
        command: Sequence[str],
        ready: Callable[[], bool],
        timeout: float,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Starts ``command`` in a session of its own and blocks until ``ready()``.

        Raises StartError when a port is taken, or when it ends or is not ready within ``timeout``
        seconds; it is then gone.
        """
        # Whoever has the port could answer in its place.
        if taken := [port for port in self._ports if not is_free(port)]:
            raise StartError(f"{self.name} cannot start: another process has port {taken[0]}.")
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal is for the command, not for the server.
            self._child = subprocess.Popen(
                command,
                cwd=self.folder,
                env=None if environment is None else dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        identity = Identity.of(self._child.pid)
        if identity is not None:
            write_whole(self._pid_file, json.dumps(asdict(identity)))
        try:
            self._await_ready(ready, timeout)
        except BaseException:
            self.kill9()
            raise

    def stop(self, timeout: float = 20.0) -> bool:
        """Ends the server: SIGTERM, after ``timeout`` seconds SIGKILL. False if none ran."""
        return self._end(signal.SIGTERM, timeout) or self._end(signal.SIGKILL, _KILL_SECONDS)

    def kill9(self) -> None:
        """Ends the server at once, as a power cut of the process would; a no-op if none runs."""
        self._end(signal.SIGKILL, _KILL_SECONDS)

    def _await_ready(self, ready: Callable[[], bool], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            if not self.running:
                raise StartError(f"{self.name} ended while it started. {self._last_lines()}")
            if ready():
                return
            if time.monotonic() > deadline:
                raise StartError(
                    f"{self.name} was not ready in {timeout:g} s. {self._last_lines()}"
                )
            time.sleep(_POLL_SECONDS)

    def _last_lines(self) -> str:
        return f"{self.log} ends:\n{tail(self.log)}"

    def _end(self, number: signal.Signals, timeout: float) -> bool:
        """Sends the signal and waits; whether a server ran and is gone."""
        identity = self._identity()
        if identity is None:
            self._pid_file.unlink(missing_ok=True)
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(identity.pid, number)
        deadline = time.monotonic() + timeout
        while self._identity() == identity:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        self._pid_file.unlink(missing_ok=True)
        return True

    def _identity(self) -> Identity | None:
        """The server that the pid file names, if that very process still runs."""
        if self._child is not None:
            self._child.poll()  # reaps it, if it is ours and has ended
        try:
            stored = Identity(**json.loads(self._pid_file.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return stored if Identity.of(stored.pid) == stored else None
