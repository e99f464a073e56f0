"""The recorded events of one shop in one partition, as a backtest takes them."""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.decoding import Decoded, Decoder, RawRecord
from schemas.exchange import ExchangeEvent
from schemas.journal import Fired, JournalRow
from streams.backtest.recorded import Recorded
from streams.engine.log import LogReader
from streams.tracing.rows import rows_along

#: Offsets read and decoded at a time.
CHUNK: Final = 5_000
#: Above every time that is read: nothing recorded lies in the future of the record.
LATEST: Final = 1 << 62


class Source:
    """Reads through ``reader``; ``dead``: records so far that cannot be read."""

    def __init__(
        self, reader: LogReader, decoder: Decoder, topics: Sequence[str], partition: int, shop: str
    ) -> None:
        """``topics``: Kafka names of the customer topics."""
        self.dead = 0
        self._topics = topics
        self._reader = reader
        self._decoder = decoder
        self._partition = partition
        self._shop = shop
        #: Topic -> records that were read ahead of the journal, and the offset after them.
        self._ahead: dict[str, tuple[list[RawRecord], int]] = {}

    def by_topic(self) -> list[Iterator[Recorded]]:
        """Each topic's events in the order in which they lie there."""
        return [self._of_topic(topic) for topic in self._topics]

    def _of_topic(self, topic: str) -> Iterator[Recorded]:
        place = (topic, self._partition)
        start, end = (
            self._reader.log_starts([place])[place],
            self._reader.stable_ends([place])[place],
        )
        for first in range(start, end, CHUNK):
            records = self._reader.read_range(*place, first, min(first + CHUNK, end))
            yield from self._decoded(topic, records, LATEST)

    def along(self, journal: str) -> Iterator[Iterator[Recorded] | Fired]:
        """What each row of the journal processed, in order."""
        place = (journal, self._partition)
        start, end = (
            self._reader.log_starts([place])[place],
            self._reader.stable_ends([place])[place],
        )
        for row in rows_along(self._reader, *place, start, end - 1):
            yield self._of(row)
            if row.fired is not None:
                yield row.fired

    def _of(self, row: JournalRow) -> Iterator[Recorded]:
        for part in row.slices:
            topic = part.topic
            if topic in self._topics:
                records = self._range(topic, part.start, part.end)
                yield from self._decoded(topic, records, row.latest)

    def _range(self, topic: str, start: int, end: int) -> list[RawRecord]:
        """Slices are small and follow each other, so more is read than is asked for."""
        held, stop = self._ahead.get(topic, ([], 0))
        if stop < end:
            place = (topic, self._partition)
            last = min(max(end, start + CHUNK), self._reader.stable_ends([place])[place])
            held = [record for record in held if record.offset >= start]
            held += self._reader.read_range(*place, max(start, stop), last)
            stop = last
        found = [record for record in held if start <= record.offset < end]
        self._ahead[topic] = ([record for record in held if record.offset >= end], stop)
        return found

    def _decoded(self, topic: str, records: Sequence[RawRecord], latest: int) -> Iterator[Recorded]:
        items = self._decoder.decode_many(records, latest)
        for record, item in zip(records, items, strict=True):
            if not isinstance(item, Decoded):
                self.dead += 1
                continue
            event = item.event
            if isinstance(event, ExchangeEvent) or event.data.shop_id != self._shop:
                continue
            yield Recorded(
                item.time_ms, event, record.timestamp, topic, self._partition, record.offset
            )
