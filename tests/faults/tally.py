"""What a run counts, its closing line and its table."""

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.schedule import OF_SINKS
from tests.faults.stages import STAGES

#: Of each kind of disagreement, in words.
EXAMPLES = 20


@dataclass
class Verdict:
    """Found after the drain. Each must be 0 but ``verified`` and ``rows``."""

    verified: int = 0
    lost: int = 0
    duplicates: int = 0
    different: int = 0
    #: Of the store: rows that must be there, and those that are not, should not be or say something else.
    rows: int = 0
    rows_lost: int = 0
    rows_duplicates: int = 0
    rows_different: int = 0
    #: The first disagreements, in words.
    examples: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (
            self.lost
            or self.duplicates
            or self.different
            or self.rows_lost
            or self.rows_duplicates
            or self.rows_different
        )

    def note(self, kind: str, words: str, count: int = 1) -> None:
        """Add to the field ``kind``, with its words while there are few of the kind."""
        setattr(self, kind, getattr(self, kind) + count)
        if sum(each.startswith(f"{kind}: ") for each in self.examples) < EXAMPLES:
            self.examples.append(f"{kind}: {words}")


@dataclass
class Tally:
    """``tell`` gets a line for each fault."""

    tell: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    by_stage: Counter[tuple[str, str]] = field(default_factory=Counter)
    kills: int = 0
    zombies: int = 0
    redis_restarts: int = 0
    redis_rollbacks: int = 0
    broker_restarts: int = 0
    #: Connections between a worker and a server that were cut, slowed down or half-open.
    cuts: int = 0
    #: Commits that rollbacks took from Redis.
    commits_lost: int = 0
    #: Refusals that the operator's command mended, by case.
    repaired: Counter[str] = field(default_factory=Counter)
    #: Kind -> seconds of each fault, its recovery included.
    seconds: dict[str, list[float]] = field(default_factory=dict)
    #: See Report.
    recoveries: list[float] = field(default_factory=list)
    #: What must not happen, whatever the verdict.
    problems: list[str] = field(default_factory=list)

    def say(self, words: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        self.tell(f"[{minutes:3d}:{seconds:02d}] {words}")

    def struck(self, kind: str, stage: str) -> None:
        self.by_stage[kind, stage] += 1

    def problem(self, words: str) -> None:
        self.problems.append(words)
        self.say(words)

    def rolled_back(self, commits: int) -> None:
        """Redis lost so many."""
        self.redis_rollbacks += 1
        self.commits_lost += commits

    def took(self, kind: str, seconds: float) -> None:
        self.seconds.setdefault(kind, []).append(seconds)

    def recovered(self, seconds: float) -> None:
        self.recoveries.append(seconds)

    @property
    def faults(self) -> int:
        return sum(self.by_stage.values())

    def closing(self, events: int, rebalances: int, verdict: Verdict) -> dict[str, int | float]:
        """The figures of the closing line, in its order."""
        return {
            "events": events,
            "faults": self.faults,
            "kills": self.kills,
            "zombies": self.zombies,
            "rebalances": rebalances,
            "redis_restarts": self.redis_restarts,
            "redis_rollbacks": self.redis_rollbacks,
            "broker_restarts": self.broker_restarts,
            "cuts": self.cuts,
            "verified": verdict.verified,
            "lost": verdict.lost,
            "duplicates": verdict.duplicates,
            "different": verdict.different,
            "sink_faults": sum(n for (kind, _), n in self.by_stage.items() if kind in OF_SINKS),
            "sink_rows": verdict.rows,
            "sink_lost": verdict.rows_lost,
            "sink_duplicates": verdict.rows_duplicates,
            "sink_different": verdict.rows_different,
            "recovery_p99_s": round(percentile(self.recoveries, 99), 1),
        }


def stage_rows(by_stage: Mapping[tuple[str, str], int]) -> list[list[str]]:
    """Faults by kind and stage, with a heading and the sums."""
    kinds = sorted({kind for kind, _ in by_stage})
    rows = [["faults by stage", *STAGES, "all"]]
    for kind in kinds:
        counts = [by_stage.get((kind, stage), 0) for stage in STAGES]
        rows.append([kind, *(str(count or "·") for count in counts), str(sum(counts))])
    totals = [sum(by_stage.get((kind, stage), 0) for kind in kinds) for stage in STAGES]
    rows.append(["all", *map(str, totals), str(sum(totals))])
    return rows


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A table for people: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank; 0 of nothing.

    >>> percentile([1.0, 2.0, 3.0], 99), percentile([], 99)
    (3.0, 0.0)
    """
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
