"""Restores partitions: the newest fitting snapshot, and the log folded on along the journal.

What the journal has is published already: nothing is sent again. The topics' lost beginnings come from
an archive. A rebuild that is cut short leaves a partition that lost a suffix, or one without a position
while it was being loaded; either way it is run again.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from schemas.clock import RecordCause
from streams.archive.errors import ArchiveRefused
from streams.archive.logs import Logs
from streams.bootstrap import configuration_digest, processors
from streams.build import build
from streams.definitions_reader import DefinitionsReader
from streams.engine.clock import TickQueue
from streams.engine.crashpoints import CrashPoints
from streams.engine.draft import FoldError
from streams.engine.log import LogReader
from streams.engine.log_errors import LogError, LogIncomplete
from streams.engine.partition import NEW_CLOCK, Partition, StateCache
from streams.engine.refusal import RecoveryRefused
from streams.engine.repetition import Author
from streams.engine.topicnames import TopicNames
from streams.repair.bulk_store import BulkStore
from streams.repair.group import require_no_workers
from streams.repair.plan import Plan, make_plans
from streams.repair.refused import RepairDoubt, RepairRefused, require_no_fence
from streams.repair.repeating import RepetitionFrom
from streams.repair.snapshot_file import blocks, days
from streams.settings import Settings
from streams.state.codec import StateCodecError
from streams.state.redis_store import RedisStore, Stored, StoreError

#: Told (partition, rows folded so far, rows in all).
Progress = Callable[[int, int, int], None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What became of a partition; ``events`` are the records that were folded."""

    partition: int
    seq: int
    #: ``replayed``, ``adopted`` where another build wrote a row, ``current`` where nothing was to be folded.
    case: str
    #: The commit of the snapshot it began with, 0: none.
    from_seq: int
    rows: int
    events: int
    dropped_keys: int
    #: Of the snapshot's states, uncompressed.
    loaded_bytes: int
    load_seconds: float
    fold_seconds: float
    #: Bytes of states in the snapshots that were passed over, and why.
    passed_over: tuple[str, ...]


def no_progress(_: int, __: int, ___: int) -> None:
    """For callers that do not show any."""


def rebuild(
    settings: Settings,
    partitions: list[int],
    progress: Progress = no_progress,
    *,
    snapshots: Path | None = None,
    archive: Path | None = None,
    processes: int = 1,
) -> Iterator[Rebuilt]:
    """Wipe and restore the partitions; yields each when it is done.

    ``snapshots``: the folder of snapshots to begin with. ``archive``: the folder for what the topics no
    longer have. With several ``processes`` partitions are folded side by side, and ``progress`` is told
    nothing. Everything that can be checked is checked before the first key is dropped. Raises
    RepairRefused (workers run, no snapshot fits, the log is not there), RecoveryRefused, a LogError,
    redis.RedisError or KafkaException; with several processes RepairRefused or RepairDoubt for all of them.
    """
    require_no_workers(settings)
    with closing(RedisStore(settings.redis_url, settings.redis_prefix)) as store:
        require_no_fence(settings, store)
    logs = Logs(settings.kafka_bootstrap, archive)
    with logs.reader() as log:
        plans = make_plans(settings, log, partitions, snapshots)
    if processes > 1 and len(plans) > 1:
        yield from _side_by_side(settings, plans, logs, processes)
        return
    for plan in plans:
        yield rebuild_one(settings, plan, logs, progress)


def _side_by_side(
    settings: Settings, plans: list[Plan], logs: Logs, processes: int
) -> Iterator[Rebuilt]:
    # Not forked: the Kafka client's threads would be missing in a copy of this process.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_rebuild_apart, settings, plan, logs) for plan in plans]
        try:
            for ended in as_completed(waiting):
                done = ended.result()
                if isinstance(done, _Failed):
                    raise RepairRefused(done.said) if done.refused else RepairDoubt(done.said)
                yield done
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Failed:
    """Why a process of its own could not rebuild; errors themselves do not all pass between processes."""

    said: str
    refused: bool


def _rebuild_apart(settings: Settings, plan: Plan, logs: Logs) -> Rebuilt | _Failed:
    refusals = (
        RepairRefused,
        RecoveryRefused,
        ArchiveRefused,
        StoreError,
        StateCodecError,
        LogError,
    )
    try:
        return rebuild_one(settings, plan, logs)
    except Exception as error:  # noqa: BLE001 - handed over, and raised by the one who asked
        refused = isinstance(error, refusals) and not isinstance(error, LogIncomplete)
        return _Failed(f"partition {plan.partition}: {type(error).__name__}: {error}", refused)


def rebuild_one(
    settings: Settings, plan: Plan, logs: Logs, progress: Progress = no_progress
) -> Rebuilt:
    """Wipe and restore one partition, as planned."""
    number = plan.partition
    store = BulkStore(settings.redis_url, settings.redis_prefix, number, settings.aggregate_days)
    store.check_server()
    store.load_scripts()
    try:
        began = time.monotonic()
        dropped = store.wipe(number)
        if plan.header is not None and plan.path is not None:
            store.load(plan.header, blocks(plan.path), days(plan.path))
        # Below every generation, so that the next worker's claim wins.
        found = store.claim(number, 0, "rebuild")
        loaded = time.monotonic()
        partition = open_partition(settings, plan, found)
        before = sum(store.counts(number).values())
        with logs.reader() as log:
            case = fold(settings, plan, partition, store, logs, log, progress)
        store.flush()
        store.trim(number, 0, plan.kafka.seq)
        return Rebuilt(
            partition=number,
            seq=partition.position.seq,
            case=case,
            from_seq=plan.seq,
            rows=plan.rows,
            events=sum(store.counts(number).values()) - before,
            dropped_keys=dropped,
            loaded_bytes=plan.header.state_bytes if plan.header else 0,
            load_seconds=loaded - began,
            fold_seconds=time.monotonic() - loaded,
            passed_over=plan.passed_over,
        )
    finally:
        store.close()


def open_partition(settings: Settings, plan: Plan, found: Stored) -> Partition:
    """The partition as a worker holds it, where the store has it."""
    topics = TopicNames.of(settings.topic_prefix)
    vector = plan.starts | found.vector
    read = vector[topics.clock]
    return Partition(
        number=plan.partition,
        epoch=0,
        position=found.position,
        vector=vector,
        clock=found.clock or NEW_CLOCK,
        clock_read=read,
        clock_applied=read,
        # All of a worker's memory: partitions come one at a time.
        cache=StateCache(settings.cache_states),
        ticks=TickQueue(),
        next_due=found.next_due,
    )


def fold(
    settings: Settings,
    plan: Plan,
    partition: Partition,
    store: BulkStore,
    logs: Logs,
    log: LogReader,
    progress: Progress,
) -> str:
    """Repeat the planned rows into ``store``; returns the case.

    Raises what Repetition.run raises, and RepairRefused where an event cannot be folded.
    """
    if partition.position.seq >= plan.kafka.seq:
        return "current"
    rows = 0

    def step() -> None:
        nonlocal rows
        rows += 1
        progress(plan.partition, rows, plan.rows)

    topics = TopicNames.of(settings.topic_prefix)
    definitions = DefinitionsReader(settings)
    try:
        definitions.start()
        repetition = RepetitionFrom(
            topics, store, settings.kafka_bootstrap, processors(settings, topics), definitions,
            CrashPoints(settings.crash), step, Author(build(), configuration_digest()),
        )  # fmt: skip
        repetition.logs = logs
        return repetition.run(partition, log, plan.kafka)
    except FoldError as error:
        raise _unfoldable(plan.partition, error, topics) from error
    finally:
        definitions.stop()


def _unfoldable(number: int, error: FoldError, topics: TopicNames) -> RepairRefused:
    """Another build could fold it, or the row would not be there."""
    remedy = "rebuild with a build that can fold it"
    if isinstance(error.cause, RecordCause):
        name = error.cause.topic.removeprefix(topics.prefix)
        remedy += (
            ", or have it left out and run this command again: "
            f"huitou skip {name} {number} {error.cause.offset} --force"
        )
    return RepairRefused(f"partition {number}: folding failed at {error}; {remedy}")
