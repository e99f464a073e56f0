"""`huitou sink --archive`: what retention has cut comes from the archive, once, and then the topics go on."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streams.cli.endings import EXIT_REFUSED
from streams.engine.log import LogReader
from streams.query.log import names_of
from streams.query.store import QueryStore, Stored
from streams.reports.reach import reach
from streams.settings import Settings
from streams.topics import create_topics
from tests.engine.harness import environment, run_cli
from tests.query.conftest import open_store
from tests.query.expected import ORDERS, Tables, expected
from tests.query.publishing import Shop
from tests.query.stored import content, differences
from tests.verify.kafka_log import delete_before

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PATIENCE = 180.0
on_sqlite = pytest.mark.parametrize("new_store", ["sqlite"], indirect=True)


@pytest.fixture
def made(settings: Settings, new_store: Callable[[], str]) -> Settings:
    """Topics, and a store that is not made."""
    settings.partitions = 2
    settings.session_timeout = 6.0
    settings.query_store = new_store()
    create_topics(settings)
    return settings


def archive(settings: Settings, root: Path) -> None:
    done = run_cli(settings, "archive", "--to", str(root), timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


def places(settings: Settings) -> list[tuple[str, int]]:
    return [
        (topic, number) for topic in names_of(settings) for number in range(settings.partitions)
    ]


def cut(settings: Settings, share: float = 1.0) -> dict[tuple[str, int], int]:
    """Remove the first ``share`` of every topic, as retention does; where they begin now."""
    with LogReader(settings.kafka_bootstrap) as log:
        ends = log.stable_ends(places(settings))
        for place, end in ends.items():
            delete_before(settings.kafka_bootstrap, *place, round(end * share))
        return dict(log.log_starts(places(settings)))


def sink(settings: Settings, *arguments: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """Run `huitou sink --once --json`: what it counted, and standard error."""
    done = run_cli(settings, "sink", "--once", "--json", *arguments, timeout=PATIENCE)
    assert done.returncode == code, done.stdout + done.stderr
    return (json.loads(done.stdout) if code == 0 else {}), done.stderr


def in_store(settings: Settings) -> tuple[Tables, dict[tuple[str, int], Stored]]:
    opened = open_store(str(settings.query_store))
    try:
        return content(opened), QueryStore(opened).offsets()
    finally:
        opened.close()


def since(settings: Settings) -> int | None:
    """From when on the store has all orders, as reports say it."""
    opened = open_store(str(settings.query_store))
    try:
        with opened.reading() as connection:
            return reach(connection).since_ms
    finally:
        opened.close()


def assert_whole(shop: Shop, settings: Settings) -> None:
    """The rows follow from all that was published, each record counted once from offset 0 on."""
    rows, offsets = in_store(settings)
    assert differences(expected(shop.published), rows) == []
    assert {part.first for part in offsets.values()} == {0}
    assert sum(part.records for part in offsets.values()) == len(shop.published) + shop.bad
    assert sum(part.passed_over for part in offsets.values()) == shop.bad
    assert since(settings) is None


def test_a_store_filled_from_the_archive_is_one_filled_from_the_whole_topics(
    made: Settings, new_store: Callable[[], str], tmp_path: Path
) -> None:
    shop = Shop(made, seed=31)
    shop.trade(300)
    sink(made)
    archive(made, tmp_path / "archive")
    begins = cut(made, share=0.6)
    assert sum(begins.values()) > 100
    shop.trade(100)
    sink(made)

    late = made.model_copy(update={"query_store": new_store()})
    counted, _ = sink(late, "--archive", str(tmp_path / "archive"))
    assert_whole(shop, late)
    assert counted["records"] == len(shop.published) + shop.bad
    cut_records = sum(one.place[2] < begins[one.place[:2]] for one in shop.published)
    assert cut_records <= counted["archived"] < counted["records"]
    (rows, offsets), (whole, undisturbed) = in_store(late), in_store(made)
    assert differences(whole, rows) == []
    assert offsets == undisturbed

    # Again there is nothing to do; and without an archive a store begins where the topics do.
    assert sink(late, "--archive", str(tmp_path / "archive"))[0]["records"] == 0
    without = made.model_copy(update={"query_store": new_store()})
    sink(without)
    assert {place: part.first for place, part in in_store(without)[1].items()} == begins
    assert since(without) is not None


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_in_the_archive_loses_and_doubles_nothing(
    made: Settings, tmp_path: Path, when: str
) -> None:
    shop = Shop(made, seed=32)
    shop.trade(200)
    root = tmp_path / "archive"
    archive(made, root)
    assert sum(cut(made).values()) > 100
    for occurrence in (1, 3, 2):
        struck = subprocess.run(
            [sys.executable, "-m", "tests.query.killed", "KILL", when, str(occurrence), str(root)],
            env=environment(made), capture_output=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert struck.returncode == -signal.SIGKILL, struck.stderr
    before = sum(part.records for part in in_store(made)[1].values())
    assert before < len(shop.published) + shop.bad
    assert before > 0
    counted, _ = sink(made, "--archive", str(root))
    assert counted["archived"] == len(shop.published) + shop.bad - before
    assert_whole(shop, made)


def test_two_sinks_fill_one_store_from_the_archive_at_once(made: Settings, tmp_path: Path) -> None:
    shop = Shop(made, seed=33)
    shop.trade(400)
    root = tmp_path / "archive"
    archive(made, root)
    cut(made)
    # Small batches, so that they meet; neither comes to its hundredth.
    command = [sys.executable, "-m", "tests.query.killed", "KILL", "after", "100000", str(root)]
    both = [
        subprocess.Popen(command, env=environment(made), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for each in both:
        said, _ = each.communicate(timeout=PATIENCE)
        assert each.returncode == 0, said
    assert_whole(shop, made)


@on_sqlite
def test_a_store_that_retention_has_overtaken_goes_on(made: Settings, tmp_path: Path) -> None:
    shop = Shop(made, seed=34)
    shop.trade(50)
    sink(made)
    shop.trade(100)
    archive(made, tmp_path / "archive")
    cut(made)
    _, said = sink(made, code=EXIT_REFUSED)
    assert "retention was faster; an archive of the topics helps (--archive)" in said
    counted, _ = sink(made, "--archive", str(tmp_path / "archive"))
    assert counted["archived"] == counted["records"] > 0
    assert_whole(shop, made)


@on_sqlite
def test_what_neither_has_is_named_and_nothing_is_written(made: Settings, tmp_path: Path) -> None:
    shop = Shop(made, seed=35)
    shop.trade(50)
    archive(made, tmp_path / "archive")
    shop.trade(50)
    cut(made)
    _, said = sink(made, "--archive", str(tmp_path / "archive"), code=EXIT_REFUSED)
    assert f"{made.topic_prefix}{ORDERS}[0]: offsets [" in said
    assert "are neither in the archive nor in the topic" in said
    assert in_store(made)[1] == {}


@on_sqlite
def test_an_archive_that_begins_before_the_store_is_refused(made: Settings, tmp_path: Path) -> None:
    shop = Shop(made, seed=36)
    shop.trade(50)
    archive(made, tmp_path / "archive")
    cut(made, share=0.5)
    sink(made)
    before = in_store(made)
    _, said = sink(made, "--archive", str(tmp_path / "archive"), code=EXIT_REFUSED)
    assert "the store begins at offset" in said
    assert "fill another store (--store)" in said
    assert in_store(made) == before


@on_sqlite
def test_an_archive_of_longer_topics_and_a_damaged_one_are_refused(
    made: Settings, tmp_path: Path
) -> None:
    shop = Shop(made, seed=37)
    shop.trade(50)
    root = tmp_path / "archive"
    archive(made, root)
    cut(made)
    folder = root / f"topic={made.topic_prefix}{ORDERS}" / "partition=0"
    (file,) = folder.glob("day=*/*.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    _, said = sink(made, "--archive", str(root), code=EXIT_REFUSED)
    assert "is damaged" in said
    file.write_bytes(whole)
    start, end = (int(number) for number in file.stem.split("-"))
    file.rename(file.with_name(f"{start:020d}-{end + 10_000:020d}.parquet"))
    _, said = sink(made, "--archive", str(root), code=EXIT_REFUSED)
    assert "it was made anew, or" in said
