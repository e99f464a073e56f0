"""Service level objectives, and the burn rates at which somebody is told.

An objective counts what was good of all that there was, over 30 days. Its budget is what may be bad. A burn
rate of 1 spends the budget in exactly that time; the windows and rates are those of Google's SRE workbook
(chapter 5, "multiwindow, multi-burn-rate alerts"), where the shorter window ends the alert soon after the
cause has gone.
"""

from dataclasses import dataclass
from typing import Final, Literal

from streams.telemetry import worker
from streams.telemetry.metric import Metric

Severity = Literal["page", "ticket"]

PERIOD_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class BurnRate:
    """Over both windows the errors are ``rate`` times what the budget allows: ``severity``."""

    rate: float
    long: str
    short: str
    severity: Severity

    @property
    def words(self) -> str:
        return f"{self.rate:g}"


#: The shares of 30 days' budget that are gone by then: 2 %, 5 %, 10 %, 10 %.
BURN_RATES: Final = (
    BurnRate(14.4, "1h", "5m", "page"),
    BurnRate(6, "6h", "30m", "page"),
    BurnRate(3, "1d", "2h", "ticket"),
    BurnRate(1, "3d", "6h", "ticket"),
)
#: Every window once, from the shortest on.
WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


@dataclass(frozen=True, slots=True)
class Objective:
    """``errors`` is PromQL of the bad share, 0 to 1, over ``$window``; ``alert`` the name of its alerts."""

    name: str
    alert: str
    target: float
    promise: str
    errors: str

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return round(1 - self.target, 9)

    def errors_over(self, window: str) -> str:
        """The PromQL of the bad share in the last ``window``."""
        return self.errors.replace("$window", window)


def _slower_than(metric: Metric, limit: float) -> str:
    """The share of observations above ``limit``. Raises ValueError where no bucket ends there."""
    if limit not in metric.edges:
        raise ValueError(f"{metric.name} has no bucket that ends at {limit:g}")
    within = f'sum(rate({metric.name}_bucket{{le="{limit}"}}[$window]))'
    return f"1 - {within} / sum(rate({metric.name}_count[$window]))"


OBJECTIVES: Final = (
    Objective(
        "event-freshness", "EventFreshnessBudgetBurn", 0.999,
        "99.9 % of records are applied within 5 s of their append.",
        _slower_than(worker.EVENT_AGE, 5.0),
    ),
    # One limit for both kinds of cause, that of timers: the metric does not tell them apart.
    Objective(
        "trigger-freshness", "TriggerFreshnessBudgetBurn", 0.99,
        "99 % of triggers are readable within 2.5 s of the causing record, or of due time plus lateness.",
        _slower_than(worker.TRIGGER_LATENCY, 2.5),
    ),
    Objective(
        "commit-availability", "CommitAvailabilityBudgetBurn", 0.999,
        "99.9 % of the time of all partitions, their watermark is less than 30 s behind the wall clock.",
        "1 - sum_over_time(huitou:partitions_committing:count[$window])"
        " / sum_over_time(huitou:partitions_expected:count[$window])",
    ),
    Objective(
        "valid-records", "DeadLetterBudgetBurn", 0.999,
        "99.9 % of records can be read and applied; the others are dead letters.",
        f'sum(rate({worker.EVENTS.name}{{outcome="dead_letter"}}[$window]))'
        f" / sum(rate({worker.EVENTS.name}[$window]))",
    ),
)  # fmt: skip
