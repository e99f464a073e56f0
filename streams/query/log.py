"""What the sink asks of Kafka before it reads: which topics these are, how long, and where they end."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicCollection,
)
from confluent_kafka.admin import AdminClient

from schemas.catalogue import kafka_names
from streams.engine.log import LOGGER, LogReader, Offsets, open_consumer
from streams.query.batch import TOPICS
from streams.query.errors import StoreRefused
from streams.settings import Settings

ANSWER_SECONDS: Final = 20.0


class Bounds(NamedTuple):
    """Per (topic, partition): the first offset that is kept, and the last stable one."""

    starts: Offsets
    ends: Offsets


def names_of(settings: Settings) -> dict[str, str]:
    """Kafka name -> catalogue name of the topics that the sink reads."""
    names = kafka_names(settings.topic_prefix)
    return {kafka: name for kafka, name in names.items() if name in TOPICS}


def topic_ids(settings: Settings, topics: Sequence[str]) -> dict[str, str]:
    """Topic -> Kafka's id of it, which changes when it is made anew. Blocks.

    Raises StoreRefused for a topic that is absent or has another number of partitions than
    ``settings.partitions``, and KafkaException when no broker answers.
    """
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap}, logger=LOGGER)
    asked = admin.describe_topics(TopicCollection(list(topics)), request_timeout=ANSWER_SECONDS)
    found = {}
    for topic, answer in asked.items():
        try:
            described = answer.result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise StoreRefused(
                    f"{settings.kafka_bootstrap} has no topic {topic}; run `huitou topics create`"
                ) from None
            raise
        if len(described.partitions) != settings.partitions:
            raise StoreRefused(
                f"{topic} has {len(described.partitions)} partitions and HUITOU_PARTITIONS says "
                f"{settings.partitions}: set it to what the stack has"
            )
        found[topic] = str(described.topic_id)
    return found


def bounds(settings: Settings, topics: Mapping[str, object]) -> Bounds:
    """The bounds of every partition of ``topics``. Blocks; raises a LogError when Kafka does not answer."""
    places = [(topic, number) for topic in topics for number in range(settings.partitions)]
    with LogReader(settings.kafka_bootstrap, answer_within=ANSWER_SECONDS) as log:
        return Bounds(log.log_starts(places), log.stable_ends(places))


def group_consumer(settings: Settings) -> Consumer:
    """A member of the sinks' own group. It is told where to read and never commits: the store knows."""
    return open_consumer(
        settings.kafka_bootstrap,
        "read_committed",
        {
            "group.id": f"{settings.group}-sink",
            "partition.assignment.strategy": "range",
            "session.timeout.ms": round(settings.session_timeout * 1000),
            "heartbeat.interval.ms": round(settings.session_timeout * 1000 / 4),
            # It follows the ends: librdkafka's own, where a reader of ranges asks more eagerly.
            "fetch.wait.max.ms": 500,
            "queued.min.messages": 100_000,
        },
    )
