"""Two partitions become three: what an operator does, in that order, and what must come of it."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.decoding import RawRecord
from schemas.forwarded import origins
from streams.engine.engine import EXIT_REFUSED
from streams.engine.generation import CLOSING
from streams.engine.log import LogReader
from streams.engine.topicnames import TopicNames
from streams.repair.generation import settings_of, successor_of
from streams.settings import Settings
from tests.engine.harness import Bench, WorkerProcess, environment, run_cli
from tests.repair_generation.conftest import PATIENCE, Told, repartition, working
from tests.repair_generation.scenario import (
    ABANDONED,
    BOUGHT,
    CUSTOMERS,
    EVENTS_BEFORE,
    PAID_LATER,
    REGULAR,
    TRIGGERS,
    TRIGGERS_BEFORE,
    figures,
    stored,
    wait_counted,
    wait_triggers,
)
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_500)]


def test_two_partitions_become_three(
    told: Told, stack_of: Callable[[int], Bench], tmp_path: Path
) -> None:
    story, old, log = told.story, stack_of(2), tmp_path / "worker.log"
    held = told.first_half(old, log)
    counted = figures(old)
    new = Bench(settings_of(old.settings, successor_of(old.settings, 2, 3)))

    looked = repartition(old, "--partitions", "3", "--dry-run")
    assert looked.returncode == 0, looked.stderr
    assert f"to move: {CUSTOMERS} states and {CUSTOMERS} timers" in looked.stdout
    refused = WorkerProcess(new.settings, log)
    assert refused.wait(PATIENCE) == EXIT_REFUSED, "its topics do not exist"

    forwarded = story.after(old, ABANDONED, BOUGHT)
    waiting = repartition(old, "--partitions", "3")
    assert waiting.returncode == EXIT_REFUSED
    assert f"{forwarded} records wait in the inputs" in waiting.stderr
    assert old.store.holder(0) != CLOSING, "refused, and let go of"

    moved = repartition(old, "--partitions", "3", "--forward", "--json")
    assert moved.returncode == 0, moved.stderr
    said = json.loads(moved.stdout)
    assert (said["states"], said["timers"], said["forwarded"]) == (CUSTOMERS, CUSTOMERS, forwarded)
    assert stored(new) == held
    assert figures(new) == counted
    _assert_names_what_it_copied(old.settings, new.settings, forwarded)
    _assert_superseded(old, log)

    with working(new, log), _Following(old.settings, tmp_path / "follow.log"):
        story.before(new)
        wait_counted(new, "duplicate", EVENTS_BEFORE)
        applied = forwarded + story.after(new, PAID_LATER) + story.after(old, REGULAR)
        wait_counted(new, "applied", applied)
        story.end(new)
        wait_triggers(TRIGGERS - TRIGGERS_BEFORE, new)
    told.assert_all_of_it(old, new, applied)
    _assert_verified(new)

    finished = repartition(old, "--finish", "--yes")
    assert finished.returncode == 0, finished.stderr
    assert f"    {old.prefix}shop.orders\n" in finished.stdout
    assert stored(old) == {}
    _assert_superseded(old, log)
    _assert_rebuilt(new)


def _assert_names_what_it_copied(old: Settings, new: Settings, forwarded: int) -> None:
    """Each record of the new topics is one of the old ones, and says which."""
    copies = _records(new)
    originals = {(each.topic, each.partition, each.offset): each for each in _records(old)}
    places = [origins(each.headers) for each in copies]
    assert len(copies) == forwarded
    for copy, (place,) in zip(copies, places, strict=True):
        assert (copy.key, copy.value) == (originals[place].key, originals[place].value)
        assert copy.topic.endswith(place.topic.removeprefix(old.topic_prefix))
    assert len({place for (place,) in places}) == forwarded


def _records(settings: Settings) -> list[RawRecord]:
    """All of the customer topics."""
    topics = TopicNames.of(settings.topic_prefix).customer
    places = [(topic, number) for topic in topics for number in range(settings.partitions)]
    with LogReader(settings.kafka_bootstrap, patience=PATIENCE, answer_within=PATIENCE) as log:
        starts, ends = log.log_starts(places), log.stable_ends(places)
        return [r for place in places for r in log.read_range(*place, starts[place], ends[place])]


def _assert_superseded(old: Bench, log: Path) -> None:
    worker = WorkerProcess(old.settings, log)
    assert worker.wait(PATIENCE) == EXIT_REFUSED, worker.tail()
    refusal = worker.logged("refused")
    assert refusal is not None
    assert refusal["case"] == "superseded"
    assert "HUITOU_PARTITIONS=3" in str(refusal["error"])
    adopted = run_cli(old.settings, "group", "adopt")
    assert adopted.returncode == EXIT_REFUSED
    assert "`huitou repartition`" in adopted.stderr


def _assert_verified(bench: Bench) -> None:
    verified = run_cli(bench.settings, "verify", "--json", timeout=PATIENCE)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    report = json.loads(verified.stdout)
    assert report["states"]["compared"] == CUSTOMERS
    assert report["triggers"]["compared"] == TRIGGERS - TRIGGERS_BEFORE


def _assert_rebuilt(new: Bench) -> None:
    """From the topics of the new generation alone."""
    before = stored(new)
    for key in new.redis.scan_iter(match=f"{new.settings.redis_prefix}*"):
        new.redis.delete(key)
    rebuilt = run_cli(new.settings, "rebuild", "--yes", timeout=PATIENCE)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert stored(new) == before
    _assert_verified(new)


class _Following:
    """`huitou repartition --follow` beside what the test does."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "streams.cli.main", "repartition", "--follow", "--yes"],
                env=environment(settings),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> None:
        """What is sent from here on is forwarded by it."""
        wait_for(lambda: "forwarding" in self._log.read_text(), PATIENCE, "the forwarder")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(PATIENCE)
        if kind is None:
            assert code == 0, self._log.read_text()
            assert "0 records forwarded\n" not in self._log.read_text().splitlines(keepends=True)
