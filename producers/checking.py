"""Refuses before sending what its reader would refuse after: by the worker's own decoder, and the sink's."""

import re
import time
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from producers.errors import InvalidEventError
from schemas.catalogue import CUSTOMER_TOPICS, PRODUCTS, TOPICS, UPSTREAM_TOPICS
from schemas.deadletter import DeadLetter
from schemas.decoding import UNREADABLE, Decoder, RawRecord, refusal
from schemas.envelope import BODY_BYTES, Envelope
from schemas.events import UpstreamEvent
from schemas.product_decoding import ProductDecoder

_TOPIC_OF_EVENT: Final[dict[type[Envelope], str]] = {
    event: name for name in UPSTREAM_TOPICS if (event := TOPICS[name].event) is not None
}
_TOPIC_OF_TYPE: Final = {
    str(event.__struct_config__.tag): name for event, name in _TOPIC_OF_EVENT.items()
}
_MISSING: Final = re.compile(r"missing required field `([^`]+)`")
_PATH: Final = re.compile(r" - at `\$\.?([^`]*)`$")
#: What msgspec raises for values that JSON cannot hold.
_UNWRITABLE: Final = (msgspec.MsgspecError, TypeError, ValueError, RecursionError, OverflowError)


class CheckedRecord(NamedTuple):
    """What goes to Kafka: the catalogue's topic name (no prefix), the key, the JSON."""

    topic: str
    key: bytes
    value: bytes


class _Head(msgspec.Struct):
    """As much of a line as its topic and key need; the decoder judges all of it."""

    type: object = None
    subject: object = None


class Checker:
    """Turns events and JSON lines into records that workers accept. Not for several threads at
    once.

    Partitions are left out of it: clients choose them by the key with murmur2. Event times are
    judged against the wall clock, or ``latest_ms`` where that is later (the end of the window of
    whoever holds the stack's clock).
    """

    def __init__(self, latest_ms: int = 0) -> None:
        self._latest = latest_ms
        # With one partition every key is where it belongs.
        self._decoder = Decoder(1, {name: name for name in CUSTOMER_TOPICS})
        self._products = ProductDecoder(1, {PRODUCTS: PRODUCTS})
        self._encode = msgspec.json.Encoder().encode
        self._head = msgspec.json.Decoder(_Head).decode

    def event(self, event: UpstreamEvent) -> CheckedRecord:
        """The record of a typed event. Raises InvalidEventError; its time is written in UTC."""
        topic = _TOPIC_OF_EVENT.get(type(event))
        if topic is None:
            known = ", ".join(sorted(each.__name__ for each in _TOPIC_OF_EVENT))
            raise InvalidEventError(
                "wrong_type", "type", f"{type(event).__name__} is none of {known}", event
            )
        try:
            if event.time.tzinfo is not UTC:
                if event.time.tzinfo is None:
                    raise InvalidEventError(
                        "invalid_value", "time", "the time has no time zone", event
                    )
                event = msgspec.structs.replace(event, time=event.time.astimezone(UTC))
            key, value = event.subject.encode(), self._encode(event)
        except (AttributeError, *_UNWRITABLE) as error:
            raise InvalidEventError(
                "invalid_value", "", f"cannot be written as JSON: {error}", event
            ) from error
        return self._checked(CheckedRecord(topic, key, value), event)

    def line(self, line: bytes) -> CheckedRecord:
        """The record of one CloudEvent in structured JSON, its bytes unchanged.

        The topic is chosen by ``type``. Raises InvalidEventError.
        """
        if len(line) > BODY_BYTES:
            detail = f"{len(line)} bytes, at most {BODY_BYTES} are read"
            raise InvalidEventError("body_too_large", "", detail)
        try:
            head = self._head(line)
        except UNREADABLE as error:
            reason, detail = refusal(error)
            raise InvalidEventError(reason, _field(detail), detail) from error
        if head.type is None:
            raise InvalidEventError("missing_field", "type", "the event has no type")
        topic = _TOPIC_OF_TYPE.get(head.type) if isinstance(head.type, str) else None
        if topic is None:
            known = ", ".join(_TOPIC_OF_TYPE)
            raise InvalidEventError("wrong_type", "type", f"{head.type!r} is none of {known}")
        # A subject that is no string is the decoder's to refuse, by its name.
        key = _encoded(head.subject) if isinstance(head.subject, str) else b""
        return self._checked(CheckedRecord(topic, key, line), None)

    def subject(self, line: bytes) -> bytes | None:
        """The subject of a line that need not be valid; None where it has none."""
        try:
            subject = self._head(line).subject
        except UNREADABLE:
            return None
        return _encoded(subject) if isinstance(subject, str) else None

    def _checked(self, record: CheckedRecord, event: UpstreamEvent | None) -> CheckedRecord:
        now = time.time_ns() // 1_000_000
        decoder = self._products if record.topic == PRODUCTS else self._decoder
        raw = RawRecord(record.topic, 0, 0, now, record.key, record.value)
        result = decoder.decode(raw, self._latest)
        if isinstance(result, DeadLetter):
            detail = _PATH.sub("", result.detail)
            if result.reason == "future_time":
                detail += f" of {self._clock(now)}; at most a day is allowed"
            raise InvalidEventError(result.reason, _field(result.detail), detail, event)
        return record

    def _clock(self, now: int) -> str:
        """By which an event at ``now`` (ms) is judged: a simulation's may have run ahead, and is over."""
        if self._latest > now:
            return f"the stack's clock, which is held until {_moment(self._latest)}"
        return (
            f"this machine's clock, {_moment(now)} (nobody holds the stack's, as huitou simulate does "
            "while it runs)"
        )


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds")


def _field(detail: str) -> str:
    """The path of what is wrong, as ``data.sku``, from msgspec's words; empty for the whole."""
    path = _PATH.search(detail)
    missing = _MISSING.search(detail)
    parts = [path.group(1) if path else "", missing.group(1) if missing else ""]
    return ".".join(part for part in parts if part)


def _encoded(subject: str) -> bytes:
    # A half of a surrogate pair has no UTF-8; the decoder refuses such a line by itself.
    return subject.encode("utf-8", "replace")
