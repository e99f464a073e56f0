"""The new generation's Redis: the first rows of its journal, repeated as after a lost suffix."""

from collections.abc import Callable

from streams.bootstrap import configuration_digest, processors
from streams.build import build
from streams.definitions_reader import DefinitionsReader
from streams.engine.clock import TickQueue
from streams.engine.crashpoints import CrashPoints
from streams.engine.generation import FENCE_EPOCH, LOADING
from streams.engine.group_offsets import Published
from streams.engine.log import LogReader
from streams.engine.partition import NEW_CLOCK, Partition, StateCache
from streams.engine.repetition import Author, Repetition
from streams.engine.topicnames import TopicNames
from streams.repair.refused import RepairRefused
from streams.repair.repartition_origin import Began
from streams.settings import Settings
from streams.state.redis_store import RedisStore


class Loader:
    """Fills partitions of a generation that is not open yet, each up to the row it begins with."""

    def __init__(
        self,
        settings: Settings,
        topics: TopicNames,
        store: RedisStore,
        log: LogReader,
        definitions: DefinitionsReader,
        progress: Callable[[], None],
    ) -> None:
        """``settings``, ``topics``, ``store`` and ``definitions`` are the new generation's.

        ``progress`` is told each row.
        """
        self._topics = topics
        self._store = store
        self._log = log
        self._progress = progress
        self._loading: Partition | None = None
        self._repetition = Repetition(
            topics,
            store,
            settings.kafka_bootstrap,
            processors(settings, topics),
            definitions,
            CrashPoints(),
            self._row,
            Author(build(), configuration_digest()),
        )

    def load(self, number: int, began: Began) -> None:
        """Claim the partition behind a fence, and commit to Redis what it lacks.

        Raises RepairRefused when a worker has had it, RecoveryRefused, Refused, a LogError,
        redis.RedisError or KafkaException.
        """
        holder = self._store.holder(number)
        if holder not in ("", LOADING):
            raise RepairRefused(
                f"partition {number} of the new generation belongs to {holder}: workers have run "
                "there. Take another number with --generation"
            )
        found = self._store.claim(number, FENCE_EPOCH, LOADING)
        self._loading = partition = Partition(
            number=number,
            epoch=FENCE_EPOCH,
            position=found.position,
            vector=dict.fromkeys(self._topics.inputs, 0),
            clock=found.clock or NEW_CLOCK,
            clock_read=0,
            clock_applied=0,
            cache=StateCache(0),
            ticks=TickQueue(),
        )
        if found.position.seq < began.seq:
            self._repetition.run(partition, self._log, Published(began.seq, began.chain, {}))
        self._store.trim(number, FENCE_EPOCH, began.seq)

    def _row(self) -> None:
        assert self._loading is not None
        self._loading.cache.clear()  # nothing is read of it again
        self._progress()
