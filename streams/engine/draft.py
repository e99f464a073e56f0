"""A commit in the making: events and timers go in one by one, ``finish`` encodes what came of them."""

import hashlib
from collections.abc import Mapping, MutableMapping, Sequence
from time import perf_counter
from typing import Protocol

from schemas.clock import RecordCause, SkipCause
from schemas.clock import TimerCause as DueTimer
from schemas.deadletter import DeadLetter
from schemas.decision import Decision
from schemas.decoding import Decoded
from schemas.journal import JOURNAL_VERSION, Fired, JournalRow, Skipped, Slice, chain, encode_row
from schemas.trigger import EventCause, TimerCause, Trigger, TriggerEvent
from streams.campaigns.campaign import adopt, milliseconds
from streams.campaigns.decide import decide, decide_timer
from streams.campaigns.listening.in_force import Judging
from streams.domain.aggregates import aggregate, aggregate_corrections, count_coupon, unfold
from streams.domain.exchange import fold_event, key_of, kind_of, upstream_event
from streams.domain.expiry import touch
from streams.domain.increments import Increments
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state, state_key
from streams.domain.timers import goes, take_due, waiting
from streams.engine.checksum import slice_crc
from streams.engine.commit import (
    APPLIED,
    DEAD_LETTER,
    DUPLICATE,
    Commit,
    Fetched,
    Position,
    Stamp,
    stamp_of,
)
from streams.engine.outgoing import Outgoing, Outlets
from streams.state.codec import decode, encode
from streams.state.day_codec import unpack_days
from streams.state.days import increments_of
from streams.state.increments import pack_increments

#: One script writes at most this many states ...
COMMIT_STATES = 1_000
#: ... and about this many bytes of states and rows.
COMMIT_BYTES = 4 * 1024 * 1024
#: One commit sends at most this many rows, fewer than one Kafka transaction takes.
COMMIT_ROWS = 2_000
#: One commit makes about this many changes to the aggregates: some 10 ms of Redis.
COMMIT_INCREMENTS = 10_000
#: Records after which that is looked at: one adds a few dozen at most.
_INCREMENTS_EVERY = 128
#: What a state not yet encoded by this process is taken to weigh.
UNKNOWN_STATE_BYTES = 1_024
#: What the digest of states has in place of one that was removed: no state begins so.
_REMOVED = b"\xc0"


class DefinitionsLike(Protocol):
    """The shops' settings and campaigns as far as they were read."""

    def at(self, shop_id: str, time: int, /) -> ShopSettings: ...

    def judging(self, shop_id: str, time: int, /) -> Judging | None:
        """The campaigns that judge an event of ``time`` (ms); None: the shop applied none."""


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
        #: Touched states, with the due times of their timers before.
        self._touched: dict[str, tuple[int, ...]] = {}
        #: Bytes of the touched states.
        self._weight = 0
        self._outgoing = Outgoing(outlets, position.seq + 1)
        self._counts: dict[tuple[str, str], int] = {}
        self._evicted_early = 0
        self._increments = Increments()
        self._overflowing = False

    @property
    def full(self) -> bool:
        return self._bounded and (
            len(self._touched) >= COMMIT_STATES
            or self._weight + self._outgoing.weight >= COMMIT_BYTES
            or self._outgoing.count >= COMMIT_ROWS
            or self._overflowing
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
        full = False  # changes only where a state is touched first or a row is added, ...
        increments = self._increments
        try:
            for index in range(first, len(items)):
                if full:
                    break
                if not index % _INCREMENTS_EVERY:  # ... or here
                    self._overflowing = increments.size >= COMMIT_INCREMENTS
                    full = self.full
                    if full and index > first:
                        break
                item = items[index]
                if isinstance(item, DeadLetter):
                    dead += 1
                    self._outgoing.dead_letter(part.records[index], item)
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
                    before, evicted = waiting(state), state.evicted_early
                    facts = fold_event(state, event, time, settings)
                    if facts is not None:
                        touched[key] = before
                        touch(state, part.records[index].timestamp)
                        self._evicted_early -= evicted
                        self._weight += sizes.get(key, UNKNOWN_STATE_BYTES)
                        full = self.full
                if facts is None:
                    duplicates += 1
                    continue
                applied += 1
                told = upstream_event(event)
                if told is not None:
                    aggregate(increments, state, told, time, facts, settings)
                judging = definitions.judging(shop, time)
                if facts:
                    aggregate_corrections(increments, shop, facts, settings)
                    self._outgoing.tell(facts, state, part.records[index])
                    full = self.full
                elif judging is None:
                    continue
                if told is not None and self._decides:
                    began = perf_counter()
                    decided = decide(state, facts, told, time, settings, judging)
                    self.decide_seconds += perf_counter() - began
                    if decided:
                        record = part.records[index]
                        cause = EventCause(part.topic, record.partition, record.offset)
                        self._tell(decided, cause, time, record.timestamp, settings)
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
        """Take over the records of shop.origin, with which a later generation begins: states and, without
        a key, days of aggregates.

        Raises StateCodecError or msgspec.MsgspecError for a record that holds neither.
        """
        for record in part.records:
            if record.key is None:
                for place, day in unpack_days(record.value or b""):
                    self._increments.include(increments_of(place, day))
                continue
            state = decode(record.value or b"")
            key = state_key(state.shop_id, state.customer_id, state.kind)
            self._states[key] = state
            self._touched[key] = ()
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
            self._touched[key] = waiting(state)
            self._evicted_early -= state.evicted_early
            try:
                taken = take_due(state, until, definitions.at(state.shop_id, at))
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
                judging = definitions.judging(state.shop_id, moment)
                decided = decide_timer(state, occasion, settings, judging)
            except Exception as error:
                where = f"timer {occasion.kind} due {moment}"
                raise FoldError(cause, where, error) from error
            self.decide_seconds += perf_counter() - began
            if decided:
                at = caused_at(moment) if caused_at else moment
                self._tell(decided, TimerCause(occasion.kind, moment), moment, at, settings)
        self._fired = Fired(until, last_key, len(occasions))

    def _tell(
        self,
        decided: Sequence[Trigger | Decision],
        cause: EventCause | TimerCause,
        time: int,
        cause_ms: int,
        settings: ShopSettings,
    ) -> None:
        """Send what was issued and what was refused at ``time`` (ms) because of ``cause``."""
        for one in decided:
            one.cause = cause
            if isinstance(one, Trigger):
                self._count(one, time, settings)
                self._outgoing.trigger(one, time, cause_ms)
            else:
                self._outgoing.refusal(one, time, cause_ms)

    def _count(self, trigger: Trigger, time: int, settings: ShopSettings) -> None:
        if trigger.kind == "coupon_issued":
            shop, customer = trigger.shop_id, trigger.customer_id
            count_coupon(self._increments, shop, customer, trigger.campaign, time, settings)

    def retire(self, due: Sequence[tuple[str, int]]) -> None:
        """Remove the states of ``due`` that nothing needs any more, once their coupons are in them: after
        ``fire``, and after ``adopt`` where coupons are taken over.
        """
        for key, _ in due:
            state = self._states[key]
            if goes(state, due[-1][1]):
                self._evicted_early += state.evicted_early
                del self._states[key]

    def adopt(self, events: Sequence[TriggerEvent], definitions: DefinitionsLike) -> None:
        """Record triggers as they were published; every state concerned is at hand or made.

        Refusals are left as they were published: they change neither a state nor an aggregate.
        """
        for event in events:
            key = state_key(event.data.shop_id, event.data.customer_id)
            state = self._states.get(key)
            if state is None:
                state = self._states[key] = new_state(event.data.shop_id, event.data.customer_id)
            if key not in self._touched:
                self._touched[key] = waiting(state)
                self._evicted_early -= state.evicted_early
            adopt(state, event)
            time = milliseconds(event.time)
            self._count(event.data, time, definitions.at(event.data.shop_id, time))
            if not state.expires:
                touch(state, int(event.time.timestamp()) * 1000)

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
        fresh: list[int] = []
        digest = hashlib.blake2b(digest_size=16)
        expired: list[str] = []
        for key, before in self._touched.items():
            state = self._states.get(key)
            if state is None:
                expired.append(key)
                timers[key] = None
                digest.update(key.encode() + _REMOVED)
                continue
            states[key] = encoded = encode(state)
            digest.update(key.encode())
            digest.update(encoded)
            self._evicted_early += state.evicted_early
            pending = waiting(state)
            if pending != before:
                due = pending[0] if pending else None
                if not before or due != before[0]:
                    timers[key] = due
                fresh += (at for at in pending if at not in before)
        unfold(self._increments)
        added = pack_increments(self._increments)
        rows, rows_digest = self._outgoing.finish()
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
            rows=rows_digest,
            states=digest.digest(),
            aggregates=hashlib.blake2b(added.data, digest_size=16).digest() if added.data else b"",
            expired=expired or None,
        )
        row = encode_row(journal)
        return Commit(
            position=Position(self._seq, chain(row)),
            row=row,
            journal=journal,
            rows=rows,
            states=states,
            expired=expired,
            timers=timers,
            earliest_set=min(fresh, default=None),
            counts=self._counts,
            vector={part.topic: part.end for part in slices},
            evicted_early=self._evicted_early,
            increments=self._increments,
            added=added,
        )
