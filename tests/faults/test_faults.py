"""The short run of every CI, and what a run's verdict rests on: its source and its schedule."""

from collections import Counter

import msgspec
import pytest

from tests.faults.run import Options, run
from tests.faults.schedule import BROKER_RESTART, CRASH, POINTS, WEIGHTS, schedule
from tests.faults.shopping import JITTER_MS, Sent, Shopping
from tests.faults.source import START_MS
from tests.faults.stages import COMMITTED, IN_TRANSACTION
from tests.faults.tally import Tally, Verdict, line_of
from tests.oracle.events import Published, milliseconds
from tests.oracle.expected import expect


def _shopped(seed: int, count: int) -> list[tuple[int, Sent]]:
    shopping = Shopping(seed, customers=60)
    times = (START_MS + number * 4_000 for number in range(count))
    return [(now, sent) for now in times for sent in shopping.at(now)]


def test_a_seed_is_a_course_of_events() -> None:
    assert _shopped(7, 500) == _shopped(7, 500)
    assert _shopped(7, 500) != _shopped(8, 500)


def test_all_topics_with_repeats_late_ones_and_every_campaign() -> None:
    sent = _shopped(3, 6_000)
    expected = expect(Published(s.topic, s.key, msgspec.json.decode(s.value)) for _, s in sent)
    assert set(expected.events) == {"shop.clicks", "shop.carts", "shop.orders", "shop.reviews"}
    assert set(expected.duplicates) == set(expected.events)
    assert all(count > 20 for count in expected.by_campaign().values()), expected.by_campaign()
    assert len(expected.by_campaign()) == 3
    ages = [now - milliseconds(msgspec.json.decode(s.value)["time"]) for now, s in sent]
    assert sum(age > 3_600_000 for age in ages) > 50


def test_what_bears_on_a_cart_is_early_enough_or_the_only_one() -> None:
    """Else its outcome would depend on how fast a worker is, and no oracle could know it."""
    carts: Counter[str] = Counter()
    late = set()
    for now, sent in _shopped(4, 6_000):
        value = msgspec.json.decode(sent.value)
        if sent.topic in ("shop.carts", "shop.orders"):
            carts[sent.key] += 1
            # A repeat comes within its own limit after the first.
            if now - milliseconds(value["time"]) > 3 * JITTER_MS:
                late.add(sent.key)
    assert late
    assert all(carts[customer] <= 2 for customer in late)


def test_every_kind_and_every_crash_point_comes_early() -> None:
    faults = [fault for fault, _ in zip(schedule(11), range(80), strict=False)]
    assert {fault.kind for fault in faults[: len(WEIGHTS)]} == set(WEIGHTS)
    points = {fault.crash.partition(":")[0] for fault in faults if fault.crash}
    assert points == set(POINTS)
    assert faults == [fault for fault, _ in zip(schedule(11), range(80), strict=False)]


def test_the_closing_line_and_the_table() -> None:
    tally = Tally(lambda _: None, kills=2, recoveries=[1.0, 8.25])
    tally.struck(CRASH, COMMITTED)
    tally.struck(CRASH, IN_TRANSACTION)
    line = line_of(tally.closing(1_000, 3, Verdict(1_000, 0, 0, 1)))
    assert line == (
        "events=1000 faults=2 kills=2 zombies=0 rebalances=3 redis_restarts=0 redis_rollbacks=0 "
        "broker_restarts=0 cuts=0 verified=1000 lost=0 duplicates=0 different=1 recovery_p99_s=8.2"
    )
    assert tally.table().splitlines()[-1].split() == ["all", "0", "1", "1", "0", "0", "0", "0", "2"]


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_every_other_kind_of_fault_in_a_short_run() -> None:
    said: list[str] = []
    kinds = frozenset(WEIGHTS) - {BROKER_RESTART}
    outcome = run(Options(minutes=1.0, seed=4, kinds=kinds), said.append)
    assert outcome.passed, "\n".join([*said, outcome.text()])
    figures = outcome.figures
    assert figures["verified"] == figures["events"] > 50_000
    for kind in ("kills", "zombies", "redis_restarts", "redis_rollbacks"):
        assert figures[kind] > 0, outcome.text()
