"""The one moment at which a generation takes another's place, and how it is seen afterwards.

It is a single Kafka transaction of three groups' offsets. Before it only the old generation's workers can
recover, after it only the new one's, whatever Redis holds.
"""

from collections.abc import Callable, Mapping

from streams.engine.generation import Successor, encode_successor
from streams.engine.group_offsets import GroupOffsets, Published
from streams.engine.log import LogReader
from streams.engine.topicnames import TopicNames
from streams.repair.repartition_checks import Drained
from streams.repair.repartition_forward import first_offsets, forwarder_group
from streams.repair.repartition_origin import Began
from streams.repair.repartition_transactions import Transactions
from streams.settings import Settings


def switch(
    transactions: Transactions,
    log: LogReader,
    old: Settings,
    successor: Successor,
    ended: Drained,
    began: Mapping[int, Began],
    before_commit: Callable[[], None],
) -> None:
    """Close the old group, let the new one begin, and the forwarder where the old one ended.

    Only while no worker of either runs. Raises KafkaException or a LogError.
    """
    topics = TopicNames.of(successor.topic_prefix)
    starts = log.log_starts([(t, n) for t in topics.inputs for n in range(successor.partitions)])
    forwarded = first_offsets(log, TopicNames.of(old.topic_prefix), ended.offsets)
    names = encode_successor(successor)
    with transactions.begin(before_commit):
        transactions.send_offsets(
            old.group,
            ended.offsets,
            {number: f"{position},{names}" for number, position in ended.positions.items()},
        )
        transactions.send_offsets(
            successor.group,
            starts,
            {number: f"{entry.seq},{entry.chain.hex()}" for number, entry in began.items()},
        )
        transactions.send_offsets(forwarder_group(old.group), forwarded, {})


def published(settings: Settings) -> dict[int, Published]:
    """What Kafka has of each partition of a generation. Raises KafkaException."""
    topics = TopicNames.of(settings.topic_prefix)
    with GroupOffsets(settings.kafka_bootstrap, settings.group) as offsets:
        return offsets.read(topics.inputs, range(settings.partitions))


def successor_in(found: Mapping[int, Published]) -> Successor | None:
    """The generation that took the place of the one with these offsets; None where none did."""
    return next((held.successor for held in found.values() if held.successor), None)


def successor_in_place(settings: Settings) -> Successor | None:
    """The same of a generation with these settings. Raises KafkaException."""
    return successor_in(published(settings))
