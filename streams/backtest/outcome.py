"""What came of a backtest: sums that add up over partitions, whatever process has counted them."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import combinations

from schemas.decision import Decision
from schemas.trigger import Trigger
from streams.domain.shop import ShopSettings, date_of, day_of


@dataclass
class Outcome:
    """Of one campaign. ``days``: offers on each day of the shop's calendar."""

    issued: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    held_out: int = 0
    customers: int = 0
    days: Counter[str] = field(default_factory=Counter)

    @property
    def offers(self) -> int:
        return sum(self.issued.values())

    def add(self, other: "Outcome") -> None:
        self.issued += other.issued
        self.refused += other.refused
        self.days += other.days
        self.held_out += other.held_out
        self.customers += other.customers


@dataclass
class Outcomes:
    """Of all campaigns; ``both``: customers who got offers of two, by their names in order.

    ``events`` were folded, ``dead`` could not be read, ``repeated`` were duplicates; ``untold``: facts for
    other keys, which a backtest does not deliver.
    """

    campaigns: dict[str, Outcome] = field(default_factory=dict)
    both: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: int = 0
    dead: int = 0
    repeated: int = 0
    timers: int = 0
    untold: int = 0
    customers: int = 0

    def of(self, campaign: str) -> Outcome:
        return self.campaigns.setdefault(campaign, Outcome())

    def add(self, other: "Outcomes") -> None:
        """Those of other customers."""
        for name, outcome in other.campaigns.items():
            self.of(name).add(outcome)
        self.both += other.both
        for name in ("events", "dead", "repeated", "timers", "untold", "customers"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def count(self, one: Trigger | Decision, time: int, settings: ShopSettings) -> None:
        """A decision of ``time`` (ms)."""
        outcome = self.of(one.campaign)
        if isinstance(one, Trigger):
            outcome.issued[one.kind] += 1
            outcome.days[date_of(day_of(time, settings.time_zone)).isoformat()] += 1
        elif one.reason == "holdout":
            outcome.held_out += 1
        else:
            outcome.refused[one.reason] += 1

    def reached(self, campaigns: Iterable[Collection[str]]) -> None:
        """Of each customer the campaigns that made them an offer."""
        for names in campaigns:
            for name in names:
                self.of(name).customers += 1
            self.both.update(combinations(sorted(names), 2))
