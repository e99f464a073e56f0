"""Worker processes that are started again whenever they end, and what their logs say of them."""

import contextlib
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from streams.engine.crashpoints import EXIT_CODE as CRASHED
from streams.engine.engine import EXIT_REFUSED
from streams.local.growing_file import GrowingFile
from streams.settings import Settings
from tests.engine.harness import WorkerProcess
from tests.waiting import wait_for

_LOOK_SECONDS = 0.05
#: Between a worker's end and its next start, seconds.
_PAUSE = 0.3


class Refusal(NamedTuple):
    """``case``: as in shop_recoveries_total; ``words``: the worker's, which name the command."""

    slot: int
    case: str
    words: str

    def __str__(self) -> str:
        return f"worker {self.slot} refused ({self.case}): {self.words}"


class Slot:
    """One worker slot: its present process, and what its log has said since that one started."""

    def __init__(self, number: int, settings: Settings, folder: Path) -> None:
        self.number = number
        self.log = folder / f"worker-{number}.log"
        self.wanted = False
        #: The folder whose packages the next process runs; None: this tree.
        self.tree: Path | None = None
        #: HUITOU_CRASH of the next process.
        self.armed = ""
        self.crash = ""
        self.process: WorkerProcess | None = None
        self.exit_codes: list[int] = []
        self.ended_at = 0.0
        #: Where the process is: "starting", "owning", "released".
        self.place = "starting"
        self.partitions: list[int] = []
        self.recoveries = 0
        self.adoptions = 0
        self.generation = 0
        self._settings = settings
        self._said = GrowingFile(self.log)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.process.poll() is None

    @property
    def pid(self) -> int | None:
        return self.process.process.pid if self.process is not None and self.running else None

    def start(self) -> None:
        self.crash, self.armed = self.armed, ""
        self.place, self.partitions = "starting", []
        self.process = WorkerProcess(
            self._settings,
            self.log,
            tree=self.tree,
            HUITOU_SLOT=str(self.number),
            HUITOU_CRASH=self.crash,
        )

    def signal(self, number: signal.Signals) -> None:
        """A no-op once the process has ended."""
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def follow(self) -> None:
        """Reads on in the log."""
        for line in self._said.lines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        if b'"recovered"' in line:
            said = json.loads(line)
            self.place, self.partitions = "owning", said["partitions"]
            self.recoveries += 1
            self.generation = max(self.generation, said["generation"])
        elif b'"released"' in line:
            self.place, self.partitions = "released", []
        elif b'"adopting"' in line:
            self.adoptions += 1


class Workers:
    """A slot for each of ``settings``; the first ``scale(n)`` of them run.

    Once one has ``refused``, none is started until that is taken back.
    """

    def __init__(
        self, settings: Sequence[Settings], folder: Path, tell: Callable[[str], None]
    ) -> None:
        self.slots = [Slot(number, own, folder) for number, own in enumerate(settings)]
        self.refused: Refusal | None = None
        self.crashes: list[tuple[int, str]] = []
        self._tell = tell
        #: Of groups that were deleted: they begin to count anew.
        self._former_generations = 0
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="workers", daemon=True)
        self._thread.start()

    @property
    def running(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.wanted and slot.running]

    @property
    def rebalances(self) -> int:
        """Generations of the group after the first; some may have recovered nowhere."""
        return max(0, self._former_generations + self._generation - 1)

    @property
    def _generation(self) -> int:
        return max(slot.generation for slot in self.slots)

    def group_deleted(self) -> None:
        """Generations count from 1 again. Only while no worker runs."""
        self.follow()
        self._former_generations += self._generation
        for slot in self.slots:
            slot.generation = 0

    def exits(self) -> Counter[int]:
        return Counter(code for slot in self.slots for code in slot.exit_codes)

    def follow(self) -> None:
        with self._lock:
            for slot in self.slots:
                slot.follow()

    def scale(self, count: int) -> None:
        """Starts missing ones, ends superfluous ones by SIGTERM; waits for neither."""
        with self._lock:
            for slot in self.slots:
                slot.wanted = slot.number < count
                if not slot.wanted:
                    slot.armed = ""
                    slot.signal(signal.SIGTERM)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends every worker by this signal and starts none again; waits for their ends."""
        with self._lock:
            for slot in self.slots:
                slot.wanted, slot.armed = False, ""
                slot.signal(number)
        wait_for(lambda: not any(slot.process for slot in self.slots), 120, "the workers' end")

    def settled(self) -> bool:
        """Whether exactly the wanted ones run, each of them recovered."""
        self.follow()
        return all(
            slot.running == slot.wanted and (not slot.wanted or slot.place == "owning")
            for slot in self.slots
        )

    def end(self) -> None:
        """No restart from here on; every process is killed that still runs."""
        self._stopping.set()
        self._thread.join()
        for slot in self.slots:
            if slot.process is not None:
                slot.process.kill()

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            with self._lock:
                for slot in self.slots:
                    self._look(slot)

    def _look(self, slot: Slot) -> None:
        process = slot.process
        if process is not None and process.process.poll() is not None:
            slot.follow()
            self._ended(slot, process.process.returncode)
            slot.process = None
        if (
            slot.wanted
            and slot.process is None
            and self.refused is None
            and time.monotonic() - slot.ended_at >= _PAUSE
        ):
            slot.start()

    def _ended(self, slot: Slot, code: int) -> None:
        slot.exit_codes.append(code)
        slot.ended_at = time.monotonic()
        slot.place, slot.partitions = "starting", []
        if code == CRASHED:
            self.crashes.append((slot.number, slot.crash))
        elif code == EXIT_REFUSED:
            # The first one's: others say the same of their partitions.
            self.refused = self.refused or self._refusal(slot)
            self._tell(str(self.refused))

    def _refusal(self, slot: Slot) -> Refusal:
        lines = slot.log.read_text(errors="replace").splitlines()
        said = json.loads(next((line for line in reversed(lines) if '"refused"' in line), "{}"))
        return Refusal(slot.number, said.get("case", "unknown"), said.get("error", "no words"))
