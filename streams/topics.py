"""Makes the topics of the catalogue, and says where a cluster's differ from it."""

import logging
import threading
import time
from dataclasses import asdict, dataclass
from typing import Final

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it lacks __all__
    AdminClient,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    TopicMetadata,
)

from producers.offsets import OffsetsError, list_offsets
from schemas.catalogue import TOPICS, Topic
from streams.settings import Settings

#: Seconds that the cluster may take for one answer, and new topics to be known everywhere.
ANSWER_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.05
#: Where a topic may exceed what is asked of it without harm.
_AT_LEAST: Final = frozenset({"max.message.bytes"})
#: Kafka spells an absent topic's values so in a Difference.
ABSENT: Final = "absent"

_log = logging.getLogger(__name__)


class TopicsError(Exception):
    """The topics cannot be read or made; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which a topic is not as the catalogue and the settings say."""

    #: Its name in Kafka.
    topic: str
    #: ``exists``, ``partitions``, ``replication`` or the name of a Kafka topic setting.
    setting: str
    wanted: str
    found: str

    def __str__(self) -> str:
        if self.setting == "exists":
            return f"{self.topic} does not exist: run `huitou topics create`"
        return f"{self.topic}: {self.setting} is {self.found}, must be {self.wanted}"

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Creation:
    """What ``create_topics`` did. With differences, nothing was created."""

    created: list[str]
    existing: list[str]
    differences: list[Difference]


def check_topics(settings: Settings) -> list[Difference]:
    """How the cluster's topics differ from the catalogue, absent ones included; [] if in nothing.

    Blocks for the cluster's answers. Raises TopicsError where it gives none.
    """
    admin = _admin(settings)
    return _differences(admin, settings, _known(admin, settings))


def create_topics(settings: Settings) -> Creation:
    """Make the topics that do not exist; a second call makes none.

    Where an existing topic differs, nothing is made: its partition count cannot be put right, and
    a changed retention may already have cost records, so a person must look. Blocks until every
    topic is known with all its leaders. Raises TopicsError.
    """
    admin = _admin(settings)
    known = _known(admin, settings)
    wanted = _wanted(settings)
    existing = [name for name in wanted if name in known]
    differing = [d for d in _differences(admin, settings, known) if d.setting != "exists"]
    if differing:
        return Creation([], existing, differing)
    missing = {name: topic for name, topic in wanted.items() if name not in known}
    if missing:
        _create(admin, settings, missing)
        known = _wait_for_leaders(admin, settings)
        _wait_until_served(admin, known)
    # Again, for what somebody else made in the meantime or the cluster's policy changed.
    return Creation(list(missing), existing, _differences(admin, settings, known))


def _wanted(settings: Settings) -> dict[str, Topic]:
    return {settings.topic_prefix + name: topic for name, topic in TOPICS.items()}


def _admin(settings: Settings) -> AdminClient:
    # librdkafka's own messages go where the program's logging sends them.
    return AdminClient({"bootstrap.servers": settings.kafka_bootstrap}, logger=_log)


def _unreachable(settings: Settings, error: KafkaException) -> TopicsError:
    return TopicsError(
        f"no answer from Kafka at {settings.kafka_bootstrap} ({error.args[0]}): "
        "is it running, and is KAFKA_BOOTSTRAP right? `huitou stack up` starts a local one"
    )


def _known(admin: AdminClient, settings: Settings) -> dict[str, TopicMetadata]:
    try:
        topics = admin.list_topics(timeout=ANSWER_SECONDS).topics
    except KafkaException as error:
        raise _unreachable(settings, error) from error
    return {name: topics[name] for name in _wanted(settings) if name in topics}


def _create(admin: AdminClient, settings: Settings, missing: dict[str, Topic]) -> None:
    futures = admin.create_topics(
        [
            NewTopic(
                name,
                num_partitions=topic.partitions(settings.partitions),
                replication_factor=settings.replication,
                config=topic.configuration(settings.min_insync_replicas),
            )
            for name, topic in missing.items()
        ],
        request_timeout=ANSWER_SECONDS,
    )
    for name, future in futures.items():
        try:
            future.result()
        except KafkaException as error:
            reason = error.args[0]
            if reason.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise TopicsError(
                    f"{name} cannot be made: {reason.str()} (HUITOU_REPLICATION="
                    f"{settings.replication}, HUITOU_PARTITIONS={settings.partitions})"
                ) from error


def _wait_for_leaders(admin: AdminClient, settings: Settings) -> dict[str, TopicMetadata]:
    """Until the brokers know what the controller made."""
    deadline = time.monotonic() + ANSWER_SECONDS
    pause = threading.Event()
    wanted = _wanted(settings)
    while True:
        known = _known(admin, settings)
        waiting = [
            name
            for name in wanted
            if name not in known
            or not known[name].partitions
            or any(partition.leader < 0 for partition in known[name].partitions.values())
        ]
        if not waiting:
            return known
        if time.monotonic() > deadline:
            raise TopicsError(
                f"{', '.join(waiting)}: made, but without a leader for {ANSWER_SECONDS:g} s; "
                "look at the brokers' logs"
            )
        pause.wait(_POLL_SECONDS)


def _wait_until_served(admin: AdminClient, known: dict[str, TopicMetadata]) -> None:
    """Until each leader answers for its partitions.

    Metadata is ahead of the leaders. An idempotent producer whose first batch is refused by a leader
    that is not ready yet, and whose second is taken, is told that the first was a duplicate: it is lost.
    """
    asked = {
        TopicPartition(name, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
        for name, topic in known.items()
        for number in topic.partitions
    }
    try:
        list_offsets(admin, asked, IsolationLevel.READ_UNCOMMITTED, ANSWER_SECONDS)
    except OffsetsError as error:
        raise TopicsError(
            f"made, but not served within {ANSWER_SECONDS:g} s: {error}; look at the brokers' logs"
        ) from error


def _differences(
    admin: AdminClient, settings: Settings, known: dict[str, TopicMetadata]
) -> list[Difference]:
    configurations = _configurations(admin, settings, list(known))
    found: list[Difference] = []
    for name, topic in _wanted(settings).items():
        metadata = known.get(name)
        if metadata is None:
            found.append(Difference(name, "exists", "a topic", ABSENT))
            continue
        partitions = topic.partitions(settings.partitions)
        if len(metadata.partitions) != partitions:
            found.append(
                Difference(name, "partitions", str(partitions), str(len(metadata.partitions)))
            )
        fewest = min((len(p.replicas) for p in metadata.partitions.values()), default=0)
        if fewest < settings.replication:
            found.append(
                Difference(name, "replication", f"at least {settings.replication}", str(fewest))
            )
        actual = configurations[name]
        for setting, value in topic.configuration(settings.min_insync_replicas).items():
            has = actual.get(setting, ABSENT)
            if setting in _AT_LEAST:
                if has == ABSENT or int(has) < int(value):
                    found.append(Difference(name, setting, f"at least {value}", has))
            elif has != value:
                found.append(Difference(name, setting, value, has))
    return found


def _configurations(
    admin: AdminClient, settings: Settings, names: list[str]
) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    answers = admin.describe_configs(resources, request_timeout=ANSWER_SECONDS)
    try:
        return {
            resource.name: {entry.name: str(entry.value) for entry in future.result().values()}
            for resource, future in answers.items()
        }
    except KafkaException as error:
        raise _unreachable(settings, error) from error
