"""A rebuild restores Redis, byte for byte, from whatever is left of the log, and sends nothing."""

from pathlib import Path

import pytest

from schemas.catalogue import CUSTOMER_TOPICS, DEADLETTERS, JOURNAL, TRIGGERS
from streams.archive.archiver import archive
from streams.engine.log import LogReader
from streams.repair.estimate import estimate
from streams.repair.rebuild import Rebuilt, rebuild
from streams.repair.refused import RepairRefused
from streams.repair.snapshot import snapshot
from streams.verify.verify import verify
from tests.engine.harness import Bench, WorkerProcess, moment
from tests.engine.scenario import ShopDay
from tests.repair.conftest import PATIENCE, empty_redis, finish, redis_content
from tests.verify.kafka_log import delete_before

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

#: All topics whose beginnings retention takes.
KEPT_FOR_A_TIME = (*CUSTOMER_TOPICS, JOURNAL, TRIGGERS, DEADLETTERS)


def silent(*_: object) -> None:
    """No progress is shown."""


def rebuilt(bench: Bench, **options: object) -> list[Rebuilt]:
    """Rebuilds all partitions."""
    numbers = list(range(bench.settings.partitions))
    return list(rebuild(bench.settings, numbers, **options))  # type: ignore[arg-type]


def refusal(bench: Bench, **options: object) -> str:
    """What a rebuild says that refuses, and that Redis is as it was."""
    before = redis_content(bench)
    with pytest.raises(RepairRefused) as caught:
        rebuilt(bench, **options)
    assert redis_content(bench) == before
    return str(caught.value)


def assert_verified(bench: Bench, archived: Path | None = None) -> None:
    report = verify(bench.settings, archive=archived)
    assert report.agree, report.differences
    assert report.states.compared > 0


def ends(bench: Bench) -> dict[tuple[str, int], int]:
    with LogReader(bench.settings.kafka_bootstrap) as log:
        return log.high_watermarks(
            (bench.prefix + topic, number)
            for topic in KEPT_FOR_A_TIME
            for number in range(bench.settings.partitions)
        )


def lose_everything_before(bench: Bench, offsets: dict[tuple[str, int], int]) -> None:
    """As retention does, all at once."""
    for (topic, number), offset in offsets.items():
        delete_before(bench.settings.kafka_bootstrap, topic, number, offset)


def assert_a_worker_goes_on(bench: Bench, log: Path) -> None:
    """It finds nothing to recover, and processes what comes."""
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
    bench.wait_published(PATIENCE)


def test_from_the_archive_alone(
    bench: Bench, day: ShopDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka has nothing left of the day but where it ended; another build takes its triggers over."""
    root = tmp_path / "archive"
    before, published = redis_content(bench), bench.triggers()
    assert len(published) == len(day.expected)
    list(archive(bench.settings, root, silent))
    lose_everything_before(bench, ends(bench))
    assert "lacks seq 1, the first to be folded" in refusal(bench)
    empty_redis(bench)
    done = rebuilt(bench, archive=root)
    assert sum(each.events for each in done) == sum(bench.published.values())
    assert {each.case for each in done} == {"replayed"}
    assert redis_content(bench) == before
    assert_verified(bench, root)
    # A build is named by the sources that run, which are these.
    with monkeypatch.context() as another:
        another.setattr("streams.repair.rebuild.build", lambda: "another build")
        assert {each.case for each in rebuilt(bench, archive=root)} == {"adopted"}
    assert redis_content(bench) == before
    assert_a_worker_goes_on(bench, tmp_path / "later.log")
    assert bench.triggers() == []  # the day's are in the archive alone: none was sent again
    assert_verified(bench, root)


def test_from_a_snapshot_and_the_log_behind_it(bench: Bench, tmp_path: Path) -> None:
    """The morning is in the snapshot and lost in the topics; the evening is in the topics, then archived."""
    root, snapshots = tmp_path / "archive", tmp_path / "snapshots"
    day = ShopDay(bench, customers=40)
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    numbers = list(range(bench.settings.partitions))
    try:
        day.morning()
        bench.wait_processed(PATIENCE)
        bench.wait_published(PATIENCE)
        list(snapshot(bench.settings, snapshots, numbers, silent))
        morning = ends(bench)
        day.evening()
        finish(day)
        assert worker.stop() == 0
    finally:
        worker.kill()
    bench.wait_published(PATIENCE)
    before = redis_content(bench)
    list(archive(bench.settings, root, silent))
    # The journal keeps a row more than the snapshot has: that one names the chain before it.
    journal = bench.prefix + JOURNAL
    lose_everything_before(bench, {p: at for p, at in morning.items() if p[0] != journal})
    left = bench.triggers()
    assert "retention removed them" in refusal(bench)
    empty_redis(bench)
    done = rebuilt(bench, snapshots=snapshots)
    assert all(each.from_seq for each in done)
    assert sum(each.events for each in done) < sum(bench.published.values())
    assert redis_content(bench) == before
    assert bench.triggers() == left
    assert_verified(bench, root)
    # Now the evening too: snapshot and archive together, two partitions at a time.
    lose_everything_before(bench, ends(bench))
    assert "the journal no longer has seq" in refusal(bench, snapshots=snapshots)
    reckoned = estimate(bench.settings, numbers, snapshots, root)
    assert reckoned.rows == sum(each.rows for each in done)
    assert reckoned.snapshot_bytes == sum(each.loaded_bytes for each in done)
    assert reckoned.sampled_rows > 0
    assert redis_content(bench) == before
    empty_redis(bench)
    rebuilt(bench, snapshots=snapshots, archive=root, processes=2)
    assert redis_content(bench) == before
    assert_a_worker_goes_on(bench, tmp_path / "later.log")
    assert bench.triggers() == []
    assert_verified(bench, root)


class CutShort(Exception):
    """The rebuild ends here."""


def test_one_that_was_cut_short_is_finished_by_a_worker_or_run_again(
    bench: Bench, day: ShopDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, triggers = redis_content(bench), bench.triggers()
    # A day has fewer commits than are gathered: without this nothing is written before the cut. No caller
    # but this one would ever give another number.
    monkeypatch.setattr("streams.repair.bulk_store.WRITE_COMMITS", 1)

    def cut(number: int, rows: int, _: int) -> None:
        if number == 3 and rows == 1:  # of at least two: a morning and an evening
            raise CutShort

    with pytest.raises(CutShort):
        rebuilt(bench, progress=cut)
    assert bench.store.stored(3).position.seq == 1
    assert redis_content(bench) != before
    list(rebuild(bench.settings, [3]))
    assert redis_content(bench) == before
    with pytest.raises(CutShort):
        rebuilt(bench, progress=cut)
    worker = WorkerProcess(bench.settings, tmp_path / "later.log")
    try:
        worker.wait_recovered(PATIENCE)
        assert worker.metrics()['shop_recoveries_total{case="replayed"}'] == 1
        assert worker.stop() == 0
    finally:
        worker.kill()
    bench.wait_published(PATIENCE)
    assert bench.triggers() == triggers
    assert_verified(bench)


def test_an_empty_group_is_adopted_first(bench: Bench, day: ShopDay) -> None:
    """Nothing says what was published: a rebuild would restore nothing, and must not wipe."""
    bench.settings.group += "anew"
    assert "run `huitou group adopt` first" in refusal(bench)
