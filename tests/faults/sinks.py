"""`huitou sink` processes that are started again whenever they end, and how far the store is."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from streams.cli.endings import EXIT_REFUSED
from streams.local.growing_file import GrowingFile
from streams.query.connecting import Database, store_url
from streams.query.tables import sink_offsets
from streams.settings import Settings
from tests.engine.harness import environment
from tests.waiting import wait_for

#: So many share the partitions.
SINKS = 2
_LOOK_SECONDS = 0.05
#: Between a sink's end and its next start, seconds.
_PAUSE = 0.3
_END_SECONDS = 120.0

Place = tuple[str, int]


class SinkSlot:
    """One of the sinks: its present process, and whether that has partitions yet."""

    def __init__(self, number: int, settings: Settings, folder: Path) -> None:
        self.number = number
        self.log = folder / f"sink-{number}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.exit_codes: list[int] = []
        self.ended_at = 0.0
        self.assigned = False
        self._settings = settings
        self._said = GrowingFile(self.log)

    @property
    def running(self) -> bool:
        process = self.process
        return process is not None and process.poll() is None

    def start(self) -> None:
        self.assigned = False
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams.cli.main", "sink"],
                env=environment(self._settings), stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    def signal(self, number: signal.Signals) -> None:
        """A no-op once the process has ended."""
        process = self.process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, number)

    def follow(self) -> None:
        """Reads on in the log."""
        for line in self._said.lines():
            self.assigned |= b'"partitions assigned"' in line

    def last_words(self) -> str:
        return self.log.read_text(errors="replace").strip().rpartition("\n")[2]


class Sinks:
    """One for each of ``settings``. ``direct``: of the judge and the waits, which go no sink's way."""

    def __init__(self, direct: Settings, settings: Sequence[Settings], folder: Path) -> None:
        self.slots = [SinkSlot(number, own, folder) for number, own in enumerate(settings)]
        #: What the first said that refused: nothing that happens here may bring that about.
        self.refused = ""
        self.database = Database(store_url(direct))
        self._wanted = False
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sinks", daemon=True)
        self._thread.start()

    def start(self) -> None:
        """Waits for nothing."""
        self._wanted = True

    def settled(self) -> bool:
        """Whether each runs and has partitions."""
        with self._lock:
            for slot in self.slots:
                slot.follow()
            return all(slot.running and slot.assigned for slot in self.slots)

    def behind(self, ends: dict[Place, int]) -> set[Place]:
        """Where the store has less than ``ends``. Raises SQLAlchemy's errors while it is away."""
        held = stored_offsets(self.database)
        return {
            place
            for place, end in ends.items()
            if end > (held[place].next_offset if place in held else 0)
        }

    def exits(self) -> Counter[int]:
        return Counter(code for slot in self.slots for code in slot.exit_codes)

    def stop(self) -> list[int]:
        """Ends every sink by SIGTERM and starts none again; the exit codes of those that ran."""
        with self._lock:
            self._wanted = False
            for slot in self.slots:
                slot.signal(signal.SIGTERM)
        wait_for(
            lambda: not any(slot.process for slot in self.slots), _END_SECONDS, "the sinks' end"
        )
        return [slot.exit_codes[-1] for slot in self.slots if slot.exit_codes]

    def end(self) -> None:
        """No restart from here on; every process is killed that still runs."""
        self._stopping.set()
        self._thread.join()
        for slot in self.slots:
            if slot.process is not None and slot.running:
                slot.process.kill()
                slot.process.wait(_END_SECONDS)
        self.database.close()

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            with self._lock:
                for slot in self.slots:
                    self._look(slot)

    def _look(self, slot: SinkSlot) -> None:
        if slot.process is not None and not slot.running:
            slot.follow()
            slot.exit_codes.append(slot.process.returncode)
            slot.process, slot.ended_at = None, time.monotonic()
            if slot.exit_codes[-1] == EXIT_REFUSED:
                self.refused = self.refused or f"sink {slot.number} refused: {slot.last_words()}"
        if (
            self._wanted
            and slot.process is None
            and not self.refused
            and time.monotonic() - slot.ended_at >= _PAUSE
        ):
            slot.start()


def stored_offsets(database: Database) -> dict[Place, Any]:
    """(topic, partition) -> its row. Raises SQLAlchemy's errors while the store is away."""
    with database.reading() as connection:
        rows = connection.execute(select(sink_offsets)).all()
    return {(row.topic, row.partition): row for row in rows}
