"""Who gets which partition: Faust's co-partitioned assignment, but never with a topic left out."""

from collections.abc import Iterable, Mapping
from typing import Any

from faust.assignor.partition_assignor import PartitionAssignor

from streams.engine.engine import fail


class TopicsUnknown(Exception):
    """This process leads the group and does not know the topics' partitions: it must end."""


class Assignor(PartitionAssignor):
    """The assignor of a member that leads the group."""

    @classmethod
    def _get_copartitioned_groups(
        cls, topics: set[str], cluster: Any, subscriptions: Mapping[str, Iterable[str]]
    ) -> Any:
        # Just after a broker restarted the client's metadata may be empty. Faust passes over topics that it
        # does not know: a stable group in which nobody has anything, and which nothing wakes.
        unknown = sorted(topic for topic in topics if not cluster.partitions_for_topic(topic))
        if unknown:
            fail(TopicsUnknown(f"no partitions are known of {', '.join(unknown)}; starting anew"))
        found = super()._get_copartitioned_groups(topics, cluster, subscriptions)
        # While a build with another input topic is rolled out, Faust would give the topics that all read and
        # those that only its members read to members of their own: partitions that nobody has whole. As one
        # group they go to those members alone that read all of them.
        together = {count: set[str]().union(*groups) for count, groups in found.items()}
        return {
            count: [together[count]] if _is_read(together[count], subscriptions) else groups
            for count, groups in found.items()
        }


def _is_read(topics: set[str], subscriptions: Mapping[str, Iterable[str]]) -> bool:
    return any(topics.issubset(subscribed) for subscribed in subscriptions.values())
