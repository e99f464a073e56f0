"""Kafka: brokers, topics, and what this user may do with them."""

import logging
from collections.abc import Iterator
from typing import Final

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]

from schemas.catalogue import TOPICS
from streams.doctor.finding import Finding, failure, ok, unknown, warning
from streams.settings import Settings
from streams.topics import ABSENT, TopicsError, check_topics

ANSWER_SECONDS: Final = 10.0
#: Of every topic: whoever works reads and writes, and asks for offsets and settings.
_NEEDED: Final = (
    AclOperation.READ,
    AclOperation.WRITE,
    AclOperation.DESCRIBE,
    AclOperation.DESCRIBE_CONFIGS,
)
_quiet = logging.getLogger(__name__)
_OTHERS: Final = ("kafka.topics", "kafka.permissions")


def check_kafka(settings: Settings) -> Iterator[Finding]:
    """Blocks for at most some ten seconds where nothing answers."""
    admin = AdminClient(
        {"bootstrap.servers": settings.kafka_bootstrap, "log_level": 0}, logger=_quiet
    )
    try:
        known = admin.list_topics(timeout=ANSWER_SECONDS)
    except KafkaException as error:
        yield failure(
            "kafka",
            f"no answer from {settings.kafka_bootstrap}: {error.args[0]}",
            "start it, or correct KAFKA_BOOTSTRAP; `huitou stack up` starts a local one",
        )
        for check in _OTHERS:
            yield unknown(check, "Kafka does not answer")
        return
    brokers = len(known.brokers)
    if brokers < settings.replication:
        yield failure(
            "kafka",
            f"{brokers} broker{'s' * (brokers != 1)}, and HUITOU_REPLICATION is {settings.replication}",
            "start the others, or lower HUITOU_REPLICATION",
        )
    else:
        yield ok("kafka", f"{brokers} broker{'s' * (brokers != 1)} at {settings.kafka_bootstrap}")
    yield from _topics(settings)
    names = [settings.topic_prefix + name for name in TOPICS]
    there = [name for name in names if name in known.topics and known.topics[name].error is None]
    yield _permissions(admin, there)


def _topics(settings: Settings) -> Iterator[Finding]:
    try:
        differences = check_topics(settings)
    except TopicsError as error:
        yield unknown("kafka.topics", str(error))
        return
    absent = [each.topic for each in differences if each.found == ABSENT]
    if absent:
        yield failure(
            "kafka.topics",
            f"{len(absent)} of {len(TOPICS)} do not exist: {', '.join(absent)}",
            "huitou topics create",
        )
    for each in differences:
        if each.found != ABSENT:
            yield failure("kafka.topics", str(each), _to_mend(each.setting))
    if not differences:
        yield ok("kafka.topics", f"all {len(TOPICS)} are as the contract says")


def _to_mend(setting: str) -> str:
    if setting == "partitions":
        return "set HUITOU_PARTITIONS to what is there, or `huitou repartition` into another generation"
    if setting == "replication":
        return "kafka-reassign-partitions.sh, or set HUITOU_REPLICATION to what is there"
    return "kafka-configs.sh --alter sets it; look first whether records are gone already"


def _permissions(admin: AdminClient, topics: list[str]) -> Finding:
    check = "kafka.permissions"
    if not topics:
        return unknown(check, "no topic is there to ask about")
    try:
        asked = admin.describe_topics(
            TopicCollection(topics),
            include_authorized_operations=True,
            request_timeout=ANSWER_SECONDS,
        )
        lacking = {}
        for name, future in asked.items():
            allowed = future.result().authorized_operations
            # Without an authorizer nobody is kept from anything, and brokers name no operation.
            missing = [one.name for one in _NEEDED if allowed and one not in allowed]
            if missing:
                lacking[name] = missing
    except KafkaException as error:
        return warning(check, f"Kafka does not say: {error.args[0].str()}", "allow DESCRIBE")
    if lacking:
        said = "; ".join(f"{name} lacks {', '.join(ops)}" for name, ops in sorted(lacking.items()))
        return failure(check, said, "kafka-acls.sh --add for the user of the workers")
    return ok(check, f"reading and writing is allowed in {len(topics)} topics")
