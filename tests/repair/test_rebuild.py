"""A rebuild restores Redis, byte for byte, from whatever is left of the log, and sends nothing."""

import json
from pathlib import Path

import pytest

from schemas.catalogue import CUSTOMER_TOPICS, DEADLETTERS, JOURNAL, TRIGGERS
from streams.cli.endings import EXIT_REFUSED
from streams.engine.log import LogReader
from tests.engine.harness import Bench, WorkerProcess, moment, run_cli
from tests.engine.scenario import ShopDay
from tests.repair.conftest import PATIENCE, empty_redis, redis_content
from tests.verify.kafka_log import delete_before

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

#: All topics whose beginnings retention takes.
KEPT_FOR_A_TIME = (*CUSTOMER_TOPICS, JOURNAL, TRIGGERS, DEADLETTERS)


def huitou(bench: Bench, *arguments: str | Path) -> str:
    """Standard output of a command that ends well."""
    done = run_cli(bench.settings, *map(str, arguments), timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refused(bench: Bench, *arguments: str | Path) -> str:
    """What a command says that refuses, and that Redis is as it was."""
    before = redis_content(bench)
    done = run_cli(bench.settings, *map(str, arguments), timeout=300)
    assert done.returncode == EXIT_REFUSED, done.stdout + done.stderr
    assert redis_content(bench) == before
    return done.stderr


def ends(bench: Bench) -> dict[tuple[str, int], int]:
    with LogReader(bench.settings.kafka_bootstrap) as log:
        return log.high_watermarks(
            (bench.prefix + topic, number)
            for topic in KEPT_FOR_A_TIME
            for number in range(bench.settings.partitions)
        )


def lose_everything_before(bench: Bench, offsets: dict[tuple[str, int], int]) -> None:
    for (topic, number), offset in offsets.items():
        delete_before(bench.settings.kafka_bootstrap, topic, number, offset)


def after_the_day(bench: Bench, log: Path) -> None:
    """A worker finds nothing to recover and goes on."""
    worker = WorkerProcess(bench.settings, log)
    try:
        worker.wait_recovered(PATIENCE)
        recovered = {
            series: value
            for series, value in worker.metrics().items()
            if series.startswith("shop_recoveries_total") and value
        }
        assert recovered == {'shop_recoveries_total{case="current"}': bench.settings.partitions}
        bench.send("shop.clicks", "anna", {"action": "view"}, id="later", time=moment(90_000))
        bench.flush()
        bench.wait_processed(PATIENCE)
        bench.wait_published(PATIENCE)
        assert worker.stop() == 0
    finally:
        worker.kill()


def test_from_the_archive_alone(bench: Bench, day: ShopDay, tmp_path: Path) -> None:
    """Kafka has nothing left of the day but where it ended."""
    archive = tmp_path / "archive"
    before, published, end = redis_content(bench), bench.triggers(), ends(bench)
    huitou(bench, "archive", "--to", archive)
    lose_everything_before(bench, end)
    assert "retention removed" in refused(bench, "rebuild", "--yes")
    empty_redis(bench)
    done = huitou(bench, "rebuild", "--yes", "--json", "--archive", archive)
    rebuilt = [json.loads(line) for line in done.splitlines()]
    assert sum(each["events"] for each in rebuilt) == sum(bench.published.values())
    assert {each["case"] for each in rebuilt} == {"replayed"}
    assert redis_content(bench) == before
    assert len(published) == len(day.expected)
    huitou(bench, "verify", "--archive", archive)
    after_the_day(bench, tmp_path / "later.log")
    assert bench.triggers() == []  # all of the day's are in the archive, none was sent again
    huitou(bench, "verify", "--archive", archive)


def test_from_a_snapshot_whose_past_is_lost(bench: Bench, tmp_path: Path) -> None:
    """Morning, snapshot; the morning's log is lost; evening. Snapshot and topics give it all."""
    day = ShopDay(bench, customers=40)
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    archive, snapshots = tmp_path / "archive", tmp_path / "snapshots"
    try:
        day.morning()
        bench.wait_processed(PATIENCE)
        bench.wait_published(PATIENCE)
        morning = ends(bench)
        huitou(bench, "snapshot", "--to", snapshots)
        day.evening()
        bench.wait_processed(PATIENCE)
        bench.wait_published(PATIENCE)
        assert worker.stop() == 0
    finally:
        worker.kill()
    bench.wait_published(PATIENCE)
    before, triggers = redis_content(bench), bench.triggers()
    assert len(triggers) == len(day.expected)
    huitou(bench, "archive", "--to", archive)
    # What the evening's commits need begins before the morning's end: the last rows of the morning tell
    # the chain, so those stay.
    lose_everything_before(
        bench, {place: at for place, at in morning.items() if not place[0].endswith(JOURNAL)}
    )
    left = bench.triggers()
    assert "retention removed" in refused(bench, "rebuild", "--yes")
    empty_redis(bench)
    said = huitou(bench, "rebuild", "--yes", "--from-snapshot", snapshots)
    assert "from snapshot of seq" in said
    assert redis_content(bench) == before
    assert bench.triggers() == left
    huitou(bench, "verify", "--archive", archive)
    # From both: the morning's part of the journal is lost too.
    lose_everything_before(bench, ends(bench))
    assert "no snapshot fits" in refused(bench, "rebuild", "--yes", "--from-snapshot", snapshots)
    empty_redis(bench)
    huitou(
        bench, "rebuild", "--yes", "--from-snapshot", snapshots, "--archive", archive,
        "--processes", "2",
    )  # fmt: skip
    assert redis_content(bench) == before
    huitou(bench, "verify", "--archive", archive)
    after_the_day(bench, tmp_path / "later.log")
    assert bench.triggers() == []
    huitou(bench, "verify", "--archive", archive)
