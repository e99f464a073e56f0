"""What became of the source's events, by the counters that the commit scripts keep in Redis."""

from dataclasses import dataclass, field

from producers.delivered import Delivered
from streams.engine.commit import APPLIED, DEAD_LETTER, DUPLICATE
from streams.state.redis_store import RedisStore, Stored

Place = tuple[str, int]


@dataclass
class Processed:
    """As of one moment, over all partitions. Keys are (topic, partition)."""

    applied: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    counts: dict[Place, int] = field(default_factory=dict)
    #: Next offset of each input topic.
    vector: dict[Place, int] = field(default_factory=dict)
    partitions: list[Stored] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.applied + self.duplicates + self.dead_letters


def processed(store: RedisStore, partitions: int) -> Processed:
    """Reads all partitions. Raises redis.RedisError."""
    found = Processed()
    for number in range(partitions):
        stored = store.stored(number)
        found.partitions.append(stored)
        for topic, offset in stored.vector.items():
            found.vector[topic, number] = offset
        for (topic, outcome), count in store.counts(number).items():
            place = (topic, number)
            found.counts[place] = found.counts.get(place, 0) + count
            found.applied += count if outcome == APPLIED else 0
            found.duplicates += count if outcome == DUPLICATE else 0
            found.dead_letters += count if outcome == DEAD_LETTER else 0
    return found


def lost(delivered: Delivered, found: Processed) -> dict[Place, int]:
    """Records with a delivery report that were neither applied, nor duplicates, nor dead letters.

    By topic and partition, those with a shortfall only, so that a surplus in one place never hides
    a loss in another. A shortfall is what the counters do not account for, or, where that is more,
    what lies at and after the next offset to process.
    """
    short: dict[Place, int] = {}
    for place, sent in delivered.counts().items():
        uncounted = sent - found.counts.get(place, 0)
        position = found.vector.get(place, 0)
        unread = sum(
            end - max(start, position) for start, end in delivered.ranges(*place) if end > position
        )
        missing = max(uncounted, unread)
        if missing > 0:
            short[place] = missing
    return short
