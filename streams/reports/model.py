"""What a report is: its figures with their definitions, its dimensions, a function that asks the store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from sqlalchemy import Connection

from schemas.settings import RfmThresholds
from streams.domain.aggregated import Aggregates
from streams.domain.shop import DEFAULT_RFM
from streams.query.wording import local
from streams.reports.period import Period

#: ``money`` and ``money_average``: minor units of a currency; ``share``: 0 to 1; ``ms``: a time; ``days``.
Unit = Literal["count", "money", "money_average", "share", "ms", "days", "rating"]
Number: TypeAlias = int | float


class Figure(NamedTuple):
    """``definition`` and ``source`` are sentences for people. ``additive``: parts add up to the whole."""

    name: str
    unit: Unit
    definition: str
    source: str
    additive: bool = False


class Value(NamedTuple):
    """A figure's value; None: not known, and ``why`` says it.

    ``at_least`` is what is known of an unknown sum. ``by_currency`` has the sums of several currencies,
    which are never added together.
    """

    number: Number | None
    why: str | None = None
    at_least: Number | None = None
    by_currency: Mapping[str, int] | None = None
    #: Of an amount; None where it is not known.
    currency: str | None = None
    #: Relative standard error of an estimate; None: the number is exact.
    error: float | None = None


class Progress(NamedTuple):
    """A goal in its figure's unit, and the part of it that is reached (1: all).

    None: not known, and ``why`` says it.
    """

    goal: Decimal
    currency: str | None
    part: float | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a report. ``key`` names a part (None: not known which), ``others`` the parts left out."""

    kind: Literal["whole", "part", "others"]
    values: Mapping[str, Value]
    key: str | None = None


class CurrencySpan(NamedTuple):
    """``currency`` (ISO 4217) is the shop's until ``until_ms``, from the end of the span before it."""

    until_ms: int
    currency: str


class ThresholdSpan(NamedTuple):
    """``rfm`` scores the shop's customers until ``until_ms``, from the end of the span before it."""

    until_ms: int
    rfm: RfmThresholds


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a report. ``reach_ms``: the store has all orders from then on; None: from the beginning;
    ``reach_why``: why it has none at all.

    ``thresholds``: those of RFM; none: the defaults.

    ``keys``: the parts to show in place of the greatest ``limit`` ones.
    """

    shop: str
    period: Period
    by: str | None = None
    limit: int = 20
    currencies: tuple[CurrencySpan, ...] = ()
    thresholds: tuple[ThresholdSpan, ...] = ()
    reach_ms: int | None = None
    reach_why: str | None = None
    keys: tuple[str | None, ...] | None = None
    #: The stream's live aggregates; None: they cannot be read, for the reason ``live_why``.
    live: Aggregates | None = None
    live_why: str = "live figures were not read"

    def reason(self, since_ms: int) -> str | None:
        """Why what needs all orders from ``since_ms`` on is not known; None: it is."""
        if self.reach_ms is None or since_ms >= self.reach_ms:
            return None
        return (
            self.reach_why
            or f"the store has this shop's orders from {local(self.reach_ms, self.period.zone)} on only"
        )

    def rfm_at_end(self) -> RfmThresholds:
        """The thresholds of the period's last moment."""
        at = self.period.until_ms - 1
        return next((span.rfm for span in self.thresholds if at < span.until_ms), DEFAULT_RFM)

    def currency_at_end(self) -> str | None:
        """The shop's currency at the period's last moment; None: it is not known."""
        return self._currency_at(self.period.until_ms - 1)

    def in_currency_of_end(self, time_ms: int) -> bool:
        """Whether the shop had that one at ``time_ms``, too."""
        if len(self.currencies) < 2:
            return True
        return self._currency_at(time_ms) == self.currency_at_end()

    def _currency_at(self, time_ms: int) -> str | None:
        return next((span.currency for span in self.currencies if time_ms < span.until_ms), None)

    def whole_life(self) -> str | None:
        """Why what needs every order there ever was is not known; None: it is."""
        return self.reason(-(1 << 62))


@dataclass(frozen=True, slots=True)
class Report:
    """``dimensions`` are what ``--by`` takes; ``by`` is the one taken without it, None: the whole only.

    ``rows`` gives the whole first, then the parts in their order, then the others where there are some.
    ``notes`` are said under every answer, and what ``says`` makes of the question.
    """

    name: str
    title: str
    figures: tuple[Figure, ...]
    dimensions: tuple[str, ...]
    rows: Callable[[Connection, Asked], list[Row]]
    by: str | None = None
    notes: tuple[str, ...] = ()
    says: Callable[[Asked], tuple[str, ...]] = lambda _: ()
    #: Whether any figure comes from the stream's live aggregates.
    live: bool = False
