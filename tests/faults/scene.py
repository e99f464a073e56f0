"""What every fault is made of: a worker that is held at its stage, and the wait until all is whole again.

A worker is frozen first, and its stage is looked at while it stands still; when that is not the
stage asked for, it goes on and is tried again. So a stage is a fact, not a hope.
"""

import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import redis
from confluent_kafka import KafkaException
from sqlalchemy.exc import SQLAlchemyError

from streams.engine.log_errors import LogError
from streams.settings import Settings
from streams.state.redis_store import StoreError
from tests.faults.builds import Builds
from tests.faults.operating import Operator
from tests.faults.servers import Servers
from tests.faults.sinks import Sinks
from tests.faults.source import Source
from tests.faults.stages import IN_RECOVERY, Look, Observer
from tests.faults.tally import Tally
from tests.faults.workers import Refusal, Slot, Workers
from tests.waiting import wait_for

#: For so long a drawn stage is looked for; then any other will do.
STAGE_SECONDS = 4.0
#: Within this there must be work to lose.
WORK_SECONDS = 120.0
#: Within this a fault must be overcome.
RECOVERY_SECONDS = 300.0
AWAY = (redis.RedisError, StoreError, KafkaException, LogError, SQLAlchemyError)


class NotOvercome(Exception):
    """The workers did not recover in time, or refused."""


class WorkerRefused(NotOvercome):
    """A worker waits for an operator, which most faults must not bring about."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


@dataclass
class Scene:
    """All that a fault needs. ``base``: workers between two faults. ``settings``: the direct ones."""

    settings: Settings
    workers: Workers
    sinks: Sinks
    servers: Servers
    source: Source
    observer: Observer
    operator: Operator
    builds: Builds
    tally: Tally
    base: int
    random: random.Random
    _pause: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raises WorkerRefused, NotOvercome where a sink refused, and what ended the source."""
        self.source.check()
        if self.workers.refused is not None:
            raise WorkerRefused(self.workers.refused)
        if self.sinks.refused:
            raise NotOvercome(self.sinks.refused)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Waits; servers that are away are waited for. Raises NotOvercome."""

        def holds() -> bool:
            self.check()
            with suppress(*AWAY):
                return condition()
            return False

        try:
            wait_for(holds, RECOVERY_SECONDS, what)
        except AssertionError as error:
            raise NotOvercome(str(error)) from error

    def until_settled(self) -> None:
        self.until(self.workers.settled, f"{self.base} workers")

    def until_whole(self, since: float) -> None:
        """Waits until all written before now is processed and published; ``since``: monotonic."""
        ends = dict(self.source.ends)
        self.until(lambda: not self.observer.behind(ends), "all partitions to catch up")
        seqs = self.observer.seqs()

        def published() -> bool:
            trimmed = self.observer.trimmed()
            return all(trimmed[number] >= seq for number, seq in seqs.items())

        self.until(published, "the outbox to be published")
        self.tally.recovered(time.monotonic() - since)

    def until_refused(self, case: str) -> Refusal:
        """Waits for a worker to refuse, which must be for ``case``."""

        def refused() -> bool:
            return self.workers.refused is not None

        try:
            wait_for(refused, RECOVERY_SECONDS, f"a worker to refuse ({case})")
        except AssertionError as error:
            raise NotOvercome(str(error)) from error
        refusal = self.workers.refused
        assert refusal is not None
        if refusal.case != case:
            raise WorkerRefused(refusal)
        return refusal

    def wait(self, seconds: float) -> None:
        self._pause.wait(seconds)

    # A worker at its stage ------------------------------------------------------------------------

    def hold(self, stage: str, only: Slot | None = None) -> tuple[Slot, str]:
        """Freezes a worker (``only`` this one) at ``stage``, or at any other if that does not come,
        while there is work to lose. The caller lets go of it."""
        began = time.monotonic()
        if stage == IN_RECOVERY and len(self.workers.running) > 1:
            # Another one's end makes those that stay recover.
            self.random.choice(self.workers.running[1:]).signal(signal.SIGTERM)
        while time.monotonic() - began < WORK_SECONDS:
            self.check()
            candidates = [slot for slot in self.workers.running if only in (None, slot)]
            if not candidates:
                self.wait(0.1)
                continue
            slot = candidates[0] if stage == IN_RECOVERY else self.random.choice(candidates)
            slot.signal(signal.SIGSTOP)
            found = self._look_at(slot)
            late = time.monotonic() - began > STAGE_SECONDS
            if found is not None and found.worth_a_strike and (late or found.stage == stage):
                return slot, found.stage
            slot.signal(signal.SIGCONT)
            self.wait(self.random.uniform(0.02, 0.15))
        raise NotOvercome(f"there was no work to lose in {WORK_SECONDS:g} s")

    def _look_at(self, slot: Slot) -> Look | None:
        self.workers.follow()
        if not slot.running:
            return None
        try:
            return self.observer.look(slot.partitions, owning=slot.place == "owning")
        except AWAY:
            return None

    def owning(self, slot: Slot) -> bool:
        self.workers.follow()
        return slot.running and slot.place == "owning"

    def end_by(self, slot: Slot, number: signal.Signals) -> int:
        """Signals the worker and waits for its end; returns the exit code."""
        known = len(slot.exit_codes)
        slot.signal(number)
        self.until(lambda: len(slot.exit_codes) > known, f"the end of worker {slot.number}")
        return slot.exit_codes[known]

    def until_replaced(self, slot: Slot, seconds: float) -> None:
        """Waits until others own what the frozen ``slot`` believes to own, at most ``seconds``."""
        frozen = set(slot.partitions)
        deadline = time.monotonic() + seconds

        def replaced() -> bool:
            self.workers.follow()
            others = [other for other in self.workers.running if other is not slot]
            owned = {number for other in others for number in other.partitions}
            return frozen <= owned or time.monotonic() > deadline

        self.until(replaced, "another worker to own what the frozen one does")

    def commits(self) -> int:
        """How many commits Redis has, over all partitions."""
        return sum(self.observer.seqs().values())
