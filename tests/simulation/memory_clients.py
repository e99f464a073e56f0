"""confluent-kafka's clients over a Kafka in memory, put into the engine's modules by ``installed``.

Everything above them is the engine's own: LogReader, PartitionLog, GroupOffsets, Publisher, Ticker.
A client knows whose it is by its bootstrap servers, so that every call is a step of that worker.
"""

import contextlib
import struct
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol
from unittest.mock import patch

from confluent_kafka import IsolationLevel, KafkaError, TopicPartition
from confluent_kafka.admin import OffsetSpec

from producers import offsets
from streams.engine import (
    clock_ahead,
    cycle,
    draft,
    engine,
    group_offsets,
    intake,
    log,
    partition_log,
    publisher,
    ticker,
)
from tests.simulation.memory_kafka import MemoryKafka, Place, refusal

_EARLIEST = type(OffsetSpec.earliest())


class Network(Protocol):
    """Between clients and servers: where steps are crashed, frozen, cut and lost."""

    kafka: MemoryKafka
    #: Whether the group's offsets are read as librdkafka reads them under read_committed.
    require_stable: bool

    def call(
        self, owner: str, name: str, effect: Callable[[], Any], lost: Callable[[], Exception]
    ) -> Any: ...
    def wait(self, owner: str, met: Callable[[], bool]) -> bool:
        """Let others act until ``met``; False when it takes too long."""

    def sleep(self, seconds: float) -> None: ...
    def flips(self) -> bool: ...
    def time(self) -> float: ...
    def monotonic(self) -> float: ...


def _timed_out() -> Exception:
    return refusal(KafkaError._TIMED_OUT, "no answer", retriable=True)


class Message:
    def __init__(
        self,
        place: Place,
        offset: int,
        timestamp: int = 0,
        key: bytes | None = None,
        value: bytes | None = None,
        error: KafkaError | None = None,
    ) -> None:
        self._place, self._offset, self._timestamp = place, offset, timestamp
        self._key, self._value, self._error = key, value, error

    def topic(self) -> str:
        return self._place[0]

    def partition(self) -> int:
        return self._place[1]

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 1, self._timestamp

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> None:
        return None

    def error(self) -> KafkaError | None:
        return self._error


class MemoryConsumer:
    """``assign``, ``poll`` and ``consume`` with ends of partitions; ``committed`` of a group."""

    network: Network

    def __init__(self, config: Mapping[str, Any], logger: object = None) -> None:
        self._owner = config["bootstrap.servers"]
        self._committed = config.get("isolation.level") == "read_committed"
        self._positions: dict[Place, int] = {}
        self._paused: set[Place] = set()
        self._ended: dict[Place, int] = {}
        self._ready: deque[Message] = deque()

    def assign(self, places: Sequence[TopicPartition]) -> None:
        self._positions = {(one.topic, one.partition): one.offset for one in places}
        self._paused.clear()
        self._ended.clear()
        self._ready.clear()

    def pause(self, places: Sequence[TopicPartition]) -> None:
        self._paused |= {(one.topic, one.partition) for one in places}

    def resume(self, places: Sequence[TopicPartition]) -> None:
        self._paused -= {(one.topic, one.partition) for one in places}

    def poll(self, timeout: float) -> Message | None:
        if not self._ready:
            self.network.call(self._owner, "read", self._fetch, _timed_out)
        if not self._ready:
            self.network.sleep(timeout)
            return None
        return self._ready.popleft()

    def consume(self, count: int, timeout: float) -> list[Message]:
        return [self._ready.popleft() for _ in range(min(count, len(self._ready)))]

    def _fetch(self) -> None:
        for place, position in self._positions.items():
            if place in self._paused:
                continue
            kept = self.network.kafka.logs[place]
            if not kept.start <= position <= kept.end:
                error = KafkaError(KafkaError.OFFSET_OUT_OF_RANGE, "out of range")
                self._ready.append(Message(place, position, error=error))
                continue
            end = kept.stable_end if self._committed else kept.end
            for offset, entry in kept.visible(position, end, self._committed):
                self._ready.append(Message(place, offset, entry.timestamp, entry.key, entry.value))
            self._positions[place] = max(position, end)
            if self._ended.get(place) != end:
                self._ended[place] = end
                error = KafkaError(KafkaError._PARTITION_EOF, "end")
                self._ready.append(Message(place, end, error=error))

    def committed(self, wanted: Sequence[TopicPartition], timeout: float) -> list[TopicPartition]:
        kafka = self.network.kafka
        places = [(one.topic, one.partition) for one in wanted]

        def read() -> list[TopicPartition]:
            answers = []
            for topic, number in places:
                offset, metadata = kafka.group.offsets.get((topic, number), (-1001, ""))
                answers.append(TopicPartition(topic, number, offset, metadata=metadata))
            return answers

        if self.network.require_stable and not self.network.wait(
            self._owner, lambda: not kafka.unstable(places)
        ):
            raise _timed_out()
        answers: list[TopicPartition] = self.network.call(
            self._owner, "committed", read, _timed_out
        )
        return answers

    def close(self) -> None:
        """Nothing is held."""


class _Answer:
    def __init__(self, offset: int) -> None:
        self.offset = offset

    def result(self) -> "_Answer":
        return self


class MemoryAdmin:
    """``list_offsets``."""

    network: Network

    def __init__(self, config: Mapping[str, Any], logger: object = None) -> None:
        self._owner = config["bootstrap.servers"]

    def list_offsets(
        self,
        wanted: Mapping[TopicPartition, Any],
        isolation_level: IsolationLevel,
        request_timeout: float,
    ) -> dict[TopicPartition, _Answer]:
        logs = self.network.kafka.logs
        committed = isolation_level == IsolationLevel.READ_COMMITTED

        def read() -> dict[TopicPartition, _Answer]:
            found = {}
            for place, spec in wanted.items():
                kept = logs[place.topic, place.partition]
                end = kept.stable_end if committed else kept.end
                found[place] = _Answer(kept.start if isinstance(spec, _EARLIEST) else end)
            return found

        answers: dict[TopicPartition, _Answer] = self.network.call(
            self._owner, "list_offsets", read, _timed_out
        )
        return answers


class MemoryProducer:
    """A producer; with a transactional id, a transactional one."""

    network: Network

    def __init__(self, config: Mapping[str, Any], logger: object = None) -> None:
        self._owner = config["bootstrap.servers"]
        self._name = config.get("transactional.id", "")
        self._epoch = -1
        #: Handed over and not sent yet.
        self._rows: deque[tuple[Place, bytes | None, bytes | None]] = deque()

    def _call(self, name: str, effect: Callable[[], Any]) -> Any:
        return self.network.call(self._owner, name, effect, _timed_out)

    def init_transactions(self, timeout: float) -> None:
        kafka = self.network.kafka
        self._epoch = self._call("init", lambda: kafka.init(self._name))

    def begin_transaction(self) -> None:
        """The broker hears of it with the first row."""

    def produce(
        self, topic: str, value: bytes, key: bytes | None = None, partition: int = -1
    ) -> None:
        place = (topic, partition)
        if not self._name:
            self._call("produce", lambda: self.network.kafka.append(place, key, value))
            return
        self._rows.append((place, key, value))

    def poll(self, timeout: float) -> None:
        """Nothing waits."""

    def _flush(self) -> None:
        kafka = self.network.kafka
        while self._rows:
            place, key, value = self._rows[0]
            try:
                self._send(kafka, place, key, value)
            except Exception as error:
                cause = error.args[0]
                if isinstance(cause, KafkaError) and cause.retriable():
                    # A row that was not acknowledged in time spoils its transaction.
                    raise refusal(KafkaError._MSG_TIMED_OUT, "row", abort=True) from error
                raise
            self._rows.popleft()

    def _send(
        self, kafka: MemoryKafka, place: Place, key: bytes | None, value: bytes | None
    ) -> None:
        self._call("produce", lambda: kafka.produce(self._name, self._epoch, place, key, value))

    def send_offsets_to_transaction(
        self, offsets: Sequence[TopicPartition], metadata: bytes, timeout: float
    ) -> None:
        # librdkafka sends rows when it likes, at the latest with the commit.
        if self.network.flips():
            self._flush()
        generation, member = parse_metadata(metadata)
        moved = {(one.topic, one.partition): (one.offset, one.metadata) for one in offsets}
        kafka = self.network.kafka
        self._call(
            "offsets",
            lambda: kafka.send_offsets(self._name, self._epoch, generation, member, moved),
        )

    def commit_transaction(self, timeout: float) -> None:
        self._flush()
        self._call("end", lambda: self.network.kafka.end(self._name, self._epoch, commit=True))

    def abort_transaction(self, timeout: float) -> None:
        self._rows.clear()
        self._call("abort", lambda: self.network.kafka.end(self._name, self._epoch, commit=False))


def parse_metadata(metadata: bytes) -> tuple[int, str]:
    """(generation, member) of what Publisher lays out for librdkafka."""
    assert metadata.startswith(b"CGMDv2:")
    (generation,) = struct.unpack_from("<i", metadata, 7)
    return generation, metadata[11:].split(b"\0")[1].decode()


#: Which client classes and clocks each module of the engine names.
_SEAMS: tuple[tuple[ModuleType, tuple[str, ...]], ...] = (
    (log, ("Consumer", "AdminClient", "time")),
    (clock_ahead, ("time",)),
    (offsets, ("time",)),
    (partition_log, ("time",)),
    (group_offsets, ("Consumer",)),
    (publisher, ("Producer", "time")),
    (ticker, ("Producer", "time")),
    (cycle, ("time",)),
    (intake, ("time",)),
    (engine, ("time",)),
)


@contextlib.contextmanager
def installed(network: Network, chain: Callable[[bytes], bytes] | None = None) -> Iterator[None]:
    """The engine's clients are those in memory, and its clocks the network's, for a while.

    Put in the place of module names, because the engine's objects make their clients and ask the time
    themselves: handing both in would give each of them parameters that no worker ever sets.

    ``chain``: what names a lineage in place of the journal's digest.
    """
    stands_in = {
        "Consumer": type("Consumer", (MemoryConsumer,), {"network": network}),
        "AdminClient": type("AdminClient", (MemoryAdmin,), {"network": network}),
        "Producer": type("Producer", (MemoryProducer,), {"network": network}),
        "time": network,
    }
    with contextlib.ExitStack() as stack:
        for module, names in _SEAMS:
            for name in names:
                stack.enter_context(patch.object(module, name, stands_in[name]))
        if chain is not None:
            for module in (draft, publisher):
                stack.enter_context(patch.object(module, "chain", chain))
        yield
