"""Real worker processes against a real Kafka and Redis, and the questions that tests ask of them."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.catalogue import (
    CLOCK,
    CUSTOMER_TOPICS,
    DEADLETTERS,
    DECISIONS,
    EXCHANGE,
    FOLDED_TOPICS,
    JOURNAL,
    TRIGGERS,
)
from schemas.clock import ClockRecord, Close, Rebase, Tick, encode_clock
from schemas.journal import GENESIS, JournalRow, chain, decode_row
from schemas.partitioner import partition_of
from streams.engine.group_offsets import GroupOffsets, Published
from streams.engine.log import LogReader
from streams.settings import Settings
from streams.state.connection import connect
from streams.state.redis_store import RedisStore
from tests.waiting import wait_for

_TYPES = {
    "shop.clicks": "shop.click.v1",
    "shop.carts": "shop.cart.v1",
    "shop.orders": "shop.order.v1",
    "shop.reviews": "shop.review.v1",
    "shop.service": "shop.service.v1",
    "shop.wishes": "shop.wish.v1",
    "shop.profiles": "shop.profile.v1",
}


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a worker process reads them."""
    values = {f"HUITOU_{name.upper()}": str(value) for name, value in settings if value is not None}
    values["HUITOU_CODE_KEY"] = settings.code_key.get_secret_value()
    values["KAFKA_BOOTSTRAP"] = settings.kafka_bootstrap
    values["REDIS_URL"] = settings.redis_url
    return {**os.environ, **values}


class WorkerProcess:
    """One `huitou worker`; its log goes to ``log``.

    ``build``: one of tests.engine.odd_builds, or this; ``tree``: the folder whose packages it runs.
    """

    def __init__(
        self,
        settings: Settings,
        log: Path,
        build: str = "",
        *,
        tree: Path | None = None,
        **overrides: str,
    ) -> None:
        self.log = log
        self._begin = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    *(["tests.engine.odd_builds", build] if build else ["streams.cli.main"]),
                    "worker",
                ],
                cwd=tree,
                # As whoever restarts a worker gives it; an empty one has it leased.
                env={"HUITOU_SLOT": "0", **environment(settings), **overrides},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def lines(self) -> list[dict[str, object]]:
        """The structured lines this process has logged so far."""
        found = []
        text = self.log.read_bytes()[self._begin :]
        for line in text.decode(errors="replace").splitlines():
            if line.startswith("{"):
                try:
                    found.append(json.loads(line))
                except json.JSONDecodeError:
                    continue  # the line is being written
        return found

    def logged(self, message: str) -> dict[str, object] | None:
        return next((line for line in self.lines() if line.get("message") == message), None)

    def wait_for_log(self, message: str, timeout: float = 60.0) -> dict[str, object]:
        def seen() -> dict[str, object] | None:
            line = self.logged(message)
            if line is None and self.process.poll() is not None:
                raise AssertionError(f"worker ended before {message!r}:\n{self.tail()}")
            return line

        return wait_for(seen, timeout, f"{message!r} in the worker's log")

    def wait_recovered(self, timeout: float = 60.0) -> None:
        self.wait_for_log("recovered", timeout)

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def metrics(self) -> dict[str, float]:
        """Series as ``name{labels}`` -> value."""
        port = self.wait_for_log("worker starts")["metrics_port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        series = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                series[name] = float(value)
        return series

    def ready(self) -> tuple[int, dict[str, object]]:
        port = self.wait_for_log("worker starts")["metrics_port"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def wait(self, timeout: float = 60.0) -> int:
        """The exit code."""
        return self.process.wait(timeout)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)


class Bench:
    """A stack's topics and Redis as a test sees them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.prefix = settings.topic_prefix
        self.redis: Any = connect(settings.redis_url, timeout=60.0)
        self.store = RedisStore(settings.redis_url, settings.redis_prefix, timeout=60.0)
        self._producer = Producer({"bootstrap.servers": settings.kafka_bootstrap, "linger.ms": 5})
        self.published: dict[tuple[str, int], int] = {}

    def send(self, topic: str, subject: str, data: Mapping[str, object], **fields: object) -> None:
        """Produce one event; ``topic`` without prefix. Call ``flush`` afterwards."""
        event = {
            "specversion": "1.0",
            "type": _TYPES[topic],
            "source": "test",
            "subject": subject,
            "data": {"shop_id": "shop", **data},
            **fields,
        }
        self.send_raw(topic, subject.encode(), json.dumps(event).encode())

    def send_raw(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int | None = None
    ) -> None:
        if partition is None:
            partition = partition_of(key or b"", self.settings.partitions)
        self._producer.produce(self.prefix + topic, value, key=key, partition=partition)
        place = (self.prefix + topic, partition)
        self.published[place] = self.published.get(place, 0) + 1
        self._producer.poll(0)

    def send_clock(self, record: ClockRecord) -> None:
        """Produce a clock record; it does not count as an event."""
        self._producer.produce(
            f"{self.prefix}{CLOCK}", encode_clock(record), partition=record.partition
        )

    def flush(self) -> None:
        assert self._producer.flush(60) == 0

    def processed(self) -> int:
        """Records of customer topics that the commit scripts have counted."""
        return sum(
            count
            for number in range(self.settings.partitions)
            for (topic, _), count in self.store.counts(number).items()
            if topic != self.prefix + EXCHANGE
        )

    def counted(self, outcome: str) -> int:
        return sum(
            count
            for number in range(self.settings.partitions)
            for (_, kind), count in self.store.counts(number).items()
            if kind == outcome
        )

    def wait_processed(self, timeout: float = 60.0) -> None:
        total = sum(self.published.values())
        wait_for(lambda: self.processed() >= total, timeout, f"{total} records processed")

    def kafka_positions(self) -> dict[int, Published]:
        offsets = GroupOffsets(self.settings.kafka_bootstrap, self.settings.group)
        try:
            names = [self.prefix + topic for topic in FOLDED_TOPICS]
            return offsets.read([*names, self.prefix + CLOCK], range(self.settings.partitions))
        finally:
            offsets.close()

    def wait_published(self, timeout: float = 60.0) -> None:
        """Readers of Kafka find every commit that Redis has."""
        wait_for(self.is_published, timeout, "the outbox published")

    def is_published(self) -> bool:
        """Whether readers of Kafka find every commit that Redis has."""
        kafka = self.kafka_positions()
        if any(self.store.stored(number).position.seq != kafka[number].seq for number in kafka):
            return False
        # A transaction is decided before its markers are in each of its partitions.
        topics = (JOURNAL, TRIGGERS, DECISIONS, DEADLETTERS, EXCHANGE)
        places = [(self.prefix + topic, number) for topic in topics for number in kafka]
        with LogReader(self.settings.kafka_bootstrap) as log:
            written = log.high_watermarks(places)
            readable = log.stable_ends(places)
        return all(readable[place] >= end for place, end in written.items())

    def wait_no_members(self, timeout: float = 60.0) -> None:
        """The group has noticed that its last worker ended: till then it lets nobody change it."""
        admin = AdminClient({"bootstrap.servers": self.settings.kafka_bootstrap})
        group = self.settings.group

        def empty() -> bool:
            return not admin.describe_consumer_groups([group])[group].result(60).members

        wait_for(empty, timeout, "the group to be empty")

    def read(self, topic: str, isolation: str = "read_committed") -> list[dict[str, object]]:
        """All JSON records of a topic, by partition and offset."""
        return [json.loads(value) for value in self.read_raw(topic, isolation)]

    def read_raw(self, topic: str, isolation: str = "read_committed") -> list[bytes]:
        return [value for _, value in self.read_placed(topic, isolation)]

    def read_placed(self, topic: str, isolation: str = "read_committed") -> list[tuple[int, bytes]]:
        """(partition, value) of all records, by partition and offset."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.settings.kafka_bootstrap,
                "group.id": "none",
                "isolation.level": isolation,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        name = self.prefix + topic
        partitions = range(self.settings.partitions)
        values: list[tuple[int, bytes]] = []
        consumer.assign([TopicPartition(name, number, 0) for number in partitions])
        ended: set[int] = set()
        while len(ended) < len(partitions):
            message = consumer.poll(60)
            assert message is not None, f"no end of {name} in sight"
            error = message.error()
            if error is not None:
                assert error.code() == -191, error
                ended.add(message.partition())
            else:
                values.append((message.partition(), message.value()))
        consumer.close()
        return sorted(values, key=lambda placed: placed[0])

    def triggers(self) -> list[dict[str, object]]:
        return self.read(TRIGGERS)

    def journal(self) -> dict[int, list[JournalRow]]:
        """The published rows of each partition; asserts that they form one chain without a gap."""
        rows: dict[int, list[JournalRow]] = {}
        previous: dict[int, bytes] = {}
        for number, value in self.read_placed(JOURNAL):
            row = decode_row(value)
            held = rows.setdefault(number, [])
            assert row.seq == len(held) + 1, f"partition {number}: seq {row.seq} after {len(held)}"
            assert row.previous == previous.get(number, GENESIS), f"partition {number}: {row.seq}"
            previous[number] = chain(value)
            held.append(row)
        return rows


class TestClock:
    """Holds the stack's clock for a test, as a replay does."""

    __test__ = False

    def __init__(self, bench: Bench, start_ms: int, until_ms: int) -> None:
        self._bench = bench
        self._name = "test-clock"
        self._log = LogReader(bench.settings.kafka_bootstrap)
        for number in range(bench.settings.partitions):
            self._write(Rebase(number, start_ms, until_ms, self._name))
        bench.flush()

    def _write(self, record: ClockRecord) -> None:
        self._bench.send_clock(record)

    def _ends(self) -> dict[int, dict[str, int]]:
        self._bench.flush()
        topics = [self._bench.prefix + topic for topic in CUSTOMER_TOPICS]
        numbers = range(self._bench.settings.partitions)
        ends = self._log.high_watermarks([(t, n) for t in topics for n in numbers])
        return {n: {t: ends[t, n] for t in topics} for n in numbers}

    def tick(self, time_ms: int) -> None:
        """All that was sent before is before this time."""
        for number, ends in self._ends().items():
            self._write(Tick(number, time_ms, self._name, 0, ends, rate=0.0))
        self._bench.flush()

    def close(self, time_ms: int) -> None:
        for number, ends in self._ends().items():
            self._write(Close(number, time_ms, self._name, ends))
        self._bench.flush()


#: Key, value, key, value ... of all keys like ARGV[1], with nothing in between.
_DUMP = """
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  found[#found + 1] = key
  found[#found + 1] = redis.call('DUMP', key)
end
return found
"""


class Snapshot:
    """All keys of a stack's Redis at one moment, to put them back later: a Redis that lost a suffix.

    May be taken beside a running worker, which trims what it has published and commits its clock.
    """

    def __init__(self, bench: Bench) -> None:
        self._redis = bench.redis
        self._pattern = f"{bench.settings.redis_prefix}*"
        flat = self._redis.eval(_DUMP, 0, self._pattern)
        self._values = dict(zip(flat[::2], flat[1::2], strict=True))

    def put_back(self) -> None:
        """Only while no worker runs, or it sees a Redis that no crash could make."""
        pipe = self._redis.pipeline(transaction=True)
        for key in self._redis.scan_iter(match=self._pattern, count=1_000):
            pipe.delete(key)
        for key, value in self._values.items():
            pipe.restore(key, 0, value)
        pipe.execute()


def moment(seconds: float, start: str = "2026-01-01T00:00:00") -> str:
    """RFC 3339 of ``start`` plus seconds."""
    from datetime import UTC, datetime, timedelta

    begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
    return (begin + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def run_cli(
    settings: Settings, *arguments: str, timeout: float = 240, tree: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `huitou` with these settings; ``tree``: the folder whose packages it runs."""
    return subprocess.run(
        [sys.executable, "-m", "streams.cli.main", *arguments],
        cwd=tree,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def ids(triggers: Iterable[Mapping[str, object]]) -> list[str]:
    return sorted(str(trigger["id"]) for trigger in triggers)
