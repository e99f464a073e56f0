"""Redis lost a suffix: its commits are made again along the journal, and nothing is sent again."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import structlog

from schemas.journal import JournalRow, Skipped, Slice
from schemas.trigger import TriggerEvent
from streams.domain.state import state_key
from streams.engine.adoption import PublishedTriggers
from streams.engine.checksum import slice_crc
from streams.engine.commit import Commit, Fetched, stamp_of
from streams.engine.crashpoints import CrashPoints
from streams.engine.definitions import DefinitionsSource
from streams.engine.draft import Draft, FoldError
from streams.engine.group_offsets import Published
from streams.engine.log import LogReader, StoredRow
from streams.engine.partition import Partition
from streams.engine.partition_log import PartitionLog
from streams.engine.pausing import described
from streams.engine.process import PartitionProcessor
from streams.engine.refusal import RecoveryRefused, forked
from streams.engine.topicnames import TopicNames
from streams.state.errors import StateLost
from streams.state.redis_store import RedisStore, Refused

log = structlog.get_logger(__name__)
#: Timers of one fired journal row; more than processing ever puts into one commit.
FIRED_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Author:
    """What a journal row says of who wrote it: only the same build and campaigns can repeat it."""

    build: str
    config: str


class Repetition:
    """Makes commits again; used by the thread that recovers, for one partition at a time."""

    #: Open during ``run``: reads the topics of one partition in the order of the journal.
    _along: PartitionLog

    def __init__(
        self,
        topics: TopicNames,
        store: RedisStore,
        bootstrap: str,
        processors: Mapping[int, PartitionProcessor],
        definitions: DefinitionsSource,
        crash: CrashPoints,
        progress: Callable[[], None],
        author: Author,
    ) -> None:
        """``progress`` is called for each row."""
        self._topics = topics
        self._store = store
        self._bootstrap = bootstrap
        self._processors = processors
        self._definitions = definitions
        self._crash = crash
        self._progress = progress
        self._author = author

    def run(self, partition: Partition, journal: LogReader, kafka: Published) -> str:
        """Commit the rows from where ``partition`` stands to what Kafka has.

        Returns the case: ``replayed``, or ``adopted`` where another build wrote some of it. Raises
        FoldError where what another build could fold cannot be folded here: ``partition`` then stands
        before that row, its cached states are spoilt, and once ``partition.ticks.skips`` names the
        event, ``run`` goes on without it. Raises RecoveryRefused, Refused, redis.RedisError,
        KafkaException or a LogError.
        """
        number = partition.number
        first = partition.position.seq + 1
        # The offsets' marker has come, the journal's of the same transaction perhaps not yet.
        journal.wait_stable(self._topics.journal, number)
        with self._open_along() as along, ExitStack() as opened:
            along.begin(number, {topic: partition.vector[topic] for topic in self._topics.folded})
            self._along = along
            return self._rows(partition, journal, first, kafka, opened)

    def _open_along(self) -> PartitionLog:
        return PartitionLog(self._bootstrap)

    def _open_triggers(self, number: int, first_seq: int) -> PublishedTriggers:
        reader = LogReader(self._bootstrap)
        return PublishedTriggers(reader, self._topics.triggers, number, first_seq)

    def _rows(
        self,
        partition: Partition,
        journal: LogReader,
        first: int,
        kafka: Published,
        opened: ExitStack,
    ) -> str:
        number = partition.number
        adopting: PublishedTriggers | None = None
        for stored in journal.read_rows(self._topics.journal, number, first, kafka.seq):
            row = stored.row
            if row.previous != partition.position.chain:
                raise forked(number, f"journal row {row.seq} follows another row than Redis holds")
            fetched = [
                self._read(s, number, journal) for s in row.slices if s.topic != self._topics.clock
            ]
            commit = None
            if adopting is None and Author(row.build, row.config) == self._author:
                commit = self._repeat(partition, stored, fetched)
            if commit is None:
                # Another build wrote the row, or folding it again gave something else. What was
                # published stands; from here on nothing is decided, only taken over.
                if adopting is None:
                    adopting = opened.enter_context(self._open_triggers(number, row.seq))
                    partition.cache.clear()
                    log.warning("adopting", partition=number, seq=row.seq, written_by=row.build)
                commit = self._adopt(partition, stored, fetched, adopting.of(row.seq))
            result = self._store.commit(
                [(number, partition.epoch, partition.position, commit)], outbox=False
            )[0]
            if isinstance(result, Refused):
                raise result
            partition.advance(commit, result)
            partition.cache.evict()
            partition.vector.pop(self._topics.origin, None)  # no input: nobody seeks there
            partition.clock_read = partition.clock_applied = partition.vector[self._topics.clock]
            self._progress()
            self._crash.reach("in-replay")
        if partition.position.chain != kafka.chain:
            raise forked(number, f"the journal's seq {kafka.seq} is not what the offsets name")
        return "replayed" if adopting is None else "adopted"

    def _repeat(
        self, partition: Partition, stored: StoredRow, fetched: list[Fetched]
    ) -> Commit | None:
        """The same commit again, or None when it came out differently: the states are then spoilt."""
        row = stored.row
        clock_slices = [part for part in row.slices if part.topic == self._topics.clock]
        try:
            draft = self._draft(partition, row, fetched, None, row.skip or ())
        except FoldError:
            # The build of this name could fold it: this is another one, whatever it calls itself.
            return None
        if draft is None:
            return None
        commit = draft.finish(stamp_of(row), clock_slices)
        return commit if commit.row == stored.raw else None

    def _adopt(
        self,
        partition: Partition,
        stored: StoredRow,
        fetched: list[Fetched],
        triggers: list[TriggerEvent],
    ) -> Commit:
        """The row as it was published, without what cannot be folded here and is to be left out."""
        row, left_out = stored.row, list(stored.row.skip or ())
        while True:
            self._load(partition, [state_key(e.data.shop_id, e.data.customer_id) for e in triggers])
            try:
                draft = self._draft(partition, row, fetched, triggers, left_out)
                break
            except FoldError as error:
                partition.cache.clear()
                skipped = self._word_on(partition, error)
                if skipped is None or skipped in left_out:
                    raise
                # Its author could fold it: the row stands, and so does what was published for it.
                log.warning(
                    "skipped in an adopted row", partition=partition.number, seq=row.seq,
                    what=described(skipped.cause), reason=skipped.reason,
                )  # fmt: skip
                left_out.append(skipped)
        assert draft is not None
        return draft.finish_as(row, stored.raw)

    def _word_on(self, partition: Partition, error: FoldError) -> Skipped | None:
        """What an operator has said of the cause of ``error``."""
        return partition.ticks.skips.get(error.cause) if error.cause is not None else None

    def _draft(
        self,
        partition: Partition,
        row: JournalRow,
        fetched: list[Fetched],
        adopted: list[TriggerEvent] | None,
        skips: Sequence[Skipped],
    ) -> Draft | None:
        """The row's slices folded, or its timers fired; None when its timers are not there."""
        number = partition.number
        processor = self._processors[number]
        states, sizes = partition.cache.states, partition.cache.sizes
        if fetched and fetched[0].topic == self._topics.origin:
            return processor.inherit(partition.position, fetched[0], states)
        definitions = self._definitions.upto(row.definitions)
        if row.fired is None:
            work = processor.prepare(fetched, row.latest, skips)
            self._load(partition, list(work.keys))
            return processor.fold(
                partition.position, work, states, sizes, definitions, bounded=False, adopted=adopted
            )
        last = (row.fired.due, row.fired.key)
        due = [
            (key, moment)
            for key, moment in self._store.due(number, row.fired.due, FIRED_LIMIT)
            if (moment, key) <= last
        ]
        if adopted is None and (not due or due[-1] != (row.fired.key, row.fired.due)):
            return None
        self._load(partition, [key for key, _ in due])
        if partition.cache.missing(key for key, _ in due):
            raise StateLost(
                f"partition {number}: a timer of row {row.seq} has no state in Redis any more: another owner "
                "has committed since"
            )
        return processor.fire(
            partition.position, due, states, sizes, definitions,
            adopted=adopted, skips=skips,
        )  # fmt: skip

    def _read(self, part: Slice, number: int, journal: LogReader) -> Fetched:
        records = (
            # Only the first rows of a later generation have it: no lane for all the others.
            journal.read_range(part.topic, number, part.start, part.end)
            if part.topic == self._topics.origin
            else self._along.take(part.topic, part.start, part.end)
        )
        if len(records) != part.count or slice_crc(records) != part.crc:
            raise RecoveryRefused(
                "incomplete",
                number,
                f"{part.topic}[{number}] offsets {part.start} to {part.end} hold {len(records)} records "
                f"where the journal counted {part.count} (or other bytes); retention or compaction took "
                f"them. Restore with: huitou rebuild --partition {number}",
            )
        return Fetched(part.topic, part.start, part.end, records)

    def _load(self, partition: Partition, keys: list[str]) -> None:
        missing = partition.cache.missing(keys)
        if missing:
            found = self._store.load_states({partition.number: missing})[partition.number]
            for key, (state, size) in found.items():
                partition.cache.states[key] = state
                partition.cache.sizes[key] = size
