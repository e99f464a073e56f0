"""What retention has cut from the topics and an archive has: it goes into the store before the topics do.

Offsets are Kafka's in both, so the store moves through the archive as through the topics: rows and offsets
in one transaction, and a sink that ended on the way goes on where the store stands.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from schemas.catalogue import DEADLETTERS
from schemas.decoding import RawRecord
from streams.archive.errors import ArchiveDamaged, ArchiveHole, ArchiveRefused
from streams.archive.logs import require_parquet
from streams.query.batch import Batch, BatchReader, Slice
from streams.query.errors import OffsetsMoved, StoreRefused
from streams.query.log import Bounds
from streams.query.store import QueryStore, Stored

log = structlog.get_logger(__name__)


class Head(NamedTuple):
    """Offsets [start, end) of a partition: the archive has them, the topic has them no longer."""

    topic: str
    partition: int
    start: int
    end: int


class ArchivedHeads:
    """The archive in the folder ``root``. Raises StoreRefused where archives cannot be read here."""

    def __init__(self, root: Path) -> None:
        try:
            require_parquet()
        except ArchiveRefused as error:
            raise StoreRefused(str(error)) from None
        from streams.archive.reading import ArchiveReader

        self._root = root
        self._archive = ArchiveReader(root)

    def plan(self, held: Mapping[tuple[str, int], Stored], at: Bounds) -> list[Head]:
        """What the store, which has ``held``, lacks of these topics and the archive has.

        Raises StoreRefused for offsets that neither has, an archive of other topics, one that begins
        before the store does, and a damaged one.
        """
        heads: list[Head] = []
        refusals: list[str] = []
        for (topic, partition), kept in at.starts.items():
            part = held.get((topic, partition))
            try:
                covered = self._archive.covered(topic, partition)
            except ArchiveDamaged as error:
                raise StoreRefused(str(error)) from error
            if covered is None:
                if part is None and kept > 0:
                    log.warning(
                        "the archive has nothing of a topic whose beginning retention has removed",
                        topic=topic, partition=partition, begins_at=kept,
                    )  # fmt: skip
                continue
            first, last = covered
            start = min(first, kept) if part is None else part.next
            reason = None
            if last > at.ends[topic, partition]:
                reason = (
                    f"the archive ends at offset {last} and the topic already at "
                    f"{at.ends[topic, partition]}: it was made anew, or {self._root} is another stack's"
                )
            elif part is not None and part.first > first:
                reason = (
                    f"the store begins at offset {part.first} and the archive at {first}, which cannot be "
                    "put before it: fill another store (--store)"
                )
            elif start < kept and not (first <= start and kept <= last):
                hole = (start, min(first, kept)) if start < first else (max(start, last), kept)
                reason = (
                    f"offsets [{hole[0]}, {hole[1]}) are neither in the archive nor in the topic: fill "
                    "another store without --archive, from what the topics have"
                )
            if reason is not None:
                refusals.append(f"{topic}[{partition}]: {reason}")
            elif start < kept:
                heads.append(Head(topic, partition, start, kept))
        if refusals:
            raise StoreRefused("; ".join(refusals))
        return heads

    def fill(
        self,
        heads: Sequence[Head],
        store: QueryStore,
        reader: BatchReader,
        size: int,
        stopping: Callable[[], bool],
    ) -> Iterator[Batch]:
        """Write the heads, ``size`` records a transaction; each batch is yielded once it is written.

        Ends early when ``stopping`` says so. Of several sinks that do this at once each batch is one's:
        who comes too late turns to another partition. Raises StoreRefused, and SQLAlchemy's errors.
        """
        # Verdicts first: what an erasure deletes does not come back for one that is read after it.
        waiting = deque(sorted(heads, key=lambda head: not head.topic.endswith(DEADLETTERS)))
        while waiting:
            head = waiting.popleft()
            try:
                for part in self._slices(head, size):
                    if stopping():
                        return
                    batch = reader.read([part])
                    store.write(batch)
                    yield batch
            except OffsetsMoved:
                reached = store.offsets()[head.topic, head.partition].next
                if reached < head.end:
                    waiting.append(head._replace(start=reached))
            except (ArchiveDamaged, ArchiveHole) as error:
                raise StoreRefused(str(error)) from error

    def _slices(self, head: Head, size: int) -> Iterator[Slice]:
        position = head.start
        records: list[RawRecord] = []
        for record in self._archive.records(*head):
            records.append(record)
            if len(records) == size:
                end = record.offset + 1
                yield Slice(head.topic, head.partition, position, end, records)
                position, records = end, []
        # The last ones; behind them may be markers of transactions, which are no records.
        if position < head.end:
            yield Slice(head.topic, head.partition, position, head.end, records)
