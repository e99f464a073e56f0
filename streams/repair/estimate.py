"""How long a rebuild would take now: what there is to do, by speeds that are measured on the spot."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from schemas.journal import GENESIS, ClockState
from streams.archive.logs import Logs
from streams.engine.commit import Position
from streams.repair.bulk_store import Block, RehearsalStore
from streams.repair.plan import Plan, make_plans
from streams.repair.rebuild import fold, open_partition
from streams.repair.snapshot_file import Header, blocks
from streams.settings import Settings
from streams.state.redis_store import Stored

#: Of folding, at most; with less to fold, all of it is folded.
SAMPLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a rebuild would do. ``fold_seconds`` is for one process; ``read_seconds`` is how long the
    snapshots take to read and unpack, without what Redis then takes to write them."""

    partitions: int
    #: Journal rows and events after the snapshots.
    rows: int
    events: int
    #: Of the snapshots' states, uncompressed.
    snapshot_bytes: int
    sampled_events: int
    sampled_rows: int
    events_per_second: float
    rows_per_second: float
    fold_seconds: float
    read_seconds: float
    passed_over: tuple[str, ...]


class _Enough(Exception):
    """The sample is long enough."""


def estimate(
    settings: Settings, partitions: list[int], snapshots: Path | None, archive: Path | None
) -> Estimate:
    """Plan a rebuild, fold a few seconds of its longest partition in memory, and reckon up.

    Writes nothing, anywhere, and may run beside workers. Raises what ``rebuild`` raises.
    """
    logs = Logs(settings.kafka_bootstrap, archive)
    with logs.reader() as log:
        plans = make_plans(settings, log, partitions, snapshots)
    longest = max(plans, key=lambda plan: plan.events)
    sample = _sample(settings, longest, logs)
    rows, events = sum(plan.rows for plan in plans), sum(plan.events for plan in plans)
    size = sum(plan.header.state_bytes for plan in plans if plan.header)
    read = size / sample.bytes * sample.read_seconds if sample.bytes else 0.0
    # Many small commits and few large ones cost differently: the slower of both reckonings.
    share = max(
        events / sample.events if sample.events else 0.0, rows / sample.rows if sample.rows else 0.0
    )
    seconds = sample.fold_seconds or 1e-9
    return Estimate(
        len(plans), rows, events, size, sample.events, sample.rows, sample.events / seconds,
        sample.rows / seconds, share * sample.fold_seconds, read,
        tuple(reason for plan in plans for reason in plan.passed_over),
    )  # fmt: skip


@dataclass(slots=True)
class _Sample:
    bytes: int = 0
    read_seconds: float = 0.0
    rows: int = 0
    events: int = 0
    fold_seconds: float = 0.0


def _sample(settings: Settings, plan: Plan, logs: Logs) -> _Sample:
    sample = _Sample()
    store = RehearsalStore(settings.redis_url, settings.redis_prefix, plan.partition)
    began = time.monotonic()
    if plan.header is not None and plan.path is not None:
        store.load(plan.header, _counted(blocks(plan.path), sample), ())
    sample.read_seconds = time.monotonic() - began
    partition = open_partition(settings, plan, _stored(plan.header))
    first: float | None = None

    def step(_: int, rows: int, __: int) -> None:
        nonlocal first
        # The first row waits for connections and topics to be found, once a rebuild.
        first = first or time.monotonic()
        sample.rows = rows
        sample.fold_seconds = time.monotonic() - first
        if sample.fold_seconds > SAMPLE_SECONDS:
            raise _Enough

    before = store.counted
    try:
        with logs.reader() as log:
            fold(settings, plan, partition, store, logs, log, step)
    except _Enough:
        pass
    finally:
        store.close()
    sample.events = store.counted - before
    return sample


def _counted(loaded: Iterator[Block], sample: _Sample) -> Iterator[Block]:
    for block in loaded:
        sample.bytes += sum(len(state) for _, state, _ in block)
        yield block


def _stored(header: Header | None) -> Stored:
    """What a store holds after the snapshot was loaded into it."""
    if header is None:
        return Stored(False, Position(0, GENESIS), {}, None, 0, 0, None)
    return Stored(
        exists=True,
        position=Position(header.seq, header.chain),
        vector=header.vector,
        clock=msgspec.msgpack.decode(header.meta["clock"], type=ClockState),
        trimmed=0,
        codec_min=header.codec,
        next_due=None,
    )
