"""Verify across an upgrade: what another build published stands, and is held against what it wrote down."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.catalogue import DECISIONS, JOURNAL, TRIGGERS
from schemas.journal import decode_row
from streams.engine.engine import EXIT_DOUBT
from streams.settings import Settings
from streams.topics import create_topics
from streams.verify.verify import verify
from tests.conftest import settings_of
from tests.engine.harness import Bench, WorkerProcess, run_cli
from tests.engine.odd_builds import OTHER_BUILD, OTHER_VALUE
from tests.engine.scenario import ShopDay
from tests.verify.damage import DAMAGED, Rewritable, altered, check, differences, name_of
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]


class Kept:
    """A worker of a build, started again if it ends in doubt: on a busy machine a transaction times out."""

    def __init__(self, settings: Settings, log: Path, build: str) -> None:
        self._start = lambda: WorkerProcess(settings, log, build=build)
        self.worker = self._start()

    def until(self, done: Callable[[], bool], what: str) -> None:
        def look() -> bool:
            if self.worker.process.poll() == EXIT_DOUBT:
                self.worker = self._start()
            return done()

        wait_for(look, 180, what)


@pytest.fixture(scope="module")
def day(kafka: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> ShopDay:
    """The morning is another build's, with other coupons; the evening is this one's."""
    fresh = settings_of(kafka, redis_url, f"v{secrets.token_hex(5)}.")
    create_topics(fresh)
    worker_log = tmp_path_factory.mktemp("worker") / "log"
    shop_day = ShopDay(Bench(fresh), customers=60, withdrawing=2)
    bench = shop_day.bench
    halves = (("other", shop_day.morning, shop_day.customers // 2), ("", shop_day.evening, 0))
    for build, send, least in halves:
        kept = Kept(fresh, worker_log, build)
        try:
            if build:
                shop_day.withdraw()
                kept.until(lambda: bench.processed() >= sum(bench.published.values()), "consents")
            send()
            wanted = least or len(shop_day.expected)
            kept.until(lambda: bench.processed() >= sum(bench.published.values()), "all events")
            kept.until(lambda wanted=wanted: len(bench.triggers()) >= wanted, "the triggers")  # type: ignore[misc]
            bench.wait_published(60)
            assert kept.worker.stop() == 0
            bench.wait_published(60)
        finally:
            kept.worker.kill()
    return shop_day


@pytest.fixture
def triggers(day: ShopDay) -> Iterator[Rewritable]:
    topic = Rewritable(day.bench.settings, TRIGGERS)
    yield topic
    topic.mend()


@pytest.fixture
def refusals(day: ShopDay) -> Iterator[Rewritable]:
    topic = Rewritable(day.bench.settings, DECISIONS)
    yield topic
    topic.mend()


def is_other(record: tuple[bytes | None, bytes]) -> bool:
    return f'"value":{OTHER_VALUE}'.encode() in record[1]


def row_of(day: ShopDay, record: tuple[bytes | None, bytes]) -> str:
    """The journal row that issued a trigger, as verify names it; checks whose it is."""
    seq = int(record[1].split(b'"seq":')[1].split(b",")[0].rstrip(b"}"))
    journal = Rewritable(day.bench.settings, JOURNAL)
    assert decode_row(journal.records[seq - 1][1]).build == OTHER_BUILD
    return f"seq {seq}"


def first_other(triggers: Rewritable) -> int:
    return next(at for at, record in enumerate(triggers.records) if is_other(record))


def test_rows_of_both_builds_agree(day: ShopDay) -> None:
    report = verify(day.bench.settings)
    assert report.differences == []
    assert 0 < report.adopted < report.journal.compared
    assert report.triggers.compared == len(day.expected)
    assert report.decisions.compared == len(day.refused)
    done = run_cli(day.bench.settings, "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{report.adopted} adopted rows" in done.stdout
    assert "All agree." in done.stdout


def test_a_missing_trigger_of_the_other_build_is_found(day: ShopDay, triggers: Rewritable) -> None:
    at = first_other(triggers)
    triggers.replace([*triggers.records[:at], *triggers.records[at + 1 :]])
    report = check(day)
    found = differences(report)
    assert ("journal", "different", row_of(day, triggers.records[at])) in found
    assert "one is missing, extra or altered" in report.differences[0].detail
    assert not report.agree


def test_an_extra_trigger_of_the_other_build_is_found(day: ShopDay, triggers: Rewritable) -> None:
    at = first_other(triggers)
    planted = altered(triggers.records[at], lambda event: event.update(id="stranger"))
    triggers.replace([*triggers.records[: at + 1], planted, *triggers.records[at + 1 :]])
    assert ("journal", "different", row_of(day, triggers.records[at])) in differences(check(day))
    triggers.replace([*triggers.records, planted])
    assert ("journal", "different", row_of(day, triggers.records[at])) in differences(check(day))


def test_a_trigger_of_the_other_build_that_was_published_twice_is_found(
    day: ShopDay, triggers: Rewritable
) -> None:
    again = triggers.records[first_other(triggers)]
    triggers.replace([*triggers.records, again])
    found = differences(check(day))
    assert ("trigger", "extra", name_of(again)) in found
    assert ("journal", "different", row_of(day, again)) in found


@pytest.mark.parametrize("done", ["missing", "altered", "doubled", "reordered"])
def test_a_refusal_of_the_other_build_that_is_not_as_it_was_is_found(
    day: ShopDay, refusals: Rewritable, done: str
) -> None:
    """Refusals of one row come in their order, so the last two of the morning's first row are looked at."""
    first, second, *others = refusals.records
    same = [row_of(day, record) for record in (first, second)]
    changed = {
        "missing": [second, *others],
        "altered": [altered(first, lambda event: event["data"].update(reason="mood")), second, *others],
        "doubled": [first, first, second, *others],
        "reordered": [second, first, *others],
    }[done]  # fmt: skip
    refusals.replace(changed)
    found = differences(check(day))
    if done == "reordered" and same[0] != same[1]:
        assert found == [], "each row has its own refusals, in whatever order the rows' lie"
        return
    assert ("journal", "different", same[0]) in found


@pytest.mark.parametrize("field", ["value", "code", "key"])
def test_a_changed_trigger_of_the_other_build_is_found(
    day: ShopDay, triggers: Rewritable, field: str
) -> None:
    at = first_other(triggers)
    record = triggers.records[at]
    if field == "key":
        changed = (b"another", record[1])
    else:
        planted = {"value": 99, "code": "GUESSED"}[field]
        changed = altered(record, lambda event: event["data"]["offer"].update({field: planted}))
    triggers.replace([*triggers.records[:at], changed, *triggers.records[at + 1 :]])
    found = differences(check(day))
    if field == "code":
        assert found == [("trigger", "different", name_of(record))]
    else:
        assert found == [("journal", "different", row_of(day, record))]


def test_a_missing_trigger_of_this_build_is_found_as_before(
    day: ShopDay, triggers: Rewritable
) -> None:
    at = next(at for at, record in enumerate(triggers.records) if not is_other(record))
    triggers.replace([*triggers.records[:at], *triggers.records[at + 1 :]])
    assert differences(check(day)) == [("trigger", "missing", name_of(triggers.records[at]))]


def test_an_altered_state_is_found(day: ShopDay) -> None:
    keys = day.bench.store.keys(DAMAGED)
    key = next(iter(day.bench.redis.scan_iter(match=f"{keys.state_base}*")))
    before = day.bench.redis.getset(key, b"no state")
    try:
        assert [found[:2] for found in differences(check(day))] == [("state", "different")]
    finally:
        day.bench.redis.set(key, before)
    assert check(day).agree
