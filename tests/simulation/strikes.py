"""Which step is struck, and by what: some for sure, once they are passed, and any with a small chance."""

from tests.simulation.tally import REPLAY, STRIKES
from tests.simulation.world import World

#: Steps of a schedule at which something strikes for sure, if they are passed.
TARGETS = 16


class Strikes:
    """``loses``: whether this schedule is about what is done again."""

    def __init__(self, world: World) -> None:
        rng = world.rng
        self._world = world
        self._targets = {rng.choice(STRIKES) for _ in range(TARGETS)}
        steps = {step for step, _ in self._targets}
        for step in sorted(steps):
            if step.endswith(".abort"):
                self._targets.add((step.replace("abort", "produce"), "cut before"))
        self.loses = not steps.isdisjoint(REPLAY) or rng.random() < 0.2
        if rng.random() < 0.2:
            self.add("process.before-commit", "freeze at")
        self._rate = rng.choice((0.0, 0.001, 0.004))

    def add(self, step: str, strike: str) -> None:
        """``strike``, as "freeze at", comes the next time or so that ``step`` is passed."""
        self._targets.add((step, strike))

    def draw(self, step: str, phase: str, kinds: tuple[str, ...]) -> str | None:
        """What of ``kinds`` strikes in this phase (before, after, at) of the step, if anything does."""
        rng, tally = self._world.rng, self._world.tally
        tally.steps[step] += phase != "after"
        if self._world.calm:
            return None
        for kind in kinds:
            target = (step, f"{kind} {phase}")
            if target in self._targets and rng.random() < 0.5:
                self._targets.discard(target)
                tally.strikes[target] += 1
                return kind
        if rng.random() < self._rate:
            kind = rng.choice(kinds)
            tally.strikes[step, f"{kind} {phase}"] += 1
            return kind
        return None
