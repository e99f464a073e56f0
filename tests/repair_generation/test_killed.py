"""The command is killed in each of its steps, one run after another, and the last one ends it well."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.engine.engine import EXIT_REFUSED
from streams.engine.generation import FENCES
from streams.repair.generation import settings_of, successor_of
from tests.engine.harness import Bench, WorkerProcess, environment, run_cli
from tests.repair_generation.conftest import ATTEMPTS, PATIENCE, Told, repartition, working
from tests.repair_generation.scenario import (
    ABANDONED,
    BOUGHT,
    EVENTS_BEFORE,
    PAID_LATER,
    REGULAR,
    TRIGGERS,
    TRIGGERS_BEFORE,
    stored,
    wait_counted,
    wait_triggers,
)

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_500)]

#: Step and the report of progress within it at which SIGKILL strikes, in the order of the steps. Most
#: strike with a transaction open: the second of several, the third of the four partitions' journals ...
BEFORE = [
    ("fence", 1), ("topics", 1), ("origin", 1), ("origin", 3), ("journal", 1), ("journal", 2),
    ("load", 3), ("check", 2), ("switch", 1),
]  # fmt: skip
AFTER = [("switch", 2), ("forward", 1), ("forward", 3), ("open", 2)]


def test_four_partitions_become_two(
    told: Told, stack_of: Callable[[int], Bench], tmp_path: Path
) -> None:
    story, old, log = told.story, stack_of(4), tmp_path / "worker.log"
    held = told.first_half(old, log)
    forwarded = story.after(old, ABANDONED, BOUGHT)
    new = Bench(settings_of(old.settings, successor_of(old.settings, 2, 2)))

    for step in BEFORE:
        _kill(old, *step)
    for bench in (old, new):
        # Neither may go on: the old generation's states are on the move, the new one is not there yet.
        refused = WorkerProcess(bench.settings, log)
        assert refused.wait(PATIENCE) == EXIT_REFUSED, refused.tail()
        assert (refused.logged("refused") or {})["case"] == "fenced", refused.tail()
    for step in AFTER:
        _kill(old, *step)
    assert {new.store.holder(number) for number in range(2)} & FENCES, "not all are open"
    done = repartition(old, "--partitions", "2", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert stored(new) == held
    assert sum(new.kafka_positions()[number].seq for number in range(2)) > 2, "several rows each"

    with working(new, log):
        story.before(new)
        wait_counted(new, "duplicate", EVENTS_BEFORE)
        applied = forwarded + story.after(new, PAID_LATER, REGULAR)
        wait_counted(new, "applied", applied)
        story.end(new)
        wait_triggers(TRIGGERS - TRIGGERS_BEFORE, new)
    told.assert_all_of_it(old, new, applied)

    _kill(old, "finish", 2)
    finished = repartition(old, "--finish", "--yes")
    assert finished.returncode == 0, finished.stderr
    assert stored(old) == {}
    verified = run_cli(new.settings, "verify", timeout=PATIENCE)
    assert verified.returncode == 0, verified.stdout


def _kill(old: Bench, step: str, occurrence: int) -> None:
    for _ in range(ATTEMPTS):
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.repair_generation.killed",
                "2",
                "2",
                step,
                str(occurrence),
            ],
            env=environment(old.settings),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if run.returncode == -signal.SIGKILL:
            return
        assert run.returncode != 0, f"{step} {occurrence} was not reached:\n{run.stdout}"
    raise AssertionError(f"killed by nobody in {step}:\n{run.stdout}\n{run.stderr}")
