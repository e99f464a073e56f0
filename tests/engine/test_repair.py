"""What an operator runs after a worker has refused, and that it makes the stack whole again."""

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from streams.engine.engine import EXIT_REFUSED
from tests.engine.harness import Bench, WorkerProcess, moment, run_cli
from tests.engine.scenario import ShopDay
from tests.waiting import wait_for


@pytest.fixture
def day(bench: Bench, tmp_path: Path) -> ShopDay:
    """A day that a worker has done, and left."""
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    day = ShopDay(bench, customers=30)
    day.morning()
    day.evening()
    bench.wait_processed()
    wait_for(lambda: len(bench.triggers()) == len(day.expected), 60, "all triggers")
    bench.wait_published()
    assert worker.stop() == 0
    bench.wait_published()
    return day


def test_an_emptied_redis_is_rebuilt(bench: Bench, day: ShopDay, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    before = _values(bench)
    for key in bench.redis.scan_iter(match=f"{bench.settings.redis_prefix}*"):
        bench.redis.delete(key)
    refused = WorkerProcess(bench.settings, log)
    assert refused.wait() == EXIT_REFUSED
    rebuilt = run_cli(bench.settings, "rebuild", "--yes")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert "partition 7: " in rebuilt.stdout
    assert _values(bench) == before
    _assert_goes_on(bench, day, log)


def test_one_partition_is_rebuilt_and_the_others_are_left(bench: Bench, day: ShopDay) -> None:
    before = _values(bench)
    bench.redis.hset(bench.store.keys(3).meta, "chain", "ab" * 16)
    rebuilt = run_cli(bench.settings, "rebuild", "--partition", "3", "--json")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert rebuilt.stdout.count("\n") == 1
    assert _values(bench) == before
    day.assert_exactly_once()


def test_a_group_made_anew_is_adopted(bench: Bench, day: ShopDay, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    _delete_group(bench)
    refused = WorkerProcess(bench.settings, log)
    assert refused.wait() != 0
    refused.kill()
    bench.wait_no_members()
    adopted = run_cli(bench.settings, "group", "adopt")
    assert adopted.returncode == 0, adopted.stderr
    _assert_goes_on(bench, day, log)


def test_nothing_is_repaired_under_running_workers(bench: Bench, tmp_path: Path) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    worker.wait_recovered()
    for command in (["rebuild", "--yes"], ["group", "adopt"]):
        result = run_cli(bench.settings, *command)
        assert result.returncode == EXIT_REFUSED
        assert "stop all workers" in result.stderr
    assert worker.stop() == 0


def test_a_partition_that_does_not_exist(bench: Bench) -> None:
    result = run_cli(bench.settings, "rebuild", "--yes", "--partition", "8")
    assert result.returncode == 2
    assert "from 0 to 7" in result.stderr


def _assert_goes_on(bench: Bench, day: ShopDay, log: Path) -> None:
    """The next worker processes what comes, and the day before it is whole."""
    worker = WorkerProcess(bench.settings, log)
    worker.wait_recovered()
    bench.send("shop.clicks", "anna", {"action": "view"}, id="later", time=moment(90_000))
    bench.flush()
    bench.wait_processed()
    bench.wait_published()
    assert worker.stop() == 0
    day.assert_exactly_once()


def _values(bench: Bench) -> dict[bytes, object]:
    """States and timers by key."""
    found: dict[bytes, object] = {}
    for key in bench.redis.scan_iter(match=f"{bench.settings.redis_prefix}*", count=1_000):
        if b":state:" in key:
            found[key] = bench.redis.get(key)
        elif key.endswith(b":timers"):
            found[key] = bench.redis.zrange(key, 0, -1, withscores=True)
    return found


def _delete_group(bench: Bench) -> None:
    bench.wait_no_members()
    admin = AdminClient({"bootstrap.servers": bench.settings.kafka_bootstrap})
    admin.delete_consumer_groups([bench.settings.group])[bench.settings.group].result(60)
