"""What a run's verdict rests on: its source, its schedule and its report."""

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from schemas.catalogue import CUSTOMER_TOPICS
from tests.faults.report import Report
from tests.faults.schedule import (
    BROKER_RESTART,
    CRASH,
    DEPLOY_ROLLBACK,
    FREEZE,
    KILL,
    POINTS,
    REDIS_ROLLBACK,
    WEIGHTS,
    ZOMBIE_ROLLBACK,
    schedule,
)
from tests.faults.shopping import JITTER_MS, Sent, Shopping
from tests.faults.source import START_MS
from tests.faults.stages import COMMITTED, IN_TRANSACTION
from tests.faults.strikes import KINDS
from tests.faults.sum import main as sum_main
from tests.faults.tally import Tally, Verdict
from tests.oracle.events import Published, milliseconds
from tests.oracle.expected import expect

ROLLBACKS = (REDIS_ROLLBACK, ZOMBIE_ROLLBACK, DEPLOY_ROLLBACK)


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
    assert set(expected.events) == set(CUSTOMER_TOPICS)
    assert set(expected.duplicates) == set(expected.events)
    assert all(count > 20 for count in expected.by_campaign().values()), expected.by_campaign()
    assert len(expected.by_campaign()) == 3
    ages = [now - milliseconds(msgspec.json.decode(s.value)["time"]) for now, s in sent]
    assert sum(age > 3_600_000 for age in ages) > 50
    erased = [figures for figures in expected.customers.values() if figures.erased_at]
    assert len(erased) > 5
    assert {figures.views for figures in erased} == {0}
    assert {figures.profile["region"] for figures in erased} == {None, "CN-33"}


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


def test_the_rates_that_a_long_run_needs() -> None:
    """Of 330 faults, which an hour has on two cores: those of sinks are short."""
    counts = Counter(fault.kind for fault, _ in zip(schedule(7), range(330), strict=False))
    assert 2 * counts[CRASH] + 1.5 * counts[KILL] >= 200
    assert counts[FREEZE] + counts[ZOMBIE_ROLLBACK] >= 60
    assert sum(counts[kind] for kind in ROLLBACKS) >= 20
    assert counts[BROKER_RESTART] >= 10


def test_every_kind_can_be_struck() -> None:
    assert set(KINDS) == set(WEIGHTS)


def _report(kind: str, recoveries: list[float], **wrong: int) -> Report:
    tally = Tally(lambda _: None, kills=2, recoveries=recoveries)
    tally.struck(kind, COMMITTED)
    tally.struck(kind, IN_TRANSACTION)
    return Report(
        pieces=[
            {
                "seed": 7,
                "minutes": 1.0,
                "workers": 2,
                "rate": 900.0,
                "store": "sqlite",
                "seconds": {"faults": 60},
            }
        ],
        figures=tally.closing(1_000, 3, Verdict(1_000, rows=40, **wrong)),
        by_stage=dict(tally.by_stage),
        recoveries=recoveries,
        seconds={kind: [4.0]},
        exits={-9: 2},
        sink_exits={70: 1},
        commits_lost=5,
        adoptions=1,
        repaired={"forked": 1},
    )


def test_the_closing_line_and_the_table() -> None:
    report = _report(CRASH, [1.0, 8.25], different=1)
    assert not report.passed
    assert report.text().splitlines()[-1] == (
        "events=1000 faults=2 kills=2 zombies=0 rebalances=3 redis_restarts=0 redis_rollbacks=0 "
        "broker_restarts=0 cuts=0 verified=1000 lost=0 duplicates=0 different=1 "
        "sink_faults=0 sink_rows=40 sink_lost=0 sink_duplicates=0 sink_different=0 recovery_p99_s=8.2"
    )
    sums = report.table().splitlines()[-1].split()
    assert sums == ["all", "0", "1", "1", "0", "0", "0", "0", "2"]


def test_reports_of_several_runs_are_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / "first.json", tmp_path / "second.json"]
    for path, kind, recoveries in zip(files, (CRASH, KILL), ([1.0], [30.0, 2.0]), strict=True):
        path.write_text(json.dumps(_report(kind, recoveries).as_dict()))
        assert Report.read(path) == _report(kind, recoveries)
    given = [str(path) for path in files]
    assert sum_main(given) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == (
        "events=2000 faults=4 kills=4 zombies=0 rebalances=6 redis_restarts=0 redis_rollbacks=0 "
        "broker_restarts=0 cuts=0 verified=2000 lost=0 duplicates=0 different=0 "
        "sink_faults=0 sink_rows=80 sink_lost=0 sink_duplicates=0 sink_different=0 recovery_p99_s=30.0"
    )
    assert "| crash point | · | 1 | 1 | · | · | · | · | 2 |" in said
    assert said[2:4] == ["| 7 | 2 | 1 | 900 | 60 | – | – | sqlite |"] * 2

    files[0].write_text(json.dumps(_report(CRASH, [1.0], lost=1).as_dict()))
    assert sum_main(given) == 1
    files[0].write_text("{}")
    with pytest.raises(SystemExit):
        sum_main(given)
    assert "is no report of `make faults`" in capsys.readouterr().err
