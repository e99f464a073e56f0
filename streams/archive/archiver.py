"""Copies what the topics hold into the archive, from where it ends to what can be read now."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Message

from schemas.catalogue import PRODUCTS
from streams.archive.errors import ArchiveRefused
from streams.archive.layout import (
    UNFINISHED,
    ArchiveFile,
    day_of,
    file_path,
    files_of,
    settle,
    writing,
)
from streams.archive.table import Row, TableReader, TableWriter
from streams.engine.log import LogReader, headers_of
from streams.engine.topicnames import TopicNames
from streams.settings import Settings

#: One file holds at most this many records ...
FILE_ROWS = 500_000
#: ... and about this many bytes of them, uncompressed.
FILE_BYTES = 256 * 1024 * 1024
#: Records between two reports of progress.
PROGRESS_RECORDS = 20_000

#: Told topic, partition, the offset reached and the one to be reached.
Progress = Callable[[str, int, int, int], None]


@dataclass(frozen=True, slots=True)
class Archived:
    """What the archive has of a partition: offsets [first, end), and what this run added to it."""

    topic: str
    partition: int
    first: int
    end: int
    records: int
    #: Of keys, values and headers.
    bytes: int
    files: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Part:
    """One partition of a topic: its files, and the offsets that it lacks, [start, end)."""

    topic: str
    partition: int
    files: list[ArchiveFile]
    start: int
    end: int


def archived_topics(names: TopicNames) -> list[str]:
    """All but the clock: a journal row holds the clock under which it was made, and ticks are kept a day.

    The journal comes first, so that what its rows name is in the inputs' part of the same run.
    """
    return [
        names.journal,
        names.origin,
        names.triggers,
        names.verdicts,
        names.decisions,
        names.deadletters,
        names.settings,
        names.campaigns,
        # Not folded, but a query store is filled from it.
        names.prefix + PRODUCTS,
        *names.folded,
    ]


def archive(
    settings: Settings, root: Path, progress: Progress, topics: list[str] | None = None
) -> Iterator[Archived]:
    """Bring the archive up to the last stable offsets of now; yields each partition when it is done.

    ``topics``: Kafka names, all of ``archived_topics`` where None. What a killed run has written stays,
    and this goes on behind it. Blocks. Raises ArchiveRefused before anything is written where the log
    has moved past the archive's end or is another log, and a LogError or KafkaException.
    """
    names = TopicNames.of(settings.topic_prefix)
    known = archived_topics(names)
    for topic in topics or []:
        if topic not in known:
            raise ValueError(f"{topic} is not archived; these are: {', '.join(known)}")
    wanted = known if topics is None else [topic for topic in known if topic in topics]
    with writing(root), LogReader(settings.kafka_bootstrap) as log:
        parts = _plan(settings, names, root, log, wanted)
        for part in parts:
            yield _copy(root, log, part, progress)


def _plan(
    settings: Settings, names: TopicNames, root: Path, log: LogReader, topics: list[str]
) -> list[_Part]:
    places = [
        (topic, number)
        for topic in topics
        for number in range(1 if topic in names.definitions else settings.partitions)
    ]
    journal = [place for place in places if place[0] == names.journal]
    ends = log.stable_ends(journal)
    ends |= log.stable_ends([place for place in places if place not in ends])
    starts = log.log_starts(places)
    parts, refusals = [], []
    for topic, number in places:
        start, end = starts[topic, number], ends[topic, number]
        files = files_of(root, topic, number)
        reached = files[-1].end if files else start
        if start > reached:
            refusals.append(
                f"{topic}[{number}]: the archive ends at offset {reached} and the topic begins at "
                f"{start}: [{reached}, {start}) would be a hole"
            )
        elif reached > end:
            refusals.append(
                f"{topic}[{number}]: the archive ends at offset {reached} and the topic already at "
                f"{end}: it was made anew, or this is another stack's archive"
            )
        else:
            refusals += _foreign(log, files, topic, number, start)
        parts.append(_Part(topic, number, files, reached, end))
    if refusals:
        raise ArchiveRefused(
            "; ".join(refusals)
            + f". Nothing was written; keep {root} as it is and begin a new archive "
            "in another folder, after a snapshot"
        )
    return parts


def _foreign(
    log: LogReader, files: list[ArchiveFile], topic: str, number: int, start: int
) -> list[str]:
    """Why the archive is of another log: the last record of both is not the same."""
    if not files:
        return []
    reader = TableReader(files[-1].path, topic, number)
    last = reader.facts.last
    held = list(reader.records(last)) if last >= start else []
    reader.close()
    if not held or log.read_range(topic, number, last, last + 1) == held:
        return []
    reason = "it was made anew, or this is another stack's archive"
    return [f"{topic}[{number}]: the archive and the topic differ at offset {last}: {reason}"]


def _copy(root: Path, log: LogReader, part: _Part, progress: Progress) -> Archived:
    began = time.monotonic()
    files = _Files(root, part)
    for count, message in enumerate(
        log.messages(part.topic, part.partition, part.start, part.end), 1
    ):
        row = _row(message)
        files.add(row)
        if count % PROGRESS_RECORDS == 0:
            progress(part.topic, part.partition, row.offset, part.end)
    files.finish()
    first = part.files[0].start if part.files else part.start
    return Archived(
        part.topic, part.partition, first, part.end, files.rows, files.size, files.count,
        time.monotonic() - began,
    )  # fmt: skip


class _Files:
    """Cuts the records of a partition into files.

    The cuts depend on the records and on where the first file begins only, so a run that goes on after a
    killed one writes the files that the killed one would have written.
    """

    def __init__(self, root: Path, part: _Part) -> None:
        self.rows = self.size = self.count = 0
        self._root = root
        self._part = part
        self._unfinished = root / f".{part.topic}-{part.partition}{UNFINISHED}"
        self._next = part.start
        self._day = ""
        self._table: TableWriter | None = None

    def add(self, row: Row) -> None:
        day = day_of(row.timestamp)
        table = self._table
        if table is not None and (
            day != self._day or table.rows >= FILE_ROWS or table.size >= FILE_BYTES
        ):
            self._close(table, row.offset)
            table = None
        if table is None:
            part = self._part
            table = TableWriter(self._unfinished, part.topic, part.partition, self._next)
            self._table, self._day = table, day
        table.add(row)

    def finish(self) -> None:
        """All was read: what is left is covered up to the end of the part."""
        part = self._part
        table = self._table
        if table is None and part.files and self._next < part.end:
            # No record, but markers or aborted ones: covered, so that no hole is seen in them later.
            self._day = part.files[-1].path.parent.name.removeprefix("day=")
            table = TableWriter(self._unfinished, part.topic, part.partition, self._next)
        if table is not None:
            self._close(table, part.end)

    def _close(self, table: TableWriter, end: int) -> None:
        part = self._part
        table.finish(end)
        path = file_path(self._root, part.topic, part.partition, self._day, table.start, end)
        settle(self._unfinished, path)
        self.rows += table.rows
        self.size += table.size
        self.count += 1
        self._next = end
        self._table = None


def _row(message: Message) -> Row:
    kind, timestamp = message.timestamp()
    offset = message.offset()
    assert offset is not None
    return Row(offset, timestamp, kind, message.key(), message.value(), headers_of(message))
