"""One run: servers of its own, the source, the schedule, the drain and the verdict."""

import json
import logging
import random
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from streams.engine.crashpoints import EXIT_CODE as CRASHED
from streams.settings import Settings
from streams.topics import create_topics
from tests.faults.builds import Builds
from tests.faults.judge import judge
from tests.faults.judge_rows import judge_rows
from tests.faults.operating import Operator
from tests.faults.query_store import KINDS, Kind
from tests.faults.report import Report
from tests.faults.scene import AWAY, RECOVERY_SECONDS, Scene
from tests.faults.schedule import WEIGHTS, schedule
from tests.faults.servers import Servers
from tests.faults.sinks import SINKS, Sinks
from tests.faults.source import LATENESS, Source
from tests.faults.stages import Observer
from tests.faults.strikes import strike
from tests.faults.tally import Tally, Verdict
from tests.faults.toxiproxy import executable
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
    rate: float = 900.0
    #: Faults of these kinds only; empty: of all.
    kinds: frozenset[str] = frozenset()
    #: Keep the folder also where nothing went wrong.
    keep: bool = False
    #: None: the seed's, so that runs have both.
    store: Kind | None = None

    @property
    def store_kind(self) -> Kind:
        """Of the query store."""
        return self.store or KINDS[self.seed % len(KINDS)]


def run(options: Options, tell: Callable[[str], None]) -> Report:
    """Blocks for ``minutes`` of faults, at least one of each kind, then for the drain and the verdict.

    Raises ToxiproxyError, LocalStackError or StoreMissing where the servers cannot be started.
    """
    # First of all: without it nothing else is worth its start.
    executable()
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

    say(
        f"seed {options.seed}, {options.minutes:g} minutes, {options.workers} workers, "
        f"{options.rate:g} events/s, {SINKS} sinks into {options.store_kind}, in {folder}"
    )
    with said, Servers(folder / "servers", MOST_WORKERS, SINKS, options.store_kind) as servers:
        report = _Run(options, folder, servers, say).report()
    if report.passed and not options.keep:
        shutil.rmtree(folder)
    else:
        report.evidence = str(folder)
        (folder / "report.json").write_text(json.dumps(report.as_dict(), indent=2) + "\n")
    return report


class _Run:
    def __init__(
        self, options: Options, folder: Path, servers: Servers, say: Callable[[str], None]
    ) -> None:
        self._options = options
        self._settings = settings = Settings(
            kafka_bootstrap=servers.kafka,
            redis_url=servers.redis_url,
            group="faults",
            code_key=SecretStr(secrets.token_hex(32)),
            metrics_port=0,
            session_timeout=SESSION_TIMEOUT,
            lateness=LATENESS,
            data_dir=folder / "faust",
            query_store=servers.store.url(),
        )
        (folder / "settings.json").write_text(
            json.dumps({"code_key": settings.code_key.get_secret_value(), "group": "faults"})
        )
        create_topics(settings)
        self._published = folder / "published"
        self._source = Source(settings, self._published, options.seed, options.rate)
        self._tally = Tally(say)
        ways = [servers.network.settings(settings, slot) for slot in range(MOST_WORKERS)]
        self._workers = Workers(ways, folder, self._tally.say)
        stored = [servers.network.sink_settings(settings, n, servers.store) for n in range(SINKS)]
        self._sinks = Sinks(settings, stored, folder)
        self._observer = Observer(settings)
        self._scene = Scene(
            settings,
            self._workers,
            self._sinks,
            servers,
            self._source,
            self._observer,
            Operator(settings, self._workers, self._tally),
            Builds(folder / "builds"),
            self._tally,
            options.workers,
            random.Random(options.seed + 1),
        )

    def report(self) -> Report:
        """Never raises for what a fault brought about: that is in the report."""
        verdict = Verdict()
        began = time.monotonic()
        seconds: dict[str, float] = {}

        def lap(what: str) -> None:
            seconds[what] = round(time.monotonic() - began - sum(seconds.values()), 1)

        try:
            self._strike()
            lap("faults")
            self._drain()
            lap("drain")
            self._tally.say("drained; verifying")
            verdict = judge(self._settings, self._published, self._observer)
            judge_rows(self._settings, self._sinks.database, verdict)
            lap("verdict")
        except Exception as error:
            logging.getLogger(__name__).exception("the run ended early")
            self._tally.problem(f"{type(error).__name__}: {error}")
        finally:
            with suppress(Exception):
                self._source.stop()
            self._workers.end()
            self._sinks.end()
            self._observer.close()
        exits = self._workers.exits()
        self._tally.kills = exits[-signal.SIGKILL] + exits[CRASHED]
        return Report(
            pieces=[
                {
                    "seed": self._options.seed,
                    "minutes": self._options.minutes,
                    "workers": self._options.workers,
                    "rate": self._options.rate,
                    "store": self._options.store_kind,
                    "seconds": seconds,
                }
            ],
            figures=self._tally.closing(self._source.published, self._workers.rebalances, verdict),
            by_stage=dict(self._tally.by_stage),
            recoveries=[round(each, 2) for each in self._tally.recoveries],
            seconds={k: [round(s, 1) for s in v] for k, v in self._tally.seconds.items()},
            exits=dict(sorted(exits.items())),
            sink_exits=dict(sorted(self._sinks.exits().items())),
            commits_lost=self._tally.commits_lost,
            adoptions=sum(slot.adoptions for slot in self._workers.slots),
            repaired=dict(self._tally.repaired),
            problems=self._tally.problems,
            examples=verdict.examples,
        )

    def _strike(self) -> None:
        self._workers.scale(self._options.workers)
        self._sinks.start()
        self._source.start()
        wait_for(self._workers.settled, RECOVERY_SECONDS, "the first workers")
        # What was never published can be taken away without a trace: that would be no fault.
        self._scene.until(lambda: all(self._observer.trimmed().values()), "the first transactions")
        until = time.monotonic() + self._options.minutes * 60
        kinds = self._options.kinds or WEIGHTS.keys()
        for number, fault in enumerate(schedule(self._options.seed, kinds)):
            # The first round, of every kind once, is made however slow the machine is.
            if number >= len(kinds) and time.monotonic() > until:
                break
            strike(self._scene, fault)

    def _drain(self) -> None:
        """Everything processed, every timer fired, everything published, every worker ended."""
        self._source.stop()
        self._source.close()

        def drained() -> bool:
            self._scene.check()
            with suppress(*AWAY):
                seqs = self._observer.seqs()
                # With all published that was committed, all is told that will be.
                return (
                    self._observer.trimmed() == seqs
                    and not self._observer.behind(self._source.ends)
                    and self._observer.timers() == 0
                )
            return False

        wait_for(drained, RECOVERY_SECONDS, "the drain")
        # One that has only just been started again does not know SIGTERM yet.
        self._scene.until_settled()
        self._workers.stop()
        last = [slot.exit_codes[-1] for slot in self._workers.slots[: self._options.workers]]
        if any(last):
            self._tally.problem(f"workers ended with {last} after the drain")
        self._drain_sinks()

    def _drain_sinks(self) -> None:
        """All that is in the topics is in the store, every sink ended."""
        self._scene.until(self._sinks.settled, "the sinks")
        ends = self._observer.stored_ends()
        self._scene.until(lambda: not self._sinks.behind(ends), "the store to have all")
        last = self._sinks.stop()
        if any(last):
            self._tally.problem(f"sinks ended with {last} after the drain")
