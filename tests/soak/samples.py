"""What is looked at every few seconds of a soak, and the line through it."""

import csv
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import combinations
from pathlib import Path

#: Share of a run that does not count: caches fill, code is compiled, glibc's heaps find their size.
WARM_UP = 1 / 3


@dataclass(frozen=True)
class Sample:
    """One look at everything. Counters are totals since the worker started."""

    #: Since the load began.
    seconds: float
    worker_rss_kb: int
    worker_threads: int
    worker_files: int
    worker_cpu_seconds: float
    redis_used_kb: int
    redis_rss_kb: int
    #: Records in the topics that no commit covers yet; None: not looked at.
    lag: int | None
    events: int
    triggers: int


@dataclass(frozen=True)
class Trend:
    """A fitted line: ``per_minute`` is its slope, ``start`` and ``end`` its ends."""

    per_minute: float
    start: float
    end: float


def after_warm_up(samples: Sequence[Sample]) -> list[Sample]:
    begin = samples[-1].seconds * WARM_UP
    return [sample for sample in samples if sample.seconds >= begin]


def trend(samples: Sequence[Sample], value: Callable[[Sample], float]) -> Trend:
    """The Theil-Sen line through what is after the warm-up: the median of all pairs' slopes.

    A leak grows everywhere. A step, as one large bundle leaves it behind when the machine has stood
    still for seconds, is none, and would tilt a line of least squares. Raises StatisticsError below
    two samples.
    """
    points = [(sample.seconds / 60, value(sample)) for sample in after_warm_up(samples)]
    slope = statistics.median((b - a) / (t - s) for (s, a), (t, b) in combinations(points, 2))
    at_zero = statistics.median(height - slope * minute for minute, height in points)
    return Trend(slope, at_zero + slope * points[0][0], at_zero + slope * points[-1][0])


def write_csv(samples: Sequence[Sample], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Sample)])
        writer.writeheader()
        writer.writerows(asdict(sample) for sample in samples)


def read_csv(path: Path) -> list[Sample]:
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Sample(**{name: _number(text) for name, text in row.items()})  # type: ignore[arg-type]
            for row in csv.DictReader(file)
        ]


def _number(text: str) -> float | None:
    if not text:
        return None
    return float(text) if "." in text else int(text)


def status_kb(pid: int, name: str) -> int:
    """A line of /proc/PID/status, as VmRSS (kB) or Threads. Raises FileNotFoundError."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    raise LookupError(f"/proc/{pid}/status has no {name}")
