"""One question for the offsets of many partitions, asked again while topics are new or leaders move."""

import time
from collections.abc import Mapping
from typing import Final

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

#: Answers that come while a topic is new or its leader moves; every other one is final.
PASSING: Final = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        # A leader that was just elected: client and broker know epochs of different age.
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError._TRANSPORT,
    }
)
_PAUSE_SECONDS: Final = 0.05
#: librdkafka's log level (syslog's) at which it tells of no failed attempt to connect.
SILENT = 2


class OffsetsError(Exception):
    """Kafka's answer for one partition of the question; ``reason`` is what it said."""

    def __init__(self, topic: str, partition: int, reason: KafkaError) -> None:
        super().__init__(f"{topic}[{partition}]: {reason}")
        self.topic = topic
        self.partition = partition
        self.reason = reason


def list_offsets(
    admin: AdminClient,
    asked: Mapping[TopicPartition, OffsetSpec],
    isolation: IsolationLevel,
    seconds: float,
) -> dict[tuple[str, int], int]:
    """(topic, partition) -> offset, in one request a broker and try.

    Blocks; raises OffsetsError for an answer that waiting does not mend, or that is still passing
    after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _ask(admin, asked, isolation, seconds)
        except OffsetsError as error:
            if error.reason.code() not in PASSING or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_SECONDS)


def _ask(
    admin: AdminClient,
    asked: Mapping[TopicPartition, OffsetSpec],
    isolation: IsolationLevel,
    seconds: float,
) -> dict[tuple[str, int], int]:
    answers = admin.list_offsets(dict(asked), isolation_level=isolation, request_timeout=seconds)
    offsets: dict[tuple[str, int], int] = {}
    for place, answer in answers.items():
        try:
            offsets[place.topic, place.partition] = answer.result().offset
        except KafkaException as error:
            raise OffsetsError(place.topic, place.partition, error.args[0]) from error
    return offsets
