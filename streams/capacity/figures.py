"""The figures that sizes are worked out from: each with its unit, and where it was measured.

A figure whose ``source`` is empty was measured by nobody: it is an assumption, and said to be one wherever a
size is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Figure:
    """``source``: the page of docs/ and, after a space, words that stand there; empty: an assumption."""

    name: str
    value: float
    unit: str
    meaning: str
    source: str = ""


FIGURES: Final = (
    Figure("worker-us", 31.9, "us", "CPU of a worker for an event", "performance.md 31.9 us"),
    Figure("redis-us", 5.8, "us", "CPU of Redis for an event", "performance.md 5.8 us"),
    Figure("broker-us", 4.8, "us", "CPU of a broker for an event", "performance.md 4.8 us"),
    Figure(
        "worker-idle", 0.1, "cores",
        "CPU of a worker's cycles, without events: 5 ms, 20 times a second",
        "performance.md about 5 ms of CPU at some 20 cycles a second",
    ),
    Figure(
        "worker-transactions", 22.4, "1/s", "Kafka transactions of a busy worker",
        "performance.md | 22.7 | 22.4 |",
    ),
    Figure(
        "event-bytes", 470, "bytes",
        "An event in Kafka, one copy, with what huitou writes of it: 94 MB of 200,000 events",
        "operations.md 200,000 simulated events (209,000 records, 94 MB)",
    ),
    Figure("state-bytes", 2_821, "bytes", "A customer's state (median)", "state.md 2,821 bytes"),
    Figure("worker-mb", 130, "MB", "Memory of a worker with few states", "soak.md at most 129.6 MB"),
    Figure("utilisation", 0.6, "of a core", "How far a core may be used at the peak"),
    Figure("mean-share", 0.4, "of the peak", "Events of an average second"),
    Figure("partitions-per-worker", 2, "", "So that twice the workers need no repartition"),
    Figure("partition-skew", 1.5, "times", "The busiest partition, beside the mean one"),
    Figure("hot-customer", 1e-6, "of all events", "The share of the busiest customer"),
    Figure("cached-states", 200_000, "states", "HUITOU_CACHE_STATES; its default"),
    Figure("key-bytes", 200, "bytes", "Redis's own for a state and its timer"),
    Figure("partitions-per-shard", 4, "", "Keys of a partition stay together: few would lie unevenly"),
    Figure("redis-headroom", 1.5, "times", "Memory beside the data: rewriting the append-only file"),
    Figure("shard-gb", 24, "GB", "Memory that one Redis may hold"),
    Figure("shard-mbs", 500, "MB/s", "Bytes that one Redis may move"),
    Figure("state-reads", 1, "an event", "States read from Redis: not in a worker's cache"),
    Figure("state-writes", 1, "an event", "States written to Redis: fewer where bundles repeat them"),
    Figure("redis-copies", 2, "", "A primary and its replicas"),
    Figure("kafka-copies", 3, "", "HUITOU_REPLICATION"),
    Figure("kafka-readers", 3, "", "Who reads each event: workers, sink, archive"),
    Figure("broker-cores", 8, "cores", "Of one broker"),
    Figure("broker-tb", 16, "TB", "Disk of one broker that may be filled"),
    Figure("broker-mbs", 600, "MB/s", "Bytes that one broker may move, in and out"),
    Figure("broker-transactions", 1_000, "1/s", "Transactions that one broker may coordinate"),
    Figure("broker-replicas", 4_000, "", "Partition replicas on one broker"),
)  # fmt: skip

_KNOWN: Final = {figure.name: figure for figure in FIGURES}


def values(changed: Mapping[str, float]) -> dict[str, float]:
    """All figures by name, with those that are ``changed``. ValueError says which name or value is wrong."""
    for name, value in changed.items():
        if name not in _KNOWN:
            raise ValueError(f"no figure {name!r}; there are {', '.join(_KNOWN)}")
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} has to be above 0, not {value:g}")
    found = {figure.name: figure.value for figure in FIGURES} | dict(changed)
    if found["utilisation"] <= found["worker-idle"]:
        raise ValueError(
            "utilisation has to be above worker-idle: no core would be left for events"
        )
    return found
