"""Each row of the recovery table: what is found, and what the worker then does."""

import secrets
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.catalogue import CLOCK, CUSTOMER_TOPICS
from streams.bootstrap import Parts
from streams.build import build
from streams.domain.state import Coupon
from streams.engine.engine import EXIT_REFUSED
from streams.engine.refusal import RecoveryRefused
from streams.engine.transport import Assignment
from streams.state.codec import CODEC_VERSION, decode, encode
from streams.topics import create_topics
from tests.conftest import settings_of
from tests.engine.conftest import make_bench
from tests.engine.harness import Bench, Snapshot, WorkerProcess, ids, moment
from tests.engine.scenario import ShopDay
from tests.waiting import wait_for

#: A generation above any that the group of a test reaches by itself.
LATER = 1_000


@pytest.fixture(scope="module")
def a_day(kafka: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> "Worked":
    prefix = f"recovery{secrets.token_hex(5)}."
    return Worked(
        make_bench(settings_of(kafka, redis_url, prefix)), tmp_path_factory.mktemp("worked")
    )


@pytest.fixture
def worked(a_day: "Worked") -> "Worked":
    """The day's stack with Redis as the day left it; tests that change Kafka make their own."""
    a_day.evening.put_back()
    return a_day


class Worked:
    """A stack on which a worker has done a day's work and left in order."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.log = folder / "worker.log"
        self.day = ShopDay(bench, customers=20)
        worker = WorkerProcess(bench.settings, self.log)
        self.day.morning()
        bench.wait_processed()
        bench.wait_published()
        self.morning = Snapshot(bench)
        self.day.evening()
        bench.wait_processed()
        wait_for(lambda: len(bench.triggers()) == len(self.day.expected), 60, "all triggers")
        bench.wait_published()
        assert worker.stop() == 0
        bench.wait_published()
        bench.wait_no_members()
        self.evening = Snapshot(bench)

    def meta(self, number: int) -> str:
        return self.bench.store.keys(number).meta

    def recover(self, as_build: str = "") -> tuple[dict[str, float], str | None]:
        """Recover in this process: (shop_recoveries_total by case, the refusal or None)."""
        parts = Parts(self.bench.settings, as_build or build())
        names = parts.topics.inputs
        numbers = range(self.bench.settings.partitions)
        assignment = Assignment(
            LATER, "test-member", frozenset((t, n) for t in names for n in numbers)
        )
        refusal = None
        try:
            recovered, missing = parts.recovery.recover(assignment)
            assert not missing
            assert sorted(recovered.partitions) == list(numbers)
        except RecoveryRefused as error:
            refusal = str(error)
        text = parts.metrics.exposition().decode()
        cases = {}
        for line in text.splitlines():
            if line.startswith("shop_recoveries_total{"):
                label, _, value = line.partition("} ")
                cases[label.split('"')[1]] = float(value)
        return cases, refusal


def test_level(worked: Worked) -> None:
    cases, refusal = worked.recover()
    assert refusal is None
    assert cases == {"current": 8.0}


def test_redis_ahead_publishes_the_rest(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    day = ShopDay(bench, customers=20)
    crashing = WorkerProcess(bench.settings, log, HUITOU_CRASH="after-produce")
    day.morning()
    crashing.wait()
    kafka = bench.kafka_positions()
    assert any(bench.store.stored(n).position.seq > kafka[n].seq for n in kafka)
    worker = WorkerProcess(bench.settings, log)
    day.evening()
    bench.wait_processed()
    wait_for(lambda: len(bench.triggers()) >= len(day.expected), 60, "all triggers")
    bench.wait_published()
    assert worker.metrics()['shop_recoveries_total{case="current"}'] >= 8
    assert worker.stop() == 0
    day.assert_exactly_once()


def test_redis_that_lost_a_suffix_repeats_the_journal(worked: Worked) -> None:
    after = {key: worked.bench.redis.dump(key) for key in _state_keys(worked.bench)}
    worked.morning.put_back()
    cases, refusal = worked.recover()
    assert refusal is None
    assert cases["replayed"] > 0
    assert {key: worked.bench.redis.dump(key) for key in _state_keys(worked.bench)} == after
    worked.day.assert_exactly_once()


def _state_keys(bench: Bench) -> list[bytes]:
    pattern = f"{bench.settings.redis_prefix}*state:*"
    return sorted(bench.redis.scan_iter(match=pattern, count=1_000))


def test_two_lineages_are_refused(worked: Worked) -> None:
    worked.bench.redis.hset(worked.meta(3), "chain", "ab" * 16)
    cases, refusal = worked.recover()
    assert cases["forked"] == 1
    assert refusal is not None
    assert "huitou rebuild --partition 3" in refusal


def test_a_lost_suffix_of_another_lineage_is_refused(worked: Worked) -> None:
    worked.morning.put_back()
    number = _a_partition_behind(worked)
    worked.bench.redis.hset(worked.meta(number), "chain", "ab" * 16)
    cases, refusal = worked.recover()
    assert cases["forked"] == 1
    assert refusal is not None


def _a_partition_behind(worked: Worked) -> int:
    kafka = worked.bench.kafka_positions()
    store = worked.bench.store
    return next(n for n in sorted(kafka) if store.stored(n).position.seq < kafka[n].seq)


def test_another_build_takes_over_what_was_published(worked: Worked) -> None:
    after = {key: worked.bench.redis.dump(key) for key in _state_keys(worked.bench)}
    worked.morning.put_back()
    cases, refusal = worked.recover(as_build="0.0.9+other")
    assert refusal is None
    assert cases["adopted"] > 0
    assert {key: worked.bench.redis.dump(key) for key in _state_keys(worked.bench)} == after
    worked.day.assert_exactly_once()


def test_a_state_that_changed_behind_the_journal_is_found_by_its_digest(worked: Worked) -> None:
    """The repeat gives other states; what was published is then taken over, and nothing sent again."""
    worked.morning.put_back()
    behind = _a_partition_behind(worked)
    base = worked.bench.store.keys(behind).state_base
    for key in _state_keys(worked.bench):
        if key.decode().startswith(base):
            state = decode(worked.bench.redis.get(key))
            state.coupons.append(Coupon("planted", "nobody", 1, 2))
            worked.bench.redis.set(key, encode(state))
    cases, refusal = worked.recover()
    assert refusal is None
    assert cases["adopted"] > 0
    assert ids(worked.bench.triggers()) == sorted(worked.day.expected)


def test_an_emptied_redis_is_refused(worked: Worked) -> None:
    for key in worked.bench.redis.scan_iter(match=f"{worked.bench.settings.redis_prefix}*"):
        worked.bench.redis.delete(key)
    cases, refusal = worked.recover()
    assert cases["missing"] == 1
    assert refusal is not None
    assert "huitou rebuild --partition 0" in refusal


def test_a_reset_group_is_refused(bench: Bench, tmp_path: Path) -> None:
    worked = Worked(bench, tmp_path)
    _commit(worked.bench, offset=0, metadata="")
    cases, refusal = worked.recover()
    assert cases["reset"] == 1
    assert refusal is not None
    assert "huitou group adopt" in refusal


def test_a_group_that_was_deleted_before_anything_was_trimmed_is_refused(
    bench: Bench, tmp_path: Path
) -> None:
    """Nothing in Redis says then that something was published; the journal does."""
    worked = Worked(bench, tmp_path)
    admin = AdminClient({"bootstrap.servers": bench.settings.kafka_bootstrap})
    admin.delete_consumer_groups([bench.settings.group])[bench.settings.group].result(60)
    for number in range(bench.settings.partitions):
        bench.redis.hset(worked.meta(number), "trimmed", "0")
    cases, refusal = worked.recover()
    assert cases["reset"] == 1
    assert refusal is not None
    assert "huitou group adopt" in refusal


def _commit(bench: Bench, offset: int, metadata: str) -> None:
    """What an operator's reset of the whole group leaves behind."""
    consumer = Consumer(
        {"bootstrap.servers": bench.settings.kafka_bootstrap, "group.id": bench.settings.group}
    )
    topics = [bench.prefix + name for name in (*CUSTOMER_TOPICS, CLOCK)]
    consumer.commit(
        offsets=[
            TopicPartition(topic, number, offset, metadata=metadata)
            for topic in topics
            for number in range(bench.settings.partitions)
        ],
        asynchronous=False,
    )
    consumer.close()


def test_offsets_outside_the_log_are_refused(bench: Bench, tmp_path: Path) -> None:
    worked = Worked(bench, tmp_path)
    admin = AdminClient({"bootstrap.servers": worked.bench.settings.kafka_bootstrap})
    vector = worked.bench.store.stored(0).vector
    topic = f"{worked.bench.prefix}shop.clicks"
    worked.bench.redis.hset(worked.meta(0), f"offset:{topic}", vector[topic] + 1_000)
    cases, refusal = worked.recover()
    assert cases["outside_log"] == 1
    assert refusal is not None
    assert f"{topic}[0] offset {vector[topic] + 1_000}" in refusal
    worked.bench.redis.hset(worked.meta(0), f"offset:{topic}", 0)
    admin.delete_records([TopicPartition(topic, 0, 1)])[TopicPartition(topic, 0)].result(60)
    cases, _ = worked.recover()
    assert cases["outside_log"] == 1


def test_a_journal_that_no_longer_reaches_back_is_refused(bench: Bench, tmp_path: Path) -> None:
    worked = Worked(bench, tmp_path)
    admin = AdminClient({"bootstrap.servers": bench.settings.kafka_bootstrap})
    journal = f"{bench.prefix}shop.journal"
    for number in range(bench.settings.partitions):
        place = TopicPartition(journal, number, -1)  # up to the end of the log
        admin.delete_records([place])[place].result(60)
    worked.morning.put_back()
    cases, refusal = worked.recover()
    assert cases["incomplete"] == 1
    assert refusal is not None
    assert "shop.journal" in refusal


@pytest.mark.long
def test_a_topic_made_anew_that_redis_had_not_read_is_refused(bench: Bench, tmp_path: Path) -> None:
    """Redis stands at its beginning, so only the journal tells that it held something."""
    worked = Worked(bench, tmp_path)
    worked.morning.put_back()
    topic = f"{bench.prefix}shop.reviews"
    admin = AdminClient({"bootstrap.servers": bench.settings.kafka_bootstrap})
    admin.delete_topics([topic])[topic].result(60)
    wait_for(lambda: topic not in admin.list_topics(timeout=60).topics, 60, f"{topic} gone")
    create_topics(bench.settings)
    cases, refusal = worked.recover()
    assert cases["incomplete"] == 1
    assert refusal is not None
    assert topic in refusal
    assert "huitou rebuild" in refusal


def test_states_of_a_newer_build_are_refused(worked: Worked) -> None:
    worked.bench.redis.hset(worked.meta(0), "codec_min", CODEC_VERSION + 1)
    cases, refusal = worked.recover()
    assert cases["newer"] == 1
    assert refusal is not None
    assert f"in encoding {CODEC_VERSION + 1}" in refusal
    assert "huitou rebuild --partition 0" in refusal


def test_a_group_made_anew_is_refused(bench: Bench, tmp_path: Path) -> None:
    """It counts its generations from 1, below what Redis holds, and knows no offsets."""
    log = tmp_path / "worker.log"
    for number in range(2):
        worker = WorkerProcess(bench.settings, log)
        worker.wait_recovered()
        bench.send("shop.clicks", "anna", {"action": "view"}, id=f"e{number}", time=moment(number))
        bench.flush()
        bench.wait_processed()
        bench.wait_published()
        assert worker.stop() == 0
        bench.wait_no_members()
    admin = AdminClient({"bootstrap.servers": bench.settings.kafka_bootstrap})
    admin.delete_consumer_groups([bench.settings.group])[bench.settings.group].result(60)
    worker = WorkerProcess(bench.settings, log)
    assert worker.wait() == EXIT_REFUSED
    line = worker.logged("refused")
    assert line is not None
    assert line["case"] == "reset"
    assert "huitou group adopt" in str(line["error"])


def test_a_worker_that_is_refused_says_so_and_ends(worked: Worked) -> None:
    worked.bench.redis.hset(worked.meta(3), "chain", "ab" * 16)
    worker = WorkerProcess(worked.bench.settings, worked.log)
    assert worker.wait() == EXIT_REFUSED
    line = worker.logged("refused")
    assert line is not None
    assert line["case"] == "forked"


def test_a_stale_owner_cannot_claim(worked: Worked) -> None:
    worked.recover()
    worker = WorkerProcess(worked.bench.settings, worked.log)
    assert worker.wait() != 0
    line = worker.logged("doubt")
    assert line is not None
    assert "HELD 1000 test-member" in str(line["error"])
