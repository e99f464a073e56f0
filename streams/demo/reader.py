"""Reads shop.triggers as marketing does: read_committed, each trigger as soon as it can be had."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping

import msgspec
from confluent_kafka import TopicPartition

from schemas.catalogue import TRIGGERS
from schemas.trigger import EventCause, TimerCause, TriggerEvent
from streams.engine.log import LogReader, open_consumer, raw_record, reached, take_batch
from streams.settings import Settings

#: How many of the newest are kept for the view.
NEWEST = 100

_decode = msgspec.json.Decoder(TriggerEvent).decode


class TriggerReader:
    """A thread. ``by_campaign`` and ``newest`` (oldest first) may be read from any thread.

    ``on_trigger`` gets each trigger's cause and the wall time in ms at which it was read.
    """

    def __init__(
        self, settings: Settings, on_trigger: Callable[[EventCause | TimerCause, float], None]
    ) -> None:
        self.by_campaign: Counter[str] = Counter()
        self.newest: deque[TriggerEvent] = deque(maxlen=NEWEST)
        #: Of each campaign the first one.
        self.first: dict[str, TriggerEvent] = {}
        self.failure: BaseException | None = None
        self._on_trigger = on_trigger
        self._settings = settings
        topic = settings.topic_prefix + TRIGGERS
        self._positions = {(topic, number): 0 for number in range(settings.partitions)}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="triggers", daemon=True)

    def start(self) -> None:
        """From the beginning of the topic, which must exist."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, after what it is reading."""
        self._stop.set()
        self._thread.join(10.0)

    def caught_up(self, reader: LogReader) -> bool:
        """Whether everything that is readable now was read. Blocks for an answer of Kafka."""
        ends: Mapping[tuple[str, int], int] = reader.stable_ends(self._positions)
        return all(self._positions[place] >= end for place, end in ends.items())

    def _run(self) -> None:
        # What there is comes at once; at the end of the log the broker is asked twice a second only.
        patient = {"fetch.wait.max.ms": 500}
        consumer = open_consumer(self._settings.kafka_bootstrap, "read_committed", patient)
        try:
            consumer.assign([TopicPartition(*place, 0) for place in self._positions])
            with LogReader(self._settings.kafka_bootstrap) as log:
                while not self._stop.is_set():
                    for message in take_batch(consumer):
                        now_ms = time.time() * 1000
                        position = reached(message, log.range_lost)
                        if message.error() is None:
                            self._take(raw_record(message).value or b"", now_ms)
                        place = (message.topic() or "", message.partition() or 0)
                        self._positions[place] = position
        except BaseException as error:  # noqa: BLE001 - told to the thread that shows the demo
            self.failure = error
        finally:
            consumer.close()

    def _take(self, value: bytes, now_ms: float) -> None:
        event = _decode(value)
        self.newest.append(event)
        self.first.setdefault(event.data.campaign, event)
        self.by_campaign[event.data.campaign] += 1
        if event.data.cause is not None:
            self._on_trigger(event.data.cause, now_ms)
