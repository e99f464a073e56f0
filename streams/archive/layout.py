"""Where the files of an archive lie, and whether they follow each other without a gap.

``DIR/topic=<name>/partition=<n>/day=<yyyy-mm-dd>/<first offset>-<end>.parquet``: a file covers offsets
[first, end) of its partition, of which markers of transactions and holes of compaction are no rows.
The day is that of the broker's append, UTC; a query engine reads all three from the path.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from streams.archive.errors import ArchiveDamaged, ArchiveRefused

#: Digits of an offset in a file name, so that names sort as offsets do.
OFFSET_DIGITS = 20
_NAME = re.compile(rf"(\d{{{OFFSET_DIGITS}}})-(\d{{{OFFSET_DIGITS}}})\.parquet")
#: What a run that was killed leaves; nothing reads it and the next run removes it.
UNFINISHED = ".unfinished"


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One file; covers offsets [start, end)."""

    path: Path
    start: int
    end: int


def day_of(timestamp: int) -> str:
    """The UTC day of a time in ms since 1970, as ``2026-01-31``."""
    return datetime.fromtimestamp(timestamp // 1000, UTC).date().isoformat()


def partition_folder(root: Path, topic: str, partition: int) -> Path:
    """The folder of one partition of a topic."""
    return root / f"topic={topic}" / f"partition={partition}"


def file_path(root: Path, topic: str, partition: int, day: str, start: int, end: int) -> Path:
    """Where the file of offsets [start, end) belongs."""
    name = f"{start:0{OFFSET_DIGITS}d}-{end:0{OFFSET_DIGITS}d}.parquet"
    return partition_folder(root, topic, partition) / f"day={day}" / name


def files_of(root: Path, topic: str, partition: int) -> list[ArchiveFile]:
    """The files of a partition in the order of their offsets.

    Raises ArchiveDamaged where one does not begin at the end of the one before it.
    """
    found = []
    for path in partition_folder(root, topic, partition).glob("day=*/*.parquet"):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise ArchiveDamaged(topic, partition, path, "its name is not one of an archive's")
        found.append(ArchiveFile(path, int(match[1]), int(match[2])))
    found.sort(key=lambda file: (file.start, file.end))
    for before, after in pairwise(found):
        if after.start != before.end:
            raise ArchiveDamaged(
                topic, partition, after.path,
                f"it begins at offset {after.start}, and the file before it ends at {before.end}",
            )  # fmt: skip
    return found


def topics_of(root: Path) -> dict[str, list[int]]:
    """Topic -> its partitions, of all that the archive holds."""
    found: dict[str, list[int]] = {}
    for folder in sorted(root.glob("topic=*/partition=*")):
        topic = folder.parent.name.removeprefix("topic=")
        found.setdefault(topic, []).append(int(folder.name.removeprefix("partition=")))
    return {topic: sorted(numbers) for topic, numbers in found.items()}


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """The right to write into the archive, and no half-written file of a killed run in it.

    Raises ArchiveRefused while another process has that right.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ArchiveRefused(
                f"another process archives into {root}; wait for its end and run this again"
            ) from None
        for left in root.glob(f"*{UNFINISHED}"):
            left.unlink()
        yield


def settle(unfinished: Path, path: Path) -> None:
    """Make a written file appear under its name, whole and lasting, or not at all."""
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished.replace(path)
    for folder in (path.parent, *path.parent.parents[:3]):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
