"""shop.deadletters: every record that could not be read, with its bytes, position and reason."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal, Protocol

import msgspec

from schemas.envelope import BODY_BYTES, Envelope

Reason = Literal[
    "not_json", "wrong_type", "missing_field", "invalid_value", "future_time", "body_too_large",
    "null_key", "key_not_subject", "wrong_partition", "null_value",
]  # fmt: skip
#: Why a record became a dead letter: it was refused, or an operator had it left out (`huitou skip`).
LetterReason = Literal[Reason, "skipped"]

#: The encoded event stays under 128 KB whatever the record: 64 KB of value are 87,384 of base64,
#: headers are cut at 16,384 as encoded, the key at 1,368 (1 KB in base64), the detail at 1,200 (6 a
#: character), and the rest (the topic three times, numbers, names) is under 2 KB.
VALUE_BYTES: Final = BODY_BYTES
KEY_BYTES: Final = 1024
DETAIL_LENGTH: Final = 200
HEADER_BYTES: Final = 16 * 1024

#: Kafka's longest topic name (249), two slashes, a partition (10 digits) and an offset (19 digits).
Position = Annotated[str, msgspec.Meta(min_length=1, max_length=280)]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: 9999-12-31T00:00:00Z, the last day that a datetime can hold.
_LATEST_MS: Final = 253_402_214_400_000


class Header(msgspec.Struct, frozen=True):
    """A header of the refused record; ``value`` is base64 on the wire."""

    name: str
    value: bytes | None


class DeadLetter(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A refused record. ``key`` and ``value`` are base64 on the wire.

    ``value_bytes`` is the length of the whole value. A longer one than 64 KB is cut, and only then
    ``value_sha256`` (hex, of the whole) is given; ``headers_omitted`` counts headers left out.
    """

    topic: str
    partition: int
    offset: int
    reason: LetterReason
    #: What was wrong and where in the record, for people.
    detail: str = ""
    key: bytes | None = None
    value: bytes | None = None
    value_bytes: int = 0
    value_sha256: str = ""
    headers: list[Header] = []
    headers_omitted: int = 0

    @property
    def position(self) -> str:
        """``topic/partition/offset``: the key, subject and id of the dead letter."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class DeadLetterEvent(Envelope, tag="shop.deadletter.v1"):
    id: Position
    subject: Position
    data: DeadLetter


class Record(Protocol):
    """A consumed record: aiokafka's ConsumerRecord or ``schemas.decoding.RawRecord``."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """When the broker appended it, ms since 1970."""
        ...

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


def dead_letter(record: Record, reason: LetterReason, detail: str) -> DeadLetter:
    """The dead letter of ``record``, cut to size."""
    value, key = record.value, record.key
    headers, omitted = _cut_headers(record.headers)
    whole = value is None or len(value) <= VALUE_BYTES
    return DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reason=reason,
        detail=detail[:DETAIL_LENGTH],
        key=key if key is None else bytes(key[:KEY_BYTES]),
        value=value if value is None else bytes(value[:VALUE_BYTES]),
        value_bytes=0 if value is None else len(value),
        value_sha256="" if value is None or whole else hashlib.sha256(value).hexdigest(),
        headers=headers,
        headers_omitted=omitted,
    )


def _cut_headers(
    headers: Sequence[tuple[str, bytes | None]],
) -> tuple[list[Header], int]:
    kept: list[Header] = []
    room = HEADER_BYTES
    for name, value in headers:
        # A control character of a name is six bytes in JSON, three bytes of a value four in base64.
        room -= 6 * len(name) + 4 * (len(value or b"") + 2) // 3 + 24
        if room < 0:
            break
        kept.append(Header(name, value))
    return kept, len(headers) - len(kept)


_encode: Final = msgspec.json.Encoder().encode


def encode_dead_letter(letter: DeadLetter, time_ms: int) -> bytes:
    """The CloudEvent of ``letter``: the same bytes for the same letter and time (ms since 1970)."""
    position = letter.position
    return _encode(
        DeadLetterEvent(
            specversion="1.0",
            id=position,
            source="huitou",
            subject=position,
            time=_EPOCH + timedelta(milliseconds=min(max(time_ms, 0), _LATEST_MS)),
            data=letter,
        )
    )
