"""What the commands print, and the exit codes that scripts go by."""

import json
from pathlib import Path

import pytest

from schemas.catalogue import CARTS, CLICKS
from streams.archive.layout import files_of
from streams.cli.endings import EXIT_FOUND, EXIT_REFUSED, EXIT_USAGE
from streams.settings import Settings
from streams.topics import create_topics
from tests.engine.harness import run_cli
from tests.verify.kafka_log import LogWriter, delete_before

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture
def made(settings: Settings) -> Settings:
    """A stack with its topics, in which nothing was ever processed."""
    settings.partitions = 2
    create_topics(settings)
    return settings


def huitou(settings: Settings, *arguments: str | Path, code: int = 0) -> tuple[str, str]:
    done = run_cli(settings, *map(str, arguments), timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout, done.stderr


def test_archive(made: Settings, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    name = made.topic_prefix + CLICKS
    LogWriter(made.kafka_bootstrap).plain(name, [b"1", b"2", b"3"])
    out, _ = huitou(made, "archive", "--to", root, "--topic", CLICKS, "--topic", CARTS, "--json")
    parts = json.loads(out)["partitions"]
    assert {part["topic"] for part in parts} == {name, made.topic_prefix + CARTS}
    assert sum(part["records"] for part in parts) == 3
    out, _ = huitou(made, "archive", "--to", root)
    assert "0 records (0.0 MB) archived" in out
    out, _ = huitou(made, "archive", "--to", root, "--check")
    assert "3 records in 1 files" in out
    _, err = huitou(made, "archive", "--to", root, "--topic", "shop.clock", code=EXIT_USAGE)
    assert "shop.clock is not archived" in err
    LogWriter(made.kafka_bootstrap).plain(name, [b"4", b"5"])
    delete_before(made.kafka_bootstrap, name, 0, 4)
    _, err = huitou(made, "archive", "--to", root, code=EXIT_REFUSED)
    assert "[3, 4) would be a hole" in err
    (file,) = files_of(root, name, 0)
    file.path.write_bytes(file.path.read_bytes()[:-1])
    out, _ = huitou(made, "archive", "--to", root, "--check", "--json", code=EXIT_FOUND)
    (damage,) = json.loads(out)["damages"]
    assert file.path.name in damage


def test_snapshot_and_rebuild_of_a_stack_without_a_past(made: Settings, tmp_path: Path) -> None:
    snapshots = tmp_path / "snapshots"
    out, _ = huitou(made, "snapshot", "--to", snapshots, "--json")
    assert [part["path"] for part in json.loads(out)["partitions"]] == [None, None]
    assert "0 events in 0 commits to fold" in huitou(made, "rebuild", "--dry-run")[0]
    assert "2 partitions in " in huitou(made, "rebuild", "--yes")[0]
    _, err = huitou(made, "snapshot", "--to", snapshots, "--partition", "2", code=EXIT_USAGE)
    assert "they go from 0 to 1" in err
    huitou(made, "rebuild", "--yes", "--from-snapshot", tmp_path / "none", code=EXIT_USAGE)
