"""What a report is: its figures with their definitions, its dimensions, a function that asks the store."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from sqlalchemy import Connection

from schemas.settings import ReviewTheme, RfmThresholds, Tier
from streams.domain.reading import Readable
from streams.domain.shop import DEFAULT_RFM, DEFAULT_TIERS
from streams.domain.state import CustomerState
from streams.domain.themes import DEFAULT_THEMES
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
    """A line of a report. ``key`` names a part (None: not known which), ``others`` the parts left out.

    ``examples``: ids of some orders that are in it, where the report names any.
    """

    kind: Literal["whole", "part", "others"]
    values: Mapping[str, Value]
    key: str | None = None
    examples: tuple[str, ...] = ()


class CurrencySpan(NamedTuple):
    """``currency`` (ISO 4217) is the shop's until ``until_ms``, from the end of the span before it."""

    until_ms: int
    currency: str


class Peer(NamedTuple):
    """Another shop of the same category; ``zone`` is an IANA name."""

    shop: str
    zone: str
    currencies: tuple[CurrencySpan, ...]


class Category(NamedTuple):
    """What a shop sells, and who else does, in the order of their names."""

    name: str
    peers: tuple[Peer, ...]


class ThresholdSpan(NamedTuple):
    """``rfm`` scores the shop's customers until ``until_ms``, from the end of the span before it."""

    until_ms: int
    rfm: RfmThresholds


class TierSpan(NamedTuple):
    """``tiers`` are those of the shop's membership until ``until_ms``, from the end of the span before it."""

    until_ms: int
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a report. ``reach_ms``: the store has all orders from then on; None: from the beginning;
    ``reach_why``: why it has none at all.

    ``thresholds``: those of RFM, ``tiers``: those of the membership; none: the defaults.

    ``themes``: the shop's list for its reviews, of now.

    ``keys``: the parts to show in place of the greatest ``limit`` ones.
    """

    shop: str
    period: Period
    by: str | None = None
    limit: int = 20
    currencies: tuple[CurrencySpan, ...] = ()
    thresholds: tuple[ThresholdSpan, ...] = ()
    themes: tuple[ReviewTheme, ...] = DEFAULT_THEMES
    reach_ms: int | None = None
    reach_why: str | None = None
    keys: tuple[str | None, ...] | None = None
    #: Whether all others are a row also where every part is shown: another period may have had more.
    others: bool = False
    #: The stream's live aggregates; None: they cannot be read, for the reason ``live_why``.
    live: Readable | None = None
    live_why: str = "live figures were not read"
    #: That of the shop at the period's last moment; None: it is not known, for the reason ``category_why``.
    category: Category | None = None
    category_why: str = "the shops' categories were not read"
    #: Walks over the states of the shop's customers, some perhaps twice; None: for the reason ``states_why``.
    states: Callable[[], Iterable[CustomerState]] | None = None
    states_why: str = "the customers' states were not read"
    tiers: tuple[TierSpan, ...] = ()

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

    def tiers_at_end(self) -> tuple[Tier, ...]:
        """The tiers of the period's last moment, the lowest first."""
        at = self.period.until_ms - 1
        return next((span.tiers for span in self.tiers if at < span.until_ms), DEFAULT_TIERS)

    def currency_at_end(self) -> str | None:
        """The shop's currency at the period's last moment; None: it is not known."""
        return self._currency_at(self.period.until_ms - 1)

    def in_currency_of_end(self, time_ms: int) -> bool:
        """Whether the shop had that one at ``time_ms``, too."""
        if len(self.currencies) < 2:
            return True
        return self._currency_at(time_ms) == self.currency_at_end()

    def currencies_in_period(self) -> set[str]:
        """Those that the shop had at some moment of the period; none: they are not known."""
        found, since = set(), -(1 << 62)
        for span in self.currencies:
            if span.until_ms > self.period.since_ms and since < self.period.until_ms:
                found.add(span.currency)
            since = span.until_ms
        return found

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
    #: Whether it looks at the shops of the same category, too.
    categories: bool = False
    #: Dimensions for which it walks over all of the shop's customers.
    walks: tuple[str, ...] = ()
