"""Live figures by a value that events tell: source, category, keyword."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from streams.domain.aggregated import Coverage
from streams.domain.aggregates.names import CLOSED, part, parts_of, values_of, without
from streams.domain.reading import Span, Wanted
from streams.domain.shop import date_of
from streams.reports.amounts import unknown, withheld
from streams.reports.live import Counted, Values, days_of, reasoned, united
from streams.reports.model import Asked, Figure, Row, Value
from streams.reports.sent import Sent, sent_in

#: What tells a value or tells none, by the sum of it.
_EVENTS: Final = {
    "visits": "visit", "views": "view", "adds": "addition to a cart", "sets": "set quantity",
    "removes": "removal from a cart", "placed_orders": "order that was placed",
    "paid_orders": "paid order",
}  # fmt: skip

#: The same, of those that may tell a value or not, by the ``lacking`` of their part.
_MANY: Final = {
    "adds": "additions to a cart", "placed": "orders that were placed", "paid": "paid orders",
}  # fmt: skip
#: What customers say of themselves, not their events.
_OF_CUSTOMERS: Final = frozenset({"age", "gender"})


class Part(NamedTuple):
    """A figure's parts: of the sum or the set ``name``; ``is_set`` says which.

    ``of``: the sum of the events that may tell the value, the sum itself if nothing is said. Where there are
    such events and none of them tells a value, no part is known. ``lacking``: how the sums of events
    that tell none begin (streams.domain.aggregates.names ``without``): with any, a part may be more.
    """

    name: str
    is_set: bool = False
    of: str | None = None
    lacking: str | None = None


WholeOnly = Callable[[Mapping[str, int]], Mapping[str, str]]


def by_value(
    asked: Asked,
    figures: Sequence[Figure],
    dimension: str,
    parts: Mapping[str, Part],
    values: Values,
    whole_only: WholeOnly = lambda _: {},
) -> list[Row]:
    """The whole, the greatest parts by ``dimension``, and all others as one row.

    ``parts``: what of the day stands for each name that ``values`` looks at. The first one ranks the parts,
    ties by the value. What events tell no value of is a part. ``whole_only`` gives, of the period's
    sums, the figures that are known as a whole only, with the reason.
    """
    if asked.live is None:
        return [Row("whole", {figure.name: unknown(asked.live_why) for figure in figures})]
    days = days_of(asked.period)
    sets = {one.name for one in parts.values() if one.is_set}
    beginnings = {part(name, dimension, "") for name in sets}
    reading = asked.live.read(asked.shop, Wanted((days,), frozenset(sets | beginnings)))
    split = _Split(
        asked,
        figures,
        dimension,
        parts,
        values,
        reading.whole(),
        reading.coverage,
        days,
        whole_only,
    )
    return split.rows()


@dataclass
class _Split:
    """A period's sums and sets, and the rows that are made of them."""

    asked: Asked
    figures: Sequence[Figure]
    dimension: str
    parts: Mapping[str, Part]
    values: Values
    span: Span
    coverage: Coverage
    days: range
    whole_only: WholeOnly

    def rows(self) -> list[Row]:
        shown = self._shown()
        hidden = [value for value in sorted(self._known) if value not in set(shown)]
        rows = [Row("whole", self._whole())]
        rows += [Row("part", self._some([value]), value) for value in shown]
        untold = self._untold()
        keys = self.asked.keys
        if any(untold.values()) if keys is None else None in keys:
            rows.append(Row("part", self._of_no_value(untold)))
        if hidden or keys is not None or self.asked.others:
            rows.append(Row("others", self._some(hidden)))
        return rows

    @cached_property
    def _amounts(self) -> dict[str, dict[str, int]]:
        """Name -> value -> amount."""
        sums = self.span.sums
        return {
            key: parts_of(sums, one.name, self.dimension)
            for key, one in self.parts.items()
            if not one.is_set
        }

    @cached_property
    def _sets(self) -> dict[str, str]:
        return {key: one.name for key, one in self.parts.items() if one.is_set}

    @cached_property
    def _known(self) -> dict[str, None]:
        """Every value that anything is known of."""
        known = dict.fromkeys(value for amounts in self._amounts.values() for value in amounts)
        for name in self._sets.values():
            known |= dict.fromkeys(values_of(self.span.sets, name, self.dimension))
        return known

    def _shown(self) -> list[str]:
        if self.asked.keys is not None:
            return [key for key in self.asked.keys if key is not None]
        rank = next(iter(self._amounts.values()), {})
        ordered = sorted(self._known, key=lambda value: (-rank.get(value, 0), value))
        return ordered[: self.asked.limit]

    def _counted(
        self,
        sums: Mapping[str, int],
        names: Callable[[str], list[str]],
        reasons: Mapping[str, str],
    ) -> Counted:
        sets = {key: united(self.span, names(name)) for key, name in self._sets.items()}
        partly = self._partly if reasons is self._silent else {}
        return Counted(sums, sets, self.span.sums, self._sent, reasons, partly)

    @cached_property
    def _sent(self) -> Sent:
        topics = sent_in(self.span.sums)
        return Sent(topics, topics)

    def _whole(self) -> dict[str, Value]:
        sums = {key: self.span.sums.get(self.parts[key].name, 0) for key in self._amounts}
        return self._reasoned(self.values(self._counted(sums, lambda name: [name], {})))

    def _some(self, values: Sequence[str]) -> dict[str, Value]:
        """The figures of these values together."""
        sums = {
            key: sum(amounts.get(value, 0) for value in values)
            for key, amounts in self._amounts.items()
        }
        held = self._counted(
            sums, lambda name: [part(name, self.dimension, value) for value in values], self._silent
        )
        found = self.values(held)
        found |= {name: unknown(why) for name, why in self.whole_only(self.span.sums).items()}
        if self._cut:
            found = withheld(found, self.figures, self._cut)
        return self._reasoned(found)

    @cached_property
    def _silent(self) -> dict[str, str]:
        """Names of which no event tells a value, though there are events, with the reason."""
        found = {}
        for key, one in self.parts.items():
            of = one.of or one.name
            start = part(one.name, self.dimension, "")
            there = self.span.sets if one.is_set else self.span.sums
            if self.span.sums.get(of) and not any(name.startswith(start) for name in there):
                found[key] = f"no {_EVENTS.get(of, 'event')} tells its {self.dimension}"
                if self.dimension in _OF_CUSTOMERS:
                    found[key] = f"nobody of them had said their {self.dimension}"
        return found

    @cached_property
    def _partly(self) -> dict[str, str]:
        """Names of which some events tell a value and others do not, with the reason."""
        found = {}
        for key, one in self.parts.items():
            if one.lacking is None or key in self._silent:
                continue
            if number := self.span.sums.get(without(one.lacking, self.dimension), 0):
                what = _MANY.get(one.lacking, "events")
                found[key] = f"{number:,} {what} tell no {self.dimension}"
        return found

    def _untold(self) -> dict[str, int]:
        """What of each sum is of no value."""
        return {
            key: self.span.sums.get(self.parts[key].name, 0) - sum(amounts.values())
            for key, amounts in self._amounts.items()
        }

    def _of_no_value(self, untold: Mapping[str, int]) -> dict[str, Value]:
        found = self.values(Counted(untold, {}, self.span.sums, self._sent))
        why = f"customers of events that tell no {self.dimension} are not counted apart"
        found |= {figure.name: unknown(why) for figure in self.figures if not figure.additive}
        if self._cut:
            # What was left out is in here, too.
            found = {figure.name: unknown(self._cut) for figure in self.figures}
        return self._reasoned(found)

    @cached_property
    def _cut(self) -> str | None:
        """Why a part of these days, of a dimension with any number of values, may have been more."""
        if self.dimension in CLOSED:
            return None
        cut = sorted(day for day in self.coverage.cut if day in self.days)
        return f"on {date_of(cut[0])} there were more parts than are kept" if cut else None

    def _reasoned(self, found: dict[str, Value]) -> dict[str, Value]:
        return reasoned(found, self.figures, self.asked, self.coverage, self.days)
