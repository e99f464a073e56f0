"""What our sources ask of a cluster: the topics, their partitions and their ends."""

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from producers.errors import BrokerUnreachableError, TopicsMissingError
from producers.offsets import OffsetsError, list_offsets
from schemas.catalogue import CLOCK, CUSTOMER_TOPICS

#: Seconds that a question to the cluster may take.
ANSWER_SECONDS: Final = 20.0
_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped there
_EARLIEST: Final = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
#: librdkafka's own messages go where the program's logging sends them.
CLIENT_LOG: Final = logging.getLogger("producers.kafka")


class Cluster:
    """A stack's input topics: CUSTOMER_TOPICS and shop.clock under ``prefix``.

    ``kafka`` are further librdkafka settings, for instance of SASL and TLS.
    """

    def __init__(
        self, bootstrap: str, prefix: str = "", *, kafka: Mapping[str, str] | None = None
    ) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.kafka: dict[str, str | int | float | bool] = {
            "bootstrap.servers": bootstrap,
            **(kafka or {}),
        }
        self._admin = AdminClient(dict(self.kafka), logger=CLIENT_LOG)

    @property
    def clock_topic(self) -> str:
        """The Kafka name of shop.clock."""
        return self.prefix + CLOCK

    @property
    def input_topics(self) -> tuple[str, ...]:
        """The Kafka names of the customer topics, in fold order."""
        return tuple(self.prefix + name for name in CUSTOMER_TOPICS)

    def partitions(self) -> int:
        """The partition count that the customer topics and shop.clock share. Blocks for the answer.

        Raises BrokerUnreachableError, and TopicsMissingError when a topic is absent or counts
        differ.
        """
        try:
            known = self._admin.list_topics(timeout=ANSWER_SECONDS).topics
        except KafkaException as error:
            raise BrokerUnreachableError(self.bootstrap, error.args[0]) from error
        wanted = (*self.input_topics, self.clock_topic)
        counts = {name: len(known[name].partitions) for name in wanted if name in known}
        missing = [name for name in wanted if not counts.get(name)]
        if missing:
            raise TopicsMissingError(
                f"{self.bootstrap} has no topic {', '.join(missing)}; run `huitou topics create`"
            )
        if len(set(counts.values())) > 1:
            shown = ", ".join(f"{name}: {count}" for name, count in counts.items())
            raise TopicsMissingError(
                f"the topics of one stack must have the same number of partitions, found {shown}; "
                "`huitou topics create` names each difference"
            )
        return counts[self.clock_topic]

    def ends(self, topics: Iterable[str], partitions: int) -> dict[int, dict[str, int]]:
        """By partition, each topic's high watermark (open transactions included), in one request a
        broker.

        A read_committed client would be told the last stable offset, which lies before records that
        an open upstream transaction has written, and a tick with such an end would overtake them.

        Blocks; raises BrokerUnreachableError when there is no answer within 20 s.
        """
        places = [
            TopicPartition(topic, partition) for topic in topics for partition in range(partitions)
        ]
        ends: dict[int, dict[str, int]] = {partition: {} for partition in range(partitions)}
        for (topic, partition), offset in self._ask(dict.fromkeys(places, _LATEST)).items():
            ends[partition][topic] = offset
        return ends

    def start_and_end(self, topic: str, partition: int) -> tuple[int, int]:
        """The offsets of the first record that is still kept, and after the last one; as ``ends``."""
        place = TopicPartition(topic, partition)
        start = self._ask({place: _EARLIEST})[topic, partition]
        return start, self._ask({place: _LATEST})[topic, partition]

    def _ask(self, asked: dict[TopicPartition, OffsetSpec]) -> dict[tuple[str, int], int]:
        try:
            return list_offsets(self._admin, asked, IsolationLevel.READ_UNCOMMITTED, ANSWER_SECONDS)
        except OffsetsError as error:
            raise BrokerUnreachableError(self.bootstrap, error) from error
