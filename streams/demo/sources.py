"""What flows through the demo: simulated customers, or a recorded data set, faster than it happened."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from producers.replay.taobao import RefusedRow, TaobaoFeed, read_sample
from producers.simulator import Simulator
from producers.simulator.simulator import customers_for
from producers.source import Feed, Record

SEED = 20171125
#: One second of the demo is two minutes in the shop: a cart is abandoned after fifteen seconds.
FACTOR = 120.0
#: Simulated events a second of the demo: lively, and a fifth of what one worker takes with ease.
EVENTS_A_SECOND = 500.0
#: How long events flow where nobody says, seconds: a recorded data set is fitted into it; simulated
#: customers go on for an hour, unless Ctrl-C ends them.
RECORDED_SECONDS = 60.0
SIMULATED_SECONDS = 3_600.0


class DataError(Exception):
    """``--data`` names nothing that can be played; the message says why."""


@dataclass(frozen=True)
class Plan:
    """What is played, and how fast: ``factor`` seconds of it in one of wall time."""

    feed: Feed
    factor: float
    #: One sentence on what the events are.
    words: str


class Watched:
    """A feed that remembers whose events it gave out: a Feed (producers.source)."""

    def __init__(self, feed: Feed) -> None:
        self.name = feed.name
        self.start_ms = feed.start_ms
        self.until_ms = feed.until_ms
        self.total = feed.total
        self._feed = feed
        self._customers: set[bytes] = set()

    @property
    def customers(self) -> int:
        """How many customers have sent something that can be read."""
        return len(self._customers)

    def records(self) -> Iterator[Record]:
        """The feed's records."""
        add = self._customers.add
        for record in self._feed.records():
            if record.key is not None and record.planted is None:
                add(record.key)
            yield record


Planner = Callable[[float | None], Plan]


def load(data: str) -> Planner:
    """``data`` is "simulator" or "taobao:PATH". The answer plans it for so many seconds of wall time
    (None: as long as it takes).

    Raises DataError.
    """
    kind, _, path = data.partition(":")
    if kind == "simulator" and not path:
        return _simulated
    if kind == "taobao" and path:
        return _taobao(Path(path))
    raise DataError(f"--data {data!r} is neither simulator nor taobao:PATH")


def _simulated(seconds: float | None) -> Plan:
    customers = customers_for(EVENTS_A_SECOND, FACTOR)
    now_ms = time.time_ns() // 1_000_000
    span_ms = int((seconds or SIMULATED_SECONDS) * FACTOR * 1000)
    feed = Simulator(
        SEED,
        customers,
        now_ms,
        until_ms=now_ms + span_ms,
        shop_id="demo",
        # As lively by night, when somebody may try it, as in the evening.
        by_hour=False,
    )
    return Plan(feed, FACTOR, f"{customers:,} simulated customers of one shop")


def _taobao(path: Path) -> Planner:
    refused: list[RefusedRow] = []
    try:
        sample = read_sample(path, on_refused=refused.append)
        feed = TaobaoFeed(sample)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path} cannot be played: {error}") from error

    def plan(seconds: float | None) -> Plan:
        span = (feed.until_ms - feed.start_ms) / 1000
        factor = max(1.0, span / (seconds or RECORDED_SECONDS))
        words = f"{len(sample):,} rows of Taobao's sample, {path.name}"
        if refused:
            words += f" ({len(refused)} left out: unreadable)"
        return Plan(feed, factor, words)

    return plan
