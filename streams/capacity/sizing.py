"""From events a second and customers to partitions, workers, Redis and Kafka, and what limits first."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.catalogue import TOPICS

MICRO, MB, GB, TB = 1e-6, 1e6, 1e9, 1e12
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Load:
    """``events_per_second`` at the peak; ``days`` that Kafka keeps events."""

    events_per_second: float
    customers: float
    days: float


@dataclass(frozen=True, slots=True)
class Need:
    """How many of something each reason asks for; the greatest decides."""

    by_reason: dict[str, int]

    @property
    def count(self) -> int:
        return max(self.by_reason.values())

    @property
    def decided_by(self) -> str:
        return max(self.by_reason, key=lambda reason: self.by_reason[reason])


@dataclass(frozen=True, slots=True)
class Limit:
    """``used``: the share, at this size and the peak, of what can be; above 1 it does not work so."""

    name: str
    used: float
    remedy: str


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes are of all copies together; bytes a second are at the peak."""

    partitions: int
    workers: int
    worker_memory_bytes: float
    redis_shards: Need
    redis_memory_bytes: float
    brokers: Need
    kafka_disk_bytes: float
    kafka_bytes_per_second: float
    transactions_per_second: float
    #: The one that is nearest first.
    limits: tuple[Limit, ...]


def size(load: Load, figure: Mapping[str, float]) -> Size:
    """The smallest stack that carries ``load`` with these figures (``figures.values``)."""
    rate = load.events_per_second
    per_worker = (figure["utilisation"] - figure["worker-idle"]) / (figure["worker-us"] * MICRO)
    workers = math.ceil(rate / per_worker)
    memory = load.customers * (figure["state-bytes"] + figure["key-bytes"])
    memory *= figure["redis-headroom"]
    moved = rate * figure["state-bytes"] * (figure["state-reads"] + figure["state-writes"])
    shards = Need(
        {
            "memory": math.ceil(memory / (figure["shard-gb"] * GB)),
            "bandwidth": math.ceil(moved / (figure["shard-mbs"] * MB)),
            "CPU": math.ceil(rate * figure["redis-us"] * MICRO / figure["utilisation"]),
        }
    )
    partitions = max(
        # HUITOU_PARTITIONS' default.
        8,
        math.ceil(workers * figure["partitions-per-worker"]),
        # The busiest partition is on one worker, whatever else there is.
        math.ceil(rate * figure["partition-skew"] / per_worker),
        math.ceil(shards.count * figure["partitions-per-shard"]) if shards.count > 1 else 0,
    )
    copies = figure["kafka-copies"]
    # Written to each copy; sent to the other copies and to the readers.
    network = rate * figure["event-bytes"] * (2 * copies - 1 + figure["kafka-readers"])
    disk = rate * figure["mean-share"] * DAY_SECONDS * load.days * figure["event-bytes"] * copies
    transactions = workers * figure["worker-transactions"]
    brokers = Need(
        {
            "copies": math.ceil(copies),
            "disk": math.ceil(disk / (figure["broker-tb"] * TB)),
            "network": math.ceil(network / (figure["broker-mbs"] * MB)),
            "CPU": math.ceil(
                rate * figure["broker-us"] * MICRO * copies
                / (figure["broker-cores"] * figure["utilisation"])
            ),
            "transactions": math.ceil(transactions / figure["broker-transactions"]),
            "partitions": math.ceil(partitions * len(TOPICS) * copies / figure["broker-replicas"]),
        }
    )  # fmt: skip
    used = {
        "hot customer": rate * figure["hot-customer"] / per_worker,
        "hot partition": rate / partitions * figure["partition-skew"] / per_worker,
        "worker CPU": rate / workers / per_worker,
        "Redis memory": memory / (shards.count * figure["shard-gb"] * GB),
        "Redis bandwidth": moved / (shards.count * figure["shard-mbs"] * MB),
        "Kafka disk": disk / (brokers.count * figure["broker-tb"] * TB),
        "Kafka network": network / (brokers.count * figure["broker-mbs"] * MB),
        "transaction rate": transactions / (brokers.count * figure["broker-transactions"]),
    }
    limits = [Limit(name, share, REMEDIES[name]) for name, share in used.items()]
    cached = figure["cached-states"] * figure["state-bytes"]
    return Size(
        partitions=partitions,
        workers=workers,
        worker_memory_bytes=figure["worker-mb"] * MB + cached,
        redis_shards=shards,
        redis_memory_bytes=memory * figure["redis-copies"],
        brokers=brokers,
        kafka_disk_bytes=disk,
        kafka_bytes_per_second=network,
        transactions_per_second=transactions,
        limits=tuple(sorted(limits, key=lambda limit: -limit.used)),
    )


#: What helps when a limit is near. A customer is in one partition, a partition on one core, by design.
REMEDIES = {
    "hot customer": "slow or drop the producer of that customer: nothing that is added here helps",
    "hot partition": "more partitions with `huitou repartition`; a hot customer stays in one",
    "worker CPU": "more workers, up to one a partition; then `huitou repartition`",
    "Redis memory": "more shards (partitions move, keys of a partition stay together)",
    "Redis bandwidth": "more shards, up to one a partition; a larger HUITOU_CACHE_STATES reads less",
    "Kafka disk": "larger or tiered disks; retention is the contract's; `huitou archive` keeps a copy",
    "Kafka network": "more brokers; compression at the producers",
    "transaction rate": "fewer, longer cycles (HUITOU_FETCH_WAIT), for that much latency; more brokers",
}
