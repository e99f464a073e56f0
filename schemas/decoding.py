"""From a Kafka record to a typed event, or to the dead letter that says why not.

Whatever the bytes, nothing is raised. What is refused depends on the record, the partition count
and ``latest_ms`` alone, so that recovery and verify refuse exactly what the worker refused.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from schemas.catalogue import EXCHANGE, FOLDED_TOPICS, TOPICS, kafka_names
from schemas.deadletter import DeadLetter, Reason, Record, dead_letter, encode_dead_letter
from schemas.envelope import BODY_BYTES
from schemas.events import CustomerEvent
from schemas.exchange import EXCHANGE_BYTES, ExchangeEvent
from schemas.partitioner import partition_of
from schemas.requirements import LACKS

__all__ = [
    "CustomerEvent",
    "Decoded",
    "Decoder",
    "RawRecord",
    "Record",
    "UnknownTopicError",
    "encode_dead_letter",
    "refusal",
]

DAY_MS: Final = 86_400_000
#: Objects and lists inside each other; more is a dead letter. msgspec's own bound is what is left
#: of the interpreter's stack (1,000 frames), which would make the verdict depend on who calls.
NESTING: Final = 500
#: Keys remembered by a decoder over all its partitions, of about 220 bytes each: 29 MB.
REMEMBERED_KEYS: Final = 131_072

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: All that msgspec raises on bad bytes: the last two are for invalid UTF-8 and deep nesting.
UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class UnknownTopicError(LookupError):
    """A record of a topic that the decoder was not told of: an error of wiring, not of data."""

    def __init__(self, topic: str, known: Sequence[str]) -> None:
        super().__init__(
            f"topic {topic!r} is none of {', '.join(known)}: check HUITOU_TOPIC_PREFIX"
        )


class RawRecord(NamedTuple):
    """A record of a topic. ``timestamp``: ms since 1970, when the broker appended it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """A good event and its time in ms since 1970, cut down to the millisecond."""

    event: CustomerEvent | ExchangeEvent
    time_ms: int


class _Untyped(msgspec.Struct, tag_field="type", tag="\0"):
    """Makes a union of an event's type: a lone tagged struct may lack its tag, a union may not."""

    def __post_init__(self) -> None:
        # msgspec turns it into the error that any other unknown type gets.
        raise ValueError("Invalid value '\\x00' - at `$.type`")


class _TopicDecoder:
    """How the records of one topic are read."""

    def __init__(self, name: str) -> None:
        event = TOPICS[name].event
        self.type: Final = event | _Untyped
        self.decode: Final[Callable[[bytes], Any]] = msgspec.json.Decoder(self.type).decode
        self.lacks: Final = LACKS.get(event) if event else None
        self.most_bytes: Final = EXCHANGE_BYTES if name == EXCHANGE else BODY_BYTES
        #: An exchanged fact's time was judged where it was told, under that partition's clock.
        self.judges_time: Final = name != EXCHANGE


class Decoder:
    """Reads the records of the topics that are folded; not for several threads at once.

    ``partitions`` is the stack's partition count, ``names`` maps Kafka topic names to the
    catalogue's (``schemas.catalogue.kafka_names``). ``topics`` are those of the catalogue that it reads
    (products: schemas.product_decoding). ``remembered_keys`` bounds the keys that were
    found to be in their place, of all partitions together.
    """

    def __init__(
        self,
        partitions: int,
        names: Mapping[str, str] | None = None,
        *,
        topics: Collection[str] = FOLDED_TOPICS,
        remembered_keys: int = REMEMBERED_KEYS,
    ) -> None:
        names = kafka_names() if names is None else names
        self._partitions = partitions
        self._topics = {
            kafka_name: _TopicDecoder(name) for kafka_name, name in names.items() if name in topics
        }
        #: Per partition, the keys that belong to it and the subject each stands for.
        self._subjects: list[dict[bytes | None, str]] = [{} for _ in range(partitions)]
        self._remembered = max(1, remembered_keys // partitions)

    @property
    def partitions(self) -> int:
        """The stack's partition count."""
        return self._partitions

    def decode_many(self, records: Sequence[Record], latest_ms: int) -> list[Decoded | DeadLetter]:
        """Decode records of one partition of one topic; results stand index by index beside them.

        ``latest_ms`` as in ``decode``, whose verdicts these are. Raises UnknownTopicError.
        """
        if not records:
            return []
        topic = self._topic(records[0])
        partition = records[0].partition
        decode, lacks = topic.decode, topic.lacks
        subjects = self._subjects[partition] if partition < self._partitions else {}
        horizon = latest_ms + DAY_MS
        results: list[Decoded | DeadLetter] = []
        append = results.append
        # Only what is surely good passes here; everything else is left to ``decode``.
        for record in records:
            value = record.value
            if value is None or record.headers or (len(value) > NESTING and _is_suspect(value)):
                append(self.decode(record, latest_ms))
                continue
            try:
                event = decode(value)
            except UNREADABLE:
                append(self.decode(record, latest_ms))
                continue
            key = record.key
            subject = subjects.get(key)
            if subject is None:
                subject = self._learn(key, partition)
            since = event.time - _EPOCH
            time_ms = since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000
            if (
                subject == event.subject
                and (0 <= time_ms <= record.timestamp + DAY_MS or 0 <= time_ms <= horizon)
                and (lacks is None or lacks(event.data) is None)
            ):
                append(Decoded(event, time_ms))
            else:
                append(self.decode(record, latest_ms))
        return results

    def decode(self, record: Record, latest_ms: int) -> Decoded | DeadLetter:
        """Decode one record of a topic that is folded.

        ``latest_ms`` is the partition's newest tick in ms since 1970, 0 before any: an event more
        than a day after both it and the record's own timestamp is refused.

        Raises UnknownTopicError, and nothing else.
        """
        topic = self._topic(record)
        value, key = record.value, record.key
        if value is None:
            return dead_letter(record, "null_value", "the record has no value")
        if len(value) > topic.most_bytes:
            return dead_letter(
                record, "body_too_large", f"{len(value)} bytes, at most {topic.most_bytes} are read"
            )
        if key is None:
            return dead_letter(record, "null_key", "the record has no key: it is the customer id")
        if _is_suspect(value) and nesting(value) > NESTING:
            return dead_letter(record, "invalid_value", f"nested deeper than {NESTING}")
        try:
            event = self._read(topic, record, value)
        except UNREADABLE as error:
            return dead_letter(record, *refusal(error))
        missing = topic.lacks and topic.lacks(event.data)
        if missing is not None:
            return dead_letter(
                record,
                "missing_field",
                f"Object missing required field `{missing}` for this kind of event - at `$.data`",
            )
        return self._place(record, key, event, latest_ms, judges_time=topic.judges_time)

    def _place(
        self,
        record: Record,
        key: bytes,
        event: CustomerEvent | ExchangeEvent,
        latest_ms: int,
        *,
        judges_time: bool,
    ) -> Decoded | DeadLetter:
        """The checks of an event that reads well against its key, partition and time."""
        if key != event.subject.encode():
            return dead_letter(record, "key_not_subject", f"the subject is {event.subject!r}")
        home = partition_of(key, self._partitions)
        if home != record.partition:
            return dead_letter(
                record,
                "wrong_partition",
                f"the key belongs to partition {home} of {self._partitions}: produce with murmur2",
            )
        since = event.time - _EPOCH
        time_ms = since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000
        if time_ms < 0:
            return dead_letter(record, "invalid_value", "a time before 1970 - at `$.time`")
        now = max(record.timestamp, latest_ms)
        if judges_time and time_ms > now + DAY_MS:
            return dead_letter(record, "future_time", f"{time_ms - now} ms ahead - at `$.time`")
        return Decoded(event, time_ms)

    def _topic(self, record: Record) -> _TopicDecoder:
        try:
            return self._topics[record.topic]
        except KeyError:
            raise UnknownTopicError(record.topic, list(self._topics)) from None

    def _learn(self, key: bytes | None, partition: int) -> str:
        """The subject of ``key`` if it belongs to ``partition``, else "", no event's subject."""
        if key is None or partition_of(key, self._partitions) != partition:
            return ""
        try:
            subject = key.decode()
        except UnicodeDecodeError:
            return ""
        subjects = self._subjects[partition]
        if len(subjects) >= self._remembered:
            # Learning the hot keys again is cheaper than keeping an order of use at every event.
            subjects.clear()
        subjects[key] = subject
        return subject

    def _read(self, topic: _TopicDecoder, record: Record, value: bytes) -> Any:
        """The typed event of a record in either of CloudEvents' two modes. Raises UNREADABLE."""
        headers = record.headers
        if headers and _is_binary_mode(headers):
            return _read_binary_mode(topic, headers, value)
        return topic.decode(value)


def refusal(error: Exception) -> tuple[Reason, str]:
    """The reason code and the detail of what msgspec raised (one of UNREADABLE)."""
    detail = str(error)
    if isinstance(error, RecursionError):
        return "invalid_value", "nested too deeply"
    if not isinstance(error, msgspec.ValidationError):
        return "not_json", detail
    if detail.startswith("Object missing required field"):
        return "missing_field", detail
    if detail.endswith("- at `$.type`"):
        return "wrong_type", detail
    return "invalid_value", detail


def _is_suspect(value: bytes) -> bool:
    """Whether ``value`` is over the body limit or may be nested more deeply than is read."""
    return len(value) > BODY_BYTES or value.count(b"[") + value.count(b"{") > NESTING


_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKET: Final = re.compile(rb"[\[\]{}]")


def nesting(value: bytes) -> int:
    """How deeply objects and lists are nested in JSON; of other bytes, some number."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", value)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


# CloudEvents' Kafka protocol binding: in binary mode the attributes are headers ce_<attribute> and
# the value is the data; in structured mode the value holds them all, and the content type says so.
_ATTRIBUTES: Final = {
    f"ce_{name}": name for name in ("specversion", "id", "source", "type", "subject", "time")
}


def _is_binary_mode(headers: Sequence[tuple[str, bytes | None]]) -> bool:
    binary = False
    for name, value in headers:
        if name == "content-type" and value and value.startswith(b"application/cloudevents"):
            return False
        binary = binary or name in _ATTRIBUTES
    return binary


def _read_binary_mode(
    topic: _TopicDecoder, headers: Sequence[tuple[str, bytes | None]], value: bytes
) -> Any:
    envelope: dict[str, Any] = {}
    for name, content in headers:
        attribute = _ATTRIBUTES.get(name)
        if attribute is not None and content is not None:
            try:
                envelope[attribute] = content.decode()
            except UnicodeDecodeError as error:
                raise msgspec.ValidationError(f"{error} - at `$.{attribute}`") from None
    # Decoded apart, never spliced into one JSON text, where the value could close its own braces.
    envelope["data"] = msgspec.json.decode(value)
    return msgspec.convert(envelope, topic.type)
