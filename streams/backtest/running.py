"""Runs a backtest over a stack's topics, a partition after the other in as many processes as are asked for.

What comes out is the same however many there are: decisions are written to a file for each partition, and put
together in the order of partitions.
"""

import gc
import hashlib
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import msgspec

from schemas.catalogue import CUSTOMER_TOPICS, JOURNAL, kafka_names
from schemas.decision import Decision
from schemas.decoding import Decoder
from schemas.settings import Settings as SettingsVersion
from schemas.trigger import Trigger
from streams.archive.logs import Logs
from streams.backtest.outcome import Outcomes
from streams.backtest.partition import PartitionRun
from streams.backtest.source import Source
from streams.campaigns.applied.history import Version
from streams.campaigns.language.definition.definition import (
    CampaignDefinition,
    canonical,
    version_of,
)
from streams.campaigns.listening.in_force import Judging
from streams.campaigns.listening.index import Index
from streams.definitions import Definitions
from streams.settings import Settings

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Plan:
    """What is to be tested. Times in ms since 1970."""

    shop: str
    campaigns: tuple[CampaignDefinition, ...]
    since: int
    until: int
    lateness: int
    #: The stack's and the shop's, which say its clock, currency and limits.
    versions: tuple[SettingsVersion, ...] = ()
    along_journal: bool = False
    archive: Path | None = None


@dataclass(frozen=True)
class Tested:
    """``digest``: SHA-256 of all decisions as they are written; ``cpu_s``: of all processes."""

    outcomes: Outcomes
    digest: str
    seconds: float
    cpu_s: float


def judging_of(definitions: Sequence[CampaignDefinition]) -> Judging:
    """As if they had been in force all the time, with budgets that suffice."""
    versions = [
        Version(0, version_of(one), one, canonical(one), None, "backtest", 0) for one in definitions
    ]
    names = frozenset(one.campaign for one in definitions)
    return Judging(Index(versions), names, granted=True)


def run(
    settings: Settings,
    plan: Plan,
    processes: int,
    out: Path | None,
    progress: Callable[[int], None],
) -> Tested:
    """``out``: where decisions go, a JSON object a line; None: nowhere.

    ``progress`` is told of partitions that are done. Blocks. Raises a LogError and OSError.
    """
    began = perf_counter()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="huitou-backtest-")))
        parts = [
            (settings, plan, number, folder / f"{number}.jsonl")
            for number in range(settings.partitions)
        ]
        done: dict[int, tuple[Outcomes, float]] = {}
        if processes == 1:
            for part in parts:
                done[part[2]] = _partition(*part)
                progress(len(done))
        else:
            context = multiprocessing.get_context("spawn")
            pool = stack.enter_context(ProcessPoolExecutor(processes, context))
            waiting: dict[Future[tuple[Outcomes, float]], int] = {
                pool.submit(_partition, *part): part[2] for part in parts
            }
            for future in as_completed(waiting):
                done[waiting[future]] = future.result()
                progress(len(done))
        whole = Outcomes()
        for number in sorted(done):
            whole.add(done[number][0])
        digest = _joined([part[3] for part in parts], out)
    return Tested(whole, digest, perf_counter() - began, sum(cpu for _, cpu in done.values()))


def _joined(files: Sequence[Path], out: Path | None) -> str:
    digest = hashlib.sha256()
    with ExitStack() as stack:
        target = None if out is None else stack.enter_context(out.open("wb"))
        for file in files:
            with file.open("rb") as part:
                while block := part.read(1 << 20):
                    digest.update(block)
                    if target is not None:
                        target.write(block)
    return digest.hexdigest()


def _partition(settings: Settings, plan: Plan, number: int, out: Path) -> tuple[Outcomes, float]:
    """A partition's outcomes and the CPU seconds that it took; runs in a process of the pool."""
    # States are many and have no cycles: looking for some costs a sixth of the time.
    gc.disable()
    began = process_time()
    judging, definitions = judging_of(plan.campaigns), Definitions(plan.versions)
    decoder = Decoder(settings.partitions, kafka_names(settings.topic_prefix))
    logs = Logs(settings.kafka_bootstrap, plan.archive)
    with out.open("wb") as lines, logs.reader() as reader:

        def write(one: Trigger | Decision, time: int) -> None:
            lines.write(_encode({"time": time, "decision": one}) + b"\n")

        part = PartitionRun(
            plan.shop, judging, lambda time: definitions.at(plan.shop, time), plan.lateness,
            plan.since, plan.until, write,
        )  # fmt: skip
        topics = [settings.topic_prefix + name for name in CUSTOMER_TOPICS]
        source = Source(reader, decoder, topics, number, plan.shop)
        if plan.along_journal:
            with logs.along() as log:
                outcomes = part.run_along(source.along(log, settings.topic_prefix + JOURNAL))
        else:
            outcomes = part.run(source.by_topic())
    outcomes.dead = source.dead
    return outcomes, process_time() - began
