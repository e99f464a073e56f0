"""Explains one customer from a stack's Kafka and Redis."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.catalogue import kafka_names
from schemas.decoding import Decoder
from schemas.journal import JournalRow
from schemas.partitioner import partition_of
from streams.archive.logs import Logs
from streams.build import build
from streams.definitions_reader import DefinitionsReader
from streams.engine.log import LogReader
from streams.engine.topicnames import TopicNames
from streams.explaining.looks import Life, Looking
from streams.explaining.standing import Standing, standings
from streams.settings import Settings
from streams.state.redis_store import RedisStore
from streams.tracing.copies import Log
from streams.tracing.history import MOST, records_of
from streams.tracing.rows import rows_along, unpublished_rows

#: After all times, ms.
_ALWAYS: Final = 1 << 62


class TooManyEvents(Exception):
    """The customer has more records than are folded again."""

    def __init__(self) -> None:
        super().__init__(f"the customer has more than {MOST:,} records: they are not folded again")


@dataclass(frozen=True, slots=True)
class Explained:
    """``at`` in ms since 1970; ``doubts``: why it may have been another way."""

    shop: str
    customer: str
    partition: int
    at: int
    life: Life
    standings: Sequence[Standing]
    doubts: Sequence[str]


def ask(
    settings: Settings, shop: str, customer: str, until: int | None, archive: Path | None,
    progress: Callable[[int], None],
) -> Explained:  # fmt: skip
    """As of ``until`` (ms; None: as of the newest that was processed). Blocks.

    Raises TooManyEvents, DefinitionsError, a LogError, and redis.RedisError.
    """
    names = TopicNames.of(settings.topic_prefix)
    number = partition_of(customer.encode(), settings.partitions)
    read = 0

    def count(more: int) -> None:
        nonlocal read
        read += more
        progress(read)

    definitions = DefinitionsReader(settings, patient=False)
    store = RedisStore(settings.redis_url, settings.redis_prefix)
    try:
        definitions.start()
        with Logs(settings.kafka_bootstrap, archive).reader() as reader:
            log = Log(reader, names, None, MOST, count)
            places = [(topic, number) for topic in names.folded]
            records = records_of(log.records(places), customer.encode())
            if records is None:
                raise TooManyEvents
            looking = Looking(
                records, Decoder(settings.partitions, kafka_names(settings.topic_prefix)),
                definitions.upto, shop, customer, _ALWAYS if until is None else until, build(),
            )  # fmt: skip
            doubts: list[str] = []
            watermark = 0
            for row in _rows(reader, store, names, number, doubts):
                looking.follow(row)
                watermark = row.clock.watermark
                if any(part.topic == names.origin for part in row.slices):
                    doubts.append(
                        "partitions were changed; of what was before that only states were carried over"
                    )
        life = looking.life
        if life.stopped is not None:
            doubts.append(life.stopped)
        newest = 0 if life.state is None else life.state.last_seen or 0
        at = max(watermark, newest) if until is None else until
        view = definitions.read_to_end()
        found = tuple(standings(view.campaigns, life.state, at, view.at(shop, at)))
        return Explained(shop, customer, number, at, life, found, tuple(dict.fromkeys(doubts)))
    finally:
        store.close()
        definitions.stop()


def _rows(
    reader: LogReader, store: RedisStore, names: TopicNames, number: int, doubts: list[str]
) -> Iterator[JournalRow]:
    """Every row of the partition, the published ones first; what is not in order is noted."""
    place = (names.journal, number)
    start, end = reader.log_starts([place])[place], reader.stable_ends([place])[place]
    if start:
        doubts.append(f"the journal begins at offset {start}: --archive has what was before")
    seq = 0
    for row in rows_along(reader, *place, start, end - 1):
        seq = row.seq
        yield row
    for unpublished in unpublished_rows(store, number):
        if unpublished.row.seq > seq:
            yield unpublished.row
