"""Between the workers and the servers: every request is a step, and every step may be struck.

There are no threads. What is frozen in the middle of a step stays on the stack while the others act,
and goes on when they have: that is how a zombie comes back at any place. Every step of a client is a
place to crash before or after, to freeze, to lose the request or its answer, or to die with the request
still on its way.
"""

from collections.abc import Callable
from typing import Any

import redis

from tests.simulation.processes import Crash, Processes
from tests.simulation.redis_losses import RedisLosses
from tests.simulation.strikes import Strikes
from tests.simulation.tally import AFTER, BEFORE, POINT
from tests.simulation.worker import Worker
from tests.simulation.world import World

#: A freeze within a freeze within a freeze.
DEPTH = 3


class Steps:
    """The network of memory_clients; ``act`` gives one turn to somebody."""

    def __init__(
        self,
        world: World,
        processes: Processes,
        losses: RedisLosses,
        strikes: Strikes,
        act: Callable[[], None],
    ) -> None:
        self.kafka = world.kafka
        self.require_stable = world.variant.require_stable
        self._world = world
        self._processes = processes
        self._losses = losses
        self._strikes = strikes
        self._act = act

    # Time -----------------------------------------------------------------------------------------

    def time(self) -> float:
        return self.kafka.now / 1000

    def monotonic(self) -> float:
        return self.kafka.now / 1000

    def sleep(self, seconds: float) -> None:
        self.kafka.now += int(seconds * 1000)
        if self.kafka.markers:
            self.kafka.deliver(0)

    def flips(self) -> bool:
        return self._world.rng.random() < 0.5

    def wait(self, owner: str, met: Callable[[], bool]) -> bool:
        """The broker says: not yet. Others act; in the end the transaction's time-out comes."""
        for _ in range(20):
            if met():
                return True
            self._among_others(self._processes.workers[owner], 1, whole=False)
        self.kafka.settle()
        return met()

    # Steps ----------------------------------------------------------------------------------------

    def call(
        self, owner: str, name: str, effect: Callable[[], Any], lost: Callable[[], Exception]
    ) -> Any:
        worker = self._processes.workers[owner]
        step = f"{worker.stage}.{name}"
        self.kafka.now += 1
        strike = self._strikes.draw(step, "before", BEFORE)
        if strike == "in_flight":
            self._processes.in_flight.append((owner, effect))
            raise Crash
        self._suffer(worker, strike)
        if strike == "cut" or worker.cut_off:
            error = lost()
            if strike == "cut" or isinstance(error, redis.ConnectionError):
                worker.cut_off = False
                raise error
        result = effect()
        strike = self._strikes.draw(step, "after", AFTER)
        self._suffer(worker, strike)
        if strike == "lost":
            raise lost()
        return result

    def pass_point(self, owner: str, point: str) -> None:
        """A named crash point of the engine."""
        worker = self._processes.workers[owner]
        self._suffer(worker, self._strikes.draw(f"{worker.stage}.{point}", "at", POINT))

    def _suffer(self, worker: Worker, strike: str | None) -> None:
        if strike == "crash":
            raise Crash
        if strike == "freeze":
            rng = self._world.rng
            self._among_others(worker, rng.randint(3, 40), whole=rng.random() < 0.6)

    def _among_others(self, worker: Worker, turns: int, *, whole: bool) -> None:
        """This thread (``whole``: process) stands still where it is while others act."""
        world, losses = self._world, self._losses
        if world.depth >= DEPTH:
            return
        # A frozen owner that thaws into the Redis that it knew makes a lineage of its own.
        known, copies, before = None, 0, losses.count
        if worker.stage == "process" and world.rng.random() < 0.3:
            known = world.redis.copy()
            copies = len(losses.copies)
            turns = world.rng.randint(40, 120)
        world.depth += 1
        was, worker.frozen = worker.frozen, worker.frozen or whole
        try:
            for _ in range(turns):
                self._act()
            # Where Redis lost something meanwhile, what it had then may be of a lineage that is void.
            if known is not None and losses.count == before and not worker.dead:
                for other in self._processes.alive():
                    other.cut_off = other is not worker
                del losses.copies[copies:]
                losses.lose_suffix(known)
                if world.rng.random() < 0.5:
                    self._let_others_claim()
        finally:
            world.depth -= 1
            worker.frozen = was
        if worker.dead:
            raise Crash

    def _let_others_claim(self) -> None:
        """Before the frozen one thaws; whoever claims may die of it, with all that was lost undone."""
        self._strikes.add("recover.after-claim", "crash at")
        waiting = set(self._losses.unclaimed)
        for _ in range(60):
            if not waiting.issubset(self._losses.unclaimed):
                return
            self._act()
