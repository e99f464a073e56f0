"""The consumer group of a stack: whether workers are in it, and giving it back the offsets it lost."""

import time
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.journal import chain
from streams.engine.group_offsets import GroupOffsets
from streams.engine.log import LOGGER, LogReader
from streams.engine.topicnames import TopicNames
from streams.repair.refused import RepairRefused
from streams.settings import Settings
from streams.state.redis_store import RedisStore

#: Journal rows looked through, backwards, for where a topic stood.
ROWS_BACK = 2_000
CALL_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Adopted:
    """What the group now has of a partition."""

    partition: int
    #: The last published seq, 0 where nothing was ever published.
    seq: int
    #: Its digest, hexadecimal.
    chain: str
    offsets: dict[str, int]


def require_no_workers(settings: Settings) -> None:
    """Raises RepairRefused while the group has members; one that just ended is waited for."""
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap}, logger=LOGGER)
    # A worker that refused has not left the group; the broker forgets it when its session ends.
    deadline = time.monotonic() + 1.5 * settings.session_timeout
    while members := _members(admin, settings.group):
        if time.monotonic() > deadline:
            raise RepairRefused(
                f"group {settings.group} has {len(members)} members ({', '.join(members)}); "
                "stop all workers and run this again"
            )
        time.sleep(0.5)


def _members(admin: AdminClient, group: str) -> list[str]:
    try:
        found = admin.describe_consumer_groups([group])[group].result(CALL_TIMEOUT)
    except KafkaException as error:
        if error.args[0].name() == "GROUP_ID_NOT_FOUND":
            return []
        raise
    return sorted(f"{member.client_id} at {member.host}" for member in found.members)


def adopt_group(settings: Settings) -> list[Adopted]:
    """Write the group's offsets anew from the journal, and let generations count from 1 again.

    For a group that was reset, deleted or made anew. Nothing is processed or published by it: the next
    worker compares what Redis and the journal hold, as after any start. Raises RepairRefused, a
    LogError, redis.RedisError or KafkaException.
    """
    require_no_workers(settings)
    topics = TopicNames.of(settings.topic_prefix)
    store = RedisStore(settings.redis_url, settings.redis_prefix)
    numbers = range(settings.partitions)
    with LogReader(settings.kafka_bootstrap) as log:
        adopted = [_adopt(number, topics, store, log) for number in numbers]
    _commit(settings, topics, adopted)
    for number in numbers:
        store.forget_epoch(number)
    store.close()
    return adopted


def _adopt(number: int, topics: TopicNames, store: RedisStore, log: LogReader) -> Adopted:
    last = log.last_row(topics.journal, number)
    if last is None:
        return Adopted(number, 0, "", {})
    starts = log.log_starts([(topic, number) for topic in topics.inputs])
    # Redis stands at or past the last published row; a topic that no row moved since stood there too.
    vector = store.stored(number).vector
    offsets = {topic: vector.get(topic, starts[topic, number]) for topic in topics.inputs}
    first = max(1, last.row.seq - ROWS_BACK)
    for stored in log.read_rows(topics.journal, number, first, last.row.seq):
        for part in stored.row.slices:
            offsets[part.topic] = part.end
    return Adopted(number, last.row.seq, chain(last.raw).hex(), offsets)


def _commit(settings: Settings, topics: TopicNames, adopted: list[Adopted]) -> None:
    """Offsets with the metadata that recovery reads: seq and chain of the last published row."""
    wanted = [
        TopicPartition(topic, entry.partition, offset, metadata=f"{entry.seq},{entry.chain}")
        for entry in adopted
        if entry.seq
        for topic, offset in entry.offsets.items()
    ]
    if not wanted:
        return
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "group.id": settings.group,
            "enable.auto.commit": False,
        },
        logger=LOGGER,
    )
    try:
        answers = consumer.commit(offsets=wanted, asynchronous=False)
    finally:
        consumer.close()
    for answer in answers or []:
        if answer.error is not None:
            raise KafkaException(answer.error)
    with GroupOffsets(settings.kafka_bootstrap, settings.group) as offsets:
        found = offsets.read(topics.inputs, [entry.partition for entry in adopted])
    for entry in adopted:
        if found[entry.partition].seq != entry.seq:
            raise RepairRefused(
                f"partition {entry.partition}: the group has seq {found[entry.partition].seq} after "
                f"{entry.seq} was written; something else commits for group {settings.group}"
            )
