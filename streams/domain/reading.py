"""A shop's live days as a report reads them: all at once, gathered into the spans that it shows.

A span is a range of days, as a week; its sums are those of its days and of all partitions, its sets their
unions. The whole is the spans together, so nothing has to be read twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from streams.domain.aggregates.names import DIVIDER
from streams.domain.members import Members, union

#: Sets that are gathered before they are made one: 12 KB each at most.
_GATHERED: Final = 32


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the figures of a shop's days cover."""

    #: The watermark (ms) of the partition that is furthest behind: every figure has what happened
    #: before. None: some partition has not seen a tick.
    watermark: int | None
    #: The first day that every partition still keeps.
    kept_from: int
    #: Only events folded after this watermark (ms) are in the figures, since aggregates did not exist
    #: before; None: everything ever folded is. `huitou rebuild` folds the rest.
    since: int | None
    #: Days of which something was left out at a bound.
    cut: frozenset[int] = frozenset()


class Wanted(NamedTuple):
    """``spans`` follow one another without a gap. ``sets``: names; one that ends in a bar stands for all that
    begin so, as ``visitors|source|`` does for those of every source.
    """

    spans: tuple[range, ...]
    sets: frozenset[str] = frozenset()

    @property
    def days(self) -> range:
        """Of all spans; none of none."""
        return range(self.spans[0].start, self.spans[-1].stop) if self.spans else range(0)

    def has(self, name: str) -> bool:
        """Whether the set of this name is wanted."""
        return name in self.sets or name.startswith(
            tuple(one for one in self.sets if one.endswith(DIVIDER))
        )

    def covers(self, other: "Wanted") -> bool:
        """Whether a reading of this tells ``other``, too."""
        same = other.spans == self.spans or other.spans == (self.days,)
        return same and other.sets <= self.sets


@dataclass(slots=True)
class Span:
    """Sums by field and, of those that were wanted, sets by name; what has nothing is not there."""

    sums: dict[str, int] = field(default_factory=dict)
    sets: dict[str, Members] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """``spans`` in the order in which they were wanted."""

    spans: Sequence[Span]
    coverage: Coverage

    def whole(self) -> Span:
        """All spans together."""
        if len(self.spans) == 1:
            return self.spans[0]
        gathering = Gathering((range(1),))
        for span in self.spans:
            gathering.add(0, span.sums, span.sets)
        return gathering.spans()[0]


class Gathering:
    """Adds the days of partitions up to spans, in any order; at most some sets of a name are held."""

    def __init__(self, spans: Sequence[range]) -> None:
        self._sums: list[dict[str, int]] = [{} for _ in spans]
        self._sets: list[dict[str, list[Members]]] = [{} for _ in spans]
        self._span_of = {day: at for at, span in enumerate(spans) for day in span}

    def add(self, day: int, sums: Mapping[str, int], sets: Mapping[str, Members]) -> None:
        """Take in one partition's ``day``, which is of one of the spans."""
        at = self._span_of[day]
        added, gathered = self._sums[at], self._sets[at]
        for name, amount in sums.items():
            added[name] = added.get(name, 0) + amount
        for name, members in sets.items():
            parts = gathered.setdefault(name, [])
            parts.append(members)
            if len(parts) == _GATHERED:
                gathered[name] = [union(parts)]

    def spans(self) -> list[Span]:
        """What was taken in."""
        return [
            Span(sums, {name: union(parts) for name, parts in gathered.items()})
            for sums, gathered in zip(self._sums, self._sets, strict=True)
        ]


class Readable(Protocol):
    """What a report asks."""

    def read(self, shop_id: str, wanted: Wanted) -> Reading:
        """All that a report shows, read once."""
        ...
