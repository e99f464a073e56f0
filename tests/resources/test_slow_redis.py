"""A Redis that answers late holds consumption back; the worker does not grow by what waits."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.engine.harness import Bench
from tests.resources.bounds import (
    FRAGMENTED,
    MB,
    RECORD_BYTES,
    TRIGGERS_ENTRY_BYTES,
    Watched,
    commits,
    publishing,
    records,
)
from tests.resources.load import EVENT_BYTES, events, publish
from tests.resources.slow_redis import SlowRedis

pytestmark = [pytest.mark.long, pytest.mark.timeout(2_000)]

BACKLOG = 500_000
CUSTOMERS = 500
#: Of each answer; far below the 5 s after which a worker takes Redis for gone.
LATENCY = 0.5
#: Processed while Redis is slow: more polls than may ever wait, so that growth would have begun.
MEANWHILE = 60_000


def test_a_slow_redis_is_back_pressure(bench: Bench, tmp_path: Path) -> None:
    settings = bench.settings
    publish(
        settings,
        (
            (topic, b"c%d" % customer, value)
            for customer in range(CUSTOMERS)
            for topic, value in events(f"c{customer}", BACKLOG // CUSTOMERS)
        ),
    )
    port = urlsplit(settings.redis_url).port
    assert port is not None
    with SlowRedis(port, LATENCY) as slow:
        watched = Watched(settings, tmp_path / "worker.log", REDIS_URL=slow.url)
        watched.wait_for(lambda: bench.processed() >= MEANWHILE, 600, f"{MEANWHILE} events")
        processed, slowly = bench.processed(), watched.grown()
        assert processed < BACKLOG / 2, "the backlog did not wait"
        most = FRAGMENTED * (
            records(settings, EVENT_BYTES, 4 * settings.partitions)
            + commits(settings.partitions, CUSTOMERS)
            + publishing(TRIGGERS_ENTRY_BYTES)
        )
        print(
            f"{watched.before / MB:.0f} MB, grown by at most {slowly / MB:.0f} MB of {most / MB:.0f} "
            f"while {BACKLOG - processed} events waited"
        )
        assert slowly < most < BACKLOG * (EVENT_BYTES + RECORD_BYTES), "all at once"
        # With a quick Redis again it drains, and needs no more than before.
        slow.latency = 0.0
        watched.wait_for(lambda: bench.processed() >= BACKLOG, 900, f"{BACKLOG} events")
        watched.wait_for(bench.is_published, 300, "the outbox published")
        assert watched.grown() < most
        assert bench.counted("applied") == BACKLOG
        assert watched.worker.stop() == 0
