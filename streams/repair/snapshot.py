"""Takes a snapshot of partitions while their workers run (docs/decisions/0006-snapshots.md).

States are read in batches, each of one moment and stamped with its commit, as the partition goes on. What
the journal says happened to a customer between its batch and the last one is then folded here, for that
customer alone: a customer's state is changed by its own events and timers and by nothing else. Aggregates
are read after the states, and brought to the last commit by the same rows.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from streams.bootstrap import configuration_digest, processors
from streams.build import build
from streams.definitions_reader import DefinitionsReader
from streams.domain.aggregated import KEPT_DAYS
from streams.engine.log import PATIENCE_SECONDS, LogReader
from streams.engine.partition_log import PartitionLog
from streams.engine.repetition import Author
from streams.engine.topicnames import TopicNames
from streams.repair.redo import Redo
from streams.repair.refused import RepairRefused
from streams.repair.snapshot_days import ReadDays
from streams.repair.snapshot_file import FORMAT, Header, Kept, snapshot_path, write
from streams.settings import Settings
from streams.state.codec import CODEC_VERSION
from streams.state.days import DAYS_AT_A_TIME
from streams.state.redis_store import connect
from streams.verify.stored import BATCH, Snapshot, StoredPartition

#: What Redis keeps of a partition that is not of its history: who owns it, and what it sent.
_OWNERSHIP = ("epoch", "member", "trimmed")
#: Between two looks at a journal whose rows are awaited.
_POLL_SECONDS = 0.05

#: Told the partition and how many states were read so far.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot that is on disk. ``path`` None: the partition has no commit yet."""

    partition: int
    seq: int
    states: int
    timers: int
    #: Of the file.
    bytes: int
    #: Commits that came while it was read, and were folded into it.
    redone: int
    #: Whether this very commit had a snapshot already.
    kept: bool
    seconds: float
    path: str | None


@dataclass(slots=True)
class Reading:
    """What was read of a partition: from commit ``first`` on up to commit ``last.seq``."""

    partition: int
    first: int
    last: Snapshot
    #: Commit -> its chain in hexadecimal, of all that were met.
    chains: dict[int, str]
    entries: dict[str, Kept] = field(default_factory=dict)
    days: ReadDays = field(default_factory=lambda: ReadDays(0, {}, KEPT_DAYS))


def snapshot(
    settings: Settings,
    root: Path,
    partitions: list[int],
    progress: Progress,
    patience: float = PATIENCE_SECONDS,
    batch: int = BATCH,
) -> Iterator[Taken]:
    """Write a snapshot of each partition into ``root``, beside running workers or without any.

    ``patience``: seconds that a commit which Redis has may take to be published. ``batch``: states read
    at a time, all of one moment. Holds one partition's
    encoded states in memory. Raises RepairRefused, a LogError, redis.RedisError or KafkaException.
    """
    topics = TopicNames.of(settings.topic_prefix)
    made = processors(settings, topics)
    author = Author(build(), configuration_digest())
    bootstrap = settings.kafka_bootstrap
    with ExitStack() as stack:
        definitions = DefinitionsReader(settings)
        stack.callback(definitions.stop)
        definitions.start()
        log = stack.enter_context(LogReader(bootstrap, patience=patience))
        along = stack.enter_context(PartitionLog(bootstrap, patience=patience))
        redis = stack.enter_context(closing(connect(settings.redis_url)))
        for number in partitions:
            began = time.monotonic()
            stored = StoredPartition(redis, settings.redis_prefix, number)
            reading = read(stored, number, progress, batch, settings.aggregate_days)
            redo = Redo(reading, made[number], definitions, topics, author)
            if reading.last.seq:
                _wait_published(log, topics.journal, reading, patience)
                redo.run(log, along)
            yield _write(root, reading, redo.redone, began)


def read(
    stored: StoredPartition,
    number: int,
    progress: Progress,
    size: int,
    kept_days: int = KEPT_DAYS,
) -> Reading:
    """Read every state, ``size`` at a time, each as of a commit from ``first`` to ``last``, and after them
    the aggregates likewise.

    Raises RepairRefused.
    """
    last = stored.snapshot()
    reading = Reading(number, last.seq, last, {last.seq: last.chain})
    keys = stored.state_keys()
    while batch := list(dict.fromkeys(islice(keys, size))):
        _note(reading, stored.snapshot(batch))
        last = reading.last
        for key, state, due in zip(batch, last.states, last.dues, strict=True):
            if state is not None:
                kept_due = None if due is None else int(due)
                reading.entries[key] = Kept(last.seq, state, kept_due)
        progress(number, len(reading.entries))
    _note(reading, stored.snapshot())
    reading.days = days = ReadDays(reading.last.seq, stored.kept(), kept_days)
    places = stored.places()
    for at in range(0, len(places), DAYS_AT_A_TIME):
        some = places[at : at + DAYS_AT_A_TIME]
        snapshot, found = stored.days(some)
        _note(reading, snapshot)
        for place, day in zip(some, found.days, strict=True):
            days.read(snapshot.seq, place, day)
        progress(number, len(reading.entries))
    return reading


def _note(reading: Reading, found: Snapshot) -> None:
    before = reading.last
    if found.seq < before.seq or reading.chains.get(found.seq, found.chain) != found.chain:
        raise RepairRefused(
            f"partition {reading.partition}: Redis went from seq {before.seq} to another history at seq "
            f"{found.seq} while it was read (a failover?); run this again when workers have recovered"
        )
    reading.chains[found.seq] = found.chain
    reading.last = found


def _wait_published(log: LogReader, journal: str, reading: Reading, patience: float) -> None:
    """Until the journal has the last commit that was read."""
    deadline = time.monotonic() + patience
    while (last := log.last_row(journal, reading.partition)) is None or (
        last.row.seq < reading.last.seq
    ):
        if time.monotonic() > deadline:
            raise RepairRefused(
                f"partition {reading.partition}: Redis stands at seq {reading.last.seq}, the journal at "
                f"{last.row.seq if last else 0}, and nothing was published for {patience:.0f} s: start a "
                "worker, which publishes what is left, and run this again"
            )
        time.sleep(_POLL_SECONDS)


def _write(root: Path, reading: Reading, redone: int, began: float) -> Taken:
    number, last = reading.partition, reading.last
    if not last.seq:
        return Taken(number, 0, 0, 0, 0, 0, False, time.monotonic() - began, None)
    digest = bytes.fromhex(last.chain)
    codec = int(last.meta.get("codec_min", b"0"))
    header = Header(
        format=FORMAT,
        partition=number,
        seq=last.seq,
        chain=digest,
        codec=max(codec, CODEC_VERSION) if redone else codec,
        build=build(),
        meta={name: last.meta[name] for name in sorted(last.meta) if name not in _OWNERSHIP},
        states=len(reading.entries),
        timers=sum(kept.due is not None for kept in reading.entries.values()),
        state_bytes=sum(len(kept.state) for kept in reading.entries.values()),
        kept_from=dict(sorted(reading.days.kept_from.items())),
    )
    kept = snapshot_path(root, number, last.seq, digest).exists()
    path = write(root, header, reading.entries, reading.days.days())
    return Taken(
        number, last.seq, header.states, header.timers, path.stat().st_size, redone, kept,
        time.monotonic() - began, str(path),
    )  # fmt: skip
