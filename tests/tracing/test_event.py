"""huitou event, for everything that can become of an event, with real workers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.catalogue import DECISIONS, JOURNAL
from schemas.partitioner import partition_of
from streams.cli.endings import EXIT_FOUND, EXIT_REFUSED, EXIT_USAGE
from streams.engine.crashpoints import EXIT_CODE
from streams.repair.skip import paused_partitions
from streams.settings import Settings
from streams.topics import create_topics
from tests.engine.harness import Bench, WorkerProcess, moment, run_cli
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
REVIEW = {"action": "posted", "order_id": "o-1", "sku": "s9", "rating": 1}


@pytest.fixture
def bench(settings: Settings) -> Bench:
    settings.session_timeout = 6.0
    create_topics(settings)
    return Bench(settings)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


@pytest.fixture
def failing(bench: Bench, log: Path) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(bench.settings, log, build="failing")
    yield worker
    worker.kill()


def home(bench: Bench, customer: str) -> int:
    return partition_of(customer.encode(), bench.settings.partitions)


def ask(bench: Bench, identity: str, *more: str, code: int = 0) -> list[dict[str, Any]]:
    done = run_cli(bench.settings, "event", "test", identity, *more, "--json")
    assert done.returncode == code, done.stderr + done.stdout
    found: list[dict[str, Any]] = json.loads(done.stdout)["records"]
    return found


def for_people(bench: Bench, identity: str, *more: str) -> str:
    done = run_cli(bench.settings, "event", "test", identity, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def click(bench: Bench, customer: str, identity: str, at: float = 1) -> None:
    bench.send(
        "shop.clicks", customer, {"action": "view", "sku": "s1"}, id=identity, time=moment(at)
    )


def processed(bench: Bench) -> None:
    bench.flush()
    bench.wait_processed(180)
    bench.wait_published(180)


def test_what_was_processed(bench: Bench, failing: WorkerProcess) -> None:
    """Applied with its trigger, a repeat by id and by fact, a dead letter, left out, and not yet."""
    failing.wait_recovered(180)
    number = home(bench, "rita")
    for identity in ("v-1", "v-1", "v-2"):
        bench.send("shop.reviews", "rita", REVIEW, id=identity, time=moment(5))
    bench.send(
        "shop.orders", "rita", {"order_id": "o-2", "status": "lost"}, id="bad", time=moment(6)
    )
    bench.send_raw("shop.orders", b"rita", b"{}")
    processed(bench)
    reviews = bench.prefix + "shop.reviews"

    first, again = ask(bench, "v-1", "--customer", "rita")
    assert (first["topic"], first["partition"], first["offset"]) == (reviews, number, 0)
    assert (first["outcome"], first["certain"], first["published"]) == ("applied", True, True)
    (row,) = [
        row for row in bench.journal()[number] if any(part.topic == reviews for part in row.slices)
        and any(part.start == 0 for part in row.slices if part.topic == reviews)
    ]  # fmt: skip
    assert (first["seq"], first["build"]) == (row.seq, row.build)
    (trigger,) = first["triggers"]
    (sent,) = bench.triggers()
    assert (trigger["trigger_id"], trigger["campaign"]) == (sent["id"], "bad-review")
    assert trigger["seq"] == row.seq
    assert trigger["code"]
    assert (again["outcome"], again["why"]) == ("duplicate", "the same event")
    place = {"topic": reviews, "partition": number, "offset": 0}
    assert again["duplicate_of"] == place
    assert again["triggers"] == []
    (other,) = ask(bench, "v-2")
    assert (other["outcome"], other["duplicate_of"]) == ("duplicate", place)
    assert other["why"] == "the same fact under another id"

    (bad,) = ask(bench, "bad", "--topic", "shop.orders")
    assert bad["outcome"] == "dead_letter"
    assert bad["why"].startswith("invalid_value")
    assert bad["dead_letter_offset"] is not None
    people = for_people(bench, "v-1", "--customer", "rita")
    assert "it is applied" in people
    assert f"it is a duplicate of {reviews}[{number}]@0 (the same event)" in people
    assert f"trigger {sent['id']}: coupon_issued of bad-review" in people
    assert "it is a dead letter (invalid_value" in for_people(bench, "bad")

    # Earned, and refused.
    withdrawn = {"app_push": False, "chat": False}
    bench.send(
        "shop.profiles", "rita", {"action": "consent", "consent": withdrawn},
        id="withdrawn", time=moment(7),
    )  # fmt: skip
    processed(bench)
    other_review = {**REVIEW, "order_id": "o-9"}
    bench.send("shop.reviews", "rita", other_review, id="v-9", time=moment(8))
    processed(bench)
    (told,) = ask(bench, "v-9", "--customer", "rita")
    (refused,) = told["refusals"]
    (published,) = bench.read(DECISIONS)
    assert (told["triggers"], refused["decision_id"]) == ([], published["id"])
    assert (refused["campaign"], refused["reason"]) == ("bad-review", "consent")
    assert refused["saw"] == "app_push,chat"
    people = for_people(bench, "v-9", "--customer", "rita")
    assert "bad-review refused a coupon: consent saw app_push,chat" in people
    assert first["refusals"] == []

    # Paused for it, then left out.
    click(bench, "anna", "unfoldable-1")
    click(bench, "anna", "anna-2")
    bench.flush()
    wait_for(lambda: paused_partitions(bench.settings), 180, "a paused partition")
    (waiting,) = ask(bench, "unfoldable-1", "--customer", "anna")
    assert (waiting["outcome"], waiting["seq"]) == ("not_processed", None)
    assert "paused for it" in waiting["why"]
    (behind,) = ask(bench, "anna-2", "--customer", "anna")
    assert (behind["outcome"], behind["published"]) == ("not_processed", False)
    assert "paused before it" in behind["why"]
    skip = ("skip", "shop.clicks", str(home(bench, "anna")), str(waiting["offset"]))
    assert run_cli(bench.settings, *skip, "--reason", "ticket 81").returncode == 0
    processed(bench)
    (left_out,) = ask(bench, "unfoldable-1", "--customer", "anna")
    assert (left_out["outcome"], left_out["why"]) == ("skipped", "ticket 81")
    assert left_out["dead_letter_offset"] is not None
    (after,) = ask(bench, "anna-2", "--customer", "anna")
    assert (after["outcome"], after["triggers"]) == ("applied", [])

    assert failing.stop() == 0
    click(bench, "rita", "late")
    bench.flush()
    (late,) = ask(bench, "late", "--customer", "rita")
    assert late["outcome"] == "not_processed"
    assert "up to offset 0" in late["why"]


def test_where_it_is_looked_for(bench: Bench, log: Path, tmp_path: Path) -> None:
    """Of which customer, in which topic, since when, among how many; in the archive, or nowhere."""
    worker = WorkerProcess(bench.settings, log)
    try:
        worker.wait_recovered(180)
        for customer in ("rita", "tom"):
            for number in range(3):
                click(bench, customer, f"{customer}-{number}")
            click(bench, customer, "shared")
        bench.send("shop.profiles", "tom", {"action": "erase"}, id="forget", time=moment(100))
        processed(bench)
        click(bench, "tom", "before", 99)
        processed(bench)
    finally:
        worker.kill()
    both = ask(bench, "shared")
    assert sorted(one["key"] for one in both) == ["rita", "tom"]
    assert {one["outcome"] for one in both} == {"applied"}
    (tom,) = ask(bench, "shared", "--customer", "tom")
    assert tom["key"] == "tom"
    # The customer was erased later than it happened.
    (before,) = ask(bench, "before")
    assert before["outcome"] == "applied"
    assert "it changed nothing" in before["why"]

    assert ask(bench, "shared", "--topic", "shop.orders", code=EXIT_FOUND) == []
    run = run_cli(bench.settings, "event", "test", "shared", "--topic", "shop.nothing")
    assert run.returncode == EXIT_USAGE
    assert "there are shop.clicks" in run.stderr
    run = run_cli(bench.settings, "event", "test", "before", "--limit", "3")
    assert run.returncode == EXIT_REFUSED
    assert "--customer" in run.stderr
    past, future = ((datetime.now(UTC) + timedelta(hours=hours)).isoformat() for hours in (-1, 1))
    (certain,) = ask(bench, "shared", "--customer", "rita", "--since", past)
    assert certain["certain"] is True
    run = run_cli(bench.settings, "event", "test", "shared", "--since", future)
    assert run.returncode == EXIT_FOUND
    assert "no event shared of test in 0 records; not looked at: " in run.stderr
    unknown = run_cli(bench.settings, "event", "test", "gone\x1b[2J")
    assert unknown.returncode == EXIT_FOUND
    assert "no event gone\\x1b[2J of test in 10 records\n" in unknown.stderr

    # What retention takes is found in the archive only, and a later event of theirs is not certain.
    folder = tmp_path / "archive"
    done = run_cli(bench.settings, "archive", "--to", str(folder))
    assert done.returncode == 0, done.stderr
    number = home(bench, "rita")
    forget(bench, "shop.clicks", number, tom_offset(bench, number) + 1)
    (last,) = ask(bench, "shared", "--customer", "rita")
    assert (last["outcome"], last["certain"]) == ("applied", False)
    assert "--archive" in last["doubt"]
    assert ask(bench, "rita-0", "--customer", "rita", code=EXIT_FOUND) == []
    (kept,) = ask(bench, "rita-0", "--customer", "rita", "--archive", str(folder))
    assert (kept["outcome"], kept["certain"]) == ("applied", True)
    (sure,) = ask(bench, "shared", "--customer", "rita", "--archive", str(folder))
    assert sure["certain"] is True
    forget(bench, JOURNAL, number, -1)
    (unknown_row,) = ask(bench, "shared", "--customer", "rita")
    assert (unknown_row["outcome"], unknown_row["seq"]) == ("before_journal", None)
    (archived,) = ask(bench, "shared", "--customer", "rita", "--archive", str(folder))
    assert archived["outcome"] == "applied"


def tom_offset(bench: Bench, number: int) -> int:
    """The offset of rita-0."""
    (found,) = ask(bench, "rita-0", "--customer", "rita")
    assert found["partition"] == number
    return int(found["offset"])


def forget(bench: Bench, topic: str, partition: int, before: int) -> None:
    """What retention does; -1: all."""
    admin = AdminClient({"bootstrap.servers": bench.settings.kafka_bootstrap})
    place = TopicPartition(bench.prefix + topic, partition, before)
    admin.delete_records([place])[place].result(60)


def test_a_commit_that_is_not_published_says_so(bench: Bench, log: Path) -> None:
    """The worker dies between its commit in Redis and the transaction in Kafka."""
    number, topic = home(bench, "rita"), bench.prefix + "shop.clicks"
    # The first that is published may be a commit of the clock only.
    for attempt in range(10):
        click(bench, "rita", f"r-{attempt}")
        bench.flush()
        crashing = WorkerProcess(bench.settings, log, HUITOU_CRASH="after-begin")
        assert crashing.wait(180) == EXIT_CODE
        if bench.store.stored(number).vector.get(topic, 0) > attempt:
            break
        worker = WorkerProcess(bench.settings, log)
        processed(bench)
        assert worker.stop() == 0
    (found,) = ask(bench, f"r-{attempt}", "--customer", "rita")
    assert (found["outcome"], found["published"]) == ("applied", False)
    assert (found["journal_offset"], found["certain"]) == (None, True)
    assert found["seq"] >= 1
    assert "not published yet" in for_people(bench, f"r-{attempt}", "--customer", "rita")
