"""One partition verified beside a worker that goes on: every batch at a commit of its own.

Redis is read in batches that are each of one moment and name their commit. The journal is folded
exactly as far before a batch is compared, so nothing has to stand still.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Literal

import msgspec

from schemas.journal import ClockState
from streams.domain.timers import next_due
from streams.engine.commit import OutRow
from streams.engine.draft import FoldError
from streams.engine.log import LogReader, StoredRow
from streams.engine.log_errors import JournalGap, LogError
from streams.engine.repetition import Author
from streams.engine.topicnames import TopicNames
from streams.state.codec import encode
from streams.state.codes import CouponCodes
from streams.verify import explain
from streams.verify.adopted import Adopted, read_trigger, rows_digest
from streams.verify.aggregates import AggregatesVerifier
from streams.verify.errors import Forked, Rewound
from streams.verify.journal import JournalTail
from streams.verify.published import PublishedTopic, dead_letter_name, event_name
from streams.verify.replay import Replay
from streams.verify.report import Kind, Report
from streams.verify.stored import BATCH, Snapshot, StoredPartition

#: Told the partition, the commit folded last and the one known to exist.
Progress = Callable[[int, int, int], None]


class PartitionVerifier:
    """Compares one partition; whatever does not agree goes into ``report``."""

    def __init__(
        self,
        replay: Replay,
        tail: JournalTail,
        stored: StoredPartition,
        topics: TopicNames,
        reader: LogReader,
        author: Author,
        codes: CouponCodes,
        report: Report,
        progress: Progress,
    ) -> None:
        """``author``: this process, whose rows it can repeat exactly; ``codes``: those that it can make."""
        self._partition = replay.partition
        self._replay = replay
        self._tail = tail
        self._stored = stored
        self._topics = topics
        self._reader = reader
        self._author = author
        self._codes = codes
        self._report = report
        self._progress = progress
        self._triggers = PublishedTopic(
            reader, topics.triggers, self._partition, "trigger", event_name, report
        )
        self._verdicts = PublishedTopic(
            reader, topics.verdicts, self._partition, "verdict", event_name, report
        )
        self._decisions = PublishedTopic(
            reader, topics.decisions, self._partition, "decision", event_name, report
        )
        self._dead_letters = PublishedTopic(
            reader, topics.deadletters, self._partition, "dead_letter", dead_letter_name, report
        )

        self._aggregates = AggregatesVerifier(replay, stored, self._advance, report)

    def run(self) -> None:
        """Blocks until all is compared. Raises redis.RedisError, KafkaException and LogError other
        than those that say that the log itself does not add up, which are reported."""
        try:
            self._replay.aggregated_from = self._stored.days(())[1].aggregated_from
            self._compare_stored()
            self._aggregates.run()
            self._compare_published()
            self._compare_position()
        except JournalGap as error:
            self._stop("missing", str(error))
        except (LogError, FoldError) as error:
            self._stop("different", str(error))
        self._report.seqs[self._partition] = self._replay.position.seq
        self._count_unprocessed()

    # Folding on ----------------------------------------------------------------------------------

    def _advance(self, snapshot: Snapshot) -> None:
        """Folds to the commit of a snapshot, which is of the same lineage."""
        replay = self._replay
        if snapshot.seq < replay.position.seq:
            raise Rewound(self._topics.journal, self._partition, snapshot.seq, replay.position.seq)
        while replay.position.seq < snapshot.seq:
            self._apply(self._tail.wait(snapshot.seq), snapshot.seq)
        chain = replay.position.chain.hex() if snapshot.seq else ""
        if snapshot.chain != chain:
            raise Forked(self._topics.journal, self._partition, snapshot.seq, snapshot.chain, chain)

    def _apply(self, stored: StoredRow, known: int) -> None:
        row, seq = stored.row, stored.row.seq
        if Author(row.build, row.config) == self._author:
            self._repeat(stored)
        else:
            self._adopt(stored)
        self._progress(self._partition, seq, max(known, seq))

    def _repeat(self, stored: StoredRow) -> None:
        seq = stored.row.seq
        foreign = stored.row.code_key != self._codes.key_id
        for row in self._replay.apply(stored):
            if row.topic == self._topics.exchange:
                continue  # in another partition; the digest in the journal row has been compared
            self._published(row).expect(row, seq, foreign_code=foreign)

    def _published(self, row: OutRow) -> PublishedTopic:
        """Where a row that stays in its partition went."""
        return {
            self._topics.triggers: self._triggers,
            self._topics.verdicts: self._verdicts,
            self._topics.decisions: self._decisions,
            self._topics.deadletters: self._dead_letters,
        }[row.topic]

    def _adopt(self, stored: StoredRow) -> None:
        """A row of another build: what campaigns decided is taken over as it was published."""
        row = stored.row
        self._report.adopted += 1
        triggers = []
        for name, record in self._triggers.issued_by(row.seq):
            try:
                triggers.append(read_trigger(record))
            except msgspec.MsgspecError as error:
                detail = f"at offset {record.offset} of {record.topic}: {error}"
                self._report.note("different", "trigger", self._partition, name, detail)
        refusals = [record for _, record in self._decisions.issued_by(row.seq)]
        if row.code_key == self._codes.key_id:
            self._check_codes(triggers)
        folded = self._replay.apply(stored, [trigger.event for trigger in triggers])
        own = [out for out in folded if out.topic != self._topics.exchange]
        for out in own:
            self._published(out).expect(out, row.seq, foreign_code=False)
        if rows_digest(row, triggers, folded, refusals) != row.rows:
            detail = (
                f"build {row.build} wrote it; the {len(triggers)} triggers and {len(refusals)} refusals "
                "published for it, its "
                f"{len(own)} verdicts and dead letters and {len(folded) - len(own)} facts for other keys do "
                "not have the digest that it names: one is missing, extra or altered"
            )
            self._report.note("different", "journal", self._partition, f"seq {row.seq}", detail)

    def _check_codes(self, triggers: Sequence[Adopted]) -> None:
        """The digest leaves the coupon codes out."""
        for trigger in triggers:
            name = trigger.event.data.trigger_id
            expected = self._codes.code(name) if trigger.event.data.offer is not None else ""
            if trigger.code != expected:
                detail = f"data.offer.code: log {expected}, found {trigger.code}"
                self._report.note("different", "trigger", self._partition, name, detail)

    # States and timers ---------------------------------------------------------------------------

    def _compare_stored(self) -> None:
        self._advance(self._stored.snapshot())
        compared = 0
        # New customers are added to the list while it is worked off.
        while compared < len(self._replay.keys):
            batch = self._replay.keys[compared : compared + BATCH]
            self._compare_batch(batch, self._stored.snapshot(batch))
            compared += len(batch)
        self._find_extra("state", self._stored.state_keys())
        self._find_extra("timer", self._stored.timer_keys())

    def _compare_batch(self, keys: Sequence[str], snapshot: Snapshot) -> None:
        self._advance(snapshot)
        report, partition = self._report, self._partition
        report.states.compared += len(keys)
        for key, found, due in zip(keys, snapshot.states, snapshot.dues, strict=True):
            state = self._replay.states.get(key)
            if state is None:
                if found is not None:
                    report.note(
                        "extra", "state", partition, key, "it has expired, and Redis has it"
                    )
            elif found is None:
                report.note("missing", "state", partition, key, "Redis does not have it")
            elif found != encode(state):
                report.note("different", "state", partition, key, explain.states(state, found))
            expected = None if state is None else next_due(state)
            if expected is not None or due is not None:
                self._compare_timer(key, expected, due)

    def _compare_timer(self, key: str, expected: int | None, found: float | None) -> None:
        report, partition = self._report, self._partition
        report.timers.compared += 1
        if found is None:
            detail = f"due at {expected}; Redis does not have it"
            report.note("missing", "timer", partition, key, detail)
        elif expected is None:
            report.note("extra", "timer", partition, key, f"due at {found:.0f} in Redis alone")
        elif found != expected:
            detail = f"log {expected}, found {found:.0f}"
            report.note("different", "timer", partition, key, detail)

    def _find_extra(self, subject: Literal["state", "timer"], present: Iterable[str]) -> None:
        """Notes what is there of customers that no commit has written."""
        strangers = (key for key in present if not self._replay.knows(key))
        # A customer may be new since the last batch, so they are looked at again at one moment.
        while batch := list(dict.fromkeys(islice(strangers, BATCH))):
            snapshot = self._stored.snapshot(batch)
            self._advance(snapshot)
            values = snapshot.states if subject == "state" else snapshot.dues
            for key, value in zip(batch, values, strict=True):
                if value is not None and not self._replay.knows(key):
                    detail = "Redis has it, and no commit has written a state of this customer"
                    self._report.note("extra", subject, self._partition, key, detail)

    # What was published --------------------------------------------------------------------------

    def _compare_published(self) -> None:
        """Each record of a commit that is in the journal, and no other."""
        due = self._replay.position.seq
        outgoing = (self._triggers, self._verdicts, self._decisions, self._dead_letters)
        # A commit's rows are written before its journal row can be read, so they are below here ...
        ends = [topic.end() for topic in outgoing]
        for topic, end in zip(outgoing, ends, strict=True):
            topic.read_to(end)
        # ... and what was read there belongs to commits whose journal rows are below this end.
        place = (self._topics.journal, self._partition)
        for stored in self._tail.before(self._reader.high_watermarks([place])[place]):
            self._apply(stored, stored.row.seq)
        for topic in outgoing:
            topic.finish(due)

    # What Redis keeps of the partition as a whole ------------------------------------------------

    def _compare_position(self) -> None:
        snapshot = self._stored.snapshot()
        self._advance(snapshot)
        replay = self._replay
        if replay.row is None:
            return
        expected: dict[str, object] = {f"offset:{t}": at for t, at in replay.vector.items()}
        for (topic, outcome), count in replay.counts.items():
            expected[f"count:{topic}:{outcome}"] = count
        if replay.evicted_early:
            expected["evicted_early"] = replay.evicted_early
        found: dict[str, object] = {
            name: int(value)
            for name, value in snapshot.meta.items()
            if name.startswith(("offset:", "count:")) or name == "evicted_early"
        }
        expected["clock"] = msgspec.to_builtins(replay.row.clock)
        clock = snapshot.meta.get("clock")
        if clock is not None:
            found["clock"] = msgspec.to_builtins(msgspec.msgpack.decode(clock, type=ClockState))
        self._report.partitions.compared += 1
        differing = explain.listed(explain.fields(expected, found))
        if differing:
            name = f"{self._partition} at seq {snapshot.seq}"
            self._report.note("different", "partition", self._partition, name, differing)

    def _count_unprocessed(self) -> None:
        places = [(topic, self._partition) for topic in self._topics.folded]
        for (topic, _), end in self._reader.high_watermarks(places).items():
            self._report.unprocessed += max(0, end - self._replay.vector.get(topic, 0))

    def _stop(self, kind: Kind, detail: str) -> None:
        """The rest of this partition cannot be compared, which is a disagreement in itself."""
        name = f"after seq {self._replay.position.seq}"
        self._report.note(kind, "journal", self._partition, name, detail)
