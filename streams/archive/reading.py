"""Reads what the archive holds of a partition, from any offset on."""

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from schemas.decoding import RawRecord
from streams.archive.errors import ArchiveHole
from streams.archive.layout import ArchiveFile, files_of
from streams.archive.table import TableReader


class ArchiveReader:
    """Looks at the folder once a partition. One thread; calls block and raise ArchiveDamaged."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[tuple[str, int], list[ArchiveFile]] = {}

    def covered(self, topic: str, partition: int) -> tuple[int, int] | None:
        """The offsets [start, end) that the archive has of the partition; None where it has none."""
        files = self._of(topic, partition)
        return (files[0].start, files[-1].end) if files else None

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[RawRecord]:
        """Every record of [start, end), in order.

        Raises ArchiveHole, before the first record, for offsets that the archive does not have.
        """
        if start >= end:
            return
        first, last = self.covered(topic, partition) or (end, end)
        if start < first:
            raise ArchiveHole(topic, partition, start, min(first, end))
        if last < end:
            raise ArchiveHole(topic, partition, max(start, last), end)
        files = self._of(topic, partition)
        at = bisect_right(files, start, key=lambda file: file.start) - 1
        while at < len(files) and files[at].start < end:
            reader = TableReader(files[at].path, topic, partition)
            try:
                for record in reader.records(start):
                    if record.offset >= end:
                        return
                    yield record
            finally:
                reader.close()
            at += 1

    def _of(self, topic: str, partition: int) -> list[ArchiveFile]:
        place = (topic, partition)
        if place not in self._files:
            self._files[place] = files_of(self._root, topic, partition)
        return self._files[place]
