"""The judge finds what a fault could have brought about: each mistake is made here on purpose."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas.catalogue import TRIGGERS
from streams.settings import Settings
from streams.topics import create_topics
from tests.engine.harness import Bench, WorkerProcess
from tests.faults.judge import judge
from tests.faults.source import LATENESS, SHARDS, Source
from tests.faults.stages import Observer
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture
def drained(settings: Settings, tmp_path: Path) -> Iterator[tuple[Settings, Path, Observer]]:
    """A stack that has processed a few seconds of the source's events; its worker has ended."""
    settings.lateness = LATENESS
    create_topics(settings)
    published = tmp_path / "published"
    source, observer = Source(settings, published, seed=1, rate=400), Observer(settings)
    worker = WorkerProcess(settings, tmp_path / "worker.log")
    try:
        source.start()
        wait_for(lambda: source.published > 1_500, 120, "some events")
        source.stop()
        source.close()
        wait_for(lambda: not observer.behind(source.ends), 120, "all processed")
        wait_for(lambda: observer.timers() == 0, 120, "all timers fired")
        wait_for(lambda: observer.trimmed() == observer.seqs(), 120, "all published")
        assert worker.stop() == 0
        yield settings, published, observer
    finally:
        worker.kill()
        observer.close()


def test_each_kind_of_mistake_is_found(drained: tuple[Settings, Path, Observer]) -> None:
    settings, published, observer = drained
    verdict = judge(settings, published, observer)
    assert verdict.clean, verdict.examples
    assert verdict.verified > 1_500

    _publish_a_trigger_again(settings)
    verdict = judge(settings, published, observer)
    assert (verdict.lost, verdict.duplicates, verdict.different) == (0, 2, 0)  # verify, oracle

    bench = Bench(settings)
    state = next(bench.redis.scan_iter(match=f"{settings.redis_prefix}*state:shop/c*"))
    bench.redis.delete(state)
    assert judge(settings, published, observer).lost == 2

    _hide_a_paid_order(published)
    verdict = judge(settings, published, observer)
    assert verdict.different > 0, verdict.examples


def _publish_a_trigger_again(settings: Settings) -> None:
    bench = Bench(settings)
    partition, value = bench.read_placed(TRIGGERS)[0]
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap})
    key = json.loads(value)["subject"]
    producer.produce(settings.topic_prefix + TRIGGERS, value, key=key, partition=partition)
    assert producer.flush(60) == 0


def _hide_a_paid_order(published: Path) -> None:
    """As if the engine had made an order up."""
    for number in range(SHARDS):
        path = published / f"published-{number:02d}.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if b'"paid"' not in line]
        path.write_bytes(b"".join(kept))
