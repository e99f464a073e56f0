"""Reads the whole archive and holds every file against what its metadata say of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from streams.archive.errors import ArchiveDamaged
from streams.archive.layout import ArchiveFile, day_of, files_of, topics_of
from streams.archive.table import TableReader, row_crc


@dataclass(slots=True)
class Checked:
    """What was found; ``damages`` has a sentence for every file that is not as it was written."""

    files: int = 0
    records: int = 0
    damages: list[str] = field(default_factory=list)


def check(root: Path, progress: Callable[[Path], None]) -> Checked:
    """Read every file: rows, first and last offset, CRC, day and that the files leave no gap."""
    checked = Checked()
    for topic, partitions in topics_of(root).items():
        for partition in partitions:
            try:
                files = files_of(root, topic, partition)
            except ArchiveDamaged as damage:
                checked.damages.append(str(damage))
                continue
            for file in files:
                progress(file.path)
                try:
                    checked.records += _check(file, topic, partition)
                except ArchiveDamaged as damage:
                    checked.damages.append(str(damage))
                checked.files += 1
    return checked


def _check(file: ArchiveFile, topic: str, partition: int) -> int:
    reader = TableReader(file.path, topic, partition)
    day = file.path.parent.name.removeprefix("day=")
    crc, rows, first, last = 0, 0, -1, -1
    try:
        for row in reader.rows():
            crc = row_crc(crc, row)
            first = row.offset if first < 0 else first
            if row.offset <= last or day_of(row.timestamp) != day:
                reason = f"offset {row.offset} is out of order or not of its day"
                raise ArchiveDamaged(topic, partition, file.path, reason)
            last = row.offset
            rows += 1
    finally:
        reader.close()
    found = reader.facts._replace(
        start=file.start, end=file.end, rows=rows, first=first, last=last, crc=crc
    )
    if found != reader.facts:
        raise ArchiveDamaged(
            topic, partition, file.path, f"its metadata say {reader.facts}, it holds {found}"
        )
    return rows
