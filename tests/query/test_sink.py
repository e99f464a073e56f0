"""huitou sink against a real Kafka: each record is in the store once, whatever ends the process."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from schemas.catalogue import ORDERS, PROFILES, REVIEWS, TRIGGERS
from streams.cli.endings import EXIT_DOUBT, EXIT_REFUSED, EXIT_USAGE
from streams.query.batch import TOPICS
from streams.query.errors import StoreDoubt
from streams.query.log import group_consumer, names_of
from streams.query.migrating import bring_up
from streams.query.sink import Sink
from streams.query.store import QueryStore
from streams.settings import Settings
from streams.topics import create_topics
from tests.engine.harness import Bench, WorkerProcess, environment, moment, run_cli
from tests.query.conftest import open_store
from tests.query.events import event
from tests.query.expected import Tables, expected
from tests.query.publishing import Shop
from tests.query.stored import content, differences
from tests.telemetry.exposed import unlike_catalogue
from tests.verify.kafka_log import delete_before, make_topic
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PATIENCE = 180.0


@pytest.fixture
def made(settings: Settings, new_store: Callable[[], str]) -> Settings:
    """Topics made, and a store that is not, in either database."""
    return with_topics(settings, new_store())


#: For what has nothing to do with the database.
on_sqlite = pytest.mark.parametrize("new_store", ["sqlite"], indirect=True)


def with_topics(settings: Settings, store: str) -> Settings:
    settings.partitions = 4
    settings.session_timeout = 6.0
    settings.query_store = store
    create_topics(settings)
    return settings


def in_store(settings: Settings) -> Tables:
    opened = open_store(str(settings.query_store))
    try:
        return content(opened)
    finally:
        opened.close()


def records_in(settings: Settings) -> int:
    opened = open_store(str(settings.query_store))
    try:
        return sum(part.records for part in QueryStore(opened).offsets().values())
    finally:
        opened.close()


def fill(settings: Settings, *arguments: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """Run `huitou sink --once --json`: what it counted, and standard error."""
    done = run_cli(settings, "sink", "--once", "--json", *arguments, timeout=PATIENCE)
    assert done.returncode == code, done.stdout + done.stderr
    return (json.loads(done.stdout) if code == 0 else {}), done.stderr


def assert_right(shop: Shop) -> None:
    """The store has the rows that follow from what was published."""
    assert differences(expected(shop.published), in_store(shop.settings)) == []


class Running:
    """A process under test; killed at the end where it has not ended."""

    def __init__(self, settings: Settings, *command: str, log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=environment(settings), stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)

    def ended(self) -> int:
        """The exit code."""
        return self.process.wait(PATIENCE)

    def said(self) -> str:
        return self.log.read_text(errors="replace")


@pytest.fixture
def running(made: Settings, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts a module's processes; they are gone after the test."""
    started: list[Running] = []

    def run(*command: str, **settings: str) -> Running:
        own = made.model_copy(update=settings)
        started.append(Running(own, *command, log=tmp_path / f"{len(started)}.log"))
        return started[-1]

    yield run
    for process in started:
        process.__exit__()


SINK = ("streams.cli.main", "sink")


def test_the_topics_become_rows_and_a_second_run_adds_what_is_new(made: Settings) -> None:
    shop = Shop(made, seed=1)
    shop.trade(300)
    counted, _ = fill(made)
    assert counted["records"] == len(shop.published) + shop.bad
    assert counted["passed_over"] == shop.bad
    assert_right(shop)
    assert fill(made)[0]["records"] == 0
    before = len(shop.published) + shop.bad
    shop.trade(50)
    assert fill(made)[0]["records"] == len(shop.published) + shop.bad - before
    assert_right(shop)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_beside_a_commit_loses_and_doubles_nothing(
    made: Settings, running: Callable[..., Running], when: str
) -> None:
    shop = Shop(made, seed=2)
    shop.trade(200)
    for occurrence in (1, 3, 2):
        struck = running("tests.query.killed", "KILL", when, str(occurrence))
        assert struck.ended() == -signal.SIGKILL, struck.said()
    assert records_in(made) < len(shop.published) + shop.bad
    fill(made)
    assert records_in(made) == len(shop.published) + shop.bad
    assert_right(shop)


def test_kills_under_way_leave_the_rows_of_an_undisturbed_run(
    made: Settings, new_store: Callable[[], str], running: Callable[..., Running]
) -> None:
    """And a store filled from scratch afterwards has the same rows as the one filled bit by bit."""
    shop = Shop(made, seed=3)
    for _ in range(3):
        shop.trade(60)
        before = records_in_or_none(made)
        process = running(*SINK)
        shop.trade(60)
        wait_for(lambda: records_in_or_none(made) > before, PATIENCE, "rows")  # noqa: B023
        process.process.kill()
        assert process.ended() == -signal.SIGKILL
    fill(made)
    assert_right(shop)
    scratch = made.model_copy(update={"query_store": new_store()})
    fill(scratch)
    assert differences(in_store(scratch), in_store(made)) == []


def records_in_or_none(settings: Settings) -> int:
    """As ``records_in``; 0 while the store has no tables."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return records_in(settings)
    except SQLAlchemyError:
        return 0


def test_two_sinks_share_the_partitions_and_a_dead_ones_are_taken_over(
    made: Settings, running: Callable[..., Running]
) -> None:
    shop = Shop(made, seed=4)
    shop.trade(60)
    first, second = running(*SINK), running(*SINK)
    for process in (first, second):
        wait_for(lambda: "partitions assigned" in process.said(), PATIENCE, "an assignment")  # noqa: B023
    shop.trade(100)
    total = len(shop.published) + shop.bad
    wait_for(lambda: records_in(made) == total, PATIENCE, "all rows")
    first.process.kill()
    shop.trade(60)
    total = len(shop.published) + shop.bad
    wait_for(lambda: records_in(made) == total, PATIENCE, "the second to take over")
    second.process.send_signal(signal.SIGTERM)
    assert second.ended() == 0, second.said()
    assert_right(shop)


def thawed(made: Settings, running: Callable[..., Running], shop: Shop, when: str) -> Running:
    """A sink that goes on after it stood still at its second commit, while another filled the store."""
    shop.trade(200)
    frozen = running("tests.query.killed", "STOP", when, "2")
    wait_for(lambda: "struck" in frozen.said(), PATIENCE, "the freeze")
    fill(made)
    assert_right(shop)
    os.kill(frozen.process.pid, signal.SIGCONT)
    return frozen


def test_a_frozen_sink_that_wakes_up_writes_nothing_twice(
    made: Settings, running: Callable[..., Running]
) -> None:
    """It believes to own what another one has written meanwhile."""
    shop = Shop(made, seed=5)
    frozen = thawed(made, running, shop, "after")
    # Either it learns first that it is out of the group, or that the store's offset has moved.
    assert frozen.ended() in (0, EXIT_DOUBT), frozen.said()
    assert records_in(made) == len(shop.published) + shop.bad
    assert_right(shop)


@pytest.mark.parametrize("new_store", ["postgresql"], indirect=True)
def test_a_sink_that_froze_in_a_transaction_does_not_hold_the_store(
    made: Settings, running: Callable[..., Running]
) -> None:
    """Its connection is ended after some seconds, and with it the lock; what it had not committed is gone."""
    shop = Shop(made, seed=11)
    frozen = thawed(made, running, shop, "before")
    assert frozen.ended() == EXIT_DOUBT, frozen.said()
    assert_right(shop)


@on_sqlite
def test_of_two_groups_that_fill_one_store_the_loser_stops_and_says_so(
    made: Settings, running: Callable[..., Running]
) -> None:
    shop = Shop(made, seed=6)
    shop.trade(20)
    processes = [running(*SINK, group=f"{made.group}-{name}") for name in ("a", "b")]
    for process in processes:
        wait_for(lambda: "partitions assigned" in process.said(), PATIENCE, "an assignment")  # noqa: B023

    def one_lost() -> bool:
        shop.trade(10)
        return any(process.process.poll() is not None for process in processes)

    wait_for(one_lost, PATIENCE, "one of the two to lose")
    (loser, *_) = [process for process in processes if process.process.poll() is not None]
    assert loser.ended() == EXIT_DOUBT
    assert "another sink has the partition" in loser.said()
    assert "Traceback" not in loser.said()
    for process in processes:
        # The winner would race with the next one, too.
        if process.process.poll() is None:
            process.process.terminate()
        assert process.ended() in (0, EXIT_DOUBT)
    fill(made)
    assert records_in(made) == len(shop.published) + shop.bad
    assert_right(shop)


@on_sqlite
def test_what_a_worker_refuses_or_leaves_out_is_in_no_row(made: Settings, tmp_path: Path) -> None:
    """The verdict on a time ahead is the worker's: the partition's newest tick is nowhere else."""
    shop = Shop(made, seed=7)
    bench = Bench(made)
    worker = WorkerProcess(made, tmp_path / "worker.log")
    try:
        worker.wait_recovered(PATIENCE)
        ahead = 10 * 365 * 86_400
        shop.send(ORDERS, event(ORDERS, "good", 5, "c1", order_id="o1", status="placed"))
        shop.send(ORDERS, event(ORDERS, "early", ahead, "c1", order_id="o1", status="paid"))
        shop.flush()
        assert moment(ahead) > "2035"
        wait_for(lambda: bench.counted("dead_letter") == 1, PATIENCE, "the worker's verdict")
        bench.wait_published(PATIENCE)
    finally:
        worker.kill()
    good, early = sorted(shop.published, key=lambda one: one.event["id"], reverse=True)
    shop.leave_out(good, "skipped")
    fill(made)
    gone = {early.place: "future_time", good.place: "skipped"}
    found = in_store(made)
    # The worker's own trigger has nothing to do with it.
    found["triggers"] = []
    assert differences(expected(shop.published, gone), found) == []
    assert found["orders"] == []


@on_sqlite
def test_another_generation_of_topics_goes_on_in_the_same_store(made: Settings) -> None:
    """Orders that began in the topics of before the repartition go on in those of after it."""
    shop = Shop(made, seed=12)
    shop.trade(60)
    fill(made)
    later = made.model_copy(update={"topic_prefix": f"{made.topic_prefix}g2.", "partitions": 3})
    create_topics(later)
    after = Shop(later, seed=13)
    after.trade(60)
    fill(later)
    both = expected([*shop.published, *after.published])
    assert differences(both, in_store(made)) == []


@on_sqlite
def test_a_run_up_to_the_ends_does_not_wait_for_ever_for_another_that_stands_still(
    made: Settings,
) -> None:
    """A member of the group that has partitions and writes nothing."""
    Shop(made, seed=14).trade(20)
    assigned, ended = threading.Event(), threading.Event()

    def stand_still() -> None:
        # All of it in one thread: two that call one consumer wait for each other.
        idle = group_consumer(made)
        idle.subscribe(list(names_of(made)), on_assign=lambda *_: assigned.set())
        while not ended.is_set():
            idle.poll(0.1)
        idle.close()

    opened = open_store(str(made.query_store))
    bring_up(opened)
    with ThreadPoolExecutor(1) as pool:
        standing = pool.submit(stand_still)
        try:
            assert assigned.wait(PATIENCE), "the idle one has partitions"
            with pytest.raises(StoreDoubt, match="offsets are left and nothing was written for"):
                Sink(made, QueryStore(opened)).run(lambda: False, once=True, patience=10)
        finally:
            ended.set()
        standing.result(PATIENCE)
    opened.close()


@on_sqlite
def test_a_sink_says_what_it_does_on_a_port(
    made: Settings, running: Callable[..., Running]
) -> None:
    shop = Shop(made, seed=15)
    shop.trade(60)
    process = running(*SINK, "--metrics-port", "0")
    url = wait_for(
        lambda: re.search(r"http://\S+/metrics", process.said()), PATIENCE, "the port"
    ).group()

    def scraped() -> dict[str, dict[tuple[str, ...], float]]:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - the sink's own
            families = text_string_to_metric_families(answer.read().decode())
        return {
            family.name: {tuple(s.labels.values()): s.value for s in family.samples}
            for family in families
        }

    total = len(shop.published) + shop.bad
    wait_for(lambda: sum(scraped()["shop_sink_records"].values()) == total, PATIENCE, "all records")
    found = scraped()
    counted = found["shop_sink_records"]
    for topic in (ORDERS, REVIEWS, PROFILES, TRIGGERS):
        written = sum(one.topic == topic for one in shop.published)
        # Labels stand in the order of their names.
        assert counted["written", topic] == written
    assert sum(n for (outcome, _), n in counted.items() if outcome == "passed_over") == shop.bad
    assert found["shop_sink_transactions"][()] >= 1
    began = found["process_start_time_seconds"][()]
    assert began < found["shop_sink_last_commit_timestamp_seconds"][()] <= time.time()
    # Every partition of all its topics is this sink's.
    wait_for(
        lambda: (
            list(scraped()["shop_sink_lag_records"].values())
            == [0.0] * len(TOPICS) * made.partitions
        ),
        PATIENCE,
        "no lag",
    )
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - the sink's own
        assert unlike_catalogue("sink", answer.read().decode()) == []
    _, said = fill(made, "--metrics-port", url.split(":")[2].split("/")[0], code=EXIT_USAGE)
    assert "no metrics on 127.0.0.1:" in said


@on_sqlite
def test_it_ends_in_order_on_sigterm(made: Settings, running: Callable[..., Running]) -> None:
    shop = Shop(made, seed=8)
    shop.trade(50)
    process = running(*SINK)
    wait_for(lambda: records_in_or_none(made) > 0, PATIENCE, "rows")
    process.process.send_signal(signal.SIGTERM)
    assert process.ended() == 0, process.said()
    assert "records in" in process.said()


@on_sqlite
def test_a_store_of_other_topics_is_refused_and_left_as_it_is(made: Settings) -> None:
    shop = Shop(made, seed=9)
    shop.trade(50)
    fill(made)
    before = in_store(made)
    admin = AdminClient({"bootstrap.servers": made.kafka_bootstrap})
    name = made.topic_prefix + TRIGGERS
    admin.delete_topics([name])[name].result(PATIENCE)
    wait_for(lambda: name not in admin.list_topics(timeout=30).topics, PATIENCE, "the topic's end")
    make_topic(made.kafka_bootstrap, name, made.partitions)
    _, said = fill(made, code=EXIT_REFUSED)
    assert f"{name}[0]: the store is of another topic of that name" in said
    assert in_store(made) == before


@on_sqlite
def test_retention_that_was_faster_is_refused(made: Settings) -> None:
    shop = Shop(made, seed=10)
    shop.trade(50)
    fill(made)
    shop.trade(50)
    name = made.topic_prefix + ORDERS
    last = max(
        offset
        for topic, number, offset in (o.place for o in shop.published)
        if (topic, number) == (name, 0)
    )
    delete_before(made.kafka_bootstrap, name, 0, last)
    _, said = fill(made, code=EXIT_REFUSED)
    assert f"{name}[0]: the store ends at offset" in said
    assert "retention was faster" in said


@on_sqlite
@pytest.mark.parametrize("partitions", [3, 5])
def test_another_partition_count_is_refused(made: Settings, partitions: int) -> None:
    other = made.model_copy(update={"partitions": partitions})
    _, said = fill(other, code=EXIT_REFUSED)
    assert f"has 4 partitions and HUITOU_PARTITIONS says {partitions}" in said


@on_sqlite
def test_topics_that_are_not_there_are_named(made: Settings) -> None:
    other = made.model_copy(update={"topic_prefix": "nowhere."})
    _, said = fill(other, code=EXIT_REFUSED)
    assert "has no topic nowhere.shop." in said
