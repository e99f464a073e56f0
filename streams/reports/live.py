"""Figures from the stream's live aggregates: sums of a shop's days, and sets of different customers.

A period's customers are the union of its days' sets, never a sum of days. What cannot be known - Redis does
not answer, the days are kept no longer, the shop sends nothing of what is counted - says why.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from streams.domain.aggregated import Coverage, Distinct
from streams.domain.members import number_of, union
from streams.domain.reading import Reading, Span, Wanted
from streams.domain.shop import date_of, day_of_date, start_of_day
from streams.reports.amounts import unknown, withheld
from streams.reports.model import Asked, Figure, Row, Value
from streams.reports.period import TIME_DIMENSIONS, Bucket, Period, date_at
from streams.reports.sent import Sent, sent_in

#: Of parts that nobody has shown, and of none.
_NOBODY: Final = Distinct(0)


class Counted(NamedTuple):
    """What the stream has counted of some days, or of a part of them.

    ``sums`` by field, ``sets`` by name. ``period``: all sums of the whole period, whatever part it is.
    ``sent``: which topics the shop sent. ``untold``: of names of which events tell no part, the reason.
    """

    sums: Mapping[str, int]
    sets: Mapping[str, Distinct]
    period: Mapping[str, int]
    sent: Sent
    untold: Mapping[str, str] = {}
    #: Of names of which only some events tell a part, the reason why there may be more.
    partly: Mapping[str, str] = {}

    def sum(self, name: str, topic: str) -> Value:
        """A sum over events of ``topic``; 0 where nothing was added to it though some were sent."""
        return self._known(name, topic) or Value(self.sums.get(name, 0))

    def set(self, name: str, topic: str) -> Value:
        """How many different ones there are by events of ``topic``."""
        found = self._known(name, topic) or number(self.sets.get(name, _NOBODY))
        why = self.partly.get(name)
        if why is not None and found.number is not None:
            return Value(None, why, found.number)
        return found

    def _known(self, name: str, topic: str) -> Value | None:
        why = self.sent.lacks(topic) or self.untold.get(name)
        return unknown(why) if why else None


Values = Callable[[Counted], dict[str, Value]]


def number(found: Distinct) -> Value:
    """How many, with the error where they are estimated."""
    return Value(found.number, error=None if found.exact else found.error)


def days_of(period: Period) -> range:
    """The days (since 1970) of a period."""
    return range(day_of_date(period.first), day_of_date(period.last) + 1)


def by_time(
    asked: Asked,
    figures: Sequence[Figure],
    groups: Mapping[str, Sequence[str]],
    values: Values,
) -> list[Row]:
    """The whole and, where ``asked.by`` is a time, its parts.

    ``groups``: by its name each set that ``values`` looks at, as the names whose union it is. A row is known
    by what the shop sent in its own days: of a day without any order nobody knows how many paid.
    """
    buckets = _buckets(asked)
    if asked.live is None:
        nothing = {figure.name: unknown(asked.live_why) for figure in figures}
        return [Row("whole", nothing), *(Row("part", nothing, one.name) for one in buckets)]
    whole = days_of(asked.period)
    spans = tuple(_days_of(one, asked.period.zone) for one in buckets) or (whole,)
    names = frozenset(name for group in groups.values() for name in group)
    reading = asked.live.read(asked.shop, Wanted(spans, names))
    all_of_it = reading.whole()
    ever = sent_in(all_of_it.sums)

    def row(days: range, span: Span, key: str | None) -> Row:
        sets = {group: united(span, names) for group, names in groups.items()}
        held = Counted(span.sums, sets, all_of_it.sums, Sent(ever, sent_in(span.sums)))
        found = reasoned(values(held), figures, asked, reading.coverage, days)
        return Row("whole" if key is None else "part", found, key)

    parts = zip(buckets, spans, reading.spans, strict=False)
    return [
        row(whole, all_of_it, None),
        *(row(days, span, one.name) for one, days, span in parts),
    ]


def spans_of(asked: Asked) -> list[range]:
    """The days of each part by time, in the order of ``by_time``'s rows."""
    return [_days_of(one, asked.period.zone) for one in _buckets(asked)]


def united(span: Span, names: Sequence[str]) -> Distinct:
    """How many different ones there are in any of the sets of these names."""
    return number_of(union(span.sets[name] for name in names if name in span.sets))


def counted(asked: Asked, figures: Sequence[Figure]) -> Counted | dict[str, Value]:
    """The sums of the whole period; figures that say why where they cannot be known."""
    if asked.live is None:
        return {figure.name: unknown(asked.live_why) for figure in figures}
    reading = _sums(asked)
    why = _why(asked, reading.coverage, days_of(asked.period))
    if why:
        return {figure.name: unknown(why) for figure in figures}
    sums = reading.whole().sums
    ever = sent_in(sums)
    return Counted(sums, {}, sums, Sent(ever, ever))


def has_counted(asked: Asked) -> bool:
    """Whether the stream has counted anything of the shop in the period."""
    return asked.live is not None and bool(_sums(asked).whole().sums)


def says(asked: Asked) -> tuple[str, ...]:
    """How fresh the live figures are."""
    if asked.live is None:
        return ()
    watermark = _sums(asked).coverage.watermark
    if watermark is None:
        return (
            "Live figures: how far they reach is not known, since a partition has seen no tick.",
        )
    at = datetime.fromtimestamp(watermark // 1000, UTC)
    return (f"Live figures have all that happened until {at:%Y-%m-%d %H:%M:%S} UTC.",)


def _sums(asked: Asked) -> Reading:
    assert asked.live is not None
    return asked.live.read(asked.shop, Wanted((days_of(asked.period),)))


def _buckets(asked: Asked) -> list[Bucket]:
    if asked.by is None or asked.by not in TIME_DIMENSIONS:
        return []
    return asked.period.buckets(asked.by)


def _days_of(bucket: Bucket, zone: str) -> range:
    first, last = date_at(bucket.since_ms, zone), date_at(bucket.until_ms - 1, zone)
    return range(day_of_date(first), day_of_date(last) + 1)


def reasoned(
    values: dict[str, Value],
    figures: Sequence[Figure],
    asked: Asked,
    coverage: Coverage,
    days: range,
) -> dict[str, Value]:
    """Unknown where what was counted of ``days`` is not all that there was."""
    why = _why(asked, coverage, days)
    return withheld(values, figures, why) if why else values


def _why(asked: Asked, coverage: Coverage, days: range) -> str | None:
    """Why what was counted of these days is not all that there was."""
    if days.start < coverage.kept_from:
        return f"live figures are kept from {date_of(coverage.kept_from)} on"
    if coverage.since is not None and start_of_day(days.start, asked.period.zone) < coverage.since:
        at = datetime.fromtimestamp(coverage.since // 1000, UTC)
        return (
            f"counted since {at:%Y-%m-%d %H:%M} UTC only: `huitou rebuild` counts what came before"
        )
    return None
