"""One customer with very many events takes no more than any other."""

import gc
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from schemas.catalogue import CUSTOMER_TOPICS
from schemas.decoding import Decoder, RawRecord
from schemas.partitioner import partition_of
from streams.domain.state import CustomerState
from streams.engine.commit import Fetched
from streams.engine.draft import COMMIT_BYTES
from streams.engine.partition import NEW_POSITION
from streams.engine.process import PartitionProcessor
from streams.state.codes import CouponCodes
from tests.definitions import NO_DEFINITIONS
from tests.engine.harness import Bench, TestClock, run_cli
from tests.engine.scenario import START_MS
from tests.histories.folding import STAMP
from tests.resources.bounds import (
    FRAGMENTED,
    MB,
    RECORD_BYTES,
    STATE_BYTES,
    TRIGGERS_ENTRY_BYTES,
    Watched,
    commits,
    publishing,
    records,
)
from tests.resources.load import EVENT_BYTES, SHOP, events, publish
from tests.soak.samples import status_kb

pytestmark = [pytest.mark.long, pytest.mark.timeout(2_000)]

HOT = "hot"
MILLION = 1_000_000
BUNDLE = 10_000


def own_rss() -> int:
    return status_kb(os.getpid(), "VmRSS") * 1024


def test_a_million_events_of_one_customer_through_the_fold() -> None:
    """Bounded from the first tenth on: the state by its own bounds, a commit by COMMIT_BYTES."""
    names = {topic: topic for topic in CUSTOMER_TOPICS}
    processor = PartitionProcessor(
        0, Decoder(1, names), CouponCodes("key", "1"),
        triggers_topic="triggers", verdicts_topic="verdicts",
        decisions_topic="decisions", deadletters_topic="letters",
        exchange_topic="exchange", partitions=1,
    )  # fmt: skip
    states: dict[str, CustomerState] = {}
    timers: dict[str, int] = {}
    position, definitions = NEW_POSITION, NO_DEFINITIONS
    ends = dict.fromkeys(CUSTOMER_TOPICS, 0)
    made = events(HOT, MILLION)
    applied = largest = 0
    settled = own_rss()
    for number in range(MILLION // BUNDLE):
        work = processor.prepare(_bundle(made, ends), START_MS + number * BUNDLE * 1_000)
        drafts = []
        while not work.done:
            draft = processor.fold(position, work, states, {}, definitions)
            commit = draft.finish(STAMP)
            drafts.append(commit)
            position = commit.position
            assert sum(len(row.value) for row in commit.rows) <= COMMIT_BYTES + MB
        watermark = START_MS + (number + 1) * BUNDLE * 1_000
        for commit in drafts:
            applied += sum(n for (_, outcome), n in commit.counts.items() if outcome == "applied")
            largest = max(largest, *map(len, commit.states.values()))
            timers.update({key: due for key, due in commit.timers.items() if due is not None})
        due = [(key, at) for key, at in timers.items() if at <= watermark]
        if due:
            commit = processor.fire(position, due, states, {}, definitions).finish(STAMP)
            position = commit.position
            timers = {key: at for key, at in commit.timers.items() if at is not None}
        if number == MILLION // BUNDLE // 10:
            gc.collect()
            settled = own_rss()
    assert applied == MILLION
    assert states.keys() == {f"{SHOP}/{HOT}"}
    assert STATE_BYTES // 8 < largest < STATE_BYTES
    # A bundle's records and one commit are all that comes and goes.
    grown = own_rss() - settled
    print(f"state at most {largest} bytes, grown by {grown / MB:.1f} MB")
    assert grown < FRAGMENTED * (BUNDLE * (EVENT_BYTES + RECORD_BYTES) + COMMIT_BYTES)


def _bundle(made: Iterator[tuple[str, bytes]], ends: dict[str, int]) -> list[Fetched]:
    found: dict[str, list[RawRecord]] = {topic: [] for topic in CUSTOMER_TOPICS}
    for topic, value in islice(made, BUNDLE):
        offset = ends[topic] + len(found[topic])
        found[topic].append(RawRecord(topic, 0, offset, START_MS, HOT.encode(), value))
    fetched = []
    for topic, held in found.items():
        start, ends[topic] = ends[topic], ends[topic] + len(held)
        fetched.append(Fetched(topic, start, ends[topic], held))
    return fetched


def test_a_hot_customer_through_a_worker(bench: Bench, tmp_path: Path) -> None:
    count, settings = 400_000, bench.settings
    clock = TestClock(bench, START_MS, START_MS + count * 1_000 + 86_400_000)
    publish(settings, ((topic, HOT.encode(), value) for topic, value in events(HOT, count)))
    clock.tick(START_MS + count * 1_000)
    watched = Watched(settings, tmp_path / "worker.log")
    watched.wait_for(lambda: bench.processed() >= count, 600, f"{count} events processed")
    watched.wait_for(bench.is_published, 300, "the outbox published")
    # Four topics of the one partition, one state, and a trigger for every tenth event.
    most = FRAGMENTED * (
        records(settings, EVENT_BYTES, 4) + commits(1, 1) + publishing(TRIGGERS_ENTRY_BYTES)
    )
    grown = watched.grown()
    print(f"{watched.before / MB:.0f} MB, grown by at most {grown / MB:.0f} MB of {most / MB:.0f}")
    assert grown < most < count * (EVENT_BYTES + RECORD_BYTES), "all at once"
    home = partition_of(HOT.encode(), settings.partitions)
    (state,) = bench.store.load_states({home: [f"{SHOP}/{HOT}"]})[home].values()
    assert state[1] < STATE_BYTES
    assert bench.counted("applied") == count
    assert watched.worker.stop() == 0
    verified = run_cli(settings, "verify", "--json", timeout=400)
    assert verified.returncode == 0, verified.stdout + verified.stderr
