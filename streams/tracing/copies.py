"""Finds every record of an event in the customer topics, by looking at all that may hold one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from schemas.decoding import RawRecord
from schemas.envelope import BODY_BYTES
from streams.engine.log import LogReader
from streams.engine.topicnames import TopicNames

#: Offsets read at a time.
CHUNK: Final = 5_000
#: Ways of msgspec to say that bytes are no such JSON.
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
#: Told of records looked at since the last call.
Progress = Callable[[int], None]


class TooMany(Exception):
    """More records would have to be looked at than the caller allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"not among the first {limit:,} records looked at; say whose event it is (--customer), in which "
            "topic (--topic), from when on (--since), or look at more (--limit)"
        )


class _Identified(msgspec.Struct):
    """As much of an event as names it; the rest may be anything."""

    source: str
    id: str


_identify = msgspec.json.Decoder(_Identified).decode


def is_named(record: RawRecord, source: str, identity: str) -> bool:
    """Whether the record says that it is the event, readable otherwise or not."""
    headers = dict(record.headers)
    if "ce_id" in headers or "ce_source" in headers:
        # CloudEvents' binary mode: the attributes are headers.
        return (
            headers.get("ce_id") == identity.encode()
            and headers.get("ce_source") == source.encode()
        )
    if record.value is None or len(record.value) > BODY_BYTES:
        return False
    try:
        found = _identify(record.value)
    except _UNREADABLE:
        return False
    return (found.source, found.id) == (source, identity)


class Log:
    """The customer topics of a stack as far as they are looked at; every call blocks."""

    def __init__(
        self,
        reader: LogReader,
        topics: TopicNames,
        since_ms: int | None,
        limit: int,
        progress: Progress,
    ) -> None:
        """``since_ms``: what was appended before is not looked at. ``limit``: of ``bounded`` records."""
        self.reader = reader
        self.topics = topics
        self._since_ms = since_ms
        self._limit = limit
        self._left = limit
        self._progress = progress

    def starts(self, places: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], int]:
        """Where each of ``places`` (topic, partition) is looked at from."""
        starts = dict(self.reader.log_starts(places))
        if self._since_ms is not None:
            later = self.reader.offsets_since(places, self._since_ms)
            # Kafka's own: where all that it has is later, an archive before it may be, too.
            kept = LogReader.log_starts(self.reader, places)
            for place in places:
                if later[place] > kept[place]:
                    starts[place] = later[place]
        return starts

    def bounded(self, places: Sequence[tuple[str, int]]) -> Iterator[RawRecord]:
        """All records, topic by topic. Raises TooMany and the errors of LogReader."""
        for record in self.records(places):
            if not self._left:
                raise TooMany(self._limit)
            self._left -= 1
            yield record

    def records(self, places: Sequence[tuple[str, int]]) -> Iterator[RawRecord]:
        """All records, topic by topic, however many. Raises the errors of LogReader."""
        ends = self.reader.stable_ends(places)
        for place, start in self.starts(places).items():
            for first in range(start, ends[place], CHUNK):
                read = self.reader.read_range(*place, first, min(first + CHUNK, ends[place]))
                self._progress(len(read))
                yield from read


def copies(
    log: Log, topics: Sequence[str], partitions: Sequence[int], source: str, identity: str
) -> list[RawRecord]:
    """The records of the event, by topic, partition and offset."""
    places = [(topic, partition) for topic in topics for partition in partitions]
    return [record for record in log.bounded(places) if is_named(record, source, identity)]
