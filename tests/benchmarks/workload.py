"""The events of the benchmarks: two hours of Taobao's sample, or simulated customers of its shape."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from producers.replay.taobao import TaobaoFeed, read_sample
from producers.simulator import Mischief, Simulator
from producers.source import Feed, Record
from tests.taobao import TWO_HOURS_FILE, sample_path

#: Customers of the simulated events: those of a round of the two-hours file, with its 1.64 events
#: each, or fewer where fewer events are wanted.
SIMULATED_CUSTOMERS = 58_732
EVENTS_A_CUSTOMER = 1.64
SIMULATED_SEED = 649
#: How much more often they come than the sample's: about 100,000 records in two hours.
SIMULATED_ACTIVITY = 1.5

_TIME = b'"time":"'


@dataclass(frozen=True)
class Workload:
    """``words`` name it in reports."""

    words: str
    path: Path | None

    def feed(self, total: int) -> Feed:
        """``total`` records by their own time; every call gives the same ones."""
        if self.path is not None:
            return TaobaoFeed(read_sample(self.path, on_refused=lambda _: None), total=total)
        return _Simulated(total)


class _Simulated:
    """The first ``total`` records of simulated customers, with nothing wrong in them."""

    def __init__(self, total: int) -> None:
        self.name = "simulated"
        self.total = total
        start_ms = int(datetime(2017, 11, 26, 9, tzinfo=UTC).timestamp() * 1000)
        # Ten times the two hours that 100,000 take, so that there are enough; no more are made.
        hours = 2 * max(1, total // 100_000 + 1)
        customers = max(1_000, min(SIMULATED_CUSTOMERS, int(total / EVENTS_A_CUSTOMER)))
        self._simulator = Simulator(
            SIMULATED_SEED,
            customers,
            start_ms,
            until_ms=start_ms + 10 * hours * 3_600_000,
            activity=SIMULATED_ACTIVITY,
            by_hour=False,
            mischief=Mischief(duplicates=0.0, late=0.0, malformed=0.0),
        )
        self.start_ms = start_ms
        self.until_ms = self._simulator.until_ms

    def records(self) -> Iterator[Record]:
        return islice(self._simulator.records(), self.total)


def workload(data: str | None = None) -> Workload:
    """``data``: "simulated", the path of a Taobao file, or None: the two-hours file where it is."""
    if data == "simulated":
        return Workload("simulated customers", None)
    path = Path(data) if data else sample_path(TWO_HOURS_FILE)
    if path.exists():
        return Workload(f"Taobao's {path.name}, looped", path)
    if data:
        raise SystemExit(f"{path}: no such file")
    return Workload("simulated customers, as Taobao's file is not here", None)


def restamped(value: bytes, seconds: float) -> bytes:
    """The event with another time, seconds since 1970."""
    start = value.index(_TIME) + len(_TIME)
    end = value.index(b'"', start)
    return value[:start] + moment(seconds) + value[end:]


def moment(seconds: float) -> bytes:
    """RFC 3339 with microseconds."""
    whole = int(seconds)
    fraction = int((seconds - whole) * 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)).encode() + b".%06dZ" % fraction
