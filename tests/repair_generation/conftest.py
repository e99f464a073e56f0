"""A story told once without a repartition, and stacks of any partition count to tell it to again."""

import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from streams.engine.engine import EXIT_DOUBT
from streams.settings import Settings
from streams.topics import create_topics
from tests.conftest import settings_of
from tests.engine.harness import Bench, WorkerProcess, ids, run_cli
from tests.repair_generation.scenario import (
    EVENTS_BEFORE,
    KINDS,
    TRIGGERS,
    TRIGGERS_BEFORE,
    Story,
    figures,
    states,
    stored,
    wait_triggers,
)

#: Seconds: a machine with much else to do may take a while for one command.
PATIENCE = 300.0
ATTEMPTS = 5


@dataclass(frozen=True)
class Told:
    """A story and what a stack that was never repartitioned makes of it."""

    story: Story
    states: dict[str, dict[str, object]]
    triggers: list[str]
    figures: dict[str, object]

    def first_half(self, bench: Bench, log: Path) -> dict[str, tuple[bytes, float | None]]:
        """Tell it to a stack, which is at rest then; returns what Redis holds of it."""
        with working(bench, log):
            self.story.before(bench)
            bench.wait_processed(PATIENCE)
            wait_triggers(TRIGGERS_BEFORE, bench)
        return stored(bench)

    def assert_all_of_it(self, old: Bench, new: Bench, applied: int) -> None:
        """Whatever became of it on the way, it ended the same; the new stack applied so many events."""
        assert (new.counted("applied"), new.counted("duplicate")) == (applied, EVENTS_BEFORE)
        assert ids(old.triggers() + new.triggers()) == self.triggers
        assert states(new) == self.states
        assert figures(new) == self.figures


class Kept:
    """A worker that is started again when it ended in doubt, as a supervisor does."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._settings = settings
        self._log = log
        self._ending = threading.Event()
        self.worker = WorkerProcess(settings, log)
        self._watch = threading.Thread(target=self._keep, daemon=True)
        self._watch.start()

    def _keep(self) -> None:
        while not self._ending.wait(0.1):
            if self.worker.process.poll() == EXIT_DOUBT:
                self.worker = WorkerProcess(self._settings, self._log)

    def end(self, bench: Bench) -> None:
        """Stop with everything published; a drain that was cut short by its deadline goes on."""
        self._ending.set()
        self._watch.join()
        for _ in range(ATTEMPTS):
            if self.worker.process.poll() is None:
                bench.wait_published(PATIENCE)
            if self.worker.stop() == 0 and bench.is_published():
                return
            self.worker = WorkerProcess(self._settings, self._log)
            self.worker.wait_recovered(PATIENCE)
        raise AssertionError(f"never drained:\n{self.worker.tail()}")

    def kill(self) -> None:
        self._ending.set()
        self._watch.join()
        self.worker.kill()


@contextmanager
def working(bench: Bench, log: Path) -> Iterator[None]:
    """A worker beside the block, which ends drained, with everything published."""
    kept = Kept(bench.settings, log)
    try:
        yield
        kept.end(bench)
    finally:
        kept.kill()


def repartition(bench: Bench, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`huitou repartition`, again while the outcome is in doubt: that is what its exit code asks for."""
    for _ in range(ATTEMPTS):
        result = run_cli(bench.settings, "repartition", *arguments, timeout=PATIENCE)
        if result.returncode != EXIT_DOUBT:
            break
    return result


@pytest.fixture(scope="package")
def told(kafka: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Told:
    bench = _made(settings_of(kafka, redis_url, f"told{secrets.token_hex(5)}."), 3)
    story = Story(int(time.time()))
    with working(bench, tmp_path_factory.mktemp("told") / "log"):
        story.before(bench)
        bench.wait_processed(PATIENCE)
        story.after(bench, *range(KINDS))
        bench.wait_processed(PATIENCE)
        story.end(bench)
        wait_triggers(TRIGGERS, bench)
    triggers = ids(bench.triggers())
    assert len(set(triggers)) == len(triggers) == TRIGGERS
    return Told(story, states(bench), triggers, figures(bench))


@pytest.fixture
def stack_of(settings: Settings) -> Callable[[int], Bench]:
    """A stack with so many partitions."""
    return lambda partitions: _made(settings, partitions)


def _made(settings: Settings, partitions: int) -> Bench:
    settings.partitions = partitions
    settings.session_timeout = 6.0
    create_topics(settings)
    return Bench(settings)
