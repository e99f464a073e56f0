"""One run: a stack of its own, the source, the schedule, the drain and the verdict."""

import json
import logging
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from streams.engine.crashpoints import EXIT_CODE as CRASHED
from streams.local.stack import LocalStack
from streams.settings import Settings
from streams.topics import create_topics
from tests.faults.judge import judge
from tests.faults.schedule import WEIGHTS, schedule
from tests.faults.servers import Servers
from tests.faults.source import LATENESS, Source
from tests.faults.stages import Observer
from tests.faults.strikes import AWAY, RECOVERY_SECONDS, NotOvercome, Strikes
from tests.faults.tally import Tally, Verdict, line_of
from tests.faults.workers import Workers
from tests.waiting import wait_for

#: As short as a busy machine bears.
SESSION_TIMEOUT = 5.0
#: As "scale 1-4-1" asks for.
MOST_WORKERS = 4


@dataclass(frozen=True)
class Options:
    """``rate``: events per second. ``workers``: between two faults, at least 2."""

    minutes: float
    seed: int
    workers: int = 2
    rate: float = 800.0
    #: Faults of these kinds only; empty: of all.
    kinds: frozenset[str] = frozenset()
    #: Keep the folder also where nothing went wrong.
    keep: bool = False


@dataclass
class Outcome:
    """``evidence``: the folder that was kept, None where nothing went wrong."""

    figures: dict[str, int | float]
    table: str
    exits: dict[int, int]
    problems: list[str]
    examples: list[str] = field(default_factory=list)
    evidence: Path | None = None

    @property
    def passed(self) -> bool:
        return self.evidence is None

    def text(self) -> str:
        lines = [self.table, "", f"exit codes of workers: {self.exits}"]
        lines += self.problems + self.examples
        if self.evidence is not None:
            lines.append(f"evidence: {self.evidence}")
        return "\n".join([*lines, line_of(self.figures)])


def run(options: Options, tell: Callable[[str], None]) -> Outcome:
    """Blocks for ``minutes`` of faults, at least one of each kind, then for the drain and the verdict."""
    # So that a time limit ends the servers and the workers too.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    folder = Path(tempfile.mkdtemp(prefix=f"huitou-faults-{options.seed}-"))
    said = (folder / "schedule.log").open("w", encoding="utf-8")
    # Clients' warnings of servers that are down do not belong into the report.
    logging.getLogger("huitou.kafka").setLevel(logging.CRITICAL)

    def say(words: str) -> None:
        tell(words)
        print(words, file=said, flush=True)

    say(f"seed {options.seed}, {options.minutes:g} minutes, {options.workers} workers, in {folder}")
    with said, LocalStack(folder / "stack") as stack:
        outcome = _Run(options, folder, stack, say).outcome()
    if outcome.passed and not options.keep:
        shutil.rmtree(folder)
    else:
        (folder / "outcome.txt").write_text(outcome.text() + "\n", encoding="utf-8")
    return outcome


class _Run:
    def __init__(
        self, options: Options, folder: Path, stack: LocalStack, say: Callable[[str], None]
    ) -> None:
        self._options = options
        self._folder = folder
        self._settings = Settings(
            kafka_bootstrap=stack.kafka,
            redis_url=stack.redis_url,
            group="faults",
            code_key=SecretStr(secrets.token_hex(32)),
            metrics_port=0,
            session_timeout=SESSION_TIMEOUT,
            lateness=LATENESS,
            data_dir=folder / "faust",
        )
        (folder / "settings.json").write_text(
            json.dumps({"code_key": self._settings.code_key.get_secret_value(), "group": "faults"})
        )
        create_topics(self._settings)
        self._servers = Servers(stack)
        self._published = folder / "published"
        self._source = Source(self._settings, self._published, options.seed, options.rate)
        self._tally = Tally(say)
        self._workers = Workers(self._settings, folder, MOST_WORKERS, self._tally.say)
        self._observer = Observer(self._settings)

    def outcome(self) -> Outcome:
        """Never raises for what a fault brought about: that is in the outcome."""
        verdict = Verdict()
        try:
            self._strike()
            self._drain()
            self._tally.say("drained; verifying")
            verdict = judge(self._settings, self._published, self._observer)
        except Exception as error:
            logging.getLogger(__name__).exception("the run ended early")
            self._tally.problem(f"{type(error).__name__}: {error}")
        finally:
            with suppress(Exception):
                self._source.stop()
            self._workers.end()
            self._observer.close()
        exits = self._workers.exits()
        self._tally.kills = exits[-signal.SIGKILL] + exits[CRASHED]
        figures = self._tally.closing(self._source.published, self._workers.rebalances, verdict)
        clean = verdict.clean and not self._tally.problems
        return Outcome(
            figures,
            self._tally.table(),
            dict(sorted(exits.items())),
            self._tally.problems,
            verdict.examples,
            None if clean else self._folder,
        )

    def _strike(self) -> None:
        self._workers.scale(self._options.workers)
        self._source.start()
        wait_for(self._workers.settled, 60, "the first workers")
        strikes = Strikes(
            self._workers,
            self._servers,
            self._source,
            self._observer,
            self._tally,
            base=self._options.workers,
            session_timeout=SESSION_TIMEOUT,
            seed=self._options.seed,
        )
        until = time.monotonic() + self._options.minutes * 60
        kinds = self._options.kinds or WEIGHTS.keys()
        for number, fault in enumerate(schedule(self._options.seed, kinds)):
            # The first round, of every kind once, is made however slow the machine is.
            if number >= len(kinds) and time.monotonic() > until:
                break
            strikes.strike(fault)

    def _drain(self) -> None:
        """Everything processed, every timer fired, everything published, every worker ended."""
        self._source.stop()
        self._source.close()

        def drained() -> bool:
            if self._workers.refused is not None:
                raise NotOvercome(self._workers.refused)
            with suppress(*AWAY):
                seqs = self._observer.seqs()
                return (
                    not self._observer.behind(self._source.ends)
                    and self._observer.timers() == 0
                    and self._observer.trimmed() == seqs
                )
            return False

        wait_for(drained, RECOVERY_SECONDS, "the drain")
        self._workers.scale(0)
        slots = self._workers.slots
        wait_for(lambda: all(slot.process is None for slot in slots), 30, "the workers' end")
        last = [slot.exit_codes[-1] for slot in slots[: self._options.workers]]
        if any(last):
            self._tally.problem(f"workers ended with {last} after the drain")
