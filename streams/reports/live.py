"""Figures from the stream's live aggregates: sums of a shop's days, and sets of different customers.

A period's customers are the union of its days' sets, never a sum of days. What cannot be known - Redis does
not answer, the days are kept no longer, the shop sends no clicks - says why.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from streams.domain.aggregated import Coverage, Distinct
from streams.domain.aggregates.clicks import SUMS
from streams.domain.aggregates.names import CLOSED, parts_of, values_of
from streams.domain.shop import date_of, day_of_date, start_of_day
from streams.reports.amounts import unknown, withheld
from streams.reports.model import Asked, Figure, Row, Value
from streams.reports.period import TIME_DIMENSIONS, Bucket, Period, date_at

#: Of parts that nobody has shown, and of none.
_NOBODY: Final = Distinct(0)


class Counted(NamedTuple):
    """What the stream has counted of some days: ``sums`` by field, ``sets`` by name.

    ``period``: all sums of the whole period, whatever part of it this is.
    """

    sums: Mapping[str, int]
    sets: Mapping[str, Distinct]
    period: Mapping[str, int]

    def sum(self, name: str) -> Value:
        """A sum; 0 where nothing was added to it."""
        return Value(self.sums.get(name, 0))

    def set(self, name: str) -> Value:
        """How many different ones."""
        return number(self.sets.get(name, _NOBODY))

    @property
    def has_clicks(self) -> bool:
        """Whether the shop sent any click in the period."""
        return any(self.period.get(name) for name in SUMS.values())


Values = Callable[[Counted], dict[str, Value]]
NO_CLICKS: Final = "the shop sent no clicks in the period"


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

    ``groups``: by its name each set that ``values`` looks at, as the names whose union it is.
    """
    if asked.live is None:
        why = asked.live_why
        nothing = {figure.name: unknown(why) for figure in figures}
        keys = [None, *(one.name for one in _buckets(asked))]
        return [Row("part" if at else "whole", nothing, key) for at, key in enumerate(keys)]
    whole = days_of(asked.period)
    coverage = asked.live.coverage(asked.shop, whole)
    sums = asked.live.counts(asked.shop, whole)

    period = _added(sums, whole)

    def row(kind: Literal["whole", "part"], days: range, key: str | None) -> Row:
        assert asked.live is not None
        added = _added(sums, days)
        held = Counted(added, asked.live.united(asked.shop, days, groups), period)
        return Row(kind, _reasoned(values(held), figures, asked, coverage, days), key)

    rows = [row("whole", whole, None)]
    for bucket in _buckets(asked):
        first = day_of_date(date_at(bucket.since_ms, asked.period.zone))
        last = day_of_date(date_at(bucket.until_ms - 1, asked.period.zone))
        rows.append(row("part", range(first, last + 1), bucket.name))
    return rows


def counted(asked: Asked, figures: Sequence[Figure]) -> Counted | dict[str, Value]:
    """The sums of the whole period; figures that say why where they cannot be known."""
    if asked.live is None:
        return {figure.name: unknown(asked.live_why) for figure in figures}
    days = days_of(asked.period)
    why = _why(asked, asked.live.coverage(asked.shop, days), days)
    if why:
        return {figure.name: unknown(why) for figure in figures}
    added = _added(asked.live.counts(asked.shop, days), days)
    return Counted(added, {}, added)


def has_counted(asked: Asked) -> bool:
    """Whether the stream has counted anything of the shop in the period."""
    return asked.live is not None and bool(asked.live.counts(asked.shop, days_of(asked.period)))


class Part(NamedTuple):
    """A figure's parts: of the sum or the set ``name``; ``is_set`` says which."""

    name: str
    is_set: bool = False


def by_value(
    asked: Asked,
    figures: Sequence[Figure],
    dimension: str,
    parts: Mapping[str, Part],
    values: Values,
    whole_only: Callable[[Mapping[str, int]], Mapping[str, str]] = lambda _: {},
) -> list[Row]:
    """The whole, the greatest parts by ``dimension``, and all others as one row.

    ``parts``: what of the day stands for each name that ``values`` looks at. The first one ranks the parts,
    ties by the value. What events tell no value of is a part. ``whole_only`` gives, of the period's
    sums, the figures that are known as a whole only, with the reason.
    """
    if asked.live is None:
        return [Row("whole", {figure.name: unknown(asked.live_why) for figure in figures})]
    days = days_of(asked.period)
    coverage = asked.live.coverage(asked.shop, days)
    sums = _added(asked.live.counts(asked.shop, days), days)
    names = asked.live.names(asked.shop, days)
    by_name = {
        key: parts_of(sums, part.name, dimension) for key, part in parts.items() if not part.is_set
    }
    sets = {key: part.name for key, part in parts.items() if part.is_set}
    known = dict.fromkeys(value for amounts in by_name.values() for value in amounts)
    for name in sets.values():
        known |= dict.fromkeys(values_of(names, name, dimension))
    shown = _shown(asked, known, next(iter(by_name.values()), {}))
    hidden = [value for value in sorted(known) if value not in set(shown)]
    groups: dict[str, Sequence[str]] = {f"whole {key}": [name] for key, name in sets.items()}
    for at, value in enumerate(shown):
        groups |= {f"{at} {key}": [f"{name}|{dimension}|{value}"] for key, name in sets.items()}
    for key, name in sets.items():
        groups[f"others {key}"] = [f"{name}|{dimension}|{value}" for value in hidden]
    united = asked.live.united(asked.shop, days, groups)

    unsplit = {name: unknown(why) for name, why in whole_only(sums).items()}
    cut = None if dimension in CLOSED else _cut(coverage, days)

    def told(prefix: str, of: Callable[[str], int]) -> dict[str, Value]:
        held = Counted(
            {name: of(name) for name in by_name},
            {name: united[f"{prefix} {name}"] for name in sets},
            sums,
        )
        found = values(held)
        if prefix != "whole":
            found |= unsplit
            if cut:
                found = withheld(found, figures, cut)
        return _reasoned(found, figures, asked, coverage, days)

    def whole(name: str) -> int:
        return sums.get(parts[name].name, 0)

    def hidden_sum(name: str) -> int:
        return sum(by_name[name].get(value, 0) for value in hidden)

    rows = [Row("whole", told("whole", whole))]
    for at, value in enumerate(shown):
        amounts = {name: amounts.get(value, 0) for name, amounts in by_name.items()}
        rows.append(Row("part", told(str(at), amounts.__getitem__), value))
    untold = {name: whole(name) - sum(amounts.values()) for name, amounts in by_name.items()}
    if any(untold.values()) if asked.keys is None else None in asked.keys:
        found = values(Counted(untold, {}, sums))
        why = f"customers of events that tell no {dimension} are not counted apart"
        found |= {figure.name: unknown(why) for figure in figures if not figure.additive}
        if cut:
            # What was left out is in here, too.
            found = {figure.name: unknown(cut) for figure in figures}
        rows.append(Row("part", _reasoned(found, figures, asked, coverage, days)))
    if hidden or asked.keys is not None:
        rows.append(Row("others", told("others", hidden_sum)))
    return rows


def _shown(asked: Asked, known: Mapping[str, None], amounts: Mapping[str, int]) -> list[str]:
    if asked.keys is not None:
        return [key for key in asked.keys if key is not None]
    return sorted(known, key=lambda value: (-amounts.get(value, 0), value))[: asked.limit]


def says(asked: Asked) -> tuple[str, ...]:
    """How fresh the live figures are."""
    if asked.live is None:
        return ()
    watermark = asked.live.coverage(asked.shop, days_of(asked.period)).watermark
    if watermark is None:
        return (
            "Live figures: how far they reach is not known, since a partition has seen no tick.",
        )
    at = datetime.fromtimestamp(watermark // 1000, UTC)
    return (f"Live figures have all that happened until {at:%Y-%m-%d %H:%M:%S} UTC.",)


def _buckets(asked: Asked) -> list[Bucket]:
    if asked.by is None or asked.by not in TIME_DIMENSIONS:
        return []
    return asked.period.buckets(asked.by)


def _added(sums: Mapping[int, Mapping[str, int]], days: range) -> dict[str, int]:
    added: dict[str, int] = {}
    for day in days:
        for name, amount in sums.get(day, {}).items():
            added[name] = added.get(name, 0) + amount
    return added


def _reasoned(
    values: dict[str, Value],
    figures: Sequence[Figure],
    asked: Asked,
    coverage: Coverage,
    days: range,
) -> dict[str, Value]:
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


def _cut(coverage: Coverage, days: range) -> str | None:
    """Why a part of these days, of a dimension with any number of values, may have been more."""
    cut = sorted(day for day in coverage.cut if day in days)
    return f"on {date_of(cut[0])} there were more parts than are kept" if cut else None
