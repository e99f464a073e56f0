"""A member of the consumer group: fetches triggers, knows which partitions are its own, commits. Blocking."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.subscribe.errors import LogUnavailableError
from streams.subscribe.progress import Progress
from streams.subscribe.received import Record

LOGGER: Final = logging.getLogger("huitou.subscribe")
#: Records taken by one call.
BATCH: Final = 500
#: After these a member learns by the next rebalance what is its own; what it did is in the store.
_OUTRUN: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError._ASSIGNMENT_LOST,
        KafkaError._STATE,
    }
)
_FORBIDDEN: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
    }
)


class Assigned:
    """A partition while it is this member's; another time it is another object."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.progress = Progress()
        #: It was taken away: nothing of it is begun or committed any more.
        self.left = False
        self.dirty = False


class Fetched(NamedTuple):
    record: Record
    assigned: Assigned


class Member:
    """Used by one thread at a time, in which ``leaving`` is called, too.

    ``leaving(partitions, lost)`` is called before partitions go, while they may still be committed unless
    ``lost``; it is told Assigned objects that are still in place.
    """

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topic: str,
        leaving: Callable[[list[Assigned], bool], None],
        kafka: Mapping[str, Any] | None = None,
    ) -> None:
        self._topic = topic
        self._leaving = leaving
        self._assigned: dict[int, Assigned] = {}
        self._paused = False
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "client.id": group,
                "partition.assignment.strategy": "cooperative-sticky",
                "auto.offset.reset": "earliest",
                "allow.auto.create.topics": False,
                **(kafka or {}),
                # What the promises rest on is not for the caller to choose.
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": False,
            },
            logger=LOGGER,
        )
        self._consumer.subscribe(
            [topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def fetch(self, timeout: float, *, paused: bool) -> list[Fetched]:
        """What is there after at most ``timeout`` seconds. While ``paused`` it only stays in the group.

        Raises LogUnavailableError.
        """
        if paused or self._paused:
            self._pause(paused)
        first = self._consumer.poll(timeout)
        if first is None:
            return []
        messages = [first, *self._consumer.consume(BATCH - 1, 0)]
        return [
            Fetched(record, self._of(record.partition))
            for record in map(self._record, messages)
            if record is not None
        ]

    def assigned(self) -> list[Assigned]:
        """The partitions that are this member's now."""
        return list(self._assigned.values())

    def commit(self, partitions: Iterable[Assigned]) -> None:
        """Commits as far as each was handled. A refusal because others own it now is only logged.

        Raises LogUnavailableError where this user may not commit.
        """
        behind = [one for one in partitions if one.dirty and not one.left]
        places = [
            TopicPartition(self._topic, one.partition, one.progress.next)
            for one in behind
            if one.progress.next is not None
        ]
        if not places:
            return
        try:
            answered = self._consumer.commit(offsets=places, asynchronous=False) or []
            for answer in answered:
                if answer.error is not None:
                    raise KafkaException(answer.error)
        except KafkaException as error:
            cause: KafkaError = error.args[0]
            if cause.fatal() or cause.code() in _FORBIDDEN:
                raise LogUnavailableError(self._topic, cause) from error
            level = logging.INFO if cause.code() in _OUTRUN else logging.WARNING
            LOGGER.log(level, "a commit was refused (%s); what it was for may come again", cause)
            return
        for one in behind:
            one.dirty = False

    def close(self) -> None:
        """Leaves the group; ``leaving`` was called for all partitions afterwards."""
        self._consumer.close()

    def _pause(self, paused: bool) -> None:
        places = self._consumer.assignment()
        if paused:
            # Each time: partitions may have come since.
            self._consumer.pause(places)
        else:
            self._consumer.resume(places)
        self._paused = paused

    def _record(self, message: Message) -> Record | None:
        error = message.error()
        if error is None:
            return Record(
                str(message.topic()),
                int(message.partition() or 0),
                int(message.offset() or 0),
                message.key(),
                message.value(),
            )
        if error.fatal() or error.code() in _FORBIDDEN:
            raise LogUnavailableError(self._topic, error)
        LOGGER.warning("reading %s: %s", self._topic, error)
        return None

    def _of(self, partition: int) -> Assigned:
        found = self._assigned.get(partition)
        if found is None:
            # Fetched before it was taken away, in the same call: not this member's.
            found = Assigned(partition)
            found.left = True
        return found

    def _on_assign(self, _: Consumer, places: list[TopicPartition]) -> None:
        for place in places:
            self._assigned[place.partition] = Assigned(place.partition)
        LOGGER.info("assigned: %s", sorted(place.partition for place in places))

    def _on_revoke(self, _: Consumer, places: list[TopicPartition]) -> None:
        self._leave(places, lost=False)

    def _on_lost(self, _: Consumer, places: list[TopicPartition]) -> None:
        self._leave(places, lost=True)

    def _leave(self, places: list[TopicPartition], *, lost: bool) -> None:
        going = [
            self._assigned[place.partition] for place in places if place.partition in self._assigned
        ]
        try:
            self._leaving(going, lost)
        finally:
            for one in going:
                one.left = True
                del self._assigned[one.partition]
            LOGGER.info(
                "%s: %s", "lost" if lost else "revoked", sorted(one.partition for one in going)
            )
