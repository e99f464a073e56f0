"""A commit in the making: events and timers go in one by one, ``finish`` encodes what came of them."""

import hashlib
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Protocol

import msgspec

from schemas.clock import RecordCause, SkipCause
from schemas.clock import TimerCause as DueTimer
from schemas.deadletter import DeadLetter, encode_dead_letter
from schemas.decoding import Decoded, Record
from schemas.exchange import Exchange, ExchangeEvent
from schemas.journal import JOURNAL_VERSION, Fired, JournalRow, Skipped, Slice, chain, encode_row
from schemas.partitioner import partition_of
from schemas.trigger import EventCause, TimerCause, Trigger, TriggerEvent
from streams.campaigns.campaign import adopt
from streams.campaigns.decide import decide, decide_timer
from streams.domain.exchange import fold_event, key_of, kind_of, upstream_event
from streams.domain.facts import Fact, Forward
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state, state_key
from streams.domain.timers import next_due, take_due
from streams.engine.checksum import RowsDigest, slice_crc
from streams.engine.commit import (
    APPLIED,
    DEAD_LETTER,
    DUPLICATE,
    Commit,
    Fetched,
    OutRow,
    Position,
    Stamp,
    stamp_of,
)
from streams.state.codec import decode, encode

#: One script writes at most this many states ...
COMMIT_STATES = 1_000
#: ... and about this many bytes of states and rows.
COMMIT_BYTES = 4 * 1024 * 1024
#: One commit sends at most this many rows, fewer than one Kafka transaction takes.
COMMIT_ROWS = 2_000
#: What a state not yet encoded by this process is taken to weigh.
UNKNOWN_STATE_BYTES = 1_024

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode_json = msgspec.json.Encoder().encode


class DefinitionsLike(Protocol):
    """The shops' settings as far as they were read."""

    def at(self, shop_id: str, time: int, /) -> ShopSettings: ...


class CodesLike(Protocol):
    """Makes the coupon code of a trigger id."""

    def code(self, trigger_id: str, /) -> str: ...


@dataclass(slots=True, frozen=True)
class Outlets:
    """Where the rows of a partition go, and what makes their coupon codes."""

    partition: int
    partitions: int
    triggers_topic: str
    deadletters_topic: str
    exchange_topic: str
    codes: CodesLike


class FoldError(Exception):
    """The fold or a campaign raised: the partition is paused, the worker goes on with the others."""

    def __init__(self, cause: SkipCause | None, where: str, error: BaseException) -> None:
        """``where`` says the cause for people, without a customer's name; ``cause`` None: unknown."""
        super().__init__(f"{where}: {type(error).__name__}: {error}")
        self.cause = cause
        self.where = where


class CausedAt(Protocol):
    """Wall time in ms at which a timer's firing became due (due time plus lateness on that clock)."""

    def __call__(self, due: int, /) -> int: ...


class Draft:
    """A commit in the making: what was folded or fired, before its circumstances are stamped on it."""

    def __init__(
        self,
        outlets: Outlets,
        position: Position,
        states: MutableMapping[str, CustomerState],
        sizes: Mapping[str, int],
        *,
        bounded: bool = True,
        decides: bool = True,
    ) -> None:
        self._bounded = bounded
        self._decides = decides
        #: Of all that was spent in here, for the metrics.
        self.decide_seconds = 0.0
        #: In fold order.
        self.slices: list[Slice] = []
        #: What was left out on an operator's word, in the order in which it came.
        self.skipped: list[Skipped] = []
        self._outlets = outlets
        self._position = position
        self._seq = position.seq + 1
        self._fired: Fired | None = None
        self._states = states
        self._sizes = sizes
        self._touched: dict[str, int | None] = {}
        self._weight = 0
        self._rows: list[OutRow] = []
        #: Facts told to other keys; the number is in each one's id.
        self._forwarded = 0
        self._rows_digest = RowsDigest()
        self._counts: dict[tuple[str, str], int] = {}
        self._evicted_early = 0

    @property
    def full(self) -> bool:
        return self._bounded and (
            len(self._touched) >= COMMIT_STATES
            or self._weight >= COMMIT_BYTES
            or len(self._rows) >= COMMIT_ROWS
        )

    def fold_items(
        self,
        part: Fetched,
        items: list[Decoded | DeadLetter],
        first: int,
        definitions: DefinitionsLike,
    ) -> int:
        """Fold items[first:] until the commit is full; returns the index of the first one left."""
        states, touched, sizes = self._states, self._touched, self._sizes
        applied = duplicates = dead = 0
        index = first
        full = False  # changes only where a state is touched first or a row is added
        try:
            for index in range(first, len(items)):
                if full:
                    break
                item = items[index]
                if isinstance(item, DeadLetter):
                    dead += 1
                    self._dead_letter(part.records[index], item)
                    full = self.full
                    continue
                event, time = item.event, item.time_ms
                shop = event.data.shop_id
                key = key_of(event)
                state = states.get(key)
                if state is None:
                    state = states[key] = new_state(shop, event.subject, kind_of(event))
                settings = definitions.at(shop, time)
                if key in touched:
                    facts = fold_event(state, event, time, settings)
                else:
                    before, evicted = next_due(state), state.evicted_early
                    facts = fold_event(state, event, time, settings)
                    if facts is not None:
                        touched[key] = before
                        self._evicted_early -= evicted
                        self._weight += sizes.get(key, UNKNOWN_STATE_BYTES)
                        full = self.full
                if facts is None:
                    duplicates += 1
                    continue
                applied += 1
                if not facts:
                    continue
                self._forward_all(facts, shop, part.records[index])
                full = self.full
                told = upstream_event(event)
                if told is not None and self._decides:
                    began = perf_counter()
                    triggers = decide(state, facts, told, time, settings)
                    self.decide_seconds += perf_counter() - began
                    for trigger in triggers:
                        record = part.records[index]
                        trigger.cause = EventCause(part.topic, record.partition, record.offset)
                        self._trigger(trigger, time, record.timestamp)
                        full = self.full
            else:
                index = len(items)
        except Exception as error:
            offset = part.records[index].offset
            where = f"{part.topic}[{self._outlets.partition}]@{offset}"
            raise FoldError(RecordCause(part.topic, offset), where, error) from error
        for outcome, count in ((APPLIED, applied), (DUPLICATE, duplicates), (DEAD_LETTER, dead)):
            if count:
                cell = (part.topic, outcome)
                self._counts[cell] = self._counts.get(cell, 0) + count
        return index

    def inherit(self, part: Fetched) -> None:
        """Take over the states of records of shop.origin, with which a later generation begins.

        Raises StateCodecError for a record that holds none.
        """
        for record in part.records:
            state = decode(record.value or b"")
            key = state_key(state.shop_id, state.customer_id, state.kind)
            self._states[key] = state
            self._touched[key] = None
            # Counted by the generation in which they were evicted.
            self._evicted_early -= state.evicted_early
        count, crc = len(part.records), slice_crc(part.records)
        self.slices.append(Slice(part.topic, part.start, part.end, count, crc))

    def fire(
        self,
        due: Sequence[tuple[str, int]],
        definitions: DefinitionsLike,
        caused_at: CausedAt | None,
        skips: Sequence[Skipped] = (),
    ) -> None:
        """See streams.engine.process."""
        if not due:
            return  # a row of another build, of whose timers this one has none
        last_key, until = due[-1]
        left_out = {skipped.cause: skipped for skipped in skips}
        occasions = []
        for key, at in due:
            state = self._states[key]
            self._touched[key] = next_due(state)
            self._evicted_early -= state.evicted_early
            try:
                taken = take_due(state, until)
            except Exception as error:
                raise FoldError(None, f"the timers of a state due {at}", error) from error
            for order, occasion in enumerate(taken):
                occasions.append((occasion.due, key, order, occasion))
        occasions.sort(key=lambda entry: entry[:3])
        for moment, key, _, occasion in occasions:
            if not self._decides:
                break
            state = self._states[key]
            cause = DueTimer(key, occasion.kind, moment)
            if cause in left_out:
                if left_out[cause] not in self.skipped:
                    self.skipped.append(left_out[cause])
                continue
            began = perf_counter()
            try:
                settings = definitions.at(state.shop_id, moment)
                triggers = decide_timer(state, occasion, settings)
            except Exception as error:
                where = f"timer {occasion.kind} due {moment}"
                raise FoldError(cause, where, error) from error
            self.decide_seconds += perf_counter() - began
            for trigger in triggers:
                trigger.cause = TimerCause(occasion.kind, moment)
                self._trigger(trigger, moment, caused_at(moment) if caused_at else moment)
        self._fired = Fired(until, last_key, len(occasions))

    def adopt(self, events: Sequence[TriggerEvent]) -> None:
        """Record triggers as they were published; every state concerned is at hand or made."""
        for event in events:
            key = state_key(event.data.shop_id, event.data.customer_id)
            state = self._states.get(key)
            if state is None:
                state = self._states[key] = new_state(event.data.shop_id, event.data.customer_id)
            if key not in self._touched:
                self._touched[key] = next_due(state)
                self._evicted_early -= state.evicted_early
            adopt(state, event)

    def _forward_all(self, facts: Sequence[Fact], shop_id: str, record: Record) -> None:
        """Send what other keys must be told: like dead letters it follows from folding alone."""
        for fact in facts:
            if type(fact) is not Forward:
                continue
            outlets, key = self._outlets, fact.key.encode()
            event = ExchangeEvent(
                specversion="1.0",
                id=f"{outlets.partition}-{self._seq}-{self._forwarded}",
                source=outlets.exchange_topic,
                subject=fact.key,
                time=EPOCH + timedelta(milliseconds=fact.time),
                data=Exchange(shop_id=shop_id, body=fact.body),
            )
            self._forwarded += 1
            topic, value = outlets.exchange_topic, _encode_json(event)
            self._rows_digest.add(topic, key, value)
            kind = str(type(fact.body).__struct_config__.tag)
            home = partition_of(key, outlets.partitions)
            cause = (record.topic, record.offset)
            self._add(OutRow(topic, home, key, value, record.timestamp, kind, cause))

    def _trigger(self, trigger: Trigger, time: int, cause_ms: int) -> None:
        trigger.seq = self._seq
        outlets = self._outlets
        event = TriggerEvent(
            specversion="1.0",
            id=trigger.trigger_id,
            source="huitou",
            subject=trigger.customer_id,
            time=EPOCH + timedelta(milliseconds=time),
            data=trigger,
        )
        key = trigger.customer_id.encode()
        topic = outlets.triggers_topic
        value = _encode_json(event)
        self._rows_digest.add(topic, key, value)
        if trigger.offer is not None:
            trigger.offer.code = outlets.codes.code(trigger.trigger_id)
            value = _encode_json(event)
        self._add(OutRow(topic, outlets.partition, key, value, cause_ms, trigger.campaign))

    def _dead_letter(self, record: Record, letter: DeadLetter) -> None:
        topic = self._outlets.deadletters_topic
        key = f"{letter.topic}/{letter.partition}/{letter.offset}".encode()
        value = encode_dead_letter(letter, record.timestamp)
        self._rows_digest.add(topic, key, value)
        cause, partition = (record.topic, record.offset), self._outlets.partition
        self._add(OutRow(topic, partition, key, value, record.timestamp, "", cause))

    def _add(self, row: OutRow) -> None:
        self._weight += len(row.value)
        self._rows.append(row)

    def finish_as(self, row: JournalRow, raw: bytes) -> Commit:
        """The commit under a row that was published before, whatever this build would have written."""
        commit = self.finish(stamp_of(row))
        commit.position, commit.row, commit.journal = Position(row.seq, chain(raw)), raw, row
        commit.vector = {part.topic: part.end for part in row.slices}
        commit.rows = []
        return commit

    def finish(self, stamp: Stamp, clock_slices: Sequence[Slice] = ()) -> Commit:
        """Encode what changed and chain the journal row; ``clock_slices``: the clock records applied."""
        slices = [*self.slices, *clock_slices]
        states: dict[str, bytes] = {}
        timers: dict[str, int | None] = {}
        digest = hashlib.blake2b(digest_size=16)
        for key, before in self._touched.items():
            state = self._states[key]
            states[key] = encoded = encode(state)
            digest.update(key.encode())
            digest.update(encoded)
            self._evicted_early += state.evicted_early
            due = next_due(state)
            if due != before:
                timers[key] = due
        journal = JournalRow(
            version=JOURNAL_VERSION,
            seq=self._seq,
            previous=self._position.chain,
            epoch=stamp.epoch,
            slices=slices,
            clock=stamp.clock,
            latest=stamp.latest,
            fired=self._fired,
            skip=self.skipped or None,
            definitions=dict(stamp.definitions),
            build=stamp.build,
            codec=stamp.codec,
            config=stamp.config,
            code_key=stamp.code_key,
            rows=self._rows_digest.digest(),
            states=digest.digest(),
        )
        row = encode_row(journal)
        return Commit(
            position=Position(self._seq, chain(row)),
            row=row,
            journal=journal,
            rows=self._rows,
            states=states,
            timers=timers,
            counts=self._counts,
            vector={part.topic: part.end for part in slices},
            evicted_early=self._evicted_early,
        )
