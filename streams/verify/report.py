"""What verify found: counts by subject, and the first differences with their explanation."""

from typing import Literal

import msgspec

Subject = Literal[
    "journal", "partition", "state", "timer", "aggregate", "trigger", "verdict", "decision",
    "dead_letter",
]  # fmt: skip
Kind = Literal["missing", "extra", "different"]

#: Differences explained unless said otherwise; all are counted.
EXPLAINED = 20


class Tally(msgspec.Struct):
    """Of one subject: how many were compared, and in how many ways they did not agree.

    ``missing``: the log says so, and it is not there. ``extra``: it is there, and the log does not
    say so. ``different``: on both sides, and not the same.
    """

    compared: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0

    @property
    def disagreements(self) -> int:
        return self.missing + self.extra + self.different

    def add(self, other: "Tally") -> None:
        self.compared += other.compared
        self.missing += other.missing
        self.extra += other.extra
        self.different += other.different


class Difference(msgspec.Struct, frozen=True):
    """One disagreement. ``name``: a state key, trigger id, position... within ``partition``."""

    subject: Subject
    kind: Kind
    partition: int
    name: str
    detail: str

    def __str__(self) -> str:
        subject = self.subject.replace("_", " ")
        return f"{self.kind} {subject} {self.name} (partition {self.partition}): {self.detail}"


class Report(msgspec.Struct):
    """What was compared, over all partitions asked for.

    ``journal`` counts its rows and what is wrong with them: offsets never processed (missing) or
    processed twice (extra), broken chains and digests (different). ``partitions`` counts positions,
    clocks and counters that Redis keeps of each partition, ``aggregates`` a shop's days.
    """

    journal: Tally = msgspec.field(default_factory=Tally)
    partitions: Tally = msgspec.field(default_factory=Tally)
    states: Tally = msgspec.field(default_factory=Tally)
    timers: Tally = msgspec.field(default_factory=Tally)
    aggregates: Tally = msgspec.field(default_factory=Tally)
    triggers: Tally = msgspec.field(default_factory=Tally)
    verdicts: Tally = msgspec.field(default_factory=Tally)
    decisions: Tally = msgspec.field(default_factory=Tally)
    dead_letters: Tally = msgspec.field(default_factory=Tally)
    #: Rows of another build among those of ``journal``: their events were folded, what was published for
    #: them was taken over and held against the digest that each names.
    adopted: int = 0
    #: Input records folded again.
    events: int = 0
    #: Input records written and not processed yet, which are no disagreement.
    unprocessed: int = 0
    #: Partition -> the commit at which its comparison ended.
    seqs: dict[int, int] = {}
    #: At most ``limit`` of all that were counted.
    differences: list[Difference] = []
    limit: int = EXPLAINED

    def tally(self, subject: Subject) -> Tally:
        """The counts of one subject."""
        tallies: dict[Subject, Tally] = {
            "journal": self.journal,
            "partition": self.partitions,
            "state": self.states,
            "timer": self.timers,
            "aggregate": self.aggregates,
            "trigger": self.triggers,
            "verdict": self.verdicts,
            "decision": self.decisions,
            "dead_letter": self.dead_letters,
        }
        return tallies[subject]

    def note(self, kind: Kind, subject: Subject, partition: int, name: str, detail: str) -> None:
        """Counts a disagreement, and keeps it while there is room."""
        tally = self.tally(subject)
        setattr(tally, kind, getattr(tally, kind) + 1)
        if len(self.differences) < self.limit:
            self.differences.append(Difference(subject, kind, partition, name, detail))

    @property
    def total(self) -> Tally:
        """Over all subjects."""
        total = Tally()
        for tally in (
            self.journal, self.partitions, self.states, self.timers, self.aggregates,
            self.triggers, self.verdicts, self.decisions, self.dead_letters,
        ):  # fmt: skip
            total.add(tally)
        return total

    @property
    def agree(self) -> bool:
        """Whether nothing is missing, extra or different."""
        return self.total.disagreements == 0
