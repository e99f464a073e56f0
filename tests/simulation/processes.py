"""The workers: how they start, end, freeze and thaw, and the requests that outlive them."""

from collections.abc import Callable
from typing import Any

import redis
from confluent_kafka import KafkaException

from streams.engine.intake import GapError
from streams.engine.log_errors import LogError, LogIncomplete
from streams.engine.publisher import PublisherError
from streams.engine.refusal import RecoveryRefused
from streams.engine.ticker import TickerError
from streams.state.redis_store import StoreError
from tests.simulation.checks import Wrong
from tests.simulation.excuses import Excuses
from tests.simulation.memory_redis import MemoryClient, Wire
from tests.simulation.worker import Worker
from tests.simulation.world import World

#: Ends of a process that the next one makes good.
DOUBTS = (
    StoreError, redis.RedisError, KafkaException, PublisherError, TickerError, LogError, GapError,
)  # fmt: skip


class Crash(BaseException):
    """The process is gone."""


class Processes:
    """All workers that ever were, by name; what they were refused is in ``refusals``."""

    def __init__(self, world: World, excuses: Excuses) -> None:
        self.workers: dict[str, Worker] = {}
        self.wanted = world.rng.choice((1, 2, 2, 3))
        #: What a worker that starts may be.
        self.builds = ["build-1"]
        self._made = 1
        self.refusals: list[RecoveryRefused] = []
        #: Requests of processes that are gone: (whose, effect).
        self.in_flight: list[tuple[str, Callable[[], Any]]] = []
        self._world = world
        self._excuses = excuses
        self._started = 0

    def new_build(self) -> str:
        self._made += 1
        return f"build-{self._made}"

    def alive(self) -> list[Worker]:
        return [worker for worker in self.workers.values() if not worker.dead]

    def start(
        self, wire: Callable[[str], Wire], reach: Callable[[str], Callable[[str], None]]
    ) -> None:
        """One more; ``wire`` and ``reach`` give what carries out the steps of a worker of this name."""
        world = self._world
        running = {worker.slot for worker in self.alive() if not worker.frozen}
        slot = world.rng.choice([slot for slot in range(4) if slot not in running] or [4])
        self._started += 1
        name = f"w{self._started}"
        worker = Worker(
            name, slot, world.rng.choice(self.builds), world.kafka,
            lambda wire: MemoryClient(world.redis, wire), wire(name), reach(name),
            world.metrics, world.variant, world.partitions, self._note,
        )  # fmt: skip
        self.workers[name] = worker
        self.run(worker, "cycle", "start", worker.start)

    def run(self, worker: Worker, thread: str, stage: str, work: Callable[[], object]) -> None:
        """A turn of a thread, to its end or the process's. Raises Wrong at a refusal without need."""
        if worker.dead:
            return
        outer = worker.stage
        worker.stage = stage
        worker.busy.add(thread)
        try:
            work()
        except Crash:
            self.end(worker, "crashed")
        except RecoveryRefused as refused:
            self.end(worker, "refused")
            if (refused.case, refused.partition) not in self._excuses:
                raise Wrong(f"refused without need: {refused.case}: {refused}") from refused
            self.refusals.append(refused)
        except DOUBTS as doubt:
            self._doubt(worker, doubt)
        finally:
            worker.stage = outer
            worker.busy.discard(thread)

    def _doubt(self, worker: Worker, doubt: Exception) -> None:
        if self._world.variant.goes_on and not worker.dead:
            worker.engine._release = lambda: None  # type: ignore[method-assign]
            worker.polls.clear()
            self._world.kafka.group.leave(worker.member)
            return
        self.end(worker, type(doubt).__name__)
        if isinstance(doubt, LogIncomplete) and ("outside_log", doubt.partition) in self._excuses:
            # Redis was put back to before it had read anything of the topic that was made anew, so no
            # offset of its own lies outside. The rows to repeat do, which is a doubt that says what to
            # check; somebody does.
            self._excuses.repair(("outside_log", doubt.partition))
            self._note("topic put back after a doubt")

    def end(self, worker: Worker, why: str) -> None:
        if worker.dead:
            return
        worker.dead = True
        worker.loop.run()  # no coroutine is left behind; nobody sees what it does to the dead
        self._note(why)
        for partition in worker.cycle.partitions.values():
            if partition.paused:
                self._note("ended while paused")
            elif partition.ticks.skips:
                self._note("ended before a skip was applied")

    def _note(self, event: str) -> None:
        self._world.tally.events[event] += 1

    def stop_all(self) -> None:
        """Every process is gone, every request has arrived, every transaction is over."""
        kafka = self._world.kafka
        for worker in self.alive():
            self.end(worker, "stopped")
        for member in list(kafka.group.members):
            kafka.group.leave(member)
        while self.in_flight:
            self.arrive(0)
        self._world.source.end(commit=True)
        kafka.settle()

    def scale(self) -> None:
        """Another number of workers is wanted; one too many drains and leaves."""
        self.wanted = self._world.rng.choice((1, 2, 3))
        idle = [worker for worker in self.alive() if not worker.busy and not worker.frozen]
        if len(idle) > self.wanted:
            worker = idle[0]
            self.run(worker, "cycle", "release", worker.release)
            self.end(worker, "scaled down")
            self._world.kafka.group.leave(worker.member)

    def freeze(self, worker: Worker) -> None:
        worker.frozen = True

    def thaw(self, worker: Worker) -> None:
        worker.frozen = False
        self._note("thawed")

    def arrive(self, index: int) -> None:
        """A request of a process that is gone; nobody hears the answer."""
        _, effect = self.in_flight.pop(index)
        self._note("arrived late")
        try:
            effect()
        except (redis.RedisError, KafkaException):
            self._note("refused late")

    def may_still_commit(self, member: str) -> bool:
        """Whether anything of this member of the group may still reach Redis."""
        name = member.split(".", maxsplit=1)[0]
        worker = self.workers.get(name)
        alive = worker is not None and not worker.dead
        return alive or any(owner == name for owner, _ in self.in_flight)
