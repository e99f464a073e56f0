"""The archive holds every byte that can be read of the topics, whatever ends a run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas.catalogue import CARTS, CLICKS, TRIGGERS
from schemas.decoding import RawRecord
from streams.archive.archiver import archive
from streams.archive.checking import check
from streams.archive.errors import ArchiveDamaged, ArchiveHole, ArchiveRefused
from streams.archive.joined import JoinedLog, JoinedPartitionLog
from streams.archive.layout import UNFINISHED, day_of, file_path, files_of, settle, writing
from streams.archive.reading import ArchiveReader
from streams.archive.table import Row, TableReader, TableWriter
from streams.engine.log import LogReader
from streams.engine.partition_log import PartitionLog
from streams.settings import Settings
from streams.topics import create_topics
from tests.engine.harness import environment
from tests.verify.kafka_log import LogWriter, delete_before
from tests.waiting import wait_for

#: Seconds, on a machine with other work to do.
PATIENCE = 120.0


def silent(*_: object) -> None:
    """No progress is shown."""


@pytest.fixture
def made(settings: Settings) -> Settings:
    """A stack with its topics."""
    create_topics(settings)
    return settings


def topic(settings: Settings, name: str = CLICKS) -> str:
    return settings.topic_prefix + name


def send(settings: Settings, values: Iterable[bytes], partition: int = 0) -> None:
    LogWriter(settings.kafka_bootstrap).plain(topic(settings), values, partition)


def run(settings: Settings, root: Path, *names: str) -> int:
    """Archives these topics; returns the new records."""
    topics = [topic(settings, name) for name in names or (CLICKS,)]
    return sum(part.records for part in archive(settings, root, silent, topics))


def in_kafka(settings: Settings, name: str = CLICKS, partition: int = 0) -> list[RawRecord]:
    place = (topic(settings, name), partition)
    with LogReader(settings.kafka_bootstrap) as log:
        return log.read_range(
            *place, log.log_starts([place])[place], log.stable_ends([place])[place]
        )


def in_archive(root: Path, name: str, partition: int = 0) -> list[RawRecord]:
    reader = ArchiveReader(root)
    start, end = reader.covered(name, partition) or (0, 0)
    return list(reader.records(name, partition, start, end))


def contents(root: Path) -> dict[str, bytes]:
    """Path -> bytes of all data files."""
    return {
        str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.parquet"))
    }


def test_every_byte_of_every_kind_of_record_is_kept(made: Settings, tmp_path: Path) -> None:
    producer = Producer({"bootstrap.servers": made.kafka_bootstrap})
    name = topic(made)
    for key, value, headers in (
        (b"k", b"v", None),
        (None, b"without a key", []),
        (b"a tombstone", None, [("ce_id", b"1")]),
        (None, None, [("twice", b"a"), ("twice", b"b"), ("none", None), ("empty", b"")]),
        (b"", b"", None),
        (bytes(range(256)), b"\x00\xff" * 500, [("ü", b"\xff")]),
    ):
        producer.produce(name, value, key=key, headers=headers, partition=0)
    assert producer.flush(PATIENCE) == 0
    assert run(made, tmp_path) == 6
    found = in_archive(tmp_path, name)
    assert found == [record._replace(headers=tuple(record.headers)) for record in in_kafka(made)]
    (file,) = files_of(tmp_path, name, 0)
    reader = TableReader(file.path, name, 0)
    assert [row.timestamp_type for row in reader.rows()] == [2] * 6  # LogAppendTime
    assert file.path.parent.name == f"day={day_of(found[0].timestamp)}"
    facts = reader.facts
    assert (facts.start, facts.end, facts.rows, facts.first, facts.last) == (0, 6, 6, 0, 5)
    assert check(tmp_path, silent).damages == []


def test_only_what_is_committed_up_to_the_first_open_transaction(
    made: Settings, tmp_path: Path
) -> None:
    name = topic(made, TRIGGERS)
    writer = LogWriter(made.kafka_bootstrap, f"{made.group}-t")
    writer.committed(name, [b"1", b"2"])
    writer.aborted(name, [b"never"])
    writer.begin(name, [b"open"])
    assert run(made, tmp_path, TRIGGERS) == 2
    assert [record.value for record in in_archive(tmp_path, name)] == [b"1", b"2"]
    writer.commit()
    assert run(made, tmp_path, TRIGGERS) == 1
    writer.aborted(name, [b"never again"])
    # A part without records is covered all the same, or its loss would look like a hole.
    assert run(made, tmp_path, TRIGGERS) == 0
    with LogReader(made.kafka_bootstrap) as log:
        end = log.high_watermarks([(name, 0)])[name, 0]
    assert ArchiveReader(tmp_path).covered(name, 0) == (0, end)
    assert [record.value for record in in_archive(tmp_path, name)] == [b"1", b"2", b"open"]
    delete_before(made.kafka_bootstrap, name, 0, end)
    assert run(made, tmp_path, TRIGGERS) == 0
    assert check(tmp_path, silent).damages == []


def test_a_second_run_goes_on_and_leaves_what_is_there(made: Settings, tmp_path: Path) -> None:
    send(made, [b"1", b"2"])
    assert run(made, tmp_path) == 2
    first = contents(tmp_path)
    assert run(made, tmp_path) == 0
    assert contents(tmp_path) == first
    send(made, [b"3"])
    assert run(made, tmp_path) == 1
    assert contents(tmp_path).items() > first.items()
    assert in_archive(tmp_path, topic(made)) == in_kafka(made)


def test_a_hole_is_refused_and_named(made: Settings, tmp_path: Path) -> None:
    send(made, [b"1", b"2"])
    run(made, tmp_path)
    send(made, [b"3", b"4", b"5"])
    send(made, [b"elsewhere"], partition=1)
    delete_before(made.kafka_bootstrap, topic(made), 0, 4)
    before = contents(tmp_path)
    with pytest.raises(ArchiveRefused, match=r"shop\.clicks\[0\].*\[2, 4\) would be a hole"):
        run(made, tmp_path)
    assert contents(tmp_path) == before
    with JoinedLog(made.kafka_bootstrap, tmp_path) as log:
        assert len(log.read_range(topic(made), 0, 0, 2)) == 2
        with pytest.raises(ArchiveHole, match=r"\[2, 4\) are neither"):
            log.read_range(topic(made), 0, 0, 5)


@pytest.mark.parametrize(
    ("end", "said"), [(2, "differ at offset 1"), (9, "the topic already at 2")]
)
def test_the_archive_of_another_log_is_refused(
    made: Settings, tmp_path: Path, end: int, said: str
) -> None:
    """The topic was made anew, or the folder is another stack's."""
    send(made, [b"1", b"2"])
    held = in_kafka(made)
    table = TableWriter(tmp_path / "other", topic(made), 0, 0)
    for record in held:
        table.add(Row(record.offset, record.timestamp, 2, record.key, b"other", ()))
    table.finish(end)
    settle(tmp_path / "other", file_path(tmp_path, topic(made), 0, "2026-01-01", 0, end))
    before = contents(tmp_path)
    with pytest.raises(ArchiveRefused, match=said):
        run(made, tmp_path)
    assert contents(tmp_path) == before


def test_a_file_in_the_wrong_place_is_refused(made: Settings, tmp_path: Path) -> None:
    send(made, [b"1"])
    run(made, tmp_path)
    wrong = f"{made.topic_prefix}{CARTS}"
    (tmp_path / f"topic={topic(made)}").rename(tmp_path / f"topic={wrong}")
    with pytest.raises(ArchiveDamaged, match="not this topic"):
        in_archive(tmp_path, wrong)


def test_one_process_at_a_time(made: Settings, tmp_path: Path) -> None:
    with writing(tmp_path), pytest.raises(ArchiveRefused, match="another process"):
        run(made, tmp_path)
    assert run(made, tmp_path) == 0


def test_damage_is_found(made: Settings, tmp_path: Path) -> None:
    send(made, [b"%d" % number * 50 for number in range(2_000)])
    run(made, tmp_path)
    (file,) = files_of(tmp_path, topic(made), 0)
    content = bytearray(file.path.read_bytes())
    content[len(content) // 3] ^= 1
    file.path.write_bytes(content)
    (damage,) = check(tmp_path, silent).damages
    assert file.path.name in damage
    with pytest.raises(ArchiveDamaged):
        in_archive(tmp_path, topic(made))
    file.path.unlink()
    send(made, [b"more"])
    assert run(made, tmp_path) == 2_001


def test_archive_and_topic_read_as_one_log(made: Settings, tmp_path: Path) -> None:
    """From any offset to any other, across the border, as if Kafka had kept all of it."""
    name = topic(made)
    send(made, [b"%d" % number for number in range(25_000)])
    whole = in_kafka(made)
    run(made, tmp_path)
    send(made, [b"%d" % number for number in range(25_000, 26_000)])
    whole += in_kafka(made)[25_000:]
    delete_before(made.kafka_bootstrap, name, 0, 21_234)
    with JoinedLog(made.kafka_bootstrap, tmp_path) as log:
        assert log.log_starts([(name, 0), (name, 1)]) == {(name, 0): 0, (name, 1): 0}
        for start, end in (
            (0, 3),
            (9_999, 10_001),
            (21_233, 21_235),
            (21_234, 26_000),
            (0, 26_000),
        ):
            assert log.read_range(name, 0, start, end) == whole[start:end]
    with JoinedPartitionLog(made.kafka_bootstrap, tmp_path) as along:
        along.begin(0, {name: 0})
        for start, end in (
            (10, 20),
            (20, 12_000),
            (15_000, 21_000),
            (21_200, 21_300),
            (21_300, 26_000),
        ):
            assert along.take(name, start, end) == whole[start:end]
        with pytest.raises(ValueError, match="was taken up to"):
            along.take(name, 30, 40)
        along.begin(0, {name: 21_234})
        assert along.take(name, 25_990, 26_000) == whole[25_990:]
    with PartitionLog(made.kafka_bootstrap) as kafka_alone:
        kafka_alone.begin(0, {name: 21_234})
        assert kafka_alone.take(name, 21_234, 26_000) == whole[21_234:]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_killed_run_leaves_what_an_undisturbed_one_writes(made: Settings, tmp_path: Path) -> None:
    """kill -9 while a file is being written; the run after it gives the same files, byte for byte."""
    for partition in range(4):
        send(made, [b"%d" % number * 20 for number in range(40_000)], partition)
    run(made, tmp_path / "undisturbed")
    root = _killed_in_the_middle(made, tmp_path)
    assert list(root.glob(f"*{UNFINISHED}"))
    left = contents(root)
    assert 0 < len(left) < len(contents(tmp_path / "undisturbed"))
    run(made, root)
    assert contents(root) == contents(tmp_path / "undisturbed")
    assert not list(root.glob(f"*{UNFINISHED}"))
    assert check(root, silent).damages == []


def _killed_in_the_middle(settings: Settings, folder: Path) -> Path:
    """An archive whose run was killed between its first file and its last; tried until that came off."""
    deadline = time.monotonic() + 3 * PATIENCE
    while time.monotonic() < deadline:
        root = folder / f"killed-{time.monotonic_ns()}"
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli.main", "archive", "--to", str(root), "-t", CLICKS],
            env=environment(settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(
            lambda: _between_files(root) or process.poll() is not None,  # noqa: B023
            PATIENCE,
            "a file, and the next one begun",
        )
        os.kill(process.pid, signal.SIGKILL)
        if process.wait(PATIENCE) == -signal.SIGKILL and _between_files(root):
            return root
    raise AssertionError("no run could be killed in its middle")


def _between_files(root: Path) -> bool:
    return any(root.rglob("*.parquet")) and any(root.glob(f"*{UNFINISHED}"))
