"""The journal, row by row, and whether it accounts for every offset once and in one chain."""

import time
from collections import deque
from collections.abc import Iterator, Mapping

from schemas.journal import GENESIS, JournalRow, Slice, chain
from streams.engine.commit import Position
from streams.engine.log import ROWS_AT_A_TIME, LogReader, StoredRow, stored_row
from streams.engine.log_errors import JournalGap
from streams.verify.errors import Unpublished
from streams.verify.report import Kind, Report

#: Between two looks at a journal whose next row is awaited, seconds.
POLL_SECONDS = 0.05


class JournalTail:
    """The rows of a partition's journal from the first one on, as they are published.

    Calls block; they raise JournalGap where a row is missing, and the errors of LogReader.
    """

    def __init__(self, reader: LogReader, topic: str, partition: int, patience: float) -> None:
        self._reader = reader
        self._place = (topic, partition)
        self._patience = patience
        self._offset = reader.log_starts([self._place])[self._place]
        self._rows: deque[StoredRow] = deque()
        self._seq = 0

    def wait(self, seq: int) -> StoredRow:
        """The next row, which will come because Redis has ``seq``. Raises Unpublished."""
        began = time.monotonic()
        while not self._rows:
            self._read(self._reader.stable_ends([self._place])[self._place])
            waited = time.monotonic() - began
            if not self._rows:
                if waited > self._patience:
                    raise Unpublished(*self._place, seq, self._seq, waited)
                time.sleep(POLL_SECONDS)
        return self._take()

    def before(self, end: int) -> Iterator[StoredRow]:
        """The rows that are left below offset ``end``; waits for transactions open before it."""
        while self._rows or self._offset < end:
            self._read(end)
            while self._rows:
                yield self._take()

    def _take(self) -> StoredRow:
        stored = self._rows.popleft()
        if stored.row.seq != self._seq + 1:
            raise JournalGap(*self._place, stored.offset, self._seq + 1, stored.row.seq)
        self._seq += 1
        return stored

    def _read(self, end: int) -> None:
        while self._offset < end and not self._rows:
            stop = min(self._offset + ROWS_AT_A_TIME, end)
            records = self._reader.read_range(*self._place, self._offset, stop)
            self._rows.extend(map(stored_row, records))
            self._offset = stop


class JournalChecks:
    """What must hold between one row and the next, apart from what folding them gives."""

    def __init__(
        self, partition: int, clock_topic: str, log_starts: Mapping[str, int], report: Report
    ):
        """``log_starts``: the first offset that each input topic still has."""
        self.position = Position(0, GENESIS)
        #: Next offset of each topic.
        self.vector: dict[str, int] = {}
        self._partition = partition
        self._clock_topic = clock_topic
        self._log_starts = log_starts
        self._report = report

    def advance(self, stored: StoredRow) -> None:
        """Checks a row against the ones before it, and makes it the last one."""
        row = stored.row
        if row.previous != self.position.chain:
            self._note(
                "different",
                f"seq {row.seq}",
                f"it follows a row with the digest {row.previous.hex()}, but the row before it has "
                f"{self.position.chain.hex()}: two lineages",
            )
        for part in row.slices:
            self._check_slice(row, part)
        if row.fired is not None and row.fired.due > row.clock.watermark:
            self._note(
                "different",
                f"seq {row.seq}",
                f"a timer due at {row.fired.due} fired before the watermark {row.clock.watermark} "
                "reached it",
            )
        self.position = Position(row.seq, chain(stored.raw))

    def _check_slice(self, row: JournalRow, part: Slice) -> None:
        topic = part.topic
        expected = self.vector.get(topic)
        if expected is None:
            # What retention removed before the partition was first read cannot be held against it.
            expected = min(part.start, self._log_starts.get(topic, 0))
        name = f"{topic} [{part.start}, {part.end})"
        if part.start > expected and topic != self._clock_topic:
            # Ticks are kept a day: those that expired while no worker ran moved nothing.
            detail = f"offsets [{expected}, {part.start}) were passed over by seq {row.seq}"
            self._note("missing", name, detail)
        if part.start < expected:
            detail = f"offsets [{part.start}, {expected}) were processed again by seq {row.seq}"
            self._note("extra", name, detail)
        if part.end < part.start:
            self._note("different", name, f"seq {row.seq} has a slice that ends before its start")
        self.vector[topic] = max(part.end, expected)

    def _note(self, kind: Kind, name: str, detail: str) -> None:
        self._report.note(kind, "journal", self._partition, name, detail)
