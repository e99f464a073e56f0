"""One customer's events folded again in the order in which they were processed.

So it shows whether a record was a duplicate, and of which one: the fold itself says so, as it did then.
The shops' settings are not asked for: they decide what days and money an event counts for, never whether it
is a repeat. Decisions are left out for the same reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from schemas.clock import RecordCause
from schemas.deadletter import DeadLetter
from schemas.decoding import CustomerEvent, Decoder, RawRecord
from schemas.exchange import ExchangeEvent
from schemas.journal import JournalRow
from streams.domain.exchange import fold_event, key_of, kind_of
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from streams.domain.timers import next_due, take_due
from streams.tracing.along import KeyRecords

#: Topic, partition, offset.
Place: TypeAlias = tuple[str, int, int]
#: Records of one customer that are folded again; more are not held in memory.
MOST: Final = 200_000


class Verdict(NamedTuple):
    """What was made of a record. ``of``: the record that it repeats, where that is at hand."""

    outcome: Literal["applied", "duplicate", "dead_letter", "skipped"]
    why: str = ""
    of: Place | None = None


def place_of(record: RawRecord) -> Place:
    """Where a record lies."""
    return record.topic, record.partition, record.offset


class History:
    """Folds ``records``, all of one Kafka key, along rows that are given in order."""

    def __init__(self, records: Iterable[RawRecord], decoder: Decoder) -> None:
        self.verdicts: dict[Place, Verdict] = {}
        #: Why what comes after it could not be folded; None: all was.
        self.stopped: str | None = None
        self._decoder = decoder
        self._records = KeyRecords(records)
        self._states: dict[str, CustomerState] = {}
        #: What named and what natural key was folded first, by state.
        self._first: dict[tuple[Any, ...], Place] = {}

    def follow(self, row: JournalRow) -> None:
        """Fold what the commit of ``row`` processed."""
        if self.stopped is not None:
            return
        skips = {one.cause: one.reason for one in row.skip or ()}
        for record in self._records.of(row):
            self._fold(record, row, skips)
        if row.fired is not None:
            for key, state in self._states.items():
                due = next_due(state)
                if due is not None and (due, key) <= (row.fired.due, row.fired.key):
                    take_due(state, row.fired.due, ShopSettings(state.shop_id))
        for key in row.expired or ():
            if self._states.pop(key, None) is not None:
                self._first = {name: place for name, place in self._first.items() if name[0] != key}

    def _fold(self, record: RawRecord, row: JournalRow, skips: Mapping[Any, str]) -> None:
        place = place_of(record)
        item = self._decoder.decode(record, row.latest)
        if isinstance(item, DeadLetter):
            self.verdicts[place] = Verdict("dead_letter", _joined(item.reason, item.detail))
            return
        cause = RecordCause(record.topic, record.offset)
        if cause in skips:
            self.verdicts[place] = Verdict("skipped", skips[cause])
            return
        event, time = item.event, item.time_ms
        shop = event.data.shop_id
        key = key_of(event)
        state = self._states.setdefault(key, new_state(shop, event.subject, kind_of(event)))
        try:
            facts = fold_event(state, event, time, ShopSettings(shop))
        except Exception as error:  # noqa: BLE001
            # Whatever it is: a worker of this build would pause the partition there.
            self.stopped = f"this build cannot fold {place[0]}[{place[1]}]@{place[2]}: {error!r}"
            return
        names = [(key, "id", event.source, event.id), (key, *natural_key(event, time))]
        if facts is None:
            found = next((name for name in names if name in self._first), None)
            why = "the same event" if found == names[0] else "the same fact under another id"
            self.verdicts[place] = Verdict("duplicate", why, self._first[found] if found else None)
            return
        why = ""
        if state.erased_at is not None and time <= state.erased_at and not _erases(event):
            why = "it changed nothing: the customer was erased later than it happened"
        self.verdicts[place] = Verdict("applied", why)
        for name in names:
            self._first.setdefault(name, place)


def _joined(reason: str, detail: str) -> str:
    return f"{reason}: {detail}" if detail else reason


def _erases(event: CustomerEvent | ExchangeEvent) -> bool:
    return getattr(event.data, "action", None) == "erase"


def natural_key(event: CustomerEvent | ExchangeEvent, time: int) -> tuple[Any, ...]:
    """What makes two events the same fact, whatever their ids (streams.domain.fold); of those that have no
    such key their id.
    """
    data: Any = event.data
    kind = type(event).__name__
    if kind == "OrderEvent":
        # A refund's statuses are each refund's own.
        refund = data.refund_id if data.status.startswith("refund") else None
        return kind, data.order_id, data.status, refund
    if kind == "ReviewEvent":
        return kind, data.order_id, data.sku, data.action
    if kind == "CartEvent":
        return kind, data.action, data.sku, tuple(sorted(data.attributes.items())), time
    return kind, event.source, event.id


def records_of(records: Iterable[RawRecord], key: bytes | None) -> Sequence[RawRecord] | None:
    """Those with the Kafka key ``key``; None where they are more than MOST."""
    found: list[RawRecord] = []
    for record in records:
        if record.key == key:
            found.append(record)
            if len(found) > MOST:
                return None
    return found
