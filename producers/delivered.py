"""Which records got delivery reports: offsets as ranges, by topic and partition."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

import msgspec

_Range = list[int]  # [start, end), grown in place


class Delivered:
    """A set of (topic, partition, offset). Topics are Kafka names.

    Memory grows with the number of gaps, not of records: the records of a producer that is alone on
    a topic are one range a partition.
    """

    def __init__(self) -> None:
        self._ranges: dict[tuple[str, int], list[_Range]] = {}

    def add(self, topic: str, partition: int, offset: int) -> None:
        """Adds one record; cheapest when offsets of a partition come in rising order."""
        ranges = self._ranges.get((topic, partition))
        if ranges is None:
            self._ranges[(topic, partition)] = [[offset, offset + 1]]
        elif ranges[-1][1] == offset:
            ranges[-1][1] = offset + 1
        elif ranges[-1][1] < offset:
            ranges.append([offset, offset + 1])
        else:
            _insert(ranges, offset)

    def __len__(self) -> int:
        return sum(self.counts().values())

    def __contains__(self, record: tuple[str, int, int]) -> bool:
        topic, partition, offset = record
        return any(start <= offset < end for start, end in self._ranges.get((topic, partition), ()))

    def counts(self) -> dict[tuple[str, int], int]:
        """Records by (topic, partition)."""
        return {
            where: sum(end - start for start, end in ranges)
            for where, ranges in self._ranges.items()
        }

    def ranges(self, topic: str, partition: int) -> list[tuple[int, int]]:
        """The offsets of one partition as [start, end) ranges, in order, none touching the next."""
        return [(start, end) for start, end in self._ranges.get((topic, partition), ())]

    def positions(self) -> Iterator[tuple[str, int, int]]:
        """Every (topic, partition, offset), by topic, partition and offset."""
        for topic, partition in sorted(self._ranges):
            for start, end in self._ranges[(topic, partition)]:
                for offset in range(start, end):
                    yield topic, partition, offset

    def to_json(self) -> bytes:
        """``{topic: {partition: {"count": n, "ranges": [[start, end), ...]}}}``."""
        topics: dict[str, dict[str, object]] = {}
        for topic, partition in sorted(self._ranges):
            ranges = self.ranges(topic, partition)
            topics.setdefault(topic, {})[str(partition)] = {
                "count": sum(end - start for start, end in ranges),
                "ranges": ranges,
            }
        return msgspec.json.encode(topics)

    @classmethod
    def from_json(cls, text: bytes) -> "Delivered":
        """What ``to_json`` wrote. Raises msgspec.ValidationError for anything else."""
        topics = msgspec.json.decode(text, type=dict[str, dict[str, _PartitionRanges]])
        return cls.from_ranges(
            (topic, int(partition), start, end)
            for topic, partitions in topics.items()
            for partition, held in partitions.items()
            for start, end in held.ranges
        )

    @classmethod
    def from_ranges(cls, ranges: Iterable[tuple[str, int, int, int]]) -> "Delivered":
        """From (topic, partition, start, end) that do not overlap."""
        delivered = cls()
        for topic, partition, start, end in sorted(ranges):
            delivered._ranges.setdefault((topic, partition), []).append([start, end])
        return delivered


class _PartitionRanges(msgspec.Struct):
    count: int
    ranges: list[tuple[int, int]]


def _insert(ranges: list[_Range], offset: int) -> None:
    """Adds an offset below the end of the last range, joining what it touches."""
    at = bisect_left(ranges, offset, key=lambda each: each[1])
    start, end = ranges[at]
    if start <= offset < end:
        return
    if end == offset:
        ranges[at][1] = offset + 1
        if at + 1 < len(ranges) and ranges[at + 1][0] == offset + 1:
            ranges[at][1] = ranges.pop(at + 1)[1]
    elif start == offset + 1:
        ranges[at][0] = offset
    else:
        ranges.insert(at, [offset, offset + 1])
