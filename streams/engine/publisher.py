"""The publisher: outbox rows, journal rows and source offsets, one Kafka transaction a tick.

One thread makes all producer calls. Rows come from Redis and nowhere else, by sequence number; nothing
passes a row that failed. A transaction carries the generation captured with the claim, never the
consumer's live one, so a worker that lost its partitions is refused by the broker.
"""

import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from schemas.journal import chain
from streams.engine.crashpoints import CrashPoints
from streams.engine.log import LOGGER
from streams.state.redis_store import OutboxEntry, RedisStore

#: Rows of one transaction, over all partitions; an entry (one commit) is never cut.
TRANSACTION_ROWS = 10_000
#: ... and about this many bytes: 10,000 triggers have 10 MB. A broker must take them within
#: TRANSACTION_TIMEOUT_MS, or the same transaction fails again and again.
TRANSACTION_BYTES = 16 * 1024 * 1024
#: Entries read of one partition at a time: one with dead letters may have 5 MB, a typical one has
#: less than 100 KB.
READ_ENTRIES = 8
#: How soon rows that nobody waits for (journal and offsets only) are published, seconds.
QUIET_INTERVAL = 1.0
TRANSACTION_TIMEOUT_MS = 5_000
CALL_TIMEOUT = 30.0


class PublisherError(Exception):
    """The producer is fenced, or the outcome of a transaction is unknown: the process must end."""


@dataclass(slots=True)
class Publishing:
    """What the publisher knows of one owned partition."""

    epoch: int
    #: Last seq in Kafka.
    published: int
    #: Next offset per topic at ``published``.
    offsets: dict[str, int]
    #: Last seq known to be committed in Redis.
    committed: int


@dataclass(slots=True)
class _Batch:
    """What one transaction takes of a partition."""

    entries: list[OutboxEntry]
    moved: dict[str, int] = field(default_factory=dict)


class PublishObserver(Protocol):
    """Told what was published, for metrics. Called in the publisher's thread."""

    def published(self, rows: list[tuple[str, int, str]], seconds: float) -> None:
        """``rows``: (topic, cause in ms, label) of each row but the journal's."""

    def aborted(self, reason: str) -> None: ...


def group_metadata(group: str, generation: int, member: str) -> bytes:
    """librdkafka's serialized consumer group metadata (version 2), for a consumer that is not its own."""
    if generation < 0 or not member:
        raise PublisherError(f"no valid generation: {generation} {member!r}")
    name, identity = group.encode(), member.encode()
    return b"CGMDv2:" + struct.pack("<i", generation) + name + b"\0" + identity + b"\0" + b"\x01"


def check_metadata_layout(bootstrap: str) -> None:
    """Raises PublisherError when librdkafka's layout is not the one built above."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "layout"}, logger=LOGGER)
    try:
        found = consumer.consumer_group_metadata()
    finally:
        consumer.close()
    expected = b"CGMDv2:" + struct.pack("<i", -1) + b"layout\0" + b"\0" + b"\x01"
    if found != expected:
        raise PublisherError(
            f"librdkafka lays out group metadata as {found!r}, not {expected!r}: "
            "this version of confluent-kafka is not supported"
        )


class Publisher:
    """Runs in a thread of its own between ``start`` and ``stop``; ``failed`` is called on any doubt."""

    def __init__(
        self,
        bootstrap: str,
        group: str,
        transactional_id: str,
        store: RedisStore,
        journal_topic: str,
        carrier_topic: str,
        observer: PublishObserver,
        crash: CrashPoints,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._group = group
        self._store = store
        self._journal_topic = journal_topic
        self._carrier = carrier_topic
        self._observer = observer
        self._crash = crash
        self._failed = failed
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "transactional.id": transactional_id,
                "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
                "linger.ms": 0,
                # The broker answers a commit before its markers are written; a transaction that begins
                # meanwhile is told to retry. At librdkafka's 100 ms that is most of a transaction.
                "retry.backoff.ms": 5,
                "retry.backoff.max.ms": 50,
                "compression.type": "lz4",
                "message.max.bytes": 2 * 1024 * 1024,
                "queue.buffering.max.messages": 4 * TRANSACTION_ROWS,
            },
            logger=LOGGER,
        )
        self._metadata = b""
        self._partitions: dict[int, Publishing] = {}
        #: Guards the fields above; held for a whole transaction, so that whoever takes it has drained it.
        self._work = threading.Lock()
        self._wake = threading.Event()
        #: Partitions with rows that somebody waits for.
        self._urgent: set[int] = set()
        self._urgent_lock = threading.Lock()
        self._quiet_at = 0.0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Fence predecessors of the same transactional id and begin. Blocks; raises PublisherError."""
        try:
            self._producer.init_transactions(CALL_TIMEOUT)
        except KafkaException as error:
            raise PublisherError(f"init_transactions: {error}") from error
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the transaction under way."""
        self._stopping = True
        self._wake.set()
        self._thread.join(CALL_TIMEOUT)

    def assign(self, generation: int, member: str, partitions: Mapping[int, Publishing]) -> None:
        """Publish for these partitions, under this pair, from here on."""
        metadata = group_metadata(self._group, generation, member)
        with self._work:
            self._metadata = metadata
            self._partitions = dict(partitions)
        self._wake.set()

    def drain(self, deadline: float) -> bool:
        """Publish all that is committed, until monotonic ``deadline``; True when nothing is left."""
        while time.monotonic() < deadline:
            with self._work:
                if not self._pending():
                    return True
                if not self._publish(set(self._partitions)):
                    return False
        return False

    def unassign(self) -> None:
        """Wait for the transaction under way, then publish for no partition."""
        with self._work:
            self._partitions = {}

    def committed(self, partition: int, seq: int) -> None:
        """Redis holds commits up to ``seq``. Called by the cycle; never blocks."""
        held = self._partitions.get(partition)
        if held is not None:
            held.committed = seq

    def wake(self, partitions: set[int]) -> None:
        """These partitions have rows that somebody waits for. Called by the cycle; never waits."""
        with self._urgent_lock:
            self._urgent |= partitions
        self._wake.set()

    def published(self) -> dict[int, int]:
        """Last published seq of each owned partition."""
        return {number: held.published for number, held in self._partitions.items()}

    def backlog(self) -> int:
        """Commits in Redis that Kafka does not have yet."""
        return sum(held.committed - held.published for held in list(self._partitions.values()))

    def _pending(self) -> bool:
        return any(held.committed > held.published for held in self._partitions.values())

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._wake.wait(max(0.0, self._quiet_at - time.monotonic()))
                self._wake.clear()
                with self._work:
                    self._publish(self._wanted())
        except BaseException as error:  # noqa: BLE001 - recovery decides by what Kafka has
            self._failed(error)

    def _wanted(self) -> set[int]:
        """Every partition once a QUIET_INTERVAL, else only those that somebody waits for: each partition
        of a transaction costs the broker its markers."""
        now = time.monotonic()
        with self._urgent_lock:
            wanted, self._urgent = self._urgent, set()
        if now >= self._quiet_at:
            self._quiet_at = now + QUIET_INTERVAL
            return set(self._partitions)
        return wanted

    def _publish(self, wanted: set[int]) -> bool:
        """One transaction for these partitions; False when there was nothing, or it was aborted."""
        began = time.monotonic()
        batches = self._collect(wanted)
        if not batches:
            return False
        try:
            rows = self._transact(batches)
        except KafkaException as error:
            self._abort(error)
            return False
        for number, batch in batches.items():
            held = self._partitions[number]
            held.published = batch.entries[-1].seq
            held.offsets.update(batch.moved)
        self._observer.published(rows, time.monotonic() - began)
        self._store.trim_many(
            [(n, self._partitions[n].epoch, self._partitions[n].published) for n in batches]
        )
        if any(self._partitions[n].committed > self._partitions[n].published for n in batches):
            # Cut by the bounds of one transaction: the rest at once.
            self.wake(set(batches))
        self._crash.reach("after-trim")
        return True

    def _collect(self, wanted: set[int]) -> dict[int, _Batch]:
        batches: dict[int, _Batch] = {}
        room, memory = TRANSACTION_ROWS, TRANSACTION_BYTES
        for number, held in self._partitions.items():
            if number not in wanted or held.committed <= held.published:
                continue
            taken: list[OutboxEntry] = []
            for entry in self._entries(number, held):
                expected = held.published + len(taken) + 1
                if entry.seq != expected:
                    raise PublisherError(
                        f"partition {number}: outbox has seq {entry.seq} where {expected} must be"
                    )
                fits = len(entry.rows) < room and entry.size <= memory
                if not fits and (taken or batches):
                    break
                room -= len(entry.rows) + 1
                memory -= entry.size
                taken.append(entry)
            if not taken:
                self.wake({number})  # the next transaction begins with it
                continue
            batch = batches[number] = _Batch(taken)
            for entry in taken:
                batch.moved.update(entry.vector)
        return batches

    def _entries(self, number: int, held: Publishing) -> Iterator[OutboxEntry]:
        """What is committed and not published, read a few at a time: whoever has enough stops."""
        after = held.published
        while True:
            entries = self._store.outbox(number, after, READ_ENTRIES)
            if not entries and after == held.published:
                raise PublisherError(
                    f"partition {number}: outbox is empty after seq {after}, "
                    f"but {held.committed} is committed: Redis lost it"
                )
            yield from entries
            if len(entries) < READ_ENTRIES:
                return
            after = entries[-1].seq

    def _transact(self, batches: Mapping[int, _Batch]) -> list[tuple[str, int, str]]:
        producer = self._producer
        sent: list[tuple[str, int, str]] = []
        offsets: list[TopicPartition] = []
        metadata = self._metadata
        producer.begin_transaction()
        self._crash.reach("after-begin")
        for number, batch in batches.items():
            for entry in batch.entries:
                for topic, partition, key, value, cause, label in entry.rows:
                    producer.produce(topic, value, key=key, partition=partition)
                    sent.append((topic, cause, label))
                producer.produce(self._journal_topic, entry.row, partition=number)
            last = batch.entries[-1]
            held = self._partitions[number]
            moved = {self._carrier: held.offsets.get(self._carrier, 0), **batch.moved}
            position = f"{last.seq},{chain(last.row).hex()}"
            offsets += [
                TopicPartition(topic, number, offset, metadata=position)
                for topic, offset in moved.items()
            ]
        self._crash.reach("after-produce")
        persist(lambda left: producer.send_offsets_to_transaction(offsets, metadata, left))
        self._crash.reach("after-offsets")
        persist(producer.commit_transaction)
        self._crash.reach("after-transaction")
        return sent

    def _abort(self, error: KafkaException) -> None:
        cause: KafkaError = error.args[0]
        self._observer.aborted(cause.name())
        if not cause.txn_requires_abort():
            raise PublisherError(f"transaction failed: {cause}") from error
        try:
            self._producer.abort_transaction(CALL_TIMEOUT)
        except KafkaException as failure:
            raise PublisherError(f"abort failed after {cause}: {failure}") from failure
        if cause.code() in (KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID):
            # The pair never succeeds again: wait for the hook to bring the next one.
            self._partitions = {}


def persist(call: Callable[[float], object], seconds: float = CALL_TIMEOUT) -> None:
    """Call again while the error says so: the outcome is the same however often it is called.

    ``call`` gets the seconds that are left. Raises KafkaException.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            call(max(0.1, deadline - time.monotonic()))
            return
        except KafkaException as error:
            if not error.args[0].retriable() or time.monotonic() > deadline:
                raise
