"""What flows through the demo: simulated customers, or a recorded data set, faster than it happened."""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from producers.replay.taobao import RefusedRow, Sample, TaobaoFeed, read_sample
from producers.simulator import Simulator
from producers.simulator.simulator import customers_for
from producers.source import Feed, Record

SEED = 20171125
SHOP = "demo"
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
    #: A few words on what the events are.
    words: str
    #: Seconds of wall time after which no more is sent; None: the feed ends by itself.
    seconds: float | None = None
    #: The shop whose products the simulator lists; None: nobody knows what they are called.
    shop: str | None = None


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
        shop_id=SHOP,
        # As lively by night, when somebody may try it, as in the evening.
        by_hour=False,
    )
    return Plan(feed, FACTOR, f"{customers:,} simulated customers of one shop", seconds, SHOP)


def _taobao(path: Path) -> Planner:
    refused: list[RefusedRow] = []
    try:
        whole = read_sample(path, on_refused=refused.append)
        sample = _without_strays(whole)
        feed = TaobaoFeed(sample)
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise DataError(f"{path} cannot be played: {error}") from error
    left_out = {"unreadable": len(refused), "far off in time": len(whole) - len(sample)}
    said = ", ".join(f"{count} {why}" for why, count in left_out.items() if count)
    words = f"{len(sample):,} rows of Taobao's sample, {path.name}"
    if said:
        words += f" (left out: {said})"

    def plan(seconds: float | None) -> Plan:
        span = (feed.until_ms - feed.start_ms) / 1000
        return Plan(feed, max(1.0, span / (seconds or RECORDED_SECONDS)), words)

    return plan


def _without_strays(sample: Sample) -> Sample:
    """The rows whose times lie about where 98 of 100 do.

    Some of Taobao's lie months before its nine days; at a steady pace, most of the demo would pass
    before the third event. Raises IndexError for a sample without rows.
    """
    seconds, edge = sample.seconds, len(sample) // 100
    early, late = seconds[edge], seconds[-1 - edge]
    margin = (late - early) // 20
    kept = slice(bisect_left(seconds, early - margin), bisect_right(seconds, late + margin))
    return Sample(
        sample.numbers[kept],
        seconds[kept],
        sample.behaviours[kept],
        sample.customers[kept],
        sample.items[kept],
        sample.categories[kept],
        sample.names,
    )
