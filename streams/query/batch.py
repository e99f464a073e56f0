"""From the records of a poll to what one transaction writes.

Records are read by schemas.decoding, so what is a dead letter to a worker is passed over here, with two
exceptions, which do not follow from the record alone: an event that lies more than a day ahead of the
partition's newest tick (``future_time``), and one that an operator had left out (``skipped``). A worker's
verdict on those is in shop.deadletters, which the sink reads, too (``LeftOut``).

Products (streams.query.products) no worker reads: one that lies more than a day ahead of its own record is
passed over here.

What an erasure deletes does not come back with a verdict that is read later, so one that lies more than a day
ahead of its own record, as far as the record tells, is passed over at once.

A record that `huitou repartition` has forwarded stands for the one that it is a copy of, which counts as left
out: verdicts are on the copy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from schemas.catalogue import (
    DEADLETTERS,
    DECISIONS,
    ORDERS,
    PRODUCTS,
    PROFILES,
    REVIEWS,
    SERVICE,
    TRIGGERS,
    VERDICTS,
    WISHES,
)
from schemas.deadletter import DeadLetter, DeadLetterEvent
from schemas.decoding import UNREADABLE, Decoded, Decoder, RawRecord
from schemas.envelope import Data
from schemas.forwarded import origins
from schemas.order import OrderEvent
from schemas.product_decoding import DecodedProduct, ProductDecoder
from schemas.profile import ProfileEvent
from schemas.review import ReviewEvent
from schemas.service import ServiceEvent
from schemas.wish import WishEvent
from streams.query.facts import CustomerFact, Fact, Place, storable
from streams.query.likers import pseudonymous
from streams.query.products import ProductFact, said_of
from streams.query.worker_rows import decision_row, trigger_row, verdict_row

#: How what workers decided becomes a row.
_OF_WORKERS: Final = {TRIGGERS: trigger_row, DECISIONS: decision_row, VERDICTS: verdict_row}
#: What the sink reads, by the catalogue's names.
TOPICS: Final = (
    ORDERS, REVIEWS, PROFILES, SERVICE, WISHES, PRODUCTS, TRIGGERS, DECISIONS, VERDICTS,
    DEADLETTERS,
)  # fmt: skip
#: No event is refused for its time here: only the worker knows the tick it is judged against.
_NO_HORIZON: Final = 1 << 60
#: Only what lies ahead of the record's own time is refused: what a worker takes at any tick.
_OWN_HORIZON: Final = 0
#: Actions that a customer's profile is made of.
_OF_PROFILE: Final = frozenset({"updated", "consent", "joined_membership"})
#: What Kafka can count, and the store can hold; a letter that names more is none of a worker's.
_MOST_PARTITION: Final = 2**31 - 1
_MOST_OFFSET: Final = 2**63 - 1
_BEYOND_THE_RECORD: Final = frozenset({"future_time", "skipped"})
#: The reason of a record that another one, in a later generation of topics, is a copy of.
FORWARDED: Final = "forwarded"

_encode = msgspec.json.encode
_decode_letter = msgspec.json.Decoder(DeadLetterEvent).decode


class Slice(NamedTuple):
    """What a poll brought of one partition: the store moves from ``start`` to ``end``."""

    topic: str
    partition: int
    start: int
    end: int
    records: Sequence[RawRecord]


class Advance(NamedTuple):
    """How far one transaction moves a partition. ``appended_ms``: of its newest record, None of none."""

    topic: str
    partition: int
    start: int
    end: int
    records: int
    passed_over: int
    appended_ms: int | None


class LeftOut(NamedTuple):
    """A record that reads well and that the worker left out, or that another one is a copy of."""

    place: Place
    reason: str


class Erasure(NamedTuple):
    """What the customer of a shop did until ``until_ms`` (ms since 1970, included) is to go."""

    shop_id: str
    customer_id: str
    until_ms: int
    place: Place


@dataclass(slots=True)
class Batch:
    """All that one transaction writes, in the order in which it came."""

    advances: list[Advance] = field(default_factory=list)
    orders: list[Fact] = field(default_factory=list)
    reviews: list[Fact] = field(default_factory=list)
    erasures: list[Erasure] = field(default_factory=list)
    profiles: list[CustomerFact] = field(default_factory=list)
    service: list[CustomerFact] = field(default_factory=list)
    wishes: list[CustomerFact] = field(default_factory=list)
    products: list[ProductFact] = field(default_factory=list)
    #: Rows of the tables.
    triggers: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    wish_verdicts: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


class BatchReader:
    """Reads slices into batches. ``names`` maps Kafka names to the catalogue's."""

    def __init__(self, partitions: int, names: Mapping[str, str]) -> None:
        self._names = names
        self._decoder = Decoder(partitions, names)
        self._products = ProductDecoder(partitions, names)

    def read(self, slices: Sequence[Slice]) -> Batch:
        """The batch of these slices, one a partition."""
        batch = Batch()
        for part in slices:
            name = self._names[part.topic]
            if name in _OF_WORKERS:
                passed_over = _decided(batch, name, part.records)
            elif name == DEADLETTERS:
                passed_over = sum(not self._letter(batch, record) for record in part.records)
            elif name == PRODUCTS:
                passed_over = sum(not self._product(batch, record) for record in part.records)
            else:
                passed_over = self._events(batch, part.records)
            records = part.records
            batch.advances.append(
                Advance(
                    part.topic, part.partition, part.start, part.end, len(records), passed_over,
                    records[-1].timestamp if records else None,
                )
            )  # fmt: skip
        return batch

    def _events(self, batch: Batch, records: Sequence[RawRecord]) -> int:
        """How many were passed over."""
        passed_over = 0
        decoded = self._decoder.decode_many(records, _NO_HORIZON)
        for record, item in zip(records, decoded, strict=True):
            if not isinstance(item, Decoded):
                passed_over += 1
                continue
            event = item.event
            if _is_erasure(event) and not self._is_within_own_horizon(record):
                passed_over += 1
                continue
            batch.left_out += [
                LeftOut((origin.topic, origin.partition, origin.offset), FORWARDED)
                for origin in origins(record.headers)
                if self._is_of_another_generation(origin.topic, record.topic)
            ]
            if isinstance(event, OrderEvent):
                status = (event.data.status, _refund_id(event))
                batch.orders.append(_fact(record, event, item.time_ms, status))
            elif isinstance(event, ReviewEvent):
                action = (storable(event.data.sku), event.data.action)
                batch.reviews.append(_fact(record, event, item.time_ms, action))
            elif isinstance(event, ServiceEvent):
                batch.service.append(_customer_fact(record, event, item.time_ms))
            elif isinstance(event, WishEvent):
                batch.wishes.append(
                    _customer_fact(record, event, item.time_ms, pseudonymous(event))
                )
            elif isinstance(event, ProfileEvent) and event.data.action in _OF_PROFILE:
                batch.profiles.append(_customer_fact(record, event, item.time_ms))
            elif isinstance(event, ProfileEvent) and _is_erasure(event):
                batch.erasures.append(
                    Erasure(
                        event.data.shop_id, storable(event.subject), item.time_ms,
                        (record.topic, record.partition, record.offset),
                    )
                )  # fmt: skip
        return passed_over

    def _is_within_own_horizon(self, record: RawRecord) -> bool:
        return isinstance(self._decoder.decode(record, _OWN_HORIZON), Decoded)

    def _is_of_another_generation(self, topic: str, copied_to: str) -> bool:
        """Whether ``copied_to`` may have been forwarded from ``topic``: anybody may write a header."""
        return topic != copied_to and topic.endswith(self._names[copied_to])

    def _product(self, batch: Batch, record: RawRecord) -> bool:
        """Whether it could be read."""
        # No worker reads it, so nobody else judges its time.
        item = self._products.decode(record, _OWN_HORIZON)
        if not isinstance(item, DecodedProduct):
            return False
        data = item.event.data
        batch.products.append(
            ProductFact(
                (data.shop_id, storable(data.sku)), item.time_ms,
                (record.topic, record.partition, record.offset), said_of(data),
            )
        )  # fmt: skip
        return True

    def _letter(self, batch: Batch, record: RawRecord) -> bool:
        """Whether it could be read."""
        try:
            letter: DeadLetter = _decode_letter(record.value or b"").data
        except UNREADABLE:
            return False
        if not 0 <= letter.partition <= _MOST_PARTITION or not 0 <= letter.offset <= _MOST_OFFSET:
            return False
        if letter.reason in _BEYOND_THE_RECORD and self._names.get(letter.topic) in TOPICS:
            place = (letter.topic, letter.partition, letter.offset)
            batch.left_out.append(LeftOut(place, letter.reason))
        return True


def _decided(batch: Batch, name: str, records: Sequence[RawRecord]) -> int:
    """How many were passed over."""
    row_of = _OF_WORKERS[name]
    read = [row_of(record) for record in records]
    rows = [row for row in read if row is not None]
    if name == VERDICTS:
        batch.verdicts += [row for row in rows if "order_hash" in row]
        batch.wish_verdicts += [row for row in rows if "wish_hash" in row]
    else:
        held = {TRIGGERS: batch.triggers, DECISIONS: batch.decisions}[name]
        held += rows
    return read.count(None)


def _is_erasure(event: object) -> bool:
    return isinstance(event, ProfileEvent) and event.data.action == "erase"


def _customer_fact(
    record: RawRecord,
    event: ProfileEvent | ServiceEvent | WishEvent,
    time_ms: int,
    data: Data | None = None,
) -> CustomerFact:
    """``data``: what is kept in place of the event's."""
    return CustomerFact(
        (event.data.shop_id, storable(event.subject)),
        time_ms,
        storable(event.source),
        storable(event.id),
        _encode(data or event.data).decode(),
        (record.topic, record.partition, record.offset),
    )


def _refund_id(event: OrderEvent) -> str:
    """Part of the natural key of the refund statuses, and of no other."""
    data = event.data
    is_refund = data.status in ("refund_requested", "refund_withdrawn", "refunded")
    return storable(data.refund_id or "") if is_refund else ""


def _fact(
    record: RawRecord, event: OrderEvent | ReviewEvent, time_ms: int, name: tuple[str, str]
) -> Fact:
    data = event.data
    return Fact(
        (data.shop_id, storable(event.subject), storable(data.order_id)),
        name,
        time_ms,
        storable(event.source),
        storable(event.id),
        _encode(data).decode(),
        (record.topic, record.partition, record.offset),
    )
