"""Publishes the customers' events at a rate, keeps a copy of each, and holds the stack's clock."""

import threading
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import msgspec
from confluent_kafka import KafkaError, Message, Producer

from schemas.catalogue import CLOCK, CUSTOMER_TOPICS
from schemas.clock import ClockRecord, Close, Rebase, Tick, encode_clock
from schemas.partitioner import partition_of
from streams.settings import Settings
from tests.faults.contact import HOME, VISITOR
from tests.faults.shopping import HOUR_MS, JITTER_MS, Sent, Shopping
from tests.oracle.events import Published

#: Milliseconds of the shop's time in one second of ours: a cart is abandoned after 15 seconds.
SPEED_MS = 120_000
START_MS = 1_767_225_600_000
#: Of the watermark, seconds of the shop's time: more than any event that bears on a cart is late.
LATENESS = 600.0
#: Customers for each event a second. Each has 0.045 cart facts a second, so that what is folded five minutes
#: ahead of its tick does not fall out of a cart's log (0002); of half as many, 5 of 28,000 occasions did.
CUSTOMERS = 6
#: Files of what was published, by customer: one at a time is judged.
SHARDS = 16
CLOCK_NAME = "faults"

assert LATENESS * 1_000 > 2 * JITTER_MS


class SourceError(Exception):
    """Kafka did not take a record: what was published is not known any more."""


class Source:
    """A thread between ``start`` and ``stop``. Survives a broker that is away for minutes."""

    def __init__(self, settings: Settings, folder: Path, seed: int, rate: float) -> None:
        self._settings = settings
        self._folder = folder
        self._shopping = Shopping(seed, customers=int(rate * CUSTOMERS))
        self._rate = rate
        self._producer = Producer(
            {
                "bootstrap.servers": settings.kafka_bootstrap,
                "enable.idempotence": True,
                "linger.ms": 5,
                "queue.buffering.max.messages": 1_000_000,
                "message.timeout.ms": 600_000,
                "log_level": 0,
            }
        )
        #: Full topic name and partition -> its end, known without asking: idempotent producers leave no
        #: gap, and what other producers write is told by ``expect``.
        self.ends = {
            (settings.topic_prefix + topic, number): 0
            for topic in CUSTOMER_TOPICS
            for number in range(settings.partitions)
        }
        self.published = 0
        self._copies: list[BinaryIO] = []
        #: Held for each record, so that other producers' records can be told by another thread.
        self._lock = threading.Lock()
        self._refused: list[str] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)
        self._now_ms = START_MS
        self._error: BaseException | None = None

    @property
    def now_ms(self) -> int:
        """The shop's time."""
        return self._now_ms

    def expect(self, topic: str, partition: int, offsets: int) -> None:
        """Another producer will write so many records or markers there; call it before it does.

        A tick that names too high an end waits, one that names too low an end comes too early.
        """
        with self._lock:
            self.ends[self._settings.topic_prefix + topic, partition] += offsets

    def count_in(self, events: Iterable[Sent]) -> None:
        """Another producer's events, which are committed now."""
        with self._lock:
            for sent in events:
                self._copy(sent)

    def start(self) -> None:
        self._folder.mkdir(parents=True)
        self._copies = [_shard(self._folder, number).open("wb") for number in range(SHARDS)]
        until = START_MS + 1_000 * HOUR_MS
        for number in range(self._settings.partitions):
            self._clock(Rebase(number, START_MS, until, CLOCK_NAME))
        # Nothing before these: the first batches of an idempotent producer are not in sequence with any.
        if self._producer.flush(60):
            raise SourceError("the clock could not be taken over")
        self._thread.start()

    def stop(self) -> None:
        """Publish no more. Raises SourceError."""
        self._stopping.set()
        self._thread.join()
        for copy in self._copies:
            copy.close()
        self.check()

    def close(self) -> None:
        """Moves the clock past every timer, hands it back, and waits until Kafka has all of it."""
        for ahead in (HOUR_MS, 2 * HOUR_MS):
            self._tick(self._now_ms + ahead)
        for number in range(self._settings.partitions):
            end = self._now_ms + 3 * HOUR_MS
            self._clock(Close(number, end, CLOCK_NAME, self._ends_of(number)))
        left = self._producer.flush(120)
        if left:
            raise SourceError(f"{left} records did not reach Kafka")
        self.check()

    def check(self) -> None:
        """Raises what ended the thread before its time."""
        if self._error is not None:
            raise self._error
        if self._refused:
            raise SourceError(self._refused[0])

    def _run(self) -> None:
        try:
            self._publish()
        except BaseException as error:  # noqa: BLE001 - told by check() in the main thread
            self._error = error

    def _publish(self) -> None:
        began = time.monotonic()
        made, ticked = 0, 0
        while not self._stopping.wait(0.02):
            elapsed = time.monotonic() - began
            while made < elapsed * self._rate:
                self._now_ms = START_MS + int(made / self._rate * SPEED_MS)
                for sent in self._shopping.at(self._now_ms):
                    self._send(sent)
                made += 1
                # Also where a machine that stood still has much to catch up with: of what comes between two
                # ticks a timer sees all, and one that the oracle has fire in between would not.
                if made >= (ticked + 1) * self._rate:
                    ticked += 1
                    self._tick(self._now_ms)
            self._producer.poll(0)

    def _send(self, sent: Sent) -> None:
        key = sent.key.encode()
        topic = self._settings.topic_prefix + sent.topic
        number = partition_of(key, self._settings.partitions)
        with self._lock:
            self._produce(topic, number, sent.value, key)
            self.ends[topic, number] += 1
            self._copy(sent)

    def _copy(self, sent: Sent) -> None:
        line = b'["%s","%s",%s]\n' % (sent.topic.encode(), sent.key.encode(), sent.value)
        # A visitor and the customer they turn out to be have one number, and are judged together.
        judged_with = sent.key.replace(VISITOR, HOME).encode()
        self._copies[zlib.crc32(judged_with) % SHARDS].write(line)
        self.published += 1

    def _tick(self, time_ms: int) -> None:
        for number in range(self._settings.partitions):
            self._clock(Tick(number, time_ms, CLOCK_NAME, 0, self._ends_of(number), rate=0.0))

    def _ends_of(self, number: int) -> dict[str, int]:
        with self._lock:
            return {topic: end for (topic, part), end in self.ends.items() if part == number}

    def _clock(self, record: ClockRecord) -> None:
        self._produce(
            self._settings.topic_prefix + CLOCK, record.partition, encode_clock(record), None
        )

    def _produce(self, topic: str, partition: int, value: bytes, key: bytes | None) -> None:
        while True:
            try:
                self._producer.produce(
                    topic, value, key=key, partition=partition, on_delivery=self._delivered
                )
                return
            except BufferError:
                self._producer.poll(0.5)  # the broker is away, and has been for long

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refused.append(f"{message.topic()}[{message.partition()}]: {error}")


def _shard(folder: Path, number: int) -> Path:
    return folder / f"published-{number:02d}.jsonl"


def read_back(folder: Path, number: int) -> list[Published]:
    """What a shard's customers were sent, in the order of publication."""
    with _shard(folder, number).open("rb") as lines:
        return [Published(*msgspec.json.decode(line)) for line in lines]
