"""A Kafka in memory: logs with transactions, their coordinator, and one consumer group.

What the engine's promises rest on is modelled as the broker does it: a transaction's markers reach its
partitions one by one after its end was answered, offsets of a transaction count from their own marker
on, a generation is checked when offsets are sent and not when the transaction ends, and a newer
producer of the same transactional id, or the transaction's time-out, fences the older one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import KafkaError, KafkaException

#: (topic, partition)
Place = tuple[str, int]
#: Stands among a transaction's places for the group's own offsets.
OFFSETS: Final[Place] = ("__consumer_offsets", 0)


def refusal(
    code: int, text: str, *, fatal: bool = False, retriable: bool = False, abort: bool = False
) -> KafkaException:
    """An error as librdkafka raises it."""
    return KafkaException(KafkaError(code, text, fatal, retriable, abort))


def fenced() -> KafkaException:
    return refusal(KafkaError._FENCED, "another producer has this transactional id", fatal=True)


@dataclass(eq=False, slots=True)
class Transaction:
    #: None while it is open.
    committed: bool | None = None
    places: list[Place] = field(default_factory=list)
    marked: set[Place] = field(default_factory=set)
    offsets: dict[Place, tuple[int, str]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return self.committed is not None and len(self.marked) == len(self.places)


@dataclass(slots=True)
class Entry:
    timestamp: int
    key: bytes | None
    value: bytes | None
    transaction: Transaction | None
    marker: bool = False


class Log:
    """One topic-partition."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        #: The first offset that retention has left.
        self.start = 0
        #: Transactions without their marker here, by their first offset.
        self.open: dict[Transaction, int] = {}

    @property
    def end(self) -> int:
        return len(self.entries)

    @property
    def stable_end(self) -> int:
        return min(self.open.values(), default=self.end)

    def append(self, entry: Entry) -> None:
        if entry.transaction is not None and not entry.marker:
            self.open.setdefault(entry.transaction, self.end)
        self.entries.append(entry)

    def visible(self, start: int, end: int, committed: bool = True) -> Iterator[tuple[int, Entry]]:
        """The records of [start, end): with ``committed``, without those of aborted transactions."""
        for offset in range(start, end):
            entry = self.entries[offset]
            transaction = entry.transaction
            if entry.marker:
                continue
            if committed and transaction is not None and not transaction.committed:
                continue
            yield offset, entry


@dataclass(slots=True)
class Producer:
    """A transactional id as its coordinator knows it."""

    epoch: int = -1
    transaction: Transaction | None = None


class Group:
    """A consumer group of the classic protocol, eager: who joins makes everybody join again."""

    def __init__(self, partitions: int) -> None:
        self.generation = 0
        #: In the order of joining, which is that of their shares.
        self.members: list[str] = []
        #: Members of the rebalance under way; None: there is none.
        self.joined: set[str] | None = None
        self.assigned: dict[str, list[int]] = {}
        self.offsets: dict[Place, tuple[int, str]] = {}
        self._partitions = partitions

    def join(self, member: str) -> None:
        if member not in self.members:
            self.members.append(member)
        if self.joined is None:
            self.joined = set()
        self.joined.add(member)
        self._complete()

    def leave(self, member: str) -> None:
        """Also what a session's time-out does."""
        if member in self.members:
            self.members.remove(member)
            if self.joined is None:
                self.joined = set()
            self.joined.discard(member)
            self._complete()

    def _complete(self) -> None:
        if self.joined is None or not self.joined.issuperset(self.members):
            return
        self.joined = None
        self.generation += 1
        self.assigned = {
            member: list(range(at, self._partitions, len(self.members)))
            for at, member in enumerate(self.members)
        }

    def check(self, generation: int, member: str) -> None:
        if generation < 0 and not member:
            # A broker takes a transaction's offsets from whoever claims to be nobody.
            return
        if member not in self.members:
            raise refusal(KafkaError.UNKNOWN_MEMBER_ID, member, abort=True)
        if generation != self.generation:
            raise refusal(KafkaError.ILLEGAL_GENERATION, str(generation), abort=True)


class MemoryKafka:
    """All of a cluster. ``now`` gives the brokers' time in ms."""

    def __init__(self, topics: Mapping[str, int], group_partitions: int) -> None:
        self.logs: dict[Place, Log] = {
            (topic, number): Log() for topic, count in topics.items() for number in range(count)
        }
        self.group = Group(group_partitions)
        self.now = 0
        #: Markers on their way to their partitions.
        self.markers: list[tuple[Transaction, Place]] = []
        self.producers: dict[str, Producer] = {}
        self._open: list[Transaction] = []

    def append(self, place: Place, key: bytes | None, value: bytes | None) -> None:
        self.logs[place].append(Entry(self.now, key, value, None))

    # Transactions ---------------------------------------------------------------------------------

    def init(self, name: str) -> int:
        """Fences whoever had the id; waits for the end of its last transaction."""
        producer = self.producers.setdefault(name, Producer())
        producer.epoch += 1
        self._finish(producer)
        return producer.epoch

    def expire(self, name: str) -> None:
        """The coordinator ends a transaction that takes too long, and fences its producer."""
        producer = self.producers[name]
        producer.epoch += 1
        self._finish(producer)

    def produce(
        self, name: str, epoch: int, place: Place, key: bytes | None, value: bytes | None
    ) -> None:
        transaction = self._transaction(name, epoch)
        self._add(transaction, place)
        self.logs[place].append(Entry(self.now, key, value, transaction))

    def send_offsets(
        self,
        name: str,
        epoch: int,
        generation: int,
        member: str,
        offsets: Mapping[Place, tuple[int, str]],
    ) -> None:
        transaction = self._transaction(name, epoch)
        self._add(transaction, OFFSETS)
        self.group.check(generation, member)
        transaction.offsets.update(offsets)

    def end(self, name: str, epoch: int, commit: bool) -> None:
        """Answered before the markers are written; again the same is no error."""
        producer = self._producer(name, epoch)
        transaction = producer.transaction
        if transaction is None:
            return
        if transaction.committed is None:
            self._decide(transaction, commit)
        elif transaction.committed != commit:
            raise refusal(KafkaError.INVALID_TXN_STATE, "ended otherwise", fatal=True)

    def open_transactions(self) -> list[str]:
        return [
            name
            for name, producer in self.producers.items()
            if producer.transaction is not None and producer.transaction.committed is None
        ]

    def unstable(self, places: list[Place]) -> bool:
        """Whether a transaction holds offsets of these places that do not count yet."""
        return any(place in transaction.offsets for transaction in self._open for place in places)

    def deliver(self, index: int) -> None:
        """One marker arrives."""
        transaction, place = self.markers.pop(index)
        if place == OFFSETS:
            if transaction.committed:
                self.group.offsets.update(transaction.offsets)
        else:
            log = self.logs[place]
            log.open.pop(transaction, None)
            log.append(Entry(self.now, None, None, transaction, marker=True))
        transaction.marked.add(place)
        if transaction.complete:
            self._open.remove(transaction)

    def settle(self) -> None:
        """Every transaction ends and every marker arrives."""
        for name in self.open_transactions():
            self.expire(name)
        while self.markers:
            self.deliver(0)

    def _producer(self, name: str, epoch: int) -> Producer:
        producer = self.producers[name]
        if epoch != producer.epoch:
            raise fenced()
        return producer

    def _transaction(self, name: str, epoch: int) -> Transaction:
        """The open one, else a new one, once all markers of the one before are written."""
        producer = self._producer(name, epoch)
        if producer.transaction is None or producer.transaction.committed is not None:
            self._finish(producer)
            producer.transaction = Transaction()
            self._open.append(producer.transaction)
        return producer.transaction

    def _add(self, transaction: Transaction, place: Place) -> None:
        if place not in transaction.places:
            transaction.places.append(place)

    def _decide(self, transaction: Transaction, commit: bool) -> None:
        transaction.committed = commit
        self.markers += [(transaction, place) for place in transaction.places]
        if not transaction.places:
            self._open.remove(transaction)

    def _finish(self, producer: Producer) -> None:
        transaction = producer.transaction
        if transaction is None:
            return
        if transaction.committed is None:
            self._decide(transaction, commit=False)
        for at in reversed(range(len(self.markers))):
            if self.markers[at][0] is transaction:
                self.deliver(at)
        producer.transaction = None
