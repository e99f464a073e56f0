"""CPU per event under backlog: the shipped worker beside a stock Faust agent, interleaved.

The worker has its shipped defaults: duplicates are recognised, every commit is journalled, triggers and
offsets are published in transactions; Redis has appendonly. CPU is user and system time of the process,
all threads, from the end of its start to the last published commit.

    python -m tests.benchmarks.backlog --repetitions 3 --json backlog.json
"""

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streams.local.files import tail
from streams.settings import Settings
from streams.state.redis_store import RedisStore
from tests.benchmarks import report
from tests.benchmarks.cpu import Meter
from tests.benchmarks.load import fill
from tests.benchmarks.profile import ProfileError, profile
from tests.benchmarks.rig import Rig, rig
from tests.benchmarks.stock_faust import DONE, WARM
from tests.benchmarks.workload import Workload, workload
from tests.engine.harness import environment

ENGINE = "engine"
#: As Faust's documentation runs an agent, and with the engine's own event loop and collection.
STOCK, TUNED = "stock Faust", "stock Faust, tuned"
#: The engine is to be at least this many times cheaper than STOCK.
TARGET = 15.0
#: Events before the stock agent's CPU is counted: it joins, connects and imports meanwhile.
STOCK_WARM = 2_000
_LOOK_SECONDS = 0.05
_PROFILE_SECONDS = 15


@dataclass(frozen=True)
class Run:
    """CPU in microseconds an event."""

    who: str
    events: int
    seconds: float
    events_per_second: float
    worker_us: float
    redis_us: float
    broker_us: float


def measure(
    load: Workload, events: int, stock_events: int, repetitions: int, profiled: bool
) -> dict[str, object]:
    """The whole benchmark; blocks for minutes."""
    runs: dict[str, list[Run]] = {who: [] for who in (ENGINE, STOCK, TUNED)}
    found: dict[str, object] | None = None
    with rig() as stack:
        for number in range(1, repetitions + 1):
            runs[ENGINE].append(run_engine(stack, load, events)[0])
            if stock_events:
                runs[STOCK].append(run_stock(stack, load, stock_events))
                runs[TUNED].append(run_stock(stack, load, stock_events, tuned=True))
            figures = [f"{who} {one[-1].worker_us:.1f}" for who, one in runs.items() if one]
            report.say(f"repetition {number}, CPU us an event: {', '.join(figures)}")
        engine = _worker(runs[ENGINE])
        times = {who: _worker(runs[who]) / engine for who in (STOCK, TUNED) if runs[who]}
        met = times[STOCK] >= TARGET if times else None
        if profiled or met is False:
            found = run_engine(stack, load, events, profiled=True)[1]
    return {
        "benchmark": "backlog",
        "data": load.words,
        "runs": {who: [asdict(run) for run in one] for who, one in runs.items()},
        "cpu_us_per_event": {who: _worker(one) for who, one in runs.items() if one},
        "times_cheaper": times,
        "target": TARGET,
        "met": met,
        "profile": found,
    }


def run_engine(
    stack: Rig, load: Workload, events: int, profiled: bool = False
) -> tuple[Run, dict[str, object] | None]:
    """One backlog through the shipped worker."""
    settings = stack.fresh()
    total = fill(settings, load.feed(events))
    store = RedisStore(settings.redis_url, settings.redis_prefix)
    found: dict[str, object] | None = None
    try:
        with stack.worker(settings) as worker:
            began, counted = time.monotonic(), _processed(store, settings)
            meter = Meter.start({**stack.servers, "worker": worker.process.pid})
            if profiled:
                try:
                    found = profile(worker.process.pid, _PROFILE_SECONDS).as_dict()
                except ProfileError as error:
                    found = {"error": str(error)}
            _wait_until(lambda: _finished(store, settings, total), worker.process)
            return _run(ENGINE, total - counted, time.monotonic() - began, meter), found
    finally:
        store.close()


def run_stock(stack: Rig, load: Workload, events: int, tuned: bool = False) -> Run:
    """The first ``events`` of the backlog through the stock agent."""
    settings = stack.fresh()
    fill(settings, load.feed(events))
    command = [sys.executable, "-m", "tests.benchmarks.stock_faust"]
    arguments = ["--events", str(events), "--warm", str(STOCK_WARM)]
    if tuned:
        arguments.append("--tuned")
    path = stack.folder / f"{settings.group}-stock.log"
    with (
        path.open("wb") as log,
        subprocess.Popen(
            [*command, *arguments],
            env=environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        # The benchmark must end even where the agent stands still.
        watchdog = threading.Timer(600, process.kill)
        watchdog.start()
        try:
            _read_until(process, WARM, path)
            began = time.monotonic()
            meter = Meter.start({**stack.servers, "worker": process.pid})
            _read_until(process, DONE, path)
            return _run(
                TUNED if tuned else STOCK, events - STOCK_WARM, time.monotonic() - began, meter
            )
        finally:
            watchdog.cancel()
            process.kill()


def _run(who: str, events: int, seconds: float, meter: Meter) -> Run:
    used = {name: value / events * 1e6 for name, value in meter.seconds().items()}
    return Run(
        who, events, seconds, events / seconds, used["worker"], used["redis"], used["broker"]
    )


def _worker(runs: list[Run]) -> float:
    return report.middle(run.worker_us for run in runs)


def _processed(store: RedisStore, settings: Settings) -> int:
    return sum(
        count for number in range(settings.partitions) for count in store.counts(number).values()
    )


def _finished(store: RedisStore, settings: Settings, total: int) -> bool:
    """Everything is processed, and everything committed is published."""
    if _processed(store, settings) < total:
        return False
    stored = [store.stored(number) for number in range(settings.partitions)]
    return all(one.trimmed >= one.position.seq - 1 for one in stored)


def _wait_until(finished: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    pause = threading.Event()
    while not finished():
        if process.poll() is not None:
            raise SystemExit(f"the worker ended with exit code {process.returncode}")
        pause.wait(_LOOK_SECONDS)


def _read_until(process: subprocess.Popen[bytes], word: str, log: Path) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.decode().strip() == word:
            return
    raise SystemExit(f"the stock agent ended before it said {word}:\n{tail(log)}")


def show(result: dict[str, Any]) -> None:
    """The table of a result of ``measure``."""
    fields = ("events_per_second", "worker_us", "redis_us", "broker_us")
    rows = [
        (
            who,
            runs[0]["events"],
            *(report.middle(run[field] for run in runs) for field in fields),
            " ".join(f"{run['worker_us']:.1f}" for run in runs),
        )
        for who, runs in result["runs"].items()
        if runs
    ]
    columns = ("", "events", "events/s", "CPU us", "Redis us", "broker us", "each run")
    report.table(f"Backlog: CPU an event, medians ({result['data']})", columns, rows)
    for who, times in result["times_cheaper"].items():
        report.console.print(f"{times:.1f} times cheaper than {who}")
    if result["met"] is not None:
        verdict = "met" if result["met"] else "MISSED"
        report.console.print(f"target: {TARGET:g} times cheaper than {STOCK}: {verdict}")
    if result["profile"]:
        report.console.print_json(data=result["profile"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those that `python -m tests.benchmarks` shares."""
    parser.add_argument("--events", type=int, default=1_000_000, help="through the engine")
    parser.add_argument(
        "--stock-events", type=int, default=30_000, help="through the stock agent; 0: none"
    )
    parser.add_argument("--repetitions", type=int, default=3, help="of both, interleaved")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--data", help="a Taobao file, or simulated")
    parser.add_argument("--profile", action="store_true", help="also where the target is met")
    parser.add_argument("--json", metavar="FILE", help='"-": standard output')
    options = parser.parse_args()
    result = measure(
        workload(options.data),
        options.events,
        options.stock_events,
        options.repetitions,
        options.profile,
    )
    show(result)
    report.write(result, options.json)
    return 0 if result["met"] in (True, None) else 1


if __name__ == "__main__":
    sys.exit(main())
