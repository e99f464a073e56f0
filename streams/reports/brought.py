"""Who brought whom, from the customers' states: a walk over all of a shop's.

The live sums hold no customer's name, and so nothing that an erasure would have to take out of them. States
do, and an erased customer's is blank: whom they had brought is brought by somebody unknown, and they are
nobody's buyers. Memory grows with the customers who were brought or shared.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from streams.domain.interests import settled
from streams.domain.shop import day_of
from streams.domain.state import CustomerState
from streams.domain.summary import SHARERS, interest_name
from streams.domain.worth import purchases_of
from streams.reports.amounts import unknown
from streams.reports.model import Asked, Figure, Row, Value

FIGURES: Final = (
    Figure(
        "brought", "count",
        "Different customers who first came by what this one had shared (shared_by) in the period; of each "
        f"the {SHARERS} who brought them first are known.",
        "states: interests",
    ),
    Figure(
        "brought_buyers", "count",
        "Those of them with a paid order, on the day they were brought or later, that was neither cancelled "
        "nor wholly refunded.",
        "states: interests, orders",
    ),
    Figure(
        "shares_ever", "count", "Times that the customer shared anything, whenever it was.",
        "states: browsing", additive=True,
    ),
)  # fmt: skip


@dataclass(slots=True)
class Brought:
    """What a walk has found; adding a state twice is adding it once."""

    #: Sharer -> customer brought in the period -> whether they bought since; None: not known.
    by: dict[str, dict[str, bool | None]] = field(default_factory=dict)
    #: Customer -> times that they shared.
    shares: dict[str, int] = field(default_factory=dict)
    #: Names under which states know erased customers.
    erased: set[str] = field(default_factory=set)

    def add(self, state: CustomerState, since_ms: int, until_ms: int, time_zone: str) -> None:
        """Take in one customer: by whom they came at a time in [since, until), ms."""
        name = interest_name(state.customer_id)
        if state.erased_at is not None:
            self.erased.add(name)
        if state.browsing.actions.share:
            self.shares[name] = state.browsing.actions.share
        if state.interests is None:
            return
        for sharer, first in settled(state.interests).sharers.items():
            if since_ms <= first < until_ms:
                brought = self.by.setdefault(sharer, {})
                brought[state.customer_id] = _bought(state, day_of(first, time_zone), time_zone)


def _bought(state: CustomerState, since: int, time_zone: str) -> bool | None:
    purchases = purchases_of(state.orders, time_zone, state.erased_at)
    if any(day.day >= since for day in purchases.bought):
        return True
    return False if purchases.known_since(since) else None


def rows(asked: Asked) -> list[Row]:
    """The whole, the customers who brought most, those whose names are erased, and all others."""
    if asked.states is None:
        return [Row("whole", {figure.name: unknown(asked.states_why) for figure in FIGURES})]
    period, found = asked.period, Brought()
    since_ms, until_ms = period.since_ms, period.until_ms
    for state in asked.states():
        found.add(state, since_ms, until_ms, period.zone)
    nameless = found.erased & found.by.keys()
    named = sorted(
        (found.by.keys() | found.shares.keys()) - nameless,
        key=lambda name: (-len(found.by.get(name, ())), -found.shares.get(name, 0), name),
    )
    shown = named[: asked.limit]
    if asked.keys is not None:
        shown = [key for key in asked.keys if key is not None]
    made = [Row("whole", _values(found, [*named, *nameless]))]
    made += [Row("part", _values(found, [name]), name) for name in shown]
    if nameless if asked.keys is None else None in asked.keys:
        made.append(Row("part", _values(found, nameless)))
    hidden = [name for name in named if name not in set(shown)]
    if asked.keys is not None and None not in asked.keys:
        hidden += nameless
    if hidden or asked.others or asked.keys is not None:
        made.append(Row("others", _values(found, hidden)))
    return made


def _values(found: Brought, sharers: Iterable[str]) -> dict[str, Value]:
    sharers = list(sharers)
    bought = dict(_together(found, sharers))
    buyers = Value(sum(1 for one in bought.values() if one))
    lacking = sum(1 for one in bought.values() if one is None)
    if lacking:
        why = f"of {lacking:,} of these customers it is no longer known what they bought"
        buyers = Value(None, why, buyers.number)
    return {
        "brought": Value(len(bought)),
        "brought_buyers": buyers,
        "shares_ever": Value(sum(found.shares.get(name, 0) for name in sharers)),
    }


def _together(found: Brought, sharers: Iterable[str]) -> Iterator[tuple[str, bool | None]]:
    """Each customer once: a buyer by whomever they were brought is one."""
    known: dict[str, bool | None] = {}
    for name in sharers:
        for customer, bought in found.by.get(name, {}).items():
            known[customer] = True if known.get(customer) else bought
    yield from known.items()
