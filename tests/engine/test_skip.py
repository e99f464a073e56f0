"""A fold that raises pauses its partition; `huitou skip` has it go on without what it raised at."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import DEADLETTERS
from schemas.clock import RecordCause, Skip, SkipCause, TimerCause
from schemas.journal import Skipped
from schemas.partitioner import partition_of
from streams.repair.skip import paused_partitions, skip
from streams.settings import Settings
from streams.verify.verify import verify
from tests.engine.harness import Bench, Snapshot, TestClock, WorkerProcess, moment, run_cli
from tests.engine.scenario import HALF_HOUR, START_MS
from tests.waiting import wait_for

REASON = "quantities overflow"
pytestmark = pytest.mark.timeout(400)


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


def view(bench: Bench, customer: str, identity: str) -> None:
    bench.send(
        "shop.clicks", customer, {"action": "view", "sku": "s1"}, id=identity, time=moment(1)
    )


def fill(bench: Bench, identity: str = "unfoldable-1") -> None:
    """Views of twenty customers; anna's third one, of five, cannot be folded."""
    for number in range(20):
        view(bench, f"c{number}", f"c{number}-1")
    for event in ("anna-1", "anna-2", identity, "anna-4", "anna-5"):
        view(bench, "anna", event)
    bench.flush()


def wait_paused(bench: Bench, before: SkipCause | None = None) -> dict[str, Any]:
    """The only paused partition, as `huitou skip` lists it; not that which was paused for ``before``."""

    def causes() -> list[SkipCause | None]:
        return [why.cause for why in paused_partitions(bench.settings).values()]

    wait_for(lambda: [cause for cause in causes() if cause != before], 60, "a paused partition")
    listed = run_cli(bench.settings, "skip", "--json")
    assert listed.returncode == 0, listed.stderr
    (only,) = json.loads(listed.stdout)
    return dict(only)


def follow(bench: Bench, listed: dict[str, Any], *more: str) -> None:
    """Run the command that was printed."""
    done = run_cli(bench.settings, *shlex.split(listed["command"])[1:], *more)
    assert done.returncode == 0, done.stderr


def letters(bench: Bench) -> list[dict[str, Any]]:
    return [letter["data"] for letter in bench.read(DEADLETTERS)]  # type: ignore[misc]


def skips(bench: Bench) -> list[Skipped]:
    """What the journal names, over all partitions."""
    return [one for rows in bench.journal().values() for row in rows for one in row.skip or ()]


def assert_verified(bench: Bench) -> None:
    bench.wait_published()
    report = verify(bench.settings)
    assert report.agree, report.differences


def test_a_record_is_left_out_and_nothing_else(
    bench: Bench, failing: WorkerProcess, log: Path
) -> None:
    failing.wait_recovered()
    fill(bench)
    listed = wait_paused(bench)
    number, topic = home(bench, "anna"), f"{bench.prefix}shop.clicks"
    assert listed["partition"] == number
    assert "ZeroDivisionError: planted" in listed["error"]
    offset = int(listed["command"].split()[-1])
    status, report = failing.ready()
    assert status == 503
    assert f"{topic}[{number}]@{offset}" in str(report["reasons"])
    assert "huitou skip" in str(report["reasons"])
    assert failing.metrics()['shop_partitions_paused{reason="fold"}'] == 1
    # What still comes is seen to wait, though no tick goes to a paused partition.
    for event in ("anna-6", "anna-7", "anna-8"):
        view(bench, "anna", event)
    bench.flush()
    lag = f'shop_consumer_lag_records{{partition="{number}",topic="{topic}"}}'
    read = bench.store.stored(number).vector.get(topic, 0)
    waiting = bench.published[topic, number] - read
    assert waiting > 3
    wait_for(lambda: failing.metrics()[lag] == waiting, 60, "the lag of the paused partition")
    # Every other partition goes on, and of this one nothing is lost or done by halves.
    others = sum(count for (_, at), count in bench.published.items() if at != number)
    wait_for(lambda: bench.processed() >= others, 60, "the other partitions")

    wrong = run_cli(bench.settings, "skip", "shop.clicks", str(number), str(offset + 1))
    assert wrong.returncode == 78
    assert f"paused for something else: {topic}[{number}]@{offset}" in wrong.stderr
    follow(bench, listed, "--reason", REASON)
    bench.wait_processed(120)
    wait_for(lambda: len(letters(bench)) == 1, 60, "the dead letter")
    (letter,) = letters(bench)
    assert (letter["reason"], letter["detail"]) == ("skipped", REASON)
    assert (letter["topic"], letter["partition"], letter["offset"]) == (topic, number, offset)
    assert skips(bench) == [Skipped(RecordCause(topic, offset), REASON)]
    assert bench.counted("applied") == 27
    assert bench.counted("dead_letter") == 1
    # A worker counts what it has committed a moment after it is there to be seen.
    skips_total = 'shop_skips_total{cause="record"}'
    wait_for(lambda: failing.metrics().get(skips_total) == 1, 60, "the skip to be counted")
    assert failing.metrics()['shop_partitions_paused{reason="fold"}'] == 0
    wait_for(lambda: failing.ready()[0] == 200, 60, "the worker ready again")
    wait_for(lambda: not paused_partitions(bench.settings), 60, "no partition listed as paused")

    # The same again is harmless, also one that reaches the log, and after a restart.
    again = skip(bench.settings, number, RecordCause(topic, offset), "again")
    assert again == "done"
    bench.send_clock(Skip(number, RecordCause(topic, offset), "again"))
    view(bench, "anna", "anna-6")
    bench.flush()
    bench.wait_processed(120)
    assert failing.stop() == 0
    restarted = WorkerProcess(bench.settings, log, build="failing")
    bench.send_clock(Skip(number, RecordCause(topic, offset), "again"))
    view(bench, "anna", "anna-7")
    bench.flush()
    bench.wait_processed(120)
    assert_verified(bench)
    assert restarted.stop() == 0
    assert len(letters(bench)) == len(skips(bench)) == 1
    assert restarted.logged("partition paused") is None


@pytest.mark.long
def test_replays_leave_it_out_too(bench: Bench, failing: WorkerProcess, log: Path) -> None:
    """A Redis that lost it, one that was emptied, and another build that takes it over."""
    failing.wait_recovered()
    view(bench, "anna", "anna-0")
    bench.flush()
    bench.wait_processed(120)
    # Every partition has something by then, or what it gets later would be missing and not a lost suffix.
    numbers = range(bench.settings.partitions)
    wait_for(lambda: all(bench.store.stored(n).exists for n in numbers), 60, "a commit of each")
    bench.wait_published()
    early = Snapshot(bench)
    fill(bench)
    follow(bench, wait_paused(bench))
    bench.wait_processed(120)
    bench.wait_published()
    assert failing.stop() == 0
    before = states(bench)
    for build, case in (("", "replayed"), ("other", "adopted")):
        early.put_back()
        worker = WorkerProcess(bench.settings, log, build=build)
        worker.wait_recovered()
        assert worker.metrics()[f'shop_recoveries_total{{case="{case}"}}'] >= 1
        assert states(bench) == before
        assert worker.stop() == 0
    rebuilt = run_cli(bench.settings, "rebuild", "--yes")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert states(bench) == before
    assert_verified(bench)
    assert len(letters(bench)) == 1


def states(bench: Bench) -> dict[bytes, bytes]:
    pattern = f"{bench.settings.redis_prefix}*:state:*"
    return {key: bench.redis.get(key) for key in bench.redis.scan_iter(match=pattern, count=1_000)}  # type: ignore[misc]


@pytest.mark.long
def test_several_of_one_bundle_are_left_out_one_by_one(
    bench: Bench, failing: WorkerProcess
) -> None:
    failing.wait_recovered()
    fill(bench)
    for number in range(2):
        bench.send(
            "shop.carts", "anna", {"action": "add", "sku": "s1"},
            id=f"unfoldable-cart-{number}", time=moment(2),
        )  # fmt: skip
    bench.flush()
    cause: SkipCause | None = None
    for _ in range(3):
        listed = wait_paused(bench, before=cause)
        cause = next(iter(paused_partitions(bench.settings).values())).cause
        follow(bench, listed)
    bench.wait_processed(120)
    wait_for(lambda: len(letters(bench)) == 3, 60, "three dead letters")
    assert len(skips(bench)) == 3
    assert bench.counted("dead_letter") == 3
    assert_verified(bench)
    assert failing.stop() == 0


@pytest.mark.long
def test_a_timer_is_dropped_and_the_others_fire(bench: Bench, failing: WorkerProcess) -> None:
    failing.wait_recovered()
    clock = TestClock(bench, START_MS, START_MS + 86_400_000)
    number = home(bench, "untimely")
    beside = next(name for name in map(str, range(1_000)) if home(bench, name) == number)
    for at, customer in enumerate(("untimely", beside)):
        bench.send(
            "shop.carts", customer, {"action": "add", "sku": "s1"}, id="cart", time=moment(at)
        )
    bench.flush()
    bench.wait_processed(120)
    clock.tick(START_MS + (HALF_HOUR + 60) * 1_000)
    listed = wait_paused(bench)
    assert listed["partition"] == number
    assert "untimely" not in listed["error"]
    assert "untimely" not in str(failing.ready())
    due = START_MS + HALF_HOUR * 1_000
    assert shlex.split(listed["command"])[2:] == [
        "--timer", "shop/untimely", "abandoned-cart", str(due),
    ]  # fmt: skip
    wrong = run_cli(
        bench.settings, "skip", "--timer", f"shop/{beside}", "abandoned-cart", str(due + 1_000)
    )
    assert wrong.returncode == 78
    follow(bench, listed, "--reason", REASON)
    wait_for(lambda: bench.triggers(), 60, "the trigger of the customer beside it")
    clock.close(START_MS + 80_000_000)
    bench.wait_published()
    assert [trigger["subject"] for trigger in bench.triggers()] == [beside]
    assert skips(bench) == [Skipped(TimerCause("shop/untimely", "abandoned-cart", due), REASON)]
    skips_total = 'shop_skips_total{cause="timer"}'
    wait_for(lambda: failing.metrics().get(skips_total) == 1, 60, "the skip to be counted")
    follow(bench, listed)
    assert_verified(bench)
    assert failing.stop() == 0


@pytest.mark.long
def test_a_crash_before_the_skip_is_committed_loses_and_doubles_nothing(
    bench: Bench, failing: WorkerProcess, log: Path
) -> None:
    failing.wait_recovered()
    fill(bench)
    listed = wait_paused(bench)
    failing.kill()
    follow(bench, listed, "--reason", REASON)
    crashes = ("before-commit", "before-commit:2", "after-commit", "after-produce", "after-trim")
    for spec in crashes:
        crashing = WorkerProcess(bench.settings, log, build="failing", HUITOU_CRASH=spec)
        assert crashing.wait() == 99, crashing.tail()
    healthy = WorkerProcess(bench.settings, log, build="failing")
    healthy.wait_recovered()
    bench.wait_processed(120)
    bench.wait_published()
    assert healthy.stop() == 0
    assert len(letters(bench)) == len(skips(bench)) == 1
    assert bench.counted("applied") == 24
    assert_verified(bench)


@pytest.mark.long
def test_a_word_given_ahead_holds_when_it_is_forced(bench: Bench, log: Path) -> None:
    fill(bench)
    number = str(home(bench, "anna"))
    place = (f"{bench.prefix}shop.clicks", int(number))
    offset = str(bench.published[place] - 3)
    refused = run_cli(bench.settings, "skip", "shop.clicks", number, offset)
    assert refused.returncode == 78
    assert "is not paused" in refused.stderr
    forced = run_cli(bench.settings, "skip", "shop.clicks", number, offset, "--force")
    assert forced.returncode == 0, forced.stderr
    outside = run_cli(bench.settings, "skip", "shop.clicks", number, "1000", "--force")
    assert outside.returncode == 78
    assert "holds offsets 0 to" in outside.stderr
    worker = WorkerProcess(bench.settings, log, build="failing")
    worker.wait_recovered()
    bench.wait_processed(120)
    bench.wait_published()
    assert worker.stop() == 0
    assert [letter["offset"] for letter in letters(bench)] == [int(offset)]
    assert_verified(bench)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shop.clicks", "3"], "TOPIC PARTITION OFFSET"),
        (["shop.clicks", "three", "1"], "TOPIC PARTITION OFFSET"),
        (["shop.lunch", "3", "1"], "none of the topics"),
        (["shop.clicks", "8", "1"], "from 0 to 7"),
        (["--timer", "anna", "abandoned-cart", "1"], "SHOP/CUSTOMER"),
        (["shop.clicks", "3", "1", "--timer", "s/a", "abandoned-cart", "1"], "not both"),
    ],
)
def test_wrong_use(settings: Settings, arguments: list[str], said: str) -> None:
    done = run_cli(settings, "skip", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
