"""A partition folded again in memory, row by row of its journal."""

import heapq
from collections import Counter
from collections.abc import Sequence

import msgspec

from schemas.journal import JournalRow, Slice
from schemas.trigger import TriggerEvent
from streams.definitions_reader import DefinitionsReader
from streams.domain.aggregated import ALL_DAYS, PartitionAggregates
from streams.domain.state import CustomerState
from streams.engine.checksum import slice_crc
from streams.engine.commit import Commit, Fetched, OutRow, Position, stamp_of
from streams.engine.draft import Draft
from streams.engine.log import LogReader, StoredRow
from streams.engine.partition_log import PartitionLog
from streams.engine.process import PartitionProcessor
from streams.engine.topicnames import TopicNames
from streams.verify import explain
from streams.verify.journal import JournalChecks
from streams.verify.report import Kind, Report


class Replay:
    """States, timers and counters of a partition as of ``position``.

    ``apply`` takes the rows in order. Where folding gives something else than a row says, that is
    noted, and the fold goes on with what it gave.
    """

    def __init__(
        self,
        processor: PartitionProcessor,
        topics: TopicNames,
        definitions: DefinitionsReader,
        log: PartitionLog,
        reader: LogReader,
        report: Report,
    ) -> None:
        self.partition = processor.partition
        self.states: dict[str, CustomerState] = {}
        #: State key -> earliest due time, ms.
        self.timers: dict[str, int] = {}
        #: Every state key that was written, in the order in which they came; some went again.
        self.keys: list[str] = []
        self._known: set[str] = set()
        self.counts: Counter[tuple[str, str]] = Counter()
        self.evicted_early = 0
        self.aggregates = PartitionAggregates()
        #: The first commit of which Redis has added the aggregates.
        self.aggregated_from = 1
        self.row: JournalRow | None = None
        self._processor = processor
        self._topics = topics
        self._definitions = definitions
        self._log = log
        self._reader = reader
        self._report = report
        places = [(topic, self.partition) for topic in topics.inputs]
        starts = {topic: at for (topic, _), at in reader.log_starts(places).items()}
        log.begin(self.partition, {topic: starts[topic] for topic in topics.folded})
        self._checks = JournalChecks(self.partition, topics.clock, starts, report)
        #: (due, state key) of the timers, with some that no longer hold.
        self._queue: list[tuple[int, str]] = []

    @property
    def position(self) -> Position:
        """The last row applied."""
        return self._checks.position

    @property
    def vector(self) -> dict[str, int]:
        """Next offset of each input topic."""
        return self._checks.vector

    def knows(self, key: str) -> bool:
        """Whether a commit up to here has written this state."""
        return key in self._known

    def apply(
        self, stored: StoredRow, adopted: Sequence[TriggerEvent] | None = None
    ) -> list[OutRow]:
        """Repeats the commit of a row; returns what it must have published.

        With ``adopted``, what was published for a row of another build, nothing is decided: the states
        take those triggers over, as recovery does, and only what follows from folding is returned. Raises
        a LogError when its records cannot be read, and FoldError when they cannot be folded.
        """
        row, before = stored.row, self.position
        draft = (
            self._fold(row, before, adopted)
            if row.fired is None
            else self._fire(row, before, adopted)
        )
        self._report.journal.compared += 1
        self._checks.advance(stored)
        self.row = row
        if draft is None:
            return []
        clock = [part for part in row.slices if part.topic == self._topics.clock]
        commit = draft.finish(stamp_of(row), clock)
        if adopted is None and commit.row != stored.raw:
            self._note_difference(row, before, commit)
        self._take_over(commit)
        return commit.rows

    def _fold(
        self, row: JournalRow, position: Position, adopted: Sequence[TriggerEvent] | None
    ) -> Draft:
        fetched = [self._read(row, part) for part in row.slices if part.topic != self._topics.clock]
        if fetched and fetched[0].topic == self._topics.origin:
            return self._processor.inherit(position, fetched[0], self.states)
        work = self._processor.prepare(fetched, row.latest, row.skip or ())
        return self._processor.fold(
            position,
            work,
            self.states,
            {},
            self._definitions.upto(row.definitions),
            bounded=False,
            adopted=adopted,
        )

    def _read(self, row: JournalRow, part: Slice) -> Fetched:
        origin = part.topic == self._topics.origin
        if origin or part.start < self.vector.get(part.topic, part.start):
            # Offsets that come a second time lie behind the reader along the log; what a generation
            # began with is no topic of that reader.
            records = self._reader.read_range(part.topic, self.partition, part.start, part.end)
        else:
            records = self._log.take(part.topic, part.start, part.end)
        self._report.events += 0 if origin else len(records)
        name = f"{part.topic} [{part.start}, {part.end})"
        if len(records) != part.count:
            detail = f"seq {row.seq} counted {part.count} records, the log holds {len(records)}"
            self._note("different", name, detail)
        elif slice_crc(records) != part.crc:
            detail = f"its {part.count} records are not the ones that seq {row.seq} processed (crc)"
            self._note("different", name, detail)
        return Fetched(part.topic, part.start, part.end, records)

    def _fire(
        self, row: JournalRow, position: Position, adopted: Sequence[TriggerEvent] | None
    ) -> Draft | None:
        assert row.fired is not None
        last = (row.fired.due, row.fired.key)
        due: list[tuple[str, int]] = []
        queue = self._queue
        while queue and queue[0] <= last:
            moment, key = heapq.heappop(queue)
            if self.timers.get(key) == moment and (not due or due[-1] != (key, moment)):
                due.append((key, moment))
        if adopted is None and (not due or due[-1] != (row.fired.key, row.fired.due)):
            self._note(
                "different",
                f"seq {row.seq}",
                f"the timer of {row.fired.key} due at {row.fired.due} fired, and none was pending",
            )
            if not due:
                return None
        return self._processor.fire(
            position, due, self.states, {}, self._definitions.upto(row.definitions),
            adopted=adopted, skips=row.skip or (),
        )  # fmt: skip

    def _take_over(self, commit: Commit) -> None:
        for key in commit.states:
            if key not in self._known:
                self._known.add(key)
                self.keys.append(key)
        for key in commit.expired:
            self.states.pop(key, None)
        for key, due in commit.timers.items():
            if due is None:
                self.timers.pop(key, None)
            else:
                self.timers[key] = due
                heapq.heappush(self._queue, (due, key))
        self.counts.update(commit.counts)
        self.evicted_early += commit.evicted_early
        if commit.position.seq >= self.aggregated_from:
            # Redis says which days it keeps; what it was told to keep may have changed since.
            self.aggregates.apply(commit.increments, ALL_DAYS)

    def _note_difference(self, row: JournalRow, before: Position, commit: Commit) -> None:
        """A row says something else than repeating it gave; the chain is looked at elsewhere."""
        again = msgspec.structs.replace(commit.journal, previous=row.previous, seq=row.seq)
        differing = explain.listed(explain.fields(_plain(again), _plain(row)))
        if differing:
            detail = f"{differing} (written by this build, {row.build}, and folded again by it)"
            self._note("different", f"seq {row.seq}", detail)

    def _note(self, kind: Kind, name: str, detail: str) -> None:
        self._report.note(kind, "journal", self.partition, name, detail)


def _plain(row: JournalRow) -> object:
    """A row by field names, digests in hexadecimal."""
    return {
        name: value.hex() if isinstance(value, bytes) else msgspec.to_builtins(value)
        for name, value in msgspec.structs.asdict(row).items()
    }
