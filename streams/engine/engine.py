"""The engine as Faust sees it: asynchronous in front, one synchronous thread behind.

Cycles and recoveries run in one thread, so they never overlap and a recovery has drained the cycle by
being next. Every doubt ends the process; the next one recovers by what Kafka and Redis hold.
"""

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn, Protocol, TypeVar

import structlog

from streams.engine.crashpoints import CrashPoints
from streams.engine.cycle import Cycle
from streams.engine.partition import Partition
from streams.engine.poison import PoisonGuard
from streams.engine.publisher import Publisher
from streams.engine.recovery import Recovery
from streams.engine.refusal import RecoveryRefused
from streams.engine.topicnames import TopicNames
from streams.engine.transport import NOTHING, Assignment, Poll
from streams.operations.health import Health
from streams.state.codec import StateCodecError
from streams.state.codes import BadSettings
from streams.state.redis_store import NotSuitable, Refused

#: The process could not go on by itself (a doubt): start it again.
EXIT_DOUBT = 70
#: Nothing helps but an operator (sysexits.h EX_CONFIG).
EXIT_REFUSED = 78
#: Polls that may wait for the cycle; past it nothing is fetched. Each has at most max_poll_records records.
WAITING_POLLS = 4
#: Commits that may wait for Kafka; past it nothing is fetched, so that a Kafka which takes no transactions
#: stops consumption instead of filling Redis. At 1,000 states of 1 KB a commit this is far beyond any pause.
UNPUBLISHED_COMMITS = 5_000
#: Faust's recovery gives up after broker_request_timeout (90 s) and would then do nothing for ever.
RECOVERY_DEADLINE = 75.0
#: Publishing what is committed before partitions are let go, seconds.
RELEASE_DEADLINE = 3.0
#: From the signal to the end of the process, at the latest, seconds.
DRAIN_DEADLINE = 8.0

T = TypeVar("T")
log = structlog.get_logger(__name__)


class Consumer(Protocol):
    """The parts of the transport's consumer that pausing needs."""

    def pause_partitions(self, tps: set[tuple[str, int]], /) -> None: ...
    def stop_flow(self) -> None: ...
    def resume_partitions(self, tps: set[tuple[str, int]], /) -> None: ...
    async def reread(self, offsets: Mapping[tuple[str, int], int], /) -> None: ...


class Engine:
    """What app.py's agent and the transport call."""

    def __init__(
        self,
        topics: TopicNames,
        cycle: Cycle,
        recovery: Recovery,
        publisher: Publisher,
        guard: PoisonGuard,
        health: Health,
        crash: CrashPoints,
    ) -> None:
        self._topics = topics
        self._cycle = cycle
        self._recovery = recovery
        self._publisher = publisher
        self._guard = guard
        self._health = health
        self._crash = crash
        self._assignment: Assignment = NOTHING
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cycle")
        self._waiting = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._consumer: Consumer | None = None

    def attach(self, consumer: Consumer) -> None:
        """Called on the event loop before each recovery, and at the start by a worker that has none."""
        self._loop = asyncio.get_running_loop()
        self._consumer = consumer

    def owned(self) -> Sequence[Partition]:
        """The owned partitions, for readers in other threads; a snapshot."""
        return tuple(self._cycle.partitions.values())

    def beat(self, what: str) -> None:
        self._health.beat(what)

    async def process(self, poll: Poll) -> None:
        """Commit a poll. Ends the process on any doubt."""
        await self._run(self._process, poll)
        self._count(-1)

    def delivered(self) -> None:
        """A poll is on its way to ``process``."""
        self._count(+1)

    def _count(self, change: int) -> None:
        # A rebalance drops polls on their way; release starts the count anew.
        self._waiting = max(0, self._waiting + change)
        if self._waiting < WAITING_POLLS:
            self._has_room.set()
        else:
            self._has_room.clear()

    async def room(self) -> bool:
        """Whether polls and commits that wait are within their bounds; waits up to a second for it."""
        if self._publisher.backlog() >= UNPUBLISHED_COMMITS:
            await asyncio.sleep(1.0)
            return False
        if not self._has_room.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._has_room.wait(), 1.0)
        return self._has_room.is_set()

    async def recover(self, assignment: Assignment) -> Mapping[tuple[str, int], int]:
        """The rewind hook. Ends the process when it does not end well."""
        try:
            return await asyncio.wait_for(self._run(self._recover, assignment), RECOVERY_DEADLINE)
        except TimeoutError:
            fail(TimeoutError(f"recovery took longer than {RECOVERY_DEADLINE:g} s"))

    async def release(self) -> None:
        """Publish what is committed, as far as that goes quickly, and let go of all partitions."""
        await self._run(self._release)
        self._waiting = 0
        self._has_room.set()

    async def drain(self) -> None:
        """The end of the worker: fetch no more, publish what is committed, within DRAIN_DEADLINE.

        Whatever hangs then (a transaction, Redis, a recovery), the process ends as drained as it is:
        nothing is lost by it, the next owner publishes the rest.
        """
        _draining.set()
        give_up = threading.Timer(DRAIN_DEADLINE, _abandon)
        give_up.daemon = True
        give_up.start()
        if self._consumer is not None:
            self._consumer.stop_flow()
        await self.release()

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, _or_fail, work, *arguments
        )

    def _process(self, poll: Poll) -> None:
        if poll.generation == self._assignment.generation:
            self._cycle.process(poll)

    def _recover(self, assignment: Assignment) -> Mapping[tuple[str, int], int]:
        began = time.monotonic()
        self._publisher.unassign()
        self._cycle.partitions = {}
        self._health.resume_all()
        recovered, missing = self._recovery.recover(assignment)
        for number, topics in missing.items():
            log.warning("partition not owned whole", partition=number, missing=topics)
            self._pause_in_thread(
                {(t, number) for t in self._topics.inputs} - _named(topics, number)
            )
        self._assignment = assignment
        self._cycle.partitions = recovered.partitions
        self._publisher.assign(assignment.generation, assignment.member, recovered.publishing)
        self._publisher.wake(set(recovered.partitions))
        for number, partition in recovered.partitions.items():
            if partition.paused is not None:
                self.pause("", number, partition.paused.reason)
        for topic, reason in self._guard.paused.items():
            # A rebalance resumes everything; what an operator has not accepted stays paused.
            self.pause(topic, None, reason)
        self._health.set("recovered", True)
        self._health.set("joined", True)
        log.info(
            "recovered", generation=assignment.generation, partitions=sorted(recovered.partitions),
            seconds=round(time.monotonic() - began, 3),
        )  # fmt: skip
        return recovered.seeks()

    def _release(self) -> None:
        self._crash.reach("in-drain")
        if self._cycle.partitions:
            drained = self._publisher.drain(time.monotonic() + RELEASE_DEADLINE)
            log.info("released", partitions=sorted(self._cycle.partitions), published_all=drained)
        self._publisher.unassign()
        self._assignment = NOTHING
        self._cycle.partitions = {}
        self._health.set("joined", False, "rebalancing")

    # Pausing --------------------------------------------------------------------------------------

    def pause(self, topic: str, partition: int | None, reason: str) -> None:
        """Stop fetching a topic (partition None) or a partition (topic ""). From the cycle's thread."""
        if partition is None:
            tps = {(topic, number) for number in self._cycle.partitions}
            self._health.pause(topic, None, reason)
            log.error("topic paused", topic=topic, reason=reason)
        else:
            # Its clock is read on: the word to skip what it is paused for comes there.
            tps = {(name, partition) for name in self._topics.folded}
            self._health.pause("partition", partition, reason)
        self._pause_in_thread(tps)

    def _pause_in_thread(self, tps: set[tuple[str, int]]) -> None:
        assert self._loop is not None
        assert self._consumer is not None
        self._loop.call_soon_threadsafe(self._consumer.pause_partitions, tps)

    def resume_partition(self, number: int, offsets: Mapping[tuple[str, int], int]) -> None:
        """Fetch these topics of a paused partition again, each from its offset. From the cycle's thread."""
        assert self._loop is not None
        self._health.resume("partition", number)
        asyncio.run_coroutine_threadsafe(self._reread(offsets), self._loop)

    def resume(self, topic: str, ends: dict[int, int]) -> None:
        """An operator accepts what the paused topic holds up to ``ends``. From any thread."""
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self._resume(topic, ends), self._loop)

    async def _resume(self, topic: str, ends: dict[int, int]) -> None:
        await self._reread(await self._run(self._reopen, topic, ends))

    async def _reread(self, offsets: Mapping[tuple[str, int], int]) -> None:
        assert self._consumer is not None
        if offsets:
            await self._consumer.reread(offsets)
            self._consumer.resume_partitions(set(offsets))

    def _reopen(self, topic: str, ends: dict[int, int]) -> dict[tuple[str, int], int]:
        if not self._guard.resume(topic, ends):
            return {}
        self._health.resume(topic, None)
        log.info("topic resumed", topic=topic)
        offsets = {}
        for number, partition in self._cycle.partitions.items():
            if partition.paused is None:
                partition.rereading.add(topic)
                offsets[topic, number] = partition.vector[topic]
        return offsets


def _named(topics: Sequence[str], number: int) -> set[tuple[str, int]]:
    return {(topic, number) for topic in topics}


def _or_fail(work: Callable[..., T], *arguments: object) -> T:
    try:
        return work(*arguments)
    except BaseException as error:  # noqa: BLE001 - every doubt ends the process
        fail(error)


#: Set once the worker was asked to end: a doubt has nothing left to put in doubt then.
_draining = threading.Event()


def _abandon() -> None:
    log.warning("drain abandoned", after_seconds=DRAIN_DEADLINE)
    sys.stderr.flush()
    os._exit(0)


def _waits_for_an_operator(error: BaseException) -> bool:
    """Whether the next process would end just as this one."""
    if isinstance(error, Refused):
        return error.reason == "codec"
    return isinstance(error, RecoveryRefused | NotSuitable | StateCodecError | BadSettings)


def fail(error: BaseException) -> NoReturn:
    """End the process at once: nothing may be cleaned up on top of a doubt."""
    if _draining.is_set():
        log.warning("drain cut short", error=f"{type(error).__name__}: {error}")
        code = 0
    elif _waits_for_an_operator(error):
        log.critical("refused", error=str(error), case=getattr(error, "case", "settings"))
        code = EXIT_REFUSED
    else:
        log.critical(
            "doubt", error=f"{type(error).__name__}: {error}",
            exc_info=None if isinstance(error, Refused) else error,
        )  # fmt: skip
        code = EXIT_DOUBT
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
