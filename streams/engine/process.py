"""What one commit of a partition does to its customers: pure, shared by worker, recovery and verify.

A bundle is decoded once (``prepare``) and folded in one or more commits (``fold``), each cut at a record
so that its script stays small. Due timers are fired in commits of their own (``fire``). The same input
from the same position gives the same ``Commit``, byte for byte: that is what the journal rests on.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field

from schemas.clock import RecordCause
from schemas.deadletter import DeadLetter, dead_letter
from schemas.decoding import Decoded, Decoder
from schemas.journal import Skipped, Slice
from schemas.trigger import TriggerEvent
from streams.domain.exchange import key_of
from streams.domain.state import CustomerState
from streams.engine.checksum import slice_crc
from streams.engine.commit import Fetched, Position
from streams.engine.draft import CausedAt, DefinitionsLike, Draft
from streams.engine.outgoing import CodesLike, Outlets

#: Customers whose timers one timer-only commit fires.
FIRE_CUSTOMERS = 500


@dataclass(slots=True)
class Work:
    """A decoded bundle and how far it is folded. ``items`` stand index by index beside the records."""

    fetched: list[Fetched]
    items: list[list[Decoded | DeadLetter]]
    keys: dict[str, None]
    topic: int = 0
    record: int = 0
    #: Records that an operator has had left out: they stand as dead letters among the items.
    skipped: list[Skipped] = field(default_factory=list)
    #: Whether a record was refused for a time too far ahead of the clock.
    ahead: bool = False

    @property
    def done(self) -> bool:
        return self.topic >= len(self.fetched)


class PartitionProcessor:
    """Folds bundles and fires timers of one partition; holds no state of its own between calls."""

    def __init__(
        self,
        partition: int,
        decoder: Decoder,
        codes: CodesLike,
        *,
        triggers_topic: str,
        verdicts_topic: str,
        decisions_topic: str,
        deadletters_topic: str,
        exchange_topic: str,
        partitions: int,
    ) -> None:
        """``partitions``: of the stack, which says where another key's partition is."""
        self._outlets = Outlets(
            partition, partitions, triggers_topic, verdicts_topic, decisions_topic, deadletters_topic,
            exchange_topic, codes,
        )  # fmt: skip
        self._decoder = decoder

    @property
    def partition(self) -> int:
        return self._outlets.partition

    def prepare(self, fetched: list[Fetched], latest: int, skips: Collection[Skipped] = ()) -> Work:
        """Decode a bundle; ``Work.keys`` names the states that must be at hand before ``fold``.

        A record that ``skips`` names becomes a dead letter, whatever is in it.
        """
        items: list[list[Decoded | DeadLetter]] = []
        keys: dict[str, None] = {}
        skipped: list[Skipped] = []
        ahead = False
        for part in fetched:
            decoded = self._decoder.decode_many(part.records, latest)
            if skips:
                skipped += _leave_out(part, decoded, skips)
            items.append(decoded)
            for item in decoded:
                if isinstance(item, Decoded):
                    keys[key_of(item.event)] = None
                else:
                    ahead = ahead or item.reason == "future_time"
        return Work(fetched, items, keys, skipped=skipped, ahead=ahead)

    def fold(
        self,
        position: Position,
        work: Work,
        states: MutableMapping[str, CustomerState],
        sizes: Mapping[str, int],
        definitions: DefinitionsLike,
        *,
        bounded: bool = True,
        adopted: Sequence[TriggerEvent] | None = None,
    ) -> Draft:
        """Fold from where ``work`` stands to its end or to the bounds of one commit.

        ``states`` has every key of ``work.keys`` that exists; missing ones are made. ``sizes`` gives the
        encoded bytes of states, where known. Raises FoldError with the record that caused it; the states
        touched so far are then half-changed and must be dropped. A ``work`` with nothing left gives a
        draft that only moves the clock. ``bounded`` False folds all of it: a commit that is repeated is
        as long as it was. With ``adopted``, what was published for these events by another build,
        nothing is decided: the states take those triggers over as they are.
        """
        draft = Draft(
            self._outlets, position, states, sizes, bounded=bounded, decides=adopted is None
        )
        while not work.done and not draft.full:
            part, items = work.fetched[work.topic], work.items[work.topic]
            first = work.record
            start = part.start if first == 0 else part.records[first].offset
            stop = draft.fold_items(part, items, first, definitions)
            if stop == len(items):
                end = part.end
                work.topic, work.record = work.topic + 1, 0
            else:
                end = part.records[stop].offset
                work.record = stop
            records = part.records if stop - first == len(items) else part.records[first:stop]
            draft.slices.append(Slice(part.topic, start, end, stop - first, slice_crc(records)))
            draft.skipped += [
                skipped
                for skipped in work.skipped
                if isinstance(skipped.cause, RecordCause)
                and skipped.cause.topic == part.topic
                and start <= skipped.cause.offset < end
            ]
        draft.adopt(adopted or (), definitions)
        return draft

    def fire(
        self,
        position: Position,
        due: Sequence[tuple[str, int]],
        states: MutableMapping[str, CustomerState],
        sizes: Mapping[str, int],
        definitions: DefinitionsLike,
        caused_at: CausedAt | None = None,
        adopted: Sequence[TriggerEvent] | None = None,
        skips: Sequence[Skipped] = (),
    ) -> Draft:
        """Fire the timers of ``due``: (state key, due time in ms) in (due, key) order, all in ``states``.

        Every occasion of these customers up to the last due time fires, in (due, customer) order.
        Those that ``skips`` names are dropped. ``adopted`` as in ``fold``. Raises FoldError.
        """
        draft = Draft(self._outlets, position, states, sizes, decides=adopted is None)
        draft.fire(due, definitions, caused_at, skips)
        draft.adopt(adopted or (), definitions)
        draft.retire(due)
        return draft

    def inherit(
        self, position: Position, part: Fetched, states: MutableMapping[str, CustomerState]
    ) -> Draft:
        """Take over states of a former generation; ``part`` is of shop.origin. Raises StateCodecError."""
        draft = Draft(self._outlets, position, states, {})
        draft.inherit(part)
        return draft

    def stand(self, position: Position) -> Draft:
        """A draft that changes no customer: for what only moves the clock."""
        return Draft(self._outlets, position, {}, {})


def _leave_out(
    part: Fetched, items: list[Decoded | DeadLetter], skips: Collection[Skipped]
) -> list[Skipped]:
    """Put dead letters in the place of the records that ``skips`` names; returns those it found."""
    found: dict[int, Skipped] = {}
    for skipped in skips:
        cause = skipped.cause
        if not isinstance(cause, RecordCause) or cause.topic != part.topic:
            continue
        index = bisect_left(part.records, cause.offset, key=lambda record: record.offset)
        if index == len(part.records) or part.records[index].offset != cause.offset:
            continue
        if isinstance(items[index], DeadLetter):
            continue  # nothing of it would have been folded
        items[index] = dead_letter(part.records[index], "skipped", skipped.reason)
        found[index] = skipped
    return [found[index] for index in sorted(found)]
