"""The seeded schedule: which fault comes next, at which stage, after which pause."""

import random
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from tests.faults.stages import (
    BEFORE_COMMIT,
    COMMITTED,
    IN_DRAIN,
    IN_RECOVERY,
    IN_TRANSACTION,
    PUBLISHED,
    TRIMMED,
)

KILL: Final = "kill -9"
CRASH: Final = "crash point"
FREEZE: Final = "freeze and thaw"
TERMINATE: Final = "SIGTERM"
SCALE: Final = "scale 1-4-1"
REDIS_RESTART: Final = "Redis kill -9"
REDIS_ROLLBACK: Final = "Redis rollback"
ZOMBIE_ROLLBACK: Final = "rollback under a zombie"
DEPLOY_ROLLBACK: Final = "rollback in a deploy"
REDIS_EMPTIED: Final = "Redis emptied"
REDIS_FULL: Final = "Redis full"
BROKER_RESTART: Final = "broker kill -9"
OFFSETS_RESET: Final = "offsets reset"
STUCK_TRANSACTION: Final = "stuck transaction"
KAFKA_CUT: Final = "Kafka cut off"
KAFKA_SLOW: Final = "Kafka slow"
KAFKA_HALF_OPEN: Final = "Kafka half-open"
REDIS_CUT: Final = "Redis cut off"
REDIS_SLOW: Final = "Redis slow"
REDIS_HALF_OPEN: Final = "Redis half-open"
SINK_KILL: Final = "sink kill -9"
SINK_FREEZE: Final = "sink freeze and thaw"
SINK_CUT: Final = "sink cut off"
STORE_CRASH: Final = "store kill -9"
#: Those that strike the sinks or their store only.
OF_SINKS: Final = frozenset((SINK_KILL, SINK_FREEZE, SINK_CUT, STORE_CRASH))

#: How often a kind comes in 116 faults; the first of them come in the first round.
WEIGHTS: Final = {
    CRASH: 25,
    KILL: 18,
    FREEZE: 21,
    TERMINATE: 2,
    SCALE: 1,
    REDIS_RESTART: 3,
    REDIS_ROLLBACK: 4,
    ZOMBIE_ROLLBACK: 3,
    DEPLOY_ROLLBACK: 2,
    REDIS_EMPTIED: 1,
    REDIS_FULL: 3,
    BROKER_RESTART: 5,
    OFFSETS_RESET: 2,
    STUCK_TRANSACTION: 3,
    KAFKA_CUT: 2,
    KAFKA_SLOW: 2,
    KAFKA_HALF_OPEN: 2,
    REDIS_CUT: 2,
    REDIS_SLOW: 2,
    REDIS_HALF_OPEN: 2,
    SINK_KILL: 3,
    SINK_FREEZE: 3,
    SINK_CUT: 3,
    STORE_CRASH: 2,
}
#: Stages at which a worker can be found and frozen from outside.
SEEN: Final = (COMMITTED, IN_TRANSACTION, PUBLISHED, IN_RECOVERY)
#: The engine's crash points that a running worker passes while a tool holds the clock, by stage.
POINTS: Final = {
    "before-commit": BEFORE_COMMIT,
    "after-commit": COMMITTED,
    "after-timers": COMMITTED,
    "after-begin": COMMITTED,
    "after-produce": IN_TRANSACTION,
    "after-offsets": IN_TRANSACTION,
    "after-transaction": PUBLISHED,
    "after-trim": TRIMMED,
    "after-claim": IN_RECOVERY,
    "in-drain": IN_DRAIN,
    "in-replay": IN_RECOVERY,
}
#: A crash point is passed up to so many times before it strikes.
PASSINGS: Final = 12
#: A multiple of every number of forms that a kind has.
_VARIANTS: Final = 12


class Fault(NamedTuple):
    """``crash``: the crash point that a restarted worker is armed with, "" for none. ``pause``: calm
    seconds before it. ``length``: seconds that it lasts: frozen past its time-out, away, copy's age.
    ``variant``: which of its forms, modulo however many its kind has.
    """

    kind: str
    stage: str
    pause: float
    length: float
    crash: str
    variant: int


def schedule(seed: int, kinds: Collection[str] = ()) -> Iterator[Fault]:
    """Without end, of ``kinds`` (none: of all). Every kind and every crash point comes early, then as
    often as its weight says."""
    weights = {kind: weight for kind, weight in WEIGHTS.items() if not kinds or kind in kinds}
    draw = random.Random(seed)
    points = _rounds(draw, [point for point in POINTS if point != "in-replay"])
    stages = {kind: _rounds(draw, list(SEEN)) for kind in WEIGHTS}
    first = list(weights)
    draw.shuffle(first)
    while True:
        kind = first.pop() if first else draw.choices(list(weights), [*weights.values()])[0]
        stage, crash = next(stages[kind]), ""
        if kind == CRASH:
            point = next(points)
            stage, crash = POINTS[point], _armed(draw, point)
        elif kind == REDIS_ROLLBACK and draw.random() < 0.5:
            crash = f"in-replay:{draw.randint(1, 4)}"
        pause, length = draw.uniform(0.2, 1.5), draw.uniform(0.5, 4.0)
        yield Fault(kind, stage, pause, length, crash, draw.randrange(_VARIANTS))


def _armed(draw: random.Random, point: str) -> str:
    if point == "in-drain":
        return "in-drain:2"  # the first is that of the assignment before every first one
    return f"{point}:{1 if point == 'after-claim' else draw.randint(1, PASSINGS)}"


def _rounds(draw: random.Random, things: list[str]) -> Iterator[str]:
    """All of them in a drawn order, again and again."""
    while True:
        draw.shuffle(things)
        yield from list(things)
