"""The newest event that the topics have: where a backtest ends that nobody says the end of."""

from pathlib import Path
from typing import Final

from schemas.catalogue import CUSTOMER_TOPICS, kafka_names
from schemas.decoding import Decoded, Decoder
from streams.archive.logs import Logs
from streams.backtest.source import LATEST
from streams.settings import Settings

#: The last records of each partition that are looked at: the newest event may lie before some late ones.
_LAST: Final = 200


def newest_event(settings: Settings, archive: Path | None) -> int:
    """Its time in ms since 1970, among the last records of each partition; 0: there is none.

    The same for the same log. Blocks; raises the errors of LogReader.
    """
    decoder = Decoder(settings.partitions, kafka_names(settings.topic_prefix))
    places = [
        (settings.topic_prefix + topic, number)
        for topic in CUSTOMER_TOPICS
        for number in range(settings.partitions)
    ]
    newest = 0
    with Logs(settings.kafka_bootstrap, archive).reader() as reader:
        starts, ends = reader.log_starts(places), reader.stable_ends(places)
        for place in places:
            first = max(starts[place], ends[place] - _LAST)
            if first >= ends[place]:
                continue
            records = reader.read_range(*place, first, ends[place])
            for item in decoder.decode_many(records, LATEST):
                if isinstance(item, Decoded):
                    newest = max(newest, item.time_ms)
    return newest
