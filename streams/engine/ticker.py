"""The owner's clock: a tick a second to every owned partition whose clock is the wall's.

A tick names the end of every input topic, fetched after its time was taken; the partition applies it
once it has processed that far. So no event written before the tick is overtaken, however far behind
the worker is, and an idle topic holds nothing back.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import KafkaException, Producer

from schemas.clock import WALL, Tick, encode_clock
from streams.engine.crashpoints import CrashPoints
from streams.engine.definitions import DefinitionsSource
from streams.engine.log import LOGGER, LogReader
from streams.engine.partition import Partition
from streams.engine.topicnames import TopicNames

#: A partition without news and without a timer soon gets a tick this often, seconds.
IDLE_INTERVAL = 5.0
#: Unsent ticks that the producer may hold; ticks are worth nothing once they are old.
QUEUE_LIMIT = 10_000


class TickerError(Exception):
    """Ticks cannot be written: without them no timer fires, so the process ends."""


class Ticker:
    """A thread; ``failed`` is called when it cannot go on."""

    def __init__(
        self,
        bootstrap: str,
        topics: TopicNames,
        interval: float,
        owned: Callable[[], Sequence[Partition]],
        log: LogReader,
        definitions: DefinitionsSource,
        each_second: Callable[[], None],
        crash: CrashPoints,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._topics = topics
        self._interval = interval
        self._owned = owned
        self._log = log
        self._definitions = definitions
        self._each_second = each_second
        self._crash = crash
        self._failed = failed
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "linger.ms": 0,
                "queue.buffering.max.messages": QUEUE_LIMIT,
                "message.timeout.ms": 30_000,
            },
            logger=LOGGER,
        )
        #: Partition -> (ends of its last tick, monotonic seconds).
        self._last: dict[int, tuple[Mapping[str, int], float]] = {}
        #: Ends as last fetched, by (topic, partition), for the lag metric.
        self.ends: dict[tuple[str, int], int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._interval):
                self.tick()
                self._each_second()
        except BaseException as error:  # noqa: BLE001 - without ticks no timer fires
            self._failed(error)

    def tick(self) -> None:
        """Write what is due now. Raises TickerError or a LogError."""
        partitions = [p for p in self._owned() if p.clock.clock == WALL and not p.paused]
        if not partitions:
            self._last.clear()
            return
        # The time first: whatever is written after it is not covered by the ends.
        now_ms = int(time.time() * 1000)
        now = time.monotonic()
        self.ends = self._log.high_watermarks(
            [(topic, p.number) for p in partitions for topic in self._topics.folded]
        )
        definitions = dict(self._definitions.current().offsets)
        for partition in partitions:
            ends = {topic: self.ends[topic, partition.number] for topic in self._topics.folded}
            if not self._due(partition, ends, now_ms, now):
                continue
            record = Tick(partition.number, now_ms, WALL, partition.epoch, ends, definitions)
            try:
                self._producer.produce(
                    self._topics.clock, encode_clock(record), partition=partition.number
                )
            except (BufferError, KafkaException) as error:
                raise TickerError(f"tick of partition {partition.number}: {error}") from error
            self._last[partition.number] = (ends, now)
        self._producer.poll(0)
        self._crash.reach("after-tick")

    def _due(self, partition: Partition, ends: Mapping[str, int], now_ms: int, now: float) -> bool:
        last = self._last.get(partition.number)
        if last is None or last[0] != ends or now - last[1] >= IDLE_INTERVAL:
            return True
        # No news: only a timer that comes due needs the watermark to move before the idle tick.
        soon = partition.next_due
        return soon is not None and soon > partition.clock.watermark and (soon <= now_ms + 1_000)
