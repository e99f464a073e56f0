"""What the tests of verify do to a finished day, and mend again: keys of Redis, records of a topic."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import redis
from confluent_kafka import Producer

from streams.engine.log import LogReader
from streams.settings import Settings
from streams.verify.report import Report
from streams.verify.verify import verify
from tests.engine.scenario import ShopDay
from tests.verify.kafka_log import delete_before

#: The partition that tests of Redis and of topics may damage; it is mended after each.
DAMAGED = 3

Record = tuple[bytes | None, bytes]


def check(day: ShopDay, partition: int = DAMAGED) -> Report:
    return verify(day.bench.settings, [partition])


def differences(report: Report) -> list[tuple[str, str, str]]:
    return [(each.subject, each.kind, each.name) for each in report.differences]


@contextmanager
def mended(store: "redis.Redis", *names: str) -> Iterator[None]:
    """Puts these keys back as they were."""
    before = {name: store.dump(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            store.delete(name)
            if value is not None:
                store.restore(name, 0, value)


class Rewritable:
    """A partition of a topic whose records a test may replace; ``mend`` puts the first ones back."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._kafka = settings.kafka_bootstrap
        self._topic = settings.topic_prefix + topic
        self._place = (self._topic, DAMAGED)
        with LogReader(self._kafka) as reader:
            start, end = reader.log_starts([self._place]), reader.stable_ends([self._place])
            records = reader.read_range(*self._place, start[self._place], end[self._place])
        self.records: list[Record] = [(record.key, record.value or b"") for record in records]

    def replace(self, records: list[Record]) -> None:
        with LogReader(self._kafka) as reader:
            end = reader.high_watermarks([self._place])[self._place]
        delete_before(self._kafka, *self._place, end)
        self.append(records)

    def append(self, records: list[Record]) -> None:
        producer = Producer({"bootstrap.servers": self._kafka})
        for key, value in records:
            producer.produce(self._topic, value, key=key, partition=DAMAGED)
        assert producer.flush(60) == 0

    def mend(self) -> None:
        self.replace(self.records)


def altered(record: Record, change: Callable[[dict[str, Any]], None]) -> Record:
    key, value = record
    event = json.loads(value)
    change(event)
    return key, msgspec.json.encode(event)


def name_of(record: Record) -> str:
    return str(json.loads(record[1])["id"])
