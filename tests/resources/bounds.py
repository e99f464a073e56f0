"""The memory that a worker may need, in bytes, from the constants that bound it.

Peaks are VmHWM, the kernel's own high-water mark of resident memory, so that none is missed between
two looks.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path

from streams.engine.draft import COMMIT_BYTES, COMMIT_ROWS
from streams.engine.engine import EXIT_DOUBT, WAITING_POLLS
from streams.engine.publisher import READ_ENTRIES, TRANSACTION_BYTES
from streams.settings import Settings
from tests.engine.harness import WorkerProcess
from tests.soak.samples import status_kb
from tests.waiting import wait_for

MB = 1024 * 1024
#: Python's objects around a record's key and value: the aiokafka record (200), key and value (2 x 33
#: and rounding), two timestamps and an offset (3 x 32), its place in lists (16), the decoded event
#: with its strings (about 400).
RECORD_BYTES = 800
#: Polls alive at once: those that wait, the one in the cycle, the one that is being fetched, and
#: what aiokafka fetches ahead while that one is handed over.
POLLS = WAITING_POLLS + 3
#: aiokafka's max_partition_fetch_bytes, which Faust leaves as it is.
FETCH_BYTES = 1 * MB
#: What docs/state.md promises of a state with everything full.
STATE_BYTES = 32 * 1024
#: A commit under way is there as encoded states, as packed rows, in the client's command and, until
#: the socket has taken it, in the command's buffer.
COMMIT_COPIES = 4
#: Bytes of one entry of the outbox with nothing but dead letters, the last of them of 88 KB ...
POISON_ENTRY_BYTES = COMMIT_BYTES + MB
#: ... and with as many triggers as one has at most.
TRIGGERS_ENTRY_BYTES = COMMIT_ROWS * 1024
#: An entry under way to Kafka is there as Redis sent it, unpacked, and in librdkafka's queue.
ENTRY_COPIES = 3
#: glibc and pymalloc give back what was freed only where a whole arena is free.
FRAGMENTED = 1.5


def records(settings: Settings, value_bytes: int, partitions: int) -> int:
    """What is fetched and not processed yet, of records of one size from so many topic-partitions."""
    each = settings.max_poll_records * (value_bytes + RECORD_BYTES)
    by_fetch = partitions * FETCH_BYTES * (1 + RECORD_BYTES / value_bytes)
    return int(POLLS * min(each, by_fetch))


def commits(partitions: int, states: int) -> int:
    """One round of commits, of so many states in all."""
    return COMMIT_COPIES * min(partitions * COMMIT_BYTES, states * STATE_BYTES)


def publishing(entry_bytes: int) -> int:
    """One transaction, and what was read beyond its bounds."""
    return ENTRY_COPIES * (TRANSACTION_BYTES + READ_ENTRIES * entry_bytes)


def rss(worker: WorkerProcess) -> int:
    return status_kb(worker.process.pid, "VmRSS") * 1024


class Watched:
    """A worker that is started again after a doubt, as whatever runs workers does, and its peak."""

    def __init__(self, settings: Settings, log: Path, **overrides: str) -> None:
        self._start: Callable[[], WorkerProcess] = lambda: WorkerProcess(settings, log, **overrides)
        self.worker = self._start()
        self.worker.wait_recovered(300)
        #: Once it has recovered, before it has processed much.
        self.before = rss(self.worker)
        self._peak = 0

    def wait_for(self, condition: Callable[[], bool], timeout: float, message: str) -> None:
        wait_for(lambda: self._look() and condition(), timeout, message)

    def grown(self) -> int:
        """How far resident memory was ever above where it began."""
        self._look()
        return self._peak - self.before

    def _look(self) -> bool:
        code = self.worker.process.poll()
        if code is None:
            with contextlib.suppress(LookupError):  # it is ending
                peak = status_kb(self.worker.process.pid, "VmHWM") * 1024
                self._peak = max(self._peak, peak)
        else:
            assert code == EXIT_DOUBT, f"exit code {code}:\n{self.worker.tail()}"
            self.worker = self._start()
        return True
