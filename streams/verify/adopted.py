"""Rows of another build: what was published for them stands, and is held against the row's own digest.

This build may decide otherwise, so it cannot say what such a row must have published; but the row says
it itself, by the digest over all of its rows in the order in which they came.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from schemas.decoding import RawRecord
from schemas.journal import JournalRow
from schemas.trigger import EventCause, TriggerEvent
from streams.engine.checksum import RowsDigest
from streams.engine.commit import OutRow

#: After every slice: timers fire in commits of their own, in the order of publication.
_LAST = (1 << 31, 0)
_decode = msgspec.json.Decoder(TriggerEvent).decode


class Adopted(NamedTuple):
    """A trigger as it was published."""

    record: RawRecord
    event: TriggerEvent

    @property
    def code(self) -> str:
        """Its coupon code, empty where it has none."""
        return self.event.data.offer.code if self.event.data.offer is not None else ""


def read_trigger(record: RawRecord) -> Adopted:
    """Raises msgspec.MsgspecError for a record that is no trigger of the contract."""
    return Adopted(record, _decode(record.value or b""))


def rows_digest(
    row: JournalRow,
    triggers: Iterable[Adopted],
    folded: Sequence[OutRow],
    refusals: Iterable[RawRecord] = (),
) -> bytes:
    """What the row's digest must be, if exactly these were published for it.

    ``folded``: what follows from folding: verdicts, dead letters and what other keys are told. The triggers
    come as they lie in their topic; the place of each one's cause says how they alternated. Refusals come
    as they lie in theirs, after all the others.
    """
    order = {part.topic: index for index, part in enumerate(row.slices)}
    placed: list[tuple[tuple[int, int], str, bytes, bytes]] = []
    # Of one event verdicts and what other keys are told come before its triggers, and sorting keeps that.
    for out in folded:
        topic, offset = out.cause or ("", 0)
        place = (order.get(topic, len(order)), offset)
        placed.append((place, out.topic, out.key or b"", out.value))
    for trigger in triggers:
        record, cause = trigger.record, trigger.event.data.cause
        place = _LAST
        if isinstance(cause, EventCause):
            place = (order.get(cause.topic, len(order)), cause.offset)
        placed.append((place, record.topic, record.key or b"", _uncoded(trigger)))
    digest = RowsDigest()
    for _, topic, key, value in sorted(placed, key=lambda one: one[0]):
        digest.add(topic, key, value)
    for refusal in refusals:
        digest.add(refusal.topic, refusal.key or b"", refusal.value or b"")
    return digest.digest()


def _uncoded(trigger: Adopted) -> bytes:
    """The bytes before the coupon code was set, which the digest leaves out."""
    value, code = trigger.record.value or b"", trigger.code
    # Cut out and not encoded anew: another build may write fields that this one does not know.
    return value.replace(b',"code":' + msgspec.json.encode(code), b"", 1) if code else value
