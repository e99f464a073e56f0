"""The recorded events of one shop in one partition, as a backtest takes them."""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.decoding import Decoded, Decoder, RawRecord
from schemas.exchange import ExchangeEvent
from schemas.journal import Fired
from streams.backtest.recorded import Recorded
from streams.engine.log import LogReader
from streams.engine.partition_log import PartitionLog
from streams.tracing.rows import rows_along

#: Offsets read and decoded at a time.
CHUNK: Final = 5_000
#: Above every time that is read: nothing recorded lies in the future of the record.
LATEST: Final = 1 << 62


class Source:
    """``dead``: records so far that cannot be read."""

    def __init__(
        self, reader: LogReader, decoder: Decoder, topics: Sequence[str], partition: int, shop: str
    ) -> None:
        """``topics``: Kafka names of the customer topics."""
        self.dead = 0
        self._reader = reader
        self._decoder = decoder
        self._topics = topics
        self._partition = partition
        self._shop = shop

    def by_topic(self) -> list[Iterator[Recorded]]:
        """Each topic's events in the order in which they lie there."""
        return [self._of_topic(topic) for topic in self._topics]

    def along(self, log: PartitionLog, journal: str) -> Iterator[Iterator[Recorded] | Fired]:
        """What the rows of the journal processed, in order; ``log`` is read along with them."""
        taken = {topic: self._bounds(topic)[0] for topic in self._topics}
        log.begin(self._partition, taken)
        start, end = self._bounds(journal)
        for row in rows_along(self._reader, journal, self._partition, start, end - 1):
            for part in row.slices:
                topic = part.topic
                if topic not in taken:
                    continue
                # Offsets that come a second time lie behind the reader along the log.
                again = part.start < taken[topic]
                records = (
                    self._reader.read_range(topic, self._partition, part.start, part.end)
                    if again
                    else log.take(topic, part.start, part.end)
                )
                taken[topic] = max(taken[topic], part.end)
                yield self._decoded(topic, records, row.latest)
            if row.fired is not None:
                yield row.fired

    def _of_topic(self, topic: str) -> Iterator[Recorded]:
        start, end = self._bounds(topic)
        for first in range(start, end, CHUNK):
            last = min(first + CHUNK, end)
            records = self._reader.read_range(topic, self._partition, first, last)
            yield from self._decoded(topic, records, LATEST)

    def _bounds(self, topic: str) -> tuple[int, int]:
        place = (topic, self._partition)
        return self._reader.log_starts([place])[place], self._reader.stable_ends([place])[place]

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
