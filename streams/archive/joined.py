"""Archive and topics as one log: offsets below a topic's log start come from the archive.

Offsets are Kafka's in both, so what neither has is found by its offsets and named (ArchiveHole).
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from schemas.decoding import RawRecord
from streams.archive.reading import ArchiveReader
from streams.engine.log import PATIENCE_SECONDS, LogReader, Offsets
from streams.engine.partition_log import PartitionLog


class JoinedLog(LogReader):
    """A log reader that goes back to where the archive begins."""

    def __init__(self, bootstrap: str, root: Path, *, patience: float = PATIENCE_SECONDS) -> None:
        super().__init__(bootstrap, patience=patience)
        self._archive = ArchiveReader(root)

    def log_starts(self, partitions: Iterable[tuple[str, int]]) -> Offsets:
        """The first offset that the archive or else the topic has."""
        starts = super().log_starts(partitions)
        for place, start in starts.items():
            covered = self._archive.covered(*place)
            if covered is not None:
                starts[place] = min(start, covered[0])
        return starts

    def kept_from(self, topic: str, partition: int) -> int:
        """The first offset that Kafka itself still has."""
        return super().log_starts([(topic, partition)])[topic, partition]

    def _from(self, topic: str, partition: int, start: int, end: int) -> Iterator[RawRecord]:
        kept = self.kept_from(topic, partition)
        if start < kept:
            yield from self._archive.records(topic, partition, start, min(end, kept))
        if end > kept:
            yield from super()._from(topic, partition, max(start, kept), end)


class JoinedPartitionLog(PartitionLog):
    """A partition of several topics read once from front to back, its beginning from the archive."""

    def __init__(self, bootstrap: str, root: Path, *, patience: float = PATIENCE_SECONDS) -> None:
        super().__init__(bootstrap, patience=patience)
        self._archive = ArchiveReader(root)
        #: Topic -> what the archive has of it and Kafka has not.
        self._heads: dict[str, _Head] = {}

    def begin(self, partition: int, starts: Mapping[str, int]) -> None:
        """As PartitionLog's; a topic begins in the archive where Kafka no longer has its start."""
        kept = self._offsets.log_starts([(topic, partition) for topic in starts])
        self._heads = {
            topic: _Head(self._archive, topic, partition, start, kept[topic, partition])
            for topic, start in starts.items()
            if start < kept[topic, partition]
        }
        super().begin(
            partition,
            {topic: max(start, kept[topic, partition]) for topic, start in starts.items()},
        )

    def take(self, topic: str, start: int, end: int) -> list[RawRecord]:
        """As PartitionLog's; raises ArchiveHole and ArchiveDamaged too."""
        head = self._heads.get(topic)
        if head is None or start >= head.end:
            return super().take(topic, start, end)
        records = head.take(start, min(end, head.end))
        if end > head.end:
            records += super().take(topic, head.end, end)
        return records


class _Head:
    """Offsets [start, end) of one topic, taken range by range."""

    def __init__(
        self, archive: ArchiveReader, topic: str, partition: int, start: int, end: int
    ) -> None:
        self.end = end
        self._place = (topic, partition)
        self._taken = start
        self._records = archive.records(topic, partition, start, end)
        self._next: RawRecord | None = None

    def take(self, start: int, end: int) -> list[RawRecord]:
        if start < self._taken:
            topic, partition = self._place
            raise ValueError(
                f"{topic}[{partition}]: [{start}, {end}) was taken up to {self._taken} before"
            )
        self._taken = max(self._taken, end)
        taken: list[RawRecord] = []
        record = self._next or next(self._records, None)
        while record is not None and record.offset < end:
            if record.offset >= start:
                taken.append(record)
            record = next(self._records, None)
        self._next = record
        return taken
