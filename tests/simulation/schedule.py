"""One seed, one schedule: which thread of which worker takes its next step, and what strikes it there.

Whose turn it is: turns.py. What a step may suffer: steps.py. How Redis loses what it had:
redis_losses.py. What people do to it: operators.py.
"""

from functools import partial

from tests.simulation.checks import Wrong, check
from tests.simulation.excuses import Excuses
from tests.simulation.memory_clients import installed
from tests.simulation.operators import Operator
from tests.simulation.passing import short_months
from tests.simulation.processes import Processes
from tests.simulation.redis_losses import RedisLosses
from tests.simulation.skipping import Skipping
from tests.simulation.steps import Steps
from tests.simulation.strikes import Strikes
from tests.simulation.tally import Tally
from tests.simulation.turns import Turns
from tests.simulation.variants import AS_IT_IS, Variant
from tests.simulation.worker import TOPICS
from tests.simulation.world import World

#: Turns in which anything may strike; a skip that is lost again needs more of them.
TURNS = (150, 300)
TURNS_OF_SKIPS = (400, 700)
#: Turns of everybody until a schedule is at rest.
PATIENCE = 400


class Schedule:
    """``run`` raises Wrong, Broken or whatever else the engine must not raise."""

    def __init__(self, seed: int, tally: Tally, variant: Variant = AS_IT_IS) -> None:
        self.world = World(seed, tally, variant)
        excuses = Excuses()
        self._processes = Processes(self.world, excuses)
        losses = RedisLosses(self.world, excuses, self._processes)
        self._operator = Operator(self.world, excuses, self._processes, losses)
        skipping = Skipping(self.world, self._processes, losses)
        strikes = Strikes(self.world)
        self._turns = Turns(
            self.world, excuses, self._processes, losses, self._operator, skipping, self._start,
            loses=strikes.loses,
        )  # fmt: skip
        self._steps = Steps(self.world, self._processes, losses, strikes, self._turns.act)

    def run(self) -> None:
        world = self.world
        with installed(self._steps, world.variant.chain), short_months():
            for _ in range(world.rng.randint(*(TURNS_OF_SKIPS if world.frail else TURNS))):
                self._turns.act()
                if self._processes.refusals:
                    self._operator.make_good()
            self._come_to_rest()
            world.tally.events += check(world.kafka, world.redis, world.source, world.partitions)
        for metric in world.metrics.registry.collect():
            for sample in metric.samples:
                if sample.name == "shop_recoveries_total":
                    world.tally.cases[sample.labels["case"]] += int(sample.value)

    def _start(self) -> None:
        steps = self._steps
        self._processes.start(
            lambda name: partial(steps.call, name), lambda name: partial(steps.pass_point, name)
        )

    def _come_to_rest(self) -> None:
        world, processes = self.world, self._processes
        world.calm = True
        world.source.end(commit=True)
        if world.tool is not None and world.tool.holds:
            world.tool.close()
        processes.stop_all()
        world.kafka.now += 14_400_000
        for _ in range(PATIENCE):
            while len(processes.alive()) < processes.wanted:
                self._start()
            for _ in range(10):
                self._turns.act()
            if processes.refusals:
                self._operator.make_good()
            world.kafka.now += 6_000
            if self._lag():
                for worker in processes.alive():
                    processes.run(worker, "ticker", "tick", worker.ticker.tick)
            elif not self._unrest():
                return
        raise Wrong(f"does not come to rest: {self._unrest()}")

    def _unrest(self) -> list[str]:
        """What is still to be done."""
        world, processes = self.world, self._processes
        left = self._lag() + [f"transaction {name}" for name in world.kafka.open_transactions()]
        if world.kafka.markers or processes.in_flight:
            left.append("requests on their way")
        store = world.store()
        owned = {number for worker in processes.alive() for number in worker.cycle.partitions}
        for number in range(world.partitions):
            if number not in owned:
                left.append(f"partition {number}: nobody has recovered it")
            if store.outbox(number, 0, 1):
                left.append(f"partition {number}: commits to publish")
        left += [
            f"partition {number}: a clock to read"
            for worker in processes.alive()
            for number, partition in worker.cycle.partitions.items()
            # The clock's own word on when timers are due: a tool's may be days ahead of the wall's.
            if partition.clock_read < world.kafka.logs[TOPICS.clock, number].end
        ]
        return left + [f"worker {w.name}: work" for w in processes.alive() if not w.level()]

    def _lag(self) -> list[str]:
        """Events not processed and timers not fired."""
        left: list[str] = []
        store = self.world.store()
        for number in range(self.world.partitions):
            stored = store.stored(number)
            # A day, a month and a year are longer than anybody waits.
            if stored.next_due is not None and stored.next_due <= self.world.kafka.now:
                left.append(f"partition {number}: a timer due at {stored.next_due}")
            for topic in TOPICS.folded:
                at, end = stored.vector.get(topic, 0), self.world.kafka.logs[topic, number].end
                if at < end:
                    left.append(f"{topic}[{number}]: at {at} of {end}")
        return left
