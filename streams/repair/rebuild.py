"""Folds the log of a partition again along its journal, into a Redis that has nothing of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from streams.bootstrap import configuration_digest, processors
from streams.build import build
from streams.definitions import DefinitionsReader
from streams.engine.crashpoints import CrashPoints
from streams.engine.recovery import Recovery
from streams.engine.repetition import Author, Repetition
from streams.engine.topicnames import TopicNames
from streams.operations.metrics import Metrics
from streams.repair.group import require_no_workers
from streams.repair.refused import require_no_fence
from streams.settings import Settings
from streams.state.redis_store import RedisStore


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What became of a partition. ``events`` are the records of its slices."""

    partition: int
    seq: int
    events: int
    dropped_keys: int
    seconds: float


def rebuild(
    settings: Settings, partitions: list[int], progress: Callable[[int, int], None]
) -> Iterator[Rebuilt]:
    """Wipe and rebuild the partitions one by one; ``progress`` is told (partition, rows so far).

    What the journal has is published already: nothing is sent again. A rebuild that is cut short leaves
    a partition that lost a suffix, and the next worker or rebuild goes on from there. Raises
    RepairRefused while workers run, RecoveryRefused, a LogError, redis.RedisError or KafkaException.
    """
    require_no_workers(settings)
    with closing(RedisStore(settings.redis_url, settings.redis_prefix)) as store:
        require_no_fence(settings, store)
    for number in partitions:
        with _recovery(settings, number, progress) as (recovery, store):
            began = time.monotonic()
            dropped = store.wipe(number)
            partition = recovery.rebuild(number)
            events = sum(store.counts(number).values())
            yield Rebuilt(number, partition.position.seq, events, dropped, time.monotonic() - began)


@contextmanager
def _recovery(
    settings: Settings, number: int, progress: Callable[[int, int], None]
) -> Iterator[tuple[Recovery, RedisStore]]:
    topics = TopicNames.of(settings.topic_prefix)
    store = RedisStore(settings.redis_url, settings.redis_prefix)
    store.check_server()
    store.load_scripts()
    definitions = DefinitionsReader(settings)
    definitions.start()
    crash = CrashPoints(settings.crash)
    rows = 0

    def step() -> None:
        nonlocal rows
        rows += 1
        progress(number, rows)

    try:
        yield (
            Recovery(
                topics,
                store,
                settings.kafka_bootstrap,
                settings.group,
                Repetition(
                    topics,
                    store,
                    settings.kafka_bootstrap,
                    processors(settings, topics),
                    definitions,
                    crash,
                    step,
                    Author(build(), configuration_digest()),
                ),
                Metrics(),
                crash,
                settings.cache_states,
            ),
            store,
        )
    finally:
        definitions.stop()
        store.close()
