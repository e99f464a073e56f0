"""What one run found, or several together: kept as JSON, printed as tables and one closing line."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from tests.faults.tally import aligned, percentile, stage_rows

#: Of the closing line; each must be 0.
BAD: Final = (
    "lost", "duplicates", "different", "sink_lost", "sink_duplicates", "sink_different",
)  # fmt: skip
_P99: Final = "recovery_p99_s"


@dataclass
class Report:
    """``pieces``: seed, minutes, workers, rate, store and seconds of each run that is in it."""

    pieces: list[dict[str, Any]]
    #: Those of the closing line, in its order.
    figures: dict[str, int | float]
    by_stage: dict[tuple[str, str], int]
    #: Seconds from each fault until all was processed and published that had been written by its end;
    #: where an operator had to act, from the workers' start after it.
    recoveries: list[float]
    #: Kind -> seconds of each fault, with its recovery and the wait for all workers.
    seconds: dict[str, list[float]]
    #: Exit code of workers -> how often.
    exits: dict[int, int]
    #: The same of sinks.
    sink_exits: dict[int, int]
    #: Commits that rollbacks took from Redis.
    commits_lost: int
    #: Recoveries that took over what another build had published.
    adoptions: int
    #: Refusals that the command mended which they named, by case.
    repaired: dict[str, int]
    #: What must not happen, whatever the verdict.
    problems: list[str] = field(default_factory=list)
    #: The first disagreements, in words.
    examples: list[str] = field(default_factory=list)
    #: The folder that was kept, "" where nothing went wrong.
    evidence: str = ""

    @property
    def passed(self) -> bool:
        return not self.problems and not any(self.figures[name] for name in BAD)

    def table(self) -> str:
        """Faults by kind and stage, for people."""
        return aligned(stage_rows(self.by_stage))

    def line(self) -> str:
        """The closing line."""
        return " ".join(f"{name}={figure}" for name, figure in self.figures.items())

    def text(self) -> str:
        """All of it; the closing line is the last one."""
        lines = [self.table(), ""]
        lines.append(
            f"exit codes of workers: {self.exits}, of sinks: {self.sink_exits}, "
            f"commits taken from Redis: {self.commits_lost}, adoptions: {self.adoptions}, "
            f"refusals mended: {self.repaired}"
        )
        lines += self.problems + self.examples
        if self.evidence:
            lines.append(f"evidence: {self.evidence}")
        return "\n".join([*lines, self.line()])

    def markdown(self) -> str:
        """Two tables: the runs, and the faults by kind and stage."""
        rows = [
            [
                "seed",
                "workers",
                "minutes",
                "events/s asked",
                "faults s",
                "drain s",
                "verdict s",
                "store",
            ]
        ]
        for piece in self.pieces:
            took = [piece["seconds"].get(part, "–") for part in ("faults", "drain", "verdict")]
            wanted = [piece["seed"], piece["workers"], piece["minutes"], piece["rate"]]
            figures = [f"{each:g}" if each != "–" else each for each in [*wanted, *took]]
            rows.append([*figures, piece["store"]])
        return f"{_markdown(rows)}\n\n{_markdown(stage_rows(self.by_stage))}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON: ``by_stage`` as kind -> stage -> faults."""
        stages: dict[str, dict[str, int]] = {}
        for (kind, stage), count in self.by_stage.items():
            stages.setdefault(kind, {})[stage] = count
        return {**asdict(self), "by_stage": stages}

    @classmethod
    def read(cls, path: Path) -> Self:
        """What ``as_dict`` was written to as JSON. Raises ValueError for another file."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            found["by_stage"] = {
                (kind, stage): count
                for kind, stages in found["by_stage"].items()
                for stage, count in stages.items()
            }
            for exits in ("exits", "sink_exits"):
                found[exits] = {int(code): count for code, count in found[exits].items()}
            return cls(**found)
        except (TypeError, KeyError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} is no report of `make faults`: {error!r}") from error

    @classmethod
    def sum_of(cls, reports: Sequence["Report"]) -> "Report":
        """As if it had been one run; the percentile is of all recoveries."""
        recoveries = [each for report in reports for each in report.recoveries]
        figures = _added(report.figures for report in reports)
        figures[_P99] = round(percentile(recoveries, 99), 1)
        seconds: dict[str, list[float]] = {}
        for report in reports:
            for kind, each in report.seconds.items():
                seconds.setdefault(kind, []).extend(each)
        return cls(
            pieces=[piece for report in reports for piece in report.pieces],
            figures=figures,
            by_stage=_added(report.by_stage for report in reports),
            recoveries=recoveries,
            seconds=seconds,
            exits=_added(report.exits for report in reports),
            sink_exits=_added(report.sink_exits for report in reports),
            commits_lost=sum(report.commits_lost for report in reports),
            adoptions=sum(report.adoptions for report in reports),
            repaired=_added(report.repaired for report in reports),
            problems=[words for report in reports for words in report.problems],
            examples=[words for report in reports for words in report.examples],
            evidence=" ".join(report.evidence for report in reports if report.evidence),
        )


def _added(counts: Any) -> dict[Any, Any]:
    """Sums by key, in the order of the first that has it."""
    total: Counter[Any] = Counter()
    for each in counts:
        for key, count in each.items():
            total[key] += count
    return dict(total)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    heading, *body = rows
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)], *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
