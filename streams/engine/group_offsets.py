"""What Kafka has of a partition: the group's committed offsets and the position in their metadata."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.journal import GENESIS
from streams.engine.generation import Successor, decode_successor
from streams.engine.log import LOGGER

CALL_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Published:
    """What Kafka has of a partition: the last published seq, its chain, the offsets committed with it."""

    seq: int
    chain: bytes
    offsets: dict[str, int]
    #: A committed offset without our metadata: somebody else wrote it.
    foreign: str | None = None
    #: The generation that took this one's place.
    successor: Successor | None = None


class GroupOffsets:
    """Reads the group's committed offsets, waiting for transactions in flight (require-stable)."""

    def __init__(self, bootstrap: str, group: str) -> None:
        self._group = group
        # A plain fetch right after a commit can answer the old offset; under read_committed librdkafka
        # asks for stable ones.
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
            },
            logger=LOGGER,
        )

    def read(self, topics: Iterable[str], partitions: Iterable[int]) -> dict[int, Published]:
        """Raises KafkaException, also for an error of a single partition and where none becomes stable."""
        names = list(topics)
        numbers = list(partitions)
        wanted = [TopicPartition(topic, number) for number in numbers for topic in names]
        found: dict[int, Published] = {number: Published(0, GENESIS, {}) for number in numbers}
        for answer in self._committed(wanted):
            if answer.error is not None:
                raise KafkaException(answer.error)
            if answer.offset < 0:
                continue
            held = found[answer.partition]
            held.offsets[answer.topic] = answer.offset
            position = _parse(answer.metadata)
            if position is None:
                foreign = f"{answer.topic}[{answer.partition}] offset {answer.offset}"
                found[answer.partition] = Published(held.seq, held.chain, held.offsets, foreign)
            elif position[0] > held.seq or position[2] is not None:
                seq, chain, successor = position
                found[answer.partition] = Published(
                    seq, chain, held.offsets, held.foreign, successor
                )
        return found

    def _committed(self, wanted: list[TopicPartition]) -> list[TopicPartition]:
        try:
            return self._consumer.committed(wanted, timeout=CALL_TIMEOUT)
        except KafkaException as error:
            code = error.args[0].code()
            if code != KafkaError._TIMED_OUT:
                raise
            # Our transactions end within seconds, by themselves or by the broker.
            reason = (
                f"the offsets of group {self._group} did not become stable in {CALL_TIMEOUT:g} s. If Kafka "
                "is reachable, its group coordinator may have come back from a crash with transactions that "
                "ended long ago: restart the broker that coordinates the group in an orderly way "
                "(docs/reliability.md)"
            )
            raise KafkaException(KafkaError(code, reason)) from error

    def close(self) -> None:
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parse(metadata: str | None) -> tuple[int, bytes, Successor | None] | None:
    seq, separator, rest = (metadata or "").partition(",")
    if not separator or not seq.isdecimal():
        return None
    chain, closed, successor = rest.partition(",")
    try:
        return int(seq), bytes.fromhex(chain), decode_successor(successor) if closed else None
    except ValueError:  # msgspec's ValidationError too
        return None
