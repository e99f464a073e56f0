"""What became of an event: its records, what each came to, the triggers and refusals that it caused."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from schemas.catalogue import kafka_names
from schemas.clock import RecordCause
from schemas.decision import Decision, DecisionEvent
from schemas.decoding import Decoder, RawRecord
from schemas.partitioner import partition_of
from schemas.trigger import EventCause, Trigger, TriggerEvent
from streams.engine.log import LogReader
from streams.engine.pausing import decode_paused
from streams.engine.topicnames import TopicNames
from streams.state.redis_store import RedisStore
from streams.tracing.copies import CHUNK, Log, copies
from streams.tracing.history import History, Verdict, place_of, records_of
from streams.tracing.rows import Processed, published_row, rows_along, unpublished_rows

Outcome = Literal[
    "applied", "duplicate", "dead_letter", "skipped",
    # Of records that no row at hand says anything of:
    "not_processed", "before_journal", "passed_over",
]  # fmt: skip

_decode_trigger: Final = msgspec.json.Decoder(TriggerEvent).decode
_decode_decision: Final = msgspec.json.Decoder(DecisionEvent).decode


@dataclass(frozen=True, slots=True)
class Issued:
    """A trigger that a record caused, where it was published."""

    trigger_id: str
    campaign: str
    kind: str
    code: str | None
    seq: int
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Refused:
    """An offer that a record earned and that was refused, where that was published.

    ``saw``: the value by which the step ``reason`` refused.
    """

    decision_id: str
    campaign: str
    reason: str
    saw: str | int | None
    seq: int
    topic: str
    partition: int
    offset: int


@dataclass(slots=True)
class Traced:
    """A record of the event. Times in ms since 1970; ``why`` is for people."""

    topic: str
    partition: int
    offset: int
    appended_ms: int
    key: bytes | None
    outcome: Outcome
    why: str = ""
    #: The record that it repeats: topic, partition, offset.
    duplicate_of: tuple[str, int, int] | None = None
    #: The commit that processed it; None: none that is known.
    seq: int | None = None
    #: Where its row is in the journal; None: Redis has the commit, and it is not published yet.
    journal_offset: int | None = None
    build: str | None = None
    #: Where its dead letter is.
    dead_letter_offset: int | None = None
    #: Why the outcome may be another one; None: it is certain.
    doubt: str | None = None
    triggers: list[Issued] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)

    @property
    def is_published(self) -> bool:
        """Whether readers of Kafka have what came of it."""
        return self.journal_offset is not None


class Tracer:
    """Asks a stack's Kafka and Redis; every call blocks."""

    def __init__(self, log: Log, store: RedisStore, topics: TopicNames, partitions: int) -> None:
        self._log = log
        self._reader: LogReader = log.reader
        self._store = store
        self._topics = topics
        self._partitions = partitions

    def trace(
        self, source: str, identity: str, customer: str | None, topics: Sequence[str]
    ) -> list[Traced]:
        """Every record of the event in ``topics`` (Kafka names), by topic, partition and offset.

        With ``customer`` only the partition of theirs is looked at. Raises TooMany, a LogError or
        redis.RedisError.
        """
        numbers = (
            range(self._partitions)
            if customer is None
            else [partition_of(customer.encode(), self._partitions)]
        )
        found = copies(self._log, topics, list(numbers), source, identity)
        if customer is not None:
            found = [record for record in found if record.key == customer.encode()]
        traced: dict[tuple[str, int, int], Traced] = {}
        for number, key in dict.fromkeys((record.partition, record.key) for record in found):
            own = [record for record in found if (record.partition, record.key) == (number, key)]
            for one in self._of_customer(number, key, own):
                traced[one.topic, one.partition, one.offset] = one
        return [traced[place_of(record)] for record in found]

    def _of_customer(
        self, partition: int, key: bytes | None, records: list[RawRecord]
    ) -> Iterable[Traced]:
        rows = {place_of(record): self._row(record) for record in records}
        done = [row for row in rows.values() if row is not None]
        verdicts: dict[tuple[str, int, int], Verdict] = {}
        doubt = None
        if done:
            verdicts, doubt = self._judged(partition, key, done)
        for record in records:
            place = place_of(record)
            traced = Traced(*place, record.timestamp, record.key, "not_processed")
            row = rows[place]
            if row is None:
                self._say_unprocessed(traced)
            else:
                self._say_processed(traced, row, verdicts.get(place), doubt)
            yield traced

    def _row(self, record: RawRecord) -> Processed | None:
        """The commit that processed the record."""
        place = (record.partition, record.topic, record.offset)
        for _ in range(2):
            found = published_row(self._reader, self._topics.journal, *place)
            if found is not None:
                return found
            for row in unpublished_rows(self._store, record.partition):
                if any(
                    p.topic == record.topic and p.start <= record.offset < p.end
                    for p in row.row.slices
                ):
                    return row
            # What was published and trimmed since the journal was read is in the journal now.
        return None

    def _judged(
        self, partition: int, key: bytes | None, done: list[Processed]
    ) -> tuple[dict[tuple[str, int, int], Verdict], str | None]:
        """What the fold makes of the customer's records up to the last commit of ``done``; why it may be
        another thing than it was, None: it is not.
        """
        places = [(topic, partition) for topic in self._topics.customer]
        starts = self._log.starts(places)
        records = records_of(self._log.records(places), key)
        if records is None:
            return {}, "the customer has too many events to fold them again"
        journal = (self._topics.journal, partition)
        start = self._reader.log_starts([journal])[journal]
        history = History(records, Decoder(self._partitions, kafka_names(self._topics.prefix)))
        origin = False
        last = max((row.offset for row in done if row.offset is not None), default=start - 1)
        for row in rows_along(self._reader, *journal, start, last):
            origin = origin or any(part.topic == self._topics.origin for part in row.slices)
            history.follow(row)
        if any(row.offset is None for row in done):
            end = self._reader.stable_ends([journal])[journal]
            for row in rows_along(self._reader, *journal, last + 1, end - 1):
                history.follow(row)
            for unpublished in unpublished_rows(self._store, partition):
                history.follow(unpublished.row)
        doubt = history.stopped
        if doubt is None and origin:
            doubt = "what the customer did in the generation of topics before this one was not looked at"
        if doubt is None and (start or any(starts.values())):
            doubt = (
                "earlier events of the customer were not looked at (--since, or retention removed them: "
                "--archive), and it may repeat one of those"
            )
        return history.verdicts, doubt

    def _say_processed(
        self, traced: Traced, processed: Processed, verdict: Verdict | None, doubt: str | None
    ) -> None:
        row = processed.row
        traced.seq, traced.journal_offset, traced.build = row.seq, processed.offset, row.build
        if verdict is None:
            traced.outcome, traced.doubt = "applied", doubt or "it could not be folded again"
        else:
            traced.outcome, traced.why, traced.duplicate_of = verdict
            # Whatever came before, a repeat stays one, and so does what cannot be read.
            traced.doubt = doubt if verdict.outcome == "applied" else None
        if not traced.is_published:
            return
        if traced.outcome in ("dead_letter", "skipped"):
            traced.dead_letter_offset = self._dead_letter(traced)
        elif traced.outcome == "applied":
            traced.triggers = [
                _issued(*found)
                for found in self._caused(self._topics.triggers, _decode_trigger, traced, row.seq)
            ]
            traced.refusals = [
                _refused(*found)
                for found in self._caused(self._topics.decisions, _decode_decision, traced, row.seq)
            ]

    def _say_unprocessed(self, traced: Traced) -> None:
        stored = self._store.stored(traced.partition)
        reached = stored.vector.get(traced.topic, 0)
        if traced.offset >= reached:
            paused = self._store.paused().get(traced.partition)
            if paused is not None:
                why = decode_paused(paused)
                cause = RecordCause(traced.topic, traced.offset)
                here = "for it" if why.cause == cause else "before it"
                traced.why = (
                    f"its partition is paused {here}: {why.error}; `huitou skip` lists what to do"
                )
            else:
                traced.why = (
                    f"its partition has processed this topic up to offset {reached} (a worker that runs "
                    "goes on)"
                )
            return
        journal = (self._topics.journal, traced.partition)
        if self._reader.log_starts([journal])[journal]:
            traced.outcome = "before_journal"
            traced.why = (
                "its partition is past it, and the row is no longer in the journal (--archive)"
            )
        else:
            traced.outcome = "passed_over"
            traced.why = (
                "its partition is past it, and no row of the journal has it: `huitou verify`"
            )

    def _dead_letter(self, traced: Traced) -> int | None:
        """The offset of the record's dead letter, None where retention has removed it."""
        place = (self._topics.deadletters, traced.partition)
        start, end = (
            self._reader.log_starts([place])[place],
            self._reader.stable_ends([place])[place],
        )
        wanted = f"{traced.topic}/{traced.partition}/{traced.offset}".encode()
        for first in range(start, end, CHUNK):
            for record in self._reader.read_range(*place, first, min(first + CHUNK, end)):
                if record.key == wanted:
                    return record.offset
        return None

    def _caused(
        self, topic: str, decode: Callable[[bytes], Any], traced: Traced, seq: int
    ) -> Iterator[tuple[RawRecord, Any]]:
        """The published triggers or refusals that name the record as their cause, by their rising ``seq``."""
        place = (topic, traced.partition)
        start, end = (
            self._reader.log_starts([place])[place],
            self._reader.stable_ends([place])[place],
        )
        cause = EventCause(traced.topic, traced.partition, traced.offset)
        low, high = start, end
        while high - low > CHUNK:
            middle = (low + high) // 2
            read = self._reader.read_range(*place, middle, min(middle + CHUNK, high))
            if not read or decode(read[0].value or b"").data.seq >= seq:
                high = middle
            else:
                low = middle
        for first in range(low, end, CHUNK):
            for record in self._reader.read_range(*place, first, min(first + CHUNK, end)):
                data = decode(record.value or b"").data
                if data.seq > seq:
                    return
                if data.seq == seq and data.cause == cause:
                    yield record, data


def _issued(record: RawRecord, data: Trigger) -> Issued:
    code = None if data.offer is None else data.offer.code
    place = (record.topic, record.partition, record.offset)
    return Issued(data.trigger_id, data.campaign, data.kind, code, data.seq, *place)


def _refused(record: RawRecord, data: Decision) -> Refused:
    saw = data.checks[-1].value if data.checks else None
    place = (record.topic, record.partition, record.offset)
    return Refused(data.decision_id, data.campaign, data.reason, saw, data.seq, *place)
