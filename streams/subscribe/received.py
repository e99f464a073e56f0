"""A record of shop.triggers as a typed trigger, or why it is none that this build knows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import msgspec

from schemas.trigger import Trigger, TriggerEvent

TYPE: Final = "shop.trigger.v1"

#: ``unknown_type``: a later version of the contract, say shop.trigger.v2. ``unknown_kind``: a kind that was
#: added after this build. ``unreadable``: not what the contract says. ``rejected``: the handler said so.
#: ``exhausted``: every attempt failed. ``expired``: its time was over before an attempt succeeded.
LetterReason = Literal[
    "unknown_type", "unknown_kind", "unreadable", "rejected", "exhausted", "expired"
]


class Unreadable(Exception):
    """A record that cannot be given to a handler; ``reason`` as in a dead letter."""

    def __init__(self, reason: LetterReason, detail: str) -> None:
        self.reason: LetterReason = reason
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Record:
    """A record where it lies in the log; ``key`` and ``value`` are its bytes, unchanged."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None

    @property
    def place(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class ReceivedTrigger:
    """A trigger for a handler. ``attempt`` counts from 1."""

    event: TriggerEvent
    record: Record
    attempt: int = 1

    @property
    def id(self) -> str:
        """Names the trigger: the same at every redelivery."""
        return self.event.data.trigger_id

    @property
    def trigger(self) -> Trigger:
        return self.event.data

    def expired(self, now: datetime) -> bool:
        """Whether the campaign no longer wants it to be acted on at ``now`` (with a time zone)."""
        expires = self.event.data.expires
        return expires is not None and expires <= now


class _Head(msgspec.Struct):
    type: str = ""


_head = msgspec.json.Decoder(_Head)
_event = msgspec.json.Decoder(TriggerEvent)


def read(record: Record) -> ReceivedTrigger:
    """The typed trigger of a record; fields that this build does not know are ignored.

    Raises Unreadable, and nothing else.
    """
    if record.value is None:
        raise Unreadable("unreadable", "the record has no value")
    try:
        name = _head.decode(record.value).type
        if name != TYPE:
            raise Unreadable("unknown_type", f"type {name[:64]!r} is not {TYPE}")
        return ReceivedTrigger(_event.decode(record.value), record)
    # The last two: invalid UTF-8 and deep nesting.
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        detail = str(error)
        if detail.startswith("Invalid enum value") and detail.endswith("`$.data.kind`"):
            raise Unreadable("unknown_kind", detail) from None
        raise Unreadable("unreadable", detail) from None
