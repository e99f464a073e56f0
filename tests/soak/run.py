"""One shipped worker under the simulator's steady load, watched from outside."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from schemas.catalogue import CUSTOMER_TOPICS
from streams.engine.log import LogReader
from streams.settings import Settings
from tests.benchmarks.cpu import cpu_seconds
from tests.benchmarks.rig import Rig, rig
from tests.engine.harness import Bench, WorkerProcess, environment
from tests.soak.samples import Sample, status_kb, write_csv
from tests.waiting import wait_for

#: Seconds of the shop's time in one of wall time: half an hour is two and a half days, with their
#: sessions, abandoned carts, deliveries and reviews.
FACTOR = 120.0
SEED = 30
#: For the last events, timers and transactions after the load.
DRAIN_SECONDS = 120.0


@dataclass(frozen=True)
class Options:
    """``rate`` events a second from ``customers``, of whom the worker may hold ``cached_states``."""

    minutes: float
    rate: float
    customers: int
    cached_states: int
    every_seconds: float


class SourceFailed(Exception):
    """The simulator ended before its time, or did not end well."""


def soak(options: Options, record: Path, tell: Callable[[str], None]) -> list[Sample]:
    """Blocks for the minutes, the drain and a start of some 20 s; ``record`` gets the samples as CSV.

    It is written anew at every sample, so that a run that is cut short leaves what it saw.
    """
    samples: list[Sample] = []
    with rig() as stack:
        settings = stack.fresh().model_copy(update={"cache_states": options.cached_states})
        bench = Bench(settings)
        with stack.worker(settings) as worker, _source(settings, options, stack.folder) as source:
            began = time.monotonic()
            while source.poll() is None:
                _pause(began + len(samples) * options.every_seconds)
                samples.append(_look(worker, stack, bench, time.monotonic() - began))
                write_csv(samples, record)
                tell(_line(samples[-1]))
            if source.returncode:
                raise SourceFailed(
                    (stack.folder / "source.log").read_text(errors="replace")[-2000:]
                )
            wait_for(lambda: not _lag(bench), DRAIN_SECONDS, "everything processed")
            bench.wait_published(DRAIN_SECONDS)
            samples.append(_look(worker, stack, bench, time.monotonic() - began))
            write_csv(samples, record)
            tell(_line(samples[-1]))
    return samples


@contextmanager
def _source(
    settings: Settings, options: Options, folder: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    arguments = {
        "--seed": SEED, "--customers": options.customers, "--rate": options.rate,
        "--factor": FACTOR, "--seconds": options.minutes * 60,
    }  # fmt: skip
    command = [sys.executable, "-m", "streams.cli.main", "simulate", "--json"]
    command += [str(word) for pair in arguments.items() for word in pair]
    log: IO[bytes]
    with (folder / "source.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment(settings), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _pause(until: float) -> None:
    threading.Event().wait(max(0.0, until - time.monotonic()))


def _look(worker: WorkerProcess, stack: Rig, bench: Bench, seconds: float) -> Sample:
    pid = worker.process.pid
    memory = bench.redis.info("memory")
    assert isinstance(memory, dict)
    metrics = worker.metrics()
    return Sample(
        seconds=round(seconds, 1),
        worker_rss_kb=status_kb(pid, "VmRSS"),
        worker_threads=status_kb(pid, "Threads"),
        worker_files=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
        worker_cpu_seconds=round(cpu_seconds(pid), 2),
        redis_used_kb=int(memory["used_memory"]) // 1024,
        redis_rss_kb=status_kb(stack.servers["redis"], "VmRSS"),
        lag=_lag(bench),
        events=_sum(metrics, "shop_events_total{"),
        triggers=_sum(metrics, "shop_triggers_total{", 'outcome="published"'),
    )


def _lag(bench: Bench) -> int:
    """By the logs' ends: the worker's own gauge stands still while a tool holds the clock."""
    topics = [bench.prefix + topic for topic in CUSTOMER_TOPICS]
    places = [(topic, n) for topic in topics for n in range(bench.settings.partitions)]
    with LogReader(bench.settings.kafka_bootstrap) as log:
        return sum(log.high_watermarks(places).values()) - bench.processed()


def _sum(metrics: dict[str, float], start: str, part: str = "") -> int:
    return int(sum(v for name, v in metrics.items() if name.startswith(start) and part in name))


def _line(sample: Sample) -> str:
    return (
        f"{sample.seconds:7.0f} s  worker {sample.worker_rss_kb / 1024:6.1f} MB  "
        f"Redis {sample.redis_used_kb / 1024:6.1f} MB  lag {sample.lag or 0:6d}  "
        f"events {sample.events:9,d}  triggers {sample.triggers:7,d}"
    )
