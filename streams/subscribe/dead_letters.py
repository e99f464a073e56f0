"""Where triggers go that were given up: a topic of the subscriber's own, or a file. None is lost."""

import base64
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.subscribe.errors import DeadLetterUnavailableError
from streams.subscribe.received import LetterReason, Record

#: Characters of an error that are kept: it may quote a whole answer of a server.
DETAIL_LENGTH: Final = 500
_DELIVERY_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was given up after ``attempts`` attempts (0: the handler was never called)."""

    record: Record
    reason: LetterReason
    detail: str
    attempts: int


class DeadLetters(Protocol):
    """A place for them. Called by several threads."""

    def put(self, letter: DeadLetter) -> None:
        """Returns once the letter is safe, which may be put twice; raises DeadLetterUnavailableError."""

    def close(self) -> None:
        """Lets go of connections."""


class DeadLetterTopic:
    """Writes key and value unchanged, so that the record can be sent again as it is; headers say why.

    Headers: ``huitou-reason``, ``huitou-detail``, ``huitou-attempts``, ``huitou-place``
    (topic/partition/offset). The topic must exist. ``kafka`` are further settings of librdkafka.
    """

    def __init__(
        self, bootstrap: str, topic: str, *, kafka: Mapping[str, Any] | None = None
    ) -> None:
        self._topic = topic
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "delivery.timeout.ms": round(_DELIVERY_SECONDS * 1000),
                # As the contract's topics: one customer's letters stay in one partition.
                "partitioner": "murmur2_random",
                "allow.auto.create.topics": False,
                **(kafka or {}),
            }
        )

    def put(self, letter: DeadLetter) -> None:
        settled = threading.Event()
        causes: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                causes.append(error)
            settled.set()

        record = letter.record
        try:
            self._producer.produce(
                self._topic,
                key=record.key,
                value=record.value,
                headers=[
                    ("huitou-reason", letter.reason.encode()),
                    ("huitou-detail", letter.detail[:DETAIL_LENGTH].encode(errors="replace")),
                    ("huitou-attempts", str(letter.attempts).encode()),
                    ("huitou-place", record.place.encode()),
                ],
                on_delivery=delivered,
            )
        except (KafkaException, BufferError) as error:
            raise DeadLetterUnavailableError(self._topic, record.place, error) from error
        # Longer than delivery.timeout.ms, so that the report itself says how it ended.
        self._producer.flush(_DELIVERY_SECONDS + 10)
        if not settled.wait(_DELIVERY_SECONDS) or causes:
            raise DeadLetterUnavailableError(self._topic, record.place, causes or "no answer")

    def close(self) -> None:
        self._producer.flush(_DELIVERY_SECONDS)


class DeadLetterFile:
    """Appends and syncs a line of JSON a letter: place, reason, detail, attempts, key, value (base64)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def put(self, letter: DeadLetter) -> None:
        record = letter.record
        line = json.dumps(
            {
                "place": record.place,
                "reason": letter.reason,
                "detail": letter.detail[:DETAIL_LENGTH],
                "attempts": letter.attempts,
                "key": _text(record.key),
                "value": _text(record.value),
            }
        )
        try:
            with self._lock, self._path.open("a", encoding="ascii") as file:
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise DeadLetterUnavailableError(str(self._path), record.place, error) from error

    def close(self) -> None:
        """Nothing stays open between letters."""


def _text(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()
