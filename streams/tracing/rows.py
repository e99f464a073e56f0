"""The commit that processed a record: its row in the journal, found by bisection, or still in Redis."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from schemas.journal import JournalRow, decode_row
from streams.engine.log import LogReader, StoredRow, stored_row
from streams.state.redis_store import RedisStore

#: Journal offsets read at a time: few first, since the next row mostly has the topic.
_FIRST, _MOST = 32, 2_000
#: Unpublished commits looked through; a publisher that works leaves a handful.
OUTBOX: Final = 10_000


class Processed(NamedTuple):
    """The row of the commit; ``offset`` is the row's in the journal, None: it is not published yet."""

    row: JournalRow
    offset: int | None


def covers(row: JournalRow, topic: str, offset: int) -> bool:
    """Whether the commit processed what is at ``offset`` of ``topic``."""
    return any(part.topic == topic and part.start <= offset < part.end for part in row.slices)


def published_row(
    reader: LogReader, journal: str, partition: int, topic: str, offset: int
) -> Processed | None:
    """The published row of the commit that processed ``offset`` of ``topic``, by bisection; None: none did.

    A topic's offsets rise along the journal. Takes log2(rows) steps, each of which reads on until a row
    has something of the topic: of one that is rare in the journal at most twice the journal in all.
    """
    place = (journal, partition)
    low, high = reader.log_starts([place])[place], reader.stable_ends([place])[place]
    while low < high:
        middle = (low + high) // 2
        found = _first_with(reader, journal, partition, middle, high, topic)
        if found is None:
            high = middle
        elif covers(found.row, topic, offset):
            return Processed(found.row, found.offset)
        elif max(part.end for part in found.row.slices if part.topic == topic) <= offset:
            low = found.offset + 1
        else:
            high = middle
    return None


def _first_with(
    reader: LogReader, journal: str, partition: int, start: int, end: int, topic: str
) -> StoredRow | None:
    """The first row of [start, end) that has something of ``topic``."""
    step = _FIRST
    while start < end:
        stop = min(start + step, end)
        for record in reader.read_range(journal, partition, start, stop):
            stored = stored_row(record)
            if any(part.topic == topic for part in stored.row.slices):
                return stored
        start, step = stop, min(step * 4, _MOST)
    return None


def unpublished_rows(store: RedisStore, partition: int) -> Iterator[Processed]:
    """The commits that Redis has and the journal may not have yet, in order."""
    after = store.stored(partition).trimmed
    for entry in store.outbox(partition, after, OUTBOX):
        yield Processed(decode_row(entry.row), None)


def rows_along(
    reader: LogReader, journal: str, partition: int, first: int, last: int
) -> Iterator[JournalRow]:
    """The published rows from offset ``first`` of the journal to ``last``, both included."""
    for start in range(first, last + 1, _MOST):
        for record in reader.read_range(journal, partition, start, min(start + _MOST, last + 1)):
            yield stored_row(record).row
