"""Changes that time alone brings: a customer becomes dormant or lost, a tier goes down, an order is due.

Each comes at the start of a day on the shop's clock, and follows from the purchases *before* that moment. So
it is planned, and kept in the state, whenever the purchases change:

- an event changes only what is due after the event's own time: what is due by then stands, though the clock
  has yet to come to it, so what is told depends on the events and not on how far each topic was read;
- a late event plans all that is due after it anew: what no longer stands is gone without a word, what was
  taken already is not told again;
- between two purchases a change stands that comes before the second one, whichever is folded first.

What is planned rests on the shop's clock and tiers at that time. Where others hold when a change is due, it
is told as it was planned, and what comes after it is planned by them.
"""

from bisect import bisect_right
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple, get_args

from schemas.settings import NO_TIER, Tier
from streams.domain.agenda import (
    LIFECYCLE,
    REORDER,
    TIER,
    Agenda,
    Change,
    read_changes,
    write_changes,
)
from streams.domain.facts import Fact, LifecycleChanged, TierChanged
from streams.domain.lifecycle import Stage, lapses, stage
from streams.domain.membership import drops, tier
from streams.domain.orders import FROM_VERSION_1
from streams.domain.paid_days import read
from streams.domain.shop import ShopSettings, date_of, day_of, start_of_day
from streams.domain.state import CustomerState
from streams.domain.worth import Purchases, expected_next, purchases_of

#: Stages by the numbers that a change has.
STAGES: Final[tuple[str, ...]] = get_args(Stage)
_DORMANT, _LOST = STAGES.index("dormant"), STAGES.index("lost")
_NOTHING: tuple[Fact, ...] = ()


class Paid(NamedTuple):
    """All of a state that plans follow from: Orders.days and ``forgotten``, and the net orders ever."""

    days: bytes
    forgotten: int
    net: int


class Told(NamedTuple):
    """A change as campaigns hear it: due time in ms, its kind, what tells it from others of that kind,
    and the stages or tiers before and after, by name.
    """

    due: int
    kind: int
    key: str
    before: str
    after: str


def paid_of(state: CustomerState) -> Paid:
    """What ``replan`` compares with: to be taken before a fold that may change purchases."""
    orders = state.orders
    return _NEVER if orders is None else Paid(orders.days, orders.forgotten, orders.totals.net)


_NEVER = Paid(b"", 0, 0)


def replan(
    state: CustomerState, before: Paid, time: int, settings: ShopSettings
) -> tuple[Fact, ...]:
    """After an event of ``time`` (ms): if purchases are other than ``before``, plan what follows from them.

    Returns the stage and the tier where the event itself changed them.
    """
    if paid_of(state) == before:
        return _NOTHING
    purchases = purchases_of(state.orders, settings.time_zone, state.erased_at)
    agenda = state.agenda or Agenda()
    standing = [change for change in read_changes(agenda) if change.due * 1000 <= time]
    after = max(time, agenda.taken * 1000)
    agenda.terms = _terms(settings.time_zone, settings.tiers)
    write_changes(agenda, [*standing, *_planned(purchases, after, settings)])
    if agenda.changes:
        state.agenda = agenda
    return _told_at_once(purchases, before, time, settings)


def take_changes(state: CustomerState, until: int, settings: ShopSettings) -> list[Told]:
    """Remove what is due at ``until`` (ms) or before; returns it by due time.

    ``settings``: those in force then. A tier that they do not have is not told of.
    """
    agenda = state.agenda
    if agenda is None:
        return []
    changes = read_changes(agenda)
    due = [change for change in changes if change.due * 1000 <= until]
    if not due:
        return []
    left = changes[len(due) :]
    agenda.taken = max(agenda.taken, due[-1].due)
    terms = _terms(settings.time_zone, settings.tiers)
    if not left or terms != agenda.terms:
        purchases = purchases_of(state.orders, settings.time_zone, state.erased_at)
        left = _planned(purchases, agenda.taken * 1000, settings)
        agenda.terms = terms
    write_changes(agenda, left)
    return _named(due, settings)


def planned(state: CustomerState, settings: ShopSettings | None = None) -> list[Told]:
    """What is told if nothing else happens, by due time; without settings tiers have no names."""
    return [] if state.agenda is None else _named(read_changes(state.agenda), settings)


def _planned(purchases: Purchases, after: int, settings: ShopSettings) -> list[Change]:
    """All changes due later than ``after`` (ms)."""
    today = day_of(after, settings.time_zone)
    days = [row.day for row in purchases.bought]
    found: list[Change] = []
    # Usually once: nothing was bought after today.
    for count in range(max(1, bisect_right(days, today)), len(days) + 1):
        is_last = count == len(days)
        known = purchases if is_last else _first(purchases, count)
        start = max(today, days[count - 1])
        found += (
            change
            for change in _follows(known, start, settings)
            if change.day > start and (is_last or change.day <= days[count])
        )
    return found


def _first(purchases: Purchases, count: int) -> Purchases:
    """``purchases`` as they were before the day of ``bought[count]``."""
    stop = purchases.bought[count].day
    later = sum(row.net_orders for row in purchases.bought[count:])
    return purchases._replace(
        days=[row for row in purchases.days if row.day < stop],
        bought=purchases.bought[:count],
        net_orders=purchases.net_orders - later,
    )


def _follows(purchases: Purchases, start: int, settings: ShopSettings) -> list[Change]:
    """What follows from ``purchases`` after the day ``start``, which none of them is later than."""
    zone = settings.time_zone
    found: list[Change] = []
    lapsing = lapses(purchases)
    if lapsing is not None:
        dormant, lost = lapsing
        if dormant > start:
            now = stage(purchases, dormant - 1)
            if now is not None:
                found.append(_change(dormant, zone, LIFECYCLE, STAGES.index(now), _DORMANT))
        if lost > start:
            found.append(_change(lost, zone, LIFECYCLE, _DORMANT, _LOST))
    found += (_change(day, zone, TIER, *of) for day, *of in drops(purchases, start, settings.tiers))
    expected = expected_next(purchases)
    if expected is not None and expected > start:
        found.append(_change(expected, zone, REORDER))
    return found


def _change(day: int, zone: str, kind: int, before: int = 0, after: int = 0) -> Change:
    return Change(start_of_day(day, zone) // 1000, day, kind, before, after)


def _named(changes: list[Change], settings: ShopSettings | None) -> list[Told]:
    found = []
    for change in changes:
        date = date_of(change.day).isoformat()
        before = after = ""
        key = date
        if change.kind == LIFECYCLE:
            before, after = STAGES[change.before], STAGES[change.after]
            key = f"{after}:{date}"
        elif change.kind == TIER and settings is not None:
            names = (NO_TIER, *(tier.name for tier in settings.tiers))
            if max(change.before, change.after) >= len(names):
                continue
            before, after = names[change.before], names[change.after]
        found.append(Told(change.due * 1000, change.kind, key, before, after))
    return found


def _told_at_once(
    purchases: Purchases, before: Paid, time: int, settings: ShopSettings
) -> tuple[Fact, ...]:
    """The stage and tier as of the event's day, or of the last purchase where that is later."""
    if before.forgotten == FROM_VERSION_1:
        return _NOTHING  # nobody knows what they were
    days = read(before.days)
    bought = [row for row in days if row.net_orders]
    forgotten = max(before.forgotten, purchases.forgotten) if purchases.erased else before.forgotten
    was = Purchases(days, bought, before.net, forgotten, purchases.erased)
    today = day_of(time, settings.time_zone)
    for rows in (bought, purchases.bought):
        today = max(today, rows[-1].day) if rows else today
    facts: tuple[Fact, ...] = _NOTHING
    stages = stage(was, today), stage(purchases, today)
    if stages[0] is not None and stages[1] is not None and stages[0] != stages[1]:
        facts += (LifecycleChanged(stages[0], stages[1]),)
    tiers = (tier(was, today, settings.tiers), tier(purchases, today, settings.tiers))
    if tiers[0] is not None and tiers[1] is not None and tiers[0] != tiers[1]:
        facts += (TierChanged(tiers[0], tiers[1]),)
    return facts


@lru_cache(maxsize=256)
def _terms(time_zone: str, tiers: tuple[Tier, ...]) -> bytes:
    text = "\0".join([time_zone, *(f"{t.name}\0{t.orders}\0{t.amount}" for t in tiers)])
    return blake2b(text.encode(), digest_size=4).digest()
