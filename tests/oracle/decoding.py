"""What was published, as the worker's decoder hands it to the fold."""

from collections.abc import Sequence

import msgspec

from schemas.catalogue import CUSTOMER_TOPICS
from schemas.decoding import Decoded, Decoder, RawRecord
from schemas.partitioner import partition_of
from tests.oracle.events import Published


def decoded(events: Sequence[Published]) -> list[Decoded]:
    """The events of one customer or several, all of one partition."""
    decoder = Decoder(1, {topic: topic for topic in CUSTOMER_TOPICS})
    found: list[Decoded] = []
    for offset, event in enumerate(events):
        key, value = event.key.encode(), msgspec.json.encode(event.value)
        now = 1_900_000_000_000
        raw = RawRecord(event.topic, partition_of(key, 1), offset, now, key, value)
        item = decoder.decode(raw, now)
        assert isinstance(item, Decoded), item
        found.append(item)
    return found
