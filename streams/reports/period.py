"""Periods of a shop's days: where they begin and end, their days, weeks and months, what they compare with.

A day is one of the shop's clock, so it has 23, 24 or 25 hours where the clock is put forward and back. All
moments are milliseconds since 1970, UTC; an end is excluded, but the last day of a period (``--to``) is
included.
"""

from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

DAY_MS: Final = 86_400_000
#: Parts of a period by time; more is refused, since nobody reads them.
MOST_BUCKETS: Final = 1_000
TIME_DIMENSIONS: Final = ("day", "week", "month")
#: Dates that a report may name: a year of room on both sides, for what is compared and looked back on.
FIRST_DATE, LAST_DATE = date(1971, 1, 1), date(9990, 12, 31)
#: A century, and what is looked back on before it.
LONGEST_DAYS: Final = 36_600
#: A zone's offset is looked at so often; no zone changes it twice in so short a time.
_STEP_MS: Final = DAY_MS // 4


class Bucket(NamedTuple):
    """A day, week or month, or what of it lies in the period. ``name``: its first date, or its month."""

    name: str
    since_ms: int
    until_ms: int


class Offset(NamedTuple):
    """The zone's offset from UTC until ``until_ms``."""

    until_ms: int
    offset_ms: int


@dataclass(frozen=True, slots=True)
class Period:
    """The days ``first`` to ``last``, both included, on the clock of ``zone`` (an IANA name)."""

    first: date
    last: date
    zone: str

    def __post_init__(self) -> None:
        if (self.last - self.first).days > LONGEST_DAYS:
            raise ValueError(f"{self.first} to {self.last} is more than {LONGEST_DAYS:,} days")
        if not FIRST_DATE <= self.first <= self.last <= LAST_DATE:
            raise ValueError(
                f"no period from {self.first} to {self.last}: the first day comes first, both lie between "
                f"{FIRST_DATE} and {LAST_DATE}"
            )

    @property
    def since_ms(self) -> int:
        """The first moment."""
        return start_of(self.first, self.zone)

    @property
    def until_ms(self) -> int:
        """The first moment after it."""
        return start_of(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        """How many dates it names."""
        return (self.last - self.first).days + 1

    @property
    def has_leap_day(self) -> bool:
        """Whether February 29 of any year is one of its days."""
        years = range(self.first.year, self.last.year + 1)
        return any(self.first <= date(y, 2, 29) <= self.last for y in years if isleap(y))

    def ending(self, days: int) -> "Period":
        """The ``days`` dates that end with this period's last."""
        return Period(self.last - timedelta(days=days - 1), self.last, self.zone)

    def previous(self) -> "Period":
        """As many dates, right before."""
        before = self.first - timedelta(days=1)
        return Period(before, before, self.zone).ending(self.days)

    def year_before(self) -> "Period":
        """The same dates of the year before; February 28 where that has no 29."""
        return Period(_year_before(self.first), _year_before(self.last), self.zone)

    def buckets(self, dimension: str) -> list[Bucket]:
        """Its days, weeks (from Monday) or months, cut at both ends. Raises ValueError for too many."""
        starts = list(_starts(self.first, self.last, dimension))
        if len(starts) > MOST_BUCKETS:
            raise ValueError(
                f"{len(starts):,} {dimension}s are more than the {MOST_BUCKETS:,} that are shown: "
                "ask for longer parts or a shorter period"
            )
        ends = [*starts[1:], self.last + timedelta(days=1)]
        names = [f"{day:%Y-%m}" if dimension == "month" else str(day) for day in starts]
        return [
            Bucket(name, start_of(day, self.zone), start_of(end, self.zone))
            for name, day, end in zip(names, starts, ends, strict=True)
        ]


def _starts(first: date, last: date, dimension: str) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        if dimension == "day":
            day += timedelta(days=1)
        elif dimension == "week":
            day += timedelta(days=7 - day.weekday())
        else:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _year_before(day: date) -> date:
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap else day.day)


def start_of(day: date, zone: str) -> int:
    """The first moment of ``day``; where the clock leaves out midnight, that to which it is put forward."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return int(midnight.timestamp()) * 1000


def date_at(time_ms: int, zone: str) -> date:
    """The date on the shop's clock."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).astimezone(ZoneInfo(zone)).date()


def offsets(since_ms: int, until_ms: int, zone: str) -> list[Offset]:
    """The zone's offsets from ``since_ms`` to ``until_ms``, in order; the last one's end is that."""
    clock = ZoneInfo(zone)
    found: list[Offset] = []
    at, offset = since_ms, _offset(since_ms, clock)
    while at < until_ms:
        step = min(at + _STEP_MS, until_ms)
        then = _offset(step, clock)
        if then != offset:
            found.append(Offset(_change(at, step, offset, clock), offset))
            offset = then
        at = step
    return [*found, Offset(until_ms, offset)]


def _change(before: int, after: int, offset: int, clock: ZoneInfo) -> int:
    """The moment, to the millisecond, from which the zone's offset is no longer ``offset``."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, clock) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(time_ms: int, clock: ZoneInfo) -> int:
    found = datetime.fromtimestamp(time_ms // 1000, UTC).astimezone(clock).utcoffset()
    return 0 if found is None else round(found.total_seconds() * 1000)


def day_of(text: str) -> date:
    """A date as people write it. Raises ValueError for anything else.

    >>> day_of("2026-02-28")
    datetime.date(2026, 2, 28)
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date: write 2026-01-31") from None
