"""Brings states that were read at different commits to one commit, by folding what came in between.

By induction over the journal's rows: before row r, a customer whose ``Kept.seq`` is below r is here as it
was at r - 1, because every row since its own was folded into it. The row's events and timers of such
customers are folded as the worker did; those of the others are in their states already, and left out.
A customer that no batch had did not exist at the first commit read, so all of its events are in between;
or it expired before its batch was read, and the row that removed it names it.
"""

from typing import Protocol

from schemas.decoding import Decoded
from schemas.journal import JournalRow, Slice, chain
from streams.definitions_reader import DefinitionsReader
from streams.domain.exchange import key_of
from streams.domain.state import CustomerState, new_state
from streams.engine.checksum import slice_crc
from streams.engine.commit import Commit, Fetched, Position, stamp_of
from streams.engine.draft import Draft
from streams.engine.log import LogReader, StoredRow
from streams.engine.log_errors import LogUnreadable
from streams.engine.partition_log import PartitionLog
from streams.engine.process import PartitionProcessor, Work
from streams.engine.repetition import Author
from streams.engine.topicnames import TopicNames
from streams.repair.refused import RepairRefused
from streams.repair.snapshot_days import ReadDays
from streams.repair.snapshot_file import Kept
from streams.repair.timers import PendingTimers
from streams.state.codec import decode
from streams.verify.stored import Snapshot


class Readable(Protocol):
    """What was read of a partition (streams.repair.snapshot.Reading)."""

    partition: int
    first: int
    last: Snapshot
    chains: dict[int, str]
    entries: dict[str, Kept]
    days: ReadDays


class Redo:
    """Changes ``reading.entries`` and ``reading.days`` to what they are at ``reading.last.seq``."""

    def __init__(
        self,
        reading: Readable,
        processor: PartitionProcessor,
        definitions: DefinitionsReader,
        topics: TopicNames,
        author: Author,
    ) -> None:
        self._reading = reading
        self._processor = processor
        self._definitions = definitions
        self._topics = topics
        self._author = author
        self._entries = reading.entries
        self._states: dict[str, CustomerState] = {}
        self._timers: PendingTimers | None = None
        #: Rows folded.
        self.redone = 0

    def run(self, log: LogReader, along: PartitionLog) -> None:
        """Fold the rows after the first commit read, up to the last, and check all of their chain.

        Raises RepairRefused where Redis's history is not the journal's or another build wrote a row, and
        a LogError where the log cannot be read back.
        """
        reading = self._reading
        number, last = reading.partition, reading.last.seq
        begun = False
        for stored in log.read_rows(self._topics.journal, number, max(1, reading.first), last):
            row = stored.row
            if row.seq > reading.first:
                if not begun:
                    along.begin(number, self._starts(row, log, last))
                    begun = True
                self._fold(stored, along)
            expected = reading.chains.get(row.seq)
            if expected is not None and expected != chain(stored.raw).hex():
                raise RepairRefused(
                    f"partition {number}: at seq {row.seq} Redis and the journal hold different commits: "
                    f"two lineages, of which Redis's is void; run: huitou rebuild --partition {number}"
                )

    def _starts(self, row: JournalRow, log: LogReader, last: int) -> dict[str, int]:
        """Where the topics of these rows begin."""
        starts: dict[str, int] = {}
        number = self._reading.partition
        for stored in log.read_rows(self._topics.journal, number, row.seq, last):
            for part in stored.row.slices:
                if part.topic != self._topics.clock:
                    starts.setdefault(part.topic, part.start)
        return starts

    def _fold(self, stored: StoredRow, along: PartitionLog) -> None:
        row = stored.row
        if Author(row.build, row.config) != self._author:
            raise RepairRefused(
                f"partition {self._reading.partition}: seq {row.seq} was written by build {row.build} while "
                f"this one, {self._author.build}, read the states: take snapshots with the workers' build "
                "and settings"
            )
        self.redone += 1
        draft, whole = self._fired(row) if row.fired else self._folded(row, along)
        if draft is None:
            self._remove(row)
            return
        commit = draft.finish(
            stamp_of(row), [p for p in row.slices if p.topic == self._topics.clock]
        )
        if whole and commit.row != stored.raw:
            raise RepairRefused(
                f"partition {self._reading.partition}: folding seq {row.seq} again gives something else "
                f"than its journal row says; compare with: huitou verify --partition "
                f"{self._reading.partition}"
            )
        self._take_over(commit, row.seq)
        self._remove(row)

    def _folded(self, row: JournalRow, along: PartitionLog) -> tuple[Draft | None, bool]:
        """The row's events of customers who are behind, and whether those are all."""
        fetched = [
            self._read(part, along) for part in row.slices if part.topic != self._topics.clock
        ]
        work = self._processor.prepare(fetched, row.latest, row.skip or ())
        behind = {key for key in work.keys if self._behind(key, row.seq)}
        whole = len(behind) == len(work.keys)
        if not whole:
            work = _only(work, behind)
        self._load(behind)
        return (
            self._processor.fold(
                Position(row.seq - 1, row.previous),
                work,
                self._states,
                {},
                self._definitions.upto(row.definitions),
                bounded=False,
            ),
            whole,
        )

    def _fired(self, row: JournalRow) -> tuple[Draft | None, bool]:
        """The row's timers of customers who are behind."""
        assert row.fired is not None
        last = (row.fired.due, row.fired.key)
        if self._timers is None:
            pending = ((key, kept.due) for key, kept in self._entries.items())
            self._timers = PendingTimers((key, due) for key, due in pending if due is not None)
        due = [
            (key, moment)
            for key, moment in self._timers.until(row.fired.due)
            if (moment, key) <= last and self._behind(key, row.seq)
        ]
        if not due:
            return None, False
        self._load({key for key, _ in due})
        states = self._states
        whole = due[-1] == (row.fired.key, row.fired.due)
        if not whole:
            # The last one tells how far all fire. It has fired in its own state: a blank stands for it.
            due.append((row.fired.key, row.fired.due))
            states = {**states, row.fired.key: new_state(*row.fired.key.split("/", 1))}
        draft = self._processor.fire(
            Position(row.seq - 1, row.previous),
            due,
            states,
            {},
            self._definitions.upto(row.definitions),
            skips=row.skip or (),
        )
        return draft, False

    def _behind(self, key: str, seq: int) -> bool:
        kept = self._entries.get(key)
        return kept is None or kept.seq < seq

    def _load(self, keys: set[str]) -> None:
        for key in keys:
            kept = self._entries.get(key)
            if kept is not None and key not in self._states:
                self._states[key] = decode(kept.state)

    def _take_over(self, commit: Commit, seq: int) -> None:
        self._reading.days.add(seq, commit.increments)
        for key, encoded in commit.states.items():
            if not self._behind(key, seq):
                continue  # the blank
            before = self._entries.get(key)
            due = commit.timers.get(key, before.due if before else None)
            self._entries[key] = Kept(seq, encoded, due)
            if self._timers is not None:
                self._timers.set(key, due)

    def _remove(self, row: JournalRow) -> None:
        """What the row says expired goes, also where no batch had met it: it was there at the first commit
        read, and what was folded of it since then is not all of it.
        """
        for key in row.expired or ():
            if self._behind(key, row.seq):
                self._entries.pop(key, None)
                self._states.pop(key, None)
                if self._timers is not None:
                    self._timers.set(key, None)

    def _read(self, part: Slice, along: PartitionLog) -> Fetched:
        number = self._reading.partition
        records = along.take(part.topic, part.start, part.end)
        if len(records) != part.count or slice_crc(records) != part.crc:
            raise LogUnreadable(
                part.topic, number, part.start,
                f"[{part.start}, {part.end}) are not the {part.count} records that were processed",
            )  # fmt: skip
        return Fetched(part.topic, part.start, part.end, records)


def _only(work: Work, keys: set[str]) -> Work:
    """The bundle without the events of other customers, and without what is no event."""
    fetched, items = [], []
    for part, decoded in zip(work.fetched, work.items, strict=True):
        chosen = [
            index
            for index, item in enumerate(decoded)
            if type(item) is Decoded and key_of(item.event) in keys
        ]
        records = [part.records[index] for index in chosen]
        fetched.append(Fetched(part.topic, part.start, part.end, records))
        items.append([decoded[index] for index in chosen])
    return Work(fetched, items, dict.fromkeys(key for key in work.keys if key in keys))
