"""The faults themselves. Each strikes while lag and outbox are not empty, and is waited out.

A worker is frozen first, and its stage is looked at while it stands still; when that is not the
stage asked for, it goes on and is tried again. So a stage is a fact, not a hope.
"""

import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import redis
from confluent_kafka import KafkaException

from streams.engine.log_errors import LogError
from streams.state.redis_store import StoreError
from tests.faults import schedule
from tests.faults.schedule import POINTS, Fault
from tests.faults.servers import Servers
from tests.faults.source import Source
from tests.faults.stages import COMMITTED, IN_RECOVERY, Look, Observer
from tests.faults.tally import Tally
from tests.faults.workers import Slot, Workers
from tests.waiting import wait_for

#: For so long a drawn stage is looked for; then any other will do.
STAGE_SECONDS = 5.0
#: Within this there must be work to lose.
WORK_SECONDS = 60.0
#: Within this a fault must be overcome.
RECOVERY_SECONDS = 120.0
#: Within this an armed worker must have passed its crash point.
CRASH_SECONDS = 45.0
AWAY = (redis.RedisError, StoreError, KafkaException, LogError)


class NotOvercome(Exception):
    """The workers did not recover in time, or refused."""


class Strikes:
    """Carries out one fault after another, and counts them."""

    def __init__(
        self,
        workers: Workers,
        servers: Servers,
        source: Source,
        observer: Observer,
        tally: Tally,
        *,
        base: int,
        session_timeout: float,
        seed: int,
    ) -> None:
        """``base``: workers between two faults."""
        self._workers = workers
        self._servers = servers
        self._source = source
        self._observer = observer
        self._tally = tally
        self._base = base
        self._session_timeout = session_timeout
        self._random = random.Random(seed + 1)
        self._calm = threading.Event()
        self._kinds: dict[str, Callable[[Fault], str]] = {
            schedule.KILL: self._kill,
            schedule.CRASH: self._crash,
            schedule.FREEZE: self._freeze,
            schedule.TERMINATE: self._terminate,
            schedule.SCALE: self._scale,
            schedule.REDIS_RESTART: self._restart_redis,
            schedule.REDIS_ROLLBACK: self._roll_redis_back,
            schedule.BROKER_RESTART: self._restart_broker,
        }

    def strike(self, fault: Fault) -> None:
        """Raises NotOvercome, and what the source raised."""
        self._wait(fault.pause)
        self._servers.shorten_file()
        began = time.monotonic()
        stage = self._kinds[fault.kind](fault)
        self._await(self._workers.settled, f"{self._base} workers after {fault.kind}")
        if stage:
            self._tally.struck(fault.kind, stage)
        self._tally.say(
            f"{fault.kind} · {stage or 'nothing to lose'}"
            f"{' · ' + fault.crash if fault.crash else ''} · {time.monotonic() - began:.1f} s"
        )

    def until_whole(self, since: float) -> None:
        """Waits until all written before now is processed and published; ``since``: monotonic."""
        ends = dict(self._source.ends)
        self._await(lambda: not self._observer.behind(ends), "all partitions to catch up")
        seqs = self._observer.seqs()

        def published() -> bool:
            trimmed = self._observer.trimmed()
            return all(trimmed[number] >= seq for number, seq in seqs.items())

        self._await(published, "the outbox to be published")
        self._tally.recovered(time.monotonic() - since)

    def _await(self, condition: Callable[[], bool], what: str) -> None:
        def holds() -> bool:
            self._source.check()
            if self._workers.refused is not None:
                raise NotOvercome(self._workers.refused)
            with suppress(*AWAY):
                return condition()
            return False

        try:
            wait_for(holds, RECOVERY_SECONDS, what)
        except AssertionError as error:
            raise NotOvercome(str(error)) from error

    def _wait(self, seconds: float) -> None:
        self._calm.wait(seconds)

    # Striking -------------------------------------------------------------------------------------

    def _hold(self, stage: str, only: Slot | None = None) -> tuple[Slot, str]:
        """Freezes a worker (``only`` this one) at ``stage``, or at any other if that does not come,
        while there is work to lose. The caller lets go of it."""
        began = time.monotonic()
        if stage == IN_RECOVERY and len(self._workers.running) > 1:
            # Another one's end makes those that stay recover.
            self._random.choice(self._workers.running[1:]).signal(signal.SIGTERM)
        while time.monotonic() - began < WORK_SECONDS:
            self._source.check()
            if self._workers.refused is not None:
                raise NotOvercome(self._workers.refused)
            candidates = [slot for slot in self._workers.running if only in (None, slot)]
            if not candidates:
                self._wait(0.1)
                continue
            slot = candidates[0] if stage == IN_RECOVERY else self._random.choice(candidates)
            slot.signal(signal.SIGSTOP)
            found = self._look_at(slot)
            late = time.monotonic() - began > STAGE_SECONDS
            if found is not None and found.worth_a_strike and (late or found.stage == stage):
                return slot, found.stage
            slot.signal(signal.SIGCONT)
            self._wait(self._random.uniform(0.02, 0.15))
        raise NotOvercome(f"there was no work to lose in {WORK_SECONDS:g} s")

    def _look_at(self, slot: Slot) -> Look | None:
        self._workers.follow()
        if not slot.running:
            return None
        try:
            return self._observer.look(slot.partitions, owning=slot.place == "owning")
        except AWAY:
            return None

    def _kill(self, fault: Fault) -> str:
        slot, stage = self._hold(fault.stage)
        since = time.monotonic()
        self._end_by(slot, signal.SIGKILL)
        self.until_whole(since)
        return stage

    def _terminate(self, fault: Fault) -> str:
        slot, stage = self._hold(fault.stage)
        since = time.monotonic()
        slot.signal(signal.SIGCONT)
        code = self._end_by(slot, signal.SIGTERM)
        if code != 0:
            self._tally.problem(f"worker {slot.number} ended with {code} after SIGTERM, not with 0")
        self.until_whole(since)
        return stage

    def _crash(self, fault: Fault) -> str:
        """An armed worker ends itself at a named point; to be armed it is killed first."""
        slot, stage = self._hold(COMMITTED)
        known = len(self._workers.crashes)
        slot.armed = fault.crash
        self._end_by(slot, signal.SIGKILL)
        self._tally.struck(schedule.KILL, stage)
        if fault.crash.startswith("in-drain"):
            self._await(lambda: slot.running and self._owning(slot), "the armed worker to recover")
            self._hold(COMMITTED, only=slot)
            slot.signal(signal.SIGTERM)
            slot.signal(signal.SIGCONT)
        stage = fault.stage if self._await_crash(slot, known) else ""
        self.until_whole(time.monotonic())
        return stage

    def _owning(self, slot: Slot) -> bool:
        self._workers.follow()
        return slot.place == "owning"

    def _await_crash(self, slot: Slot, known: int) -> bool:
        """Whether the armed worker came to its crash point, with work to lose, after ``known`` crashes.
        If it does not come there in time, it is disarmed."""
        deadline = time.monotonic() + CRASH_SECONDS

        def over() -> bool:
            return len(self._workers.crashes) > known or time.monotonic() > deadline

        self._await(over, "the crash")
        if len(self._workers.crashes) == known:
            slot.armed = ""
            self._end_by(slot, signal.SIGKILL)
            return False
        try:
            return self._observer.look([], owning=False).worth_a_strike
        except AWAY:
            return False

    def _end_by(self, slot: Slot, number: signal.Signals) -> int:
        """Signals the worker and waits for its end; returns the exit code."""
        known = len(slot.exit_codes)
        slot.signal(number)
        self._await(lambda: len(slot.exit_codes) > known, f"the end of worker {slot.number}")
        return slot.exit_codes[known]

    def _freeze(self, fault: Fault) -> str:
        """Frozen past its session time-out, so that others own what it still believes to own."""
        slot, stage = self._hold(fault.stage)
        since, ends_known = time.monotonic(), len(slot.exit_codes)
        recovered = slot.recoveries
        frozen = set(slot.partitions)
        deadline = since + self._session_timeout + 20.0

        def replaced() -> bool:
            self._workers.follow()
            others = {
                n for other in self._workers.running if other is not slot for n in other.partitions
            }
            return frozen <= others or time.monotonic() > deadline

        self._wait(self._session_timeout + fault.length)
        self._await(replaced, "another worker to own what the frozen one does")
        self._tally.zombies += 1
        slot.signal(signal.SIGCONT)

        def learnt() -> bool:
            self._workers.follow()
            return len(slot.exit_codes) > ends_known or slot.recoveries > recovered

        self._await(learnt, f"the thawed worker {slot.number} to learn of it")
        self.until_whole(since)
        return stage

    def _scale(self, fault: Fault) -> str:
        slot, stage = self._hold(fault.stage)
        since = time.monotonic()
        slot.signal(signal.SIGCONT)
        for count in (1, len(self._workers.slots), 1, self._base):
            self._workers.scale(count)
            self._await(self._workers.settled, f"{count} workers")
        self.until_whole(since)
        return stage

    def _restart_redis(self, fault: Fault) -> str:
        slot, stage = self._hold(fault.stage)
        since = time.monotonic()
        self._servers.kill_redis()
        slot.signal(signal.SIGCONT)
        self._wait(fault.length)
        self._servers.start_redis()
        self._tally.redis_restarts += 1
        self.until_whole(since)
        return stage

    def _roll_redis_back(self, fault: Fault) -> str:
        """All that Redis was told in the last seconds is lost, also what it had acknowledged."""
        self._await(self._workers.settled, f"{self._base} workers")
        self._servers.copy_redis()
        before = sum(self._observer.seqs().values())
        self._wait(fault.length)
        slot, stage = self._hold(fault.stage)
        since = time.monotonic()
        lost = sum(self._observer.seqs().values()) - before
        self._servers.kill_redis()
        self._servers.put_copy_back()
        known = len(self._workers.crashes)
        if fault.crash:
            # Whichever comes back first repeats the journal.
            for each in self._workers.running:
                each.armed = fault.crash
            self._end_by(slot, signal.SIGKILL)
        else:
            slot.signal(signal.SIGCONT)
        self._servers.start_redis()
        self._tally.redis_rollbacks += 1
        self._tally.commits_lost += lost
        if fault.crash:
            self._await_replay(fault.crash, known)
        self.until_whole(since)
        return stage

    def _await_replay(self, spec: str, known: int) -> None:
        """An armed worker dies while it repeats the journal, or all of it has been repeated."""
        crashes = self._workers.crashes
        self._await(lambda: len(crashes) > known or self._workers.settled(), "the replay")
        if len(crashes) > known:
            self._tally.struck(schedule.CRASH, POINTS[spec.partition(":")[0]])
        for slot in self._workers.slots:
            slot.armed = ""

    def _restart_broker(self, fault: Fault) -> str:
        slot, stage = self._hold(fault.stage)
        since = time.monotonic()
        self._servers.kill_broker()
        slot.signal(signal.SIGCONT)
        self._wait(fault.length)
        self._servers.start_broker()
        self._observer.reconnect()
        self._tally.broker_restarts += 1
        self.until_whole(since)
        return stage
