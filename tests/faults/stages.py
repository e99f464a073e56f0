"""Where a worker stands, seen from outside while it is frozen, and whether there is work to lose."""

import time
from collections.abc import Collection
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.catalogue import CLICKS, CUSTOMER_TOPICS, EXCHANGE, JOURNAL
from streams.engine.log import LogReader
from streams.query.log import names_of
from streams.settings import Settings
from streams.state.redis_store import RedisStore, connect

BEFORE_COMMIT: Final = "before commit"
COMMITTED: Final = "committed"
IN_TRANSACTION: Final = "in transaction"
PUBLISHED: Final = "published"
TRIMMED: Final = "trimmed"
IN_RECOVERY: Final = "in recovery"
IN_DRAIN: Final = "in drain"
#: In the order of a bundle's way.
STAGES: Final = (
    BEFORE_COMMIT, COMMITTED, IN_TRANSACTION, PUBLISHED, TRIMMED, IN_RECOVERY, IN_DRAIN,
)  # fmt: skip
#: A broker answers a read of offsets that a transaction is about to change only after its end.
_OFFSETS_SECONDS = 2.0
#: A Redis that is down refuses at once; one that is slow to answer is on a busy machine.
_REDIS_SECONDS = 30.0


class Look(NamedTuple):
    """``lag``: records written and not processed; ``outbox``: commits that are in Redis's outbox."""

    lag: int
    outbox: int
    stage: str

    @property
    def worth_a_strike(self) -> bool:
        return self.lag > 0 and self.outbox > 0


class Observer:
    """Raises what Redis and Kafka raise while they are away. Used by one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._customer = [settings.topic_prefix + topic for topic in CUSTOMER_TOPICS]
        self._exchange = settings.topic_prefix + EXCHANGE
        self._journal = settings.topic_prefix + JOURNAL
        self._carrier = settings.topic_prefix + CLICKS
        self._stored = [
            (topic, number) for topic in names_of(settings) for number in range(settings.partitions)
        ]
        self._store = RedisStore(settings.redis_url, settings.redis_prefix, timeout=_REDIS_SECONDS)
        self._redis = connect(settings.redis_url, timeout=_REDIS_SECONDS)
        self._connect()

    def _connect(self) -> None:
        bootstrap = self._settings.kafka_bootstrap
        self._log = LogReader(bootstrap)
        self._group = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": self._settings.group,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )

    def reconnect(self) -> None:
        """New Kafka clients: those of a broker that was killed may take long to find it again."""
        self._group.close()
        self._log.close()
        self._connect()

    def look(self, partitions: Collection[int], *, owning: bool) -> Look:
        """At these partitions (none: at all); ``owning``: whether their worker has recovered."""
        numbers = sorted(partitions) or list(range(self._settings.partitions))
        ends = self._log.high_watermarks([(t, n) for t in self._customer for n in numbers])
        stored = {number: self._store.stored(number) for number in numbers}
        lag = sum(
            max(0, end - stored[number].vector.get(topic, 0))
            for (topic, number), end in ends.items()
        )
        waiting = {number: self._redis.xlen(self._store.keys(number).out) for number in numbers}
        stage = IN_RECOVERY
        if owning:
            stage = self._stage(numbers, {n: stored[n].position.seq for n in numbers}, waiting)
        return Look(lag, sum(waiting.values()), stage)

    def _stage(self, numbers: list[int], seqs: dict[int, int], waiting: dict[int, int]) -> str:
        places = [(self._journal, number) for number in numbers]
        if self._log.high_watermarks(places) != self._log.stable_ends(places):
            return IN_TRANSACTION
        try:
            published = self.published(numbers)
        except KafkaException:
            return IN_TRANSACTION
        if any(waiting[n] > seqs[n] - published[n] for n in numbers):
            return PUBLISHED
        if any(seqs[n] > published[n] for n in numbers):
            return COMMITTED
        return BEFORE_COMMIT

    def published(self, numbers: Collection[int]) -> dict[int, int]:
        """The last published seq of each partition, 0 for none. Raises KafkaException."""
        wanted = [TopicPartition(self._carrier, number) for number in numbers]
        found = {}
        for answer in self._group.committed(wanted, timeout=_OFFSETS_SECONDS):
            if answer.error is not None:
                raise KafkaException(answer.error)
            seq = (answer.metadata or "").partition(",")[0]
            found[answer.partition] = int(seq) if answer.offset >= 0 and seq else 0
        return found

    def behind(self, ends: dict[tuple[str, int], int]) -> set[int]:
        """Partitions that have not processed all up to ``ends``, and what they were told by now."""
        numbers = range(self._settings.partitions)
        ends = ends | self._log.high_watermarks([(self._exchange, number) for number in numbers])
        vectors = {n: self._store.stored(n).vector for n in range(self._settings.partitions)}
        return {n for (topic, n), end in ends.items() if vectors[n].get(topic, 0) < end}

    def stored_ends(self) -> dict[tuple[str, int], int]:
        """Up to where the topics that the sinks read can be read: what the store must have."""
        return dict(self._log.stable_ends(self._stored))

    def seqs(self) -> dict[int, int]:
        """Where Redis stands, by partition."""
        return {n: self._store.stored(n).position.seq for n in range(self._settings.partitions)}

    def trimmed(self) -> dict[int, int]:
        """Up to where Redis knows that Kafka has it, by partition."""
        return {n: self._store.stored(n).trimmed for n in range(self._settings.partitions)}

    def timers(self) -> int:
        """Customers with a timer that is due by now: each state has one that is due in a month."""
        now = int(time.time() * 1000)
        return sum(
            self._redis.zcount(self._store.keys(n).timers, "-inf", now)
            for n in range(self._settings.partitions)
        )

    def counted(self) -> dict[tuple[str, str], int]:
        """(topic without prefix, outcome) -> records, as the commit scripts have counted them."""
        total: dict[tuple[str, str], int] = {}
        for number in range(self._settings.partitions):
            for (topic, outcome), count in self._store.counts(number).items():
                key = (topic.removeprefix(self._settings.topic_prefix), outcome)
                total[key] = total.get(key, 0) + count
        return total

    def close(self) -> None:
        self._group.close()
        self._log.close()
        self._store.close()
        self._redis.close()
