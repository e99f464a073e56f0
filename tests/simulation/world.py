"""What one schedule is about: the servers, upstream, and the random numbers that decide everything."""

from random import Random

from streams.operations.metrics import Metrics
from tests.simulation.memory_kafka import MemoryKafka
from tests.simulation.memory_redis import MemoryClient, MemoryRedis, MemoryStore
from tests.simulation.source import START_MS, Source
from tests.simulation.tally import Tally
from tests.simulation.tool import Tool
from tests.simulation.variants import Variant
from tests.simulation.worker import TOPICS

#: In one of so many schedules a shop judges orders.
_JUDGED = 3


class World:
    """Everything but the workers. Whoever draws from ``rng`` out of turn makes another schedule."""

    def __init__(self, seed: int, tally: Tally, variant: Variant) -> None:
        self.rng = Random(seed)
        self.tally = tally
        self.variant = variant
        self.partitions = self.rng.choice((1, 2, 3))
        counts = dict.fromkeys(
            (
                *TOPICS.inputs,
                TOPICS.triggers,
                TOPICS.verdicts,
                TOPICS.decisions,
                TOPICS.deadletters,
                TOPICS.journal,
            ),
            self.partitions,
        )
        self.kafka = MemoryKafka(counts, self.partitions)
        self.kafka.now = START_MS
        self.redis = MemoryRedis(variant.checks)
        #: Whether some events and timers cannot be folded, until an operator has them left out.
        self.frail = self.rng.random() < 0.3
        # By the seed, so that the others are the schedules that they were.
        judged = seed % _JUDGED == _JUDGED - 1
        self.source = Source(self.rng, self.kafka, self.partitions, frail=self.frail, judged=judged)
        #: One that takes the clock over, in some schedules.
        self.tool = (
            Tool(self.rng, self.kafka, self.source, tally, self.partitions)
            if self.rng.random() < 0.3
            else None
        )
        self.metrics = Metrics()
        #: Whether nothing strikes any more, so that the schedule comes to rest.
        self.calm = False
        #: How many steps stand frozen within one another.
        self.depth = 0

    def store(self) -> MemoryStore:
        """Redis as an onlooker reads it: no step of the schedule."""
        return MemoryStore(MemoryClient(self.redis), "sim:")

    def meta(self, number: int) -> dict[bytes, bytes]:
        """What Redis holds of where a partition stands."""
        return self.redis.hash(f"sim:{{{number}}}:meta")
