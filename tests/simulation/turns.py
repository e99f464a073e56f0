"""Whose turn it is: a thread of a worker, the broker, upstream, or fate."""

from collections.abc import Callable

from tests.simulation.excuses import Excuses
from tests.simulation.operators import Operator
from tests.simulation.processes import Processes
from tests.simulation.redis_losses import RedisLosses
from tests.simulation.skipping import Skipping
from tests.simulation.tool import Tool
from tests.simulation.worker import Worker
from tests.simulation.world import World

#: What can happen next, and how likely beside the others.
Choices = list[tuple[float, Callable[[], None]]]


class Turns:
    """``act`` gives one turn to somebody; ``start`` starts one more worker."""

    def __init__(
        self,
        world: World,
        excuses: Excuses,
        processes: Processes,
        losses: RedisLosses,
        operator: Operator,
        skipping: Skipping,
        start: Callable[[], None],
        *,
        loses: bool,
    ) -> None:
        """``loses``: whether Redis is to lose suffixes often."""
        self._world = world
        self._excuses = excuses
        self._processes = processes
        self._losses = losses
        self._operator = operator
        self._skipping = skipping
        self._start = start
        self._loses = loses

    def act(self) -> None:
        choices = [*self._of_workers(), *self._of_kafka(), *self._of_operator()]
        if not self._world.calm:
            choices += self._of_upstream() + self._of_fate()
        weights = [weight for weight, _ in choices]
        if choices:
            self._world.rng.choices([action for _, action in choices], weights)[0]()

    def _of_workers(self) -> Choices:
        found: Choices = []
        for worker in self._processes.alive():
            if worker.frozen:
                continue
            if "cycle" not in worker.busy:
                if worker.must_rejoin():
                    if not worker.publishing:
                        found.append((6, self._turn(worker, "cycle", "release", worker.rejoin)))
                elif worker.is_assigned():
                    if not worker.publishing:
                        found.append(
                            (6, self._turn(worker, "cycle", "recover", self._recovery(worker)))
                        )
                elif worker.polls:
                    found.append((6, self._turn(worker, "cycle", "process", worker.process)))
            if worker.positions and len(worker.polls) < 4:
                found.append((5, lambda worker=worker: worker.fetch(self._most)))
            if worker.loop.calls:
                found.append((4, worker.loop.run))
            if "publisher" not in worker.busy and not worker.publishing:
                found.append((3, self._turn(worker, "publisher", "publish", worker.publish)))
            if "ticker" not in worker.busy and worker.cycle.partitions and not self._world.calm:
                found.append((2, self._turn(worker, "ticker", "tick", worker.ticker.tick)))
        return found

    def _turn(
        self, worker: Worker, thread: str, stage: str, work: Callable[[], object]
    ) -> Callable[[], None]:
        return lambda: self._processes.run(worker, thread, stage, work)

    def _recovery(self, worker: Worker) -> Callable[[], None]:
        def recover() -> None:
            before = self._losses.count
            worker.recover()
            if self._losses.count == before:
                # Whoever committed where an older copy stood would have been found out.
                for number in worker.cycle.partitions:
                    self._excuses.drop("forked", number)
            if any(partition.lost for partition in worker.cycle.partitions.values()):
                self._world.tally.events["paused in recovery"] += 1

        return recover

    def _most(self) -> int:
        """Offsets of a topic-partition that one fetch brings at most."""
        return self._world.rng.choice((0, 1, 2, 5, 50))

    def _of_kafka(self) -> Choices:
        found: Choices = []
        kafka, rng, processes = self._world.kafka, self._world.rng, self._processes
        if kafka.markers:
            found.append((4, lambda: kafka.deliver(rng.randrange(len(kafka.markers)))))
        if kafka.open_transactions():
            found.append((0.2, lambda: kafka.expire(rng.choice(kafka.open_transactions()))))
        gone = [
            member
            for member in kafka.group.members
            if (owner := processes.workers[member.split(".")[0]]).dead or owner.frozen
        ]
        if gone:
            found.append((2, lambda: kafka.group.leave(rng.choice(gone))))
        alive = processes.alive()
        slow = [w.member for w in alive if w.must_rejoin() and "cycle" in w.busy]
        if slow:
            found.append((1, lambda: kafka.group.leave(rng.choice(slow))))
        if processes.in_flight:
            found.append((1, lambda: processes.arrive(rng.randrange(len(processes.in_flight)))))
        if len(alive) < processes.wanted or all(worker.frozen for worker in alive):
            found.append((3, self._start))
        return found

    def _of_operator(self) -> Choices:
        skipping = self._skipping
        found: Choices = [(8, skipping.skip)] if skipping.unsaid() else []
        if skipping.outgrown():
            found.append((0.5, skipping.deploy))
        if skipping.said and not self._world.calm:
            found.append((0.05, skipping.skip_again))
            found.append((5, skipping.lose_skip))
        return found

    def _of_upstream(self) -> Choices:
        source, rng, tool = self._world.source, self._world.rng, self._world.tool
        found: Choices = [(2, self._pass_time)]
        if tool is not None:
            found += self._of_tool(tool)
            if tool.went_ahead:
                return found
        found.append((8, source.send))
        if source.in_transaction:
            found.append((1, lambda: source.end(commit=rng.random() < 0.5)))
        else:
            found.append((0.5, source.begin))
        return found

    def _of_tool(self, tool: Tool) -> Choices:
        if not tool.holds:
            # After a window of the future time stands still until the wall comes to it: not in here.
            return [] if tool.went_ahead else [(0.4, tool.take)]
        found: Choices = [(0.3, tool.close)]
        if tool.untold:
            found.append((3, tool.tell))
        elif tool.may_send:
            found += [(12, tool.send), (2, tool.tick)]
        return found

    def _pass_time(self) -> None:
        self._world.kafka.now += self._world.rng.choice((100, 1_000, 10_000, 60_000, 600_000))

    def _of_fate(self) -> Choices:
        losses, processes, rng = self._losses, self._processes, self._world.rng
        found: Choices = [
            (0.8, losses.copy), (0.3 if self._loses else 0.1, losses.put_back),
            (0.2, processes.scale),
        ]  # fmt: skip
        alive = processes.alive()
        if alive:
            found.append((0.1, lambda: processes.end(rng.choice(alive), "killed")))
            found.append((0.15, lambda: processes.freeze(rng.choice(alive))))
        frozen = [worker for worker in alive if worker.frozen and not worker.busy]
        if frozen:
            found.append((1, lambda: processes.thaw(rng.choice(frozen))))
        if self._world.depth == 0 and not self._excuses.damages():
            found.append((0.12, self._operator.maintain))
        return found
