"""A snapshot taken under way is what folding the log to its commit gives, and only a fitting one is used."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from streams.archive.logs import Logs
from streams.bootstrap import processors
from streams.definitions_reader import DefinitionsReader
from streams.domain.timers import next_due
from streams.engine.topicnames import TopicNames
from streams.repair.plan import Plan, make_plans
from streams.repair.refused import RepairRefused
from streams.repair.snapshot import Taken, snapshot
from streams.repair.snapshot_days import stored_day
from streams.repair.snapshot_file import (
    Header,
    Kept,
    SnapshotDamaged,
    blocks,
    check,
    days,
    read_header,
    snapshots_of,
    write,
)
from streams.settings import Settings
from streams.state.codec import CODEC_VERSION, encode
from streams.topics import create_topics
from streams.verify.replay import Replay
from streams.verify.report import Report
from tests.conftest import settings_of
from tests.engine.harness import Bench, WorkerProcess, moment
from tests.engine.scenario import ShopDay
from tests.repair.conftest import PATIENCE, finish
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


class Restless:
    """Lets the worker commit between two batches of a snapshot, one step a batch."""

    def __init__(self, bench: Bench, steps: list[Callable[[], None]]) -> None:
        self._bench = bench
        self._steps = iter(steps)

    def __call__(self, partition: int, states: int) -> None:
        step = next(self._steps, None)
        if step is not None:
            before = self._bench.store.stored(partition).position.seq
            step()
            self._bench.wait_processed(PATIENCE)
            wait_for(
                lambda: self._bench.store.stored(partition).position.seq > before,
                PATIENCE,
                f"a commit after {states} states",
            )


def folded(settings: Settings, header: Header) -> Replay:
    """The partition folded again from its beginning, as verify does it, up to the snapshot's commit."""
    topics, logs, report = (
        TopicNames.of(settings.topic_prefix),
        Logs(settings.kafka_bootstrap),
        Report(),
    )
    definitions = DefinitionsReader(settings)
    definitions.start()
    try:
        with logs.reader() as rows, logs.reader() as reader, logs.along() as along:
            processor = processors(settings, topics)[header.partition]
            replay = Replay(processor, topics, definitions, along, reader, report)
            for stored in rows.read_rows(topics.journal, header.partition, 1, header.seq):
                replay.apply(stored)
    finally:
        definitions.stop()
    assert report.agree, report.differences
    return replay


def assert_is_as_folded(settings: Settings, path: Path) -> None:
    check(path)
    header = read_header(path)
    replay = folded(settings, header)
    assert header.chain == replay.position.chain
    entries = {key: (state, due) for block in blocks(path) for key, state, due in block}
    expected = {key: (encode(state), next_due(state)) for key, state in replay.states.items()}
    assert entries == expected
    assert {key: due for key, (_, due) in entries.items() if due is not None} == replay.timers
    assert header.vector == replay.vector
    aggregates = {place: stored_day(day) for place, day in replay.aggregates.days.items()}
    assert aggregates
    assert dict(days(path)) == aggregates
    counts = {f"count:{topic}:{kind}": n for (topic, kind), n in replay.counts.items()}
    assert {n: int(v) for n, v in header.meta.items() if n.startswith("count:")} == counts
    assert not {"epoch", "member", "trimmed"} & set(header.meta)
    assert (header.states, header.timers) == (len(expected), len(replay.timers))


def test_taken_while_the_worker_goes_on(settings: Settings, tmp_path: Path) -> None:
    """Between the batches: known customers come again, new ones come, timers fire, in both halves."""
    settings.partitions, settings.session_timeout = 1, 6.0
    create_topics(settings)
    bench = Bench(settings)
    day = ShopDay(bench, customers=40)
    worker = WorkerProcess(settings, tmp_path / "worker.log")

    def views(round_: int) -> Callable[[], None]:
        def send() -> None:
            for number in range(0, 60, 3):
                name, view = f"c{number:03d}", {"action": "view", "sku": f"r{round_}"}
                time = moment(100 + round_)
                bench.send("shop.clicks", name, view, id=f"{name}-r{round_}", time=time)
            bench.flush()

        return send

    try:
        day.morning()
        bench.wait_processed(PATIENCE)
        restless = Restless(bench, [views(0), day.evening, views(1), views(2)])
        (taken,) = snapshot(settings, tmp_path / "s", [0], restless, batch=7)
        bench.wait_processed(PATIENCE)
        bench.wait_published(PATIENCE)
        assert worker.stop() == 0
    finally:
        worker.kill()
    assert taken.redone >= 4
    assert taken.path is not None
    assert_is_as_folded(settings, Path(taken.path))
    bench.wait_published(PATIENCE)
    # At rest nothing has to be folded, and a second one is the first one.
    (rest,) = snapshot(settings, tmp_path / "s", [0], lambda *_: None)
    assert (rest.redone, rest.kept) == (0, rest.seq == taken.seq)
    assert rest.path is not None
    assert_is_as_folded(settings, Path(rest.path))
    content = Path(rest.path).read_bytes()
    (again,) = snapshot(settings, tmp_path / "s", [0], lambda *_: None)
    assert again.kept
    (elsewhere,) = snapshot(settings, tmp_path / "t", [0], lambda *_: None)
    assert elsewhere.path is not None
    assert Path(elsewhere.path).read_bytes() == content


class Shelf:
    """Two good snapshots of partition 0, taken at noon and in the evening."""

    def __init__(self, settings: Settings, root: Path, taken: list[Taken]) -> None:
        self.settings = settings
        self.root = root
        self.noon, self.evening = (Path(each.path or "") for each in taken)

    def plan(self, root: Path) -> Plan:
        with Logs(self.settings.kafka_bootstrap).reader() as log:
            (plan,) = make_plans(self.settings, log, [0], root)
        return plan

    def refusal(self, root: Path) -> str:
        with pytest.raises(RepairRefused, match="no snapshot fits") as caught:
            self.plan(root)
        return str(caught.value)

    def forged(self, root: Path, **changes: object) -> Path:
        """The evening's snapshot with another header."""
        header = msgspec.structs.replace(read_header(self.evening), **changes)
        entries = {
            key: Kept(header.seq, state, due)
            for block in blocks(self.evening)
            for key, state, due in block
        }
        return write(root, header, entries, days(self.evening))


@pytest.fixture(scope="module")
def shelf(kafka: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    settings = settings_of(kafka, redis_url, f"s{secrets.token_hex(5)}.")
    settings.partitions, settings.session_timeout = 1, 6.0
    create_topics(settings)
    bench, folder = Bench(settings), tmp_path_factory.mktemp("shelf")
    worker = WorkerProcess(settings, folder / "worker.log")
    try:
        day = ShopDay(bench, customers=10)
        day.morning()
        bench.wait_processed(PATIENCE)
        taken = list(snapshot(settings, folder, [0], lambda *_: None))
        day.evening()
        finish(day)
        assert worker.stop() == 0
        bench.wait_published(PATIENCE)
        taken += snapshot(settings, folder, [0], lambda *_: None)
        assert taken[0].seq < taken[1].seq
        yield Shelf(settings, folder, taken)
    finally:
        worker.kill()


def test_the_newest_is_chosen(shelf: Shelf) -> None:
    assert [file.path for file in snapshots_of(shelf.root, 0)] == [shelf.evening, shelf.noon]
    plan = shelf.plan(shelf.root)
    assert (plan.path, plan.rows, plan.events, plan.passed_over) == (shelf.evening, 0, 0, ())


def test_another_lineage_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    shelf.forged(tmp_path, chain=bytes(15) + b"\x01")
    assert "another lineage" in shelf.refusal(tmp_path)


def test_one_ahead_of_what_was_published_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    shelf.forged(tmp_path, seq=1_000)
    assert "it is of seq 1000" in shelf.refusal(tmp_path)


def test_a_newer_encoding_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    shelf.forged(tmp_path, codec=CODEC_VERSION + 1)
    assert f"encoding {CODEC_VERSION + 1}" in shelf.refusal(tmp_path)


def test_one_of_another_partition_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    path = shelf.forged(tmp_path, partition=3)
    path.parent.rename(tmp_path / "partition=0")
    assert "it is of partition 3" in shelf.refusal(tmp_path)


@pytest.mark.parametrize("place", ["first", "header", "states", "last", "short"])
def test_a_damaged_one_is_refused(shelf: Shelf, tmp_path: Path, place: str) -> None:
    path = shelf.forged(tmp_path)
    content = bytearray(path.read_bytes())
    at = {"first": 0, "header": 60, "states": len(content) // 2, "last": -1, "short": 0}[place]
    content[at] ^= 0 if place == "short" else 1
    path.write_bytes(content[:-40] if place == "short" else content)
    assert path.name in shelf.refusal(tmp_path)
    with pytest.raises(SnapshotDamaged):
        check(path)


def test_an_older_one_is_taken_where_newer_ones_do_not_fit(shelf: Shelf, tmp_path: Path) -> None:
    noon = tmp_path / "partition=0" / shelf.noon.name
    noon.parent.mkdir()
    noon.write_bytes(shelf.noon.read_bytes())
    damaged = shelf.forged(tmp_path)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    newer = shelf.forged(tmp_path, seq=5_000, codec=CODEC_VERSION + 1)
    plan = shelf.plan(tmp_path)
    assert plan.path == noon
    assert plan.rows == read_header(shelf.evening).seq - read_header(noon).seq
    assert len(plan.passed_over) == 2
    assert newer.name in plan.passed_over[0]
    assert damaged.name in plan.passed_over[1]


def test_there_is_none(shelf: Shelf, tmp_path: Path) -> None:
    assert f"{tmp_path} has none of it" in shelf.refusal(tmp_path)
