"""Records of one Kafka key, handed out in the order in which the rows of the journal processed them."""

from collections import deque
from collections.abc import Iterable, Iterator

from schemas.decoding import RawRecord
from schemas.journal import JournalRow


class KeyRecords:
    """``records`` in the order of each topic; rows are asked for in order, and each record comes once."""

    def __init__(self, records: Iterable[RawRecord]) -> None:
        self._waiting: dict[str, deque[RawRecord]] = {}
        for record in records:
            self._waiting.setdefault(record.topic, deque()).append(record)

    def of(self, row: JournalRow) -> Iterator[RawRecord]:
        """What the commit of ``row`` processed; what lies before its slices is dropped."""
        for part in row.slices:
            held = self._waiting.get(part.topic)
            while held and held[0].offset < part.end:
                record = held.popleft()
                if record.offset >= part.start:
                    yield record
