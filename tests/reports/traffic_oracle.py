"""What reports of traffic must say: plain Python over published events, by DOMAIN's definitions alone.

No code of streams or schemas is used. Figures are kept as the things that they count (customers, sessions,
events), so whatever is said of them (a day, a range, a part, a share of two) is a count or an
intersection of sets, and never a sum of days.

- A visitor has a view, a store visit or a live entry in the period.
- Whoever has an ``add`` in it is an adder; a later removal does not un-count. Add-to-cart rate: visitors
  who are adders, of all visitors. Conversion: visitors who are payers, of all visitors. Who paid or
  added without a visit is no part of either, and is counted apart.
- What is bought (categories) and where from (source, channel, region) is said of an order by its
  ``paid``, else by its ``placed``; it is placed and paid on the days of these events.
- Money is that of the day of the payment, whenever a cancellation or refund of it comes.
- A visitor whom an ``alias`` names a customer's was that customer: what both did to one order is done once,
  and who placed and paid are people. Who visited and added are names: that is what was seen at the time.

An erasure is refused: what of an erased customer remains in live figures hangs on the order of arrival.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.oracle.events import CARTS, CLICKS, EPOCH, ORDERS, PROFILES, Event, Published, distinct
from tests.oracle.orders import paid_orders

VISITS = ("view", "store_visit", "live_enter")
#: What a part of a figure may be of; ``live`` is of clicks only.
DIMENSIONS = ("category", "source", "channel", "region")
STAGES = ("visit", "view", "cart", "placed", "paid")


class Stage(NamedTuple):
    """How many customers were at a stage at all, and how many of them at every one before it, too."""

    customers: int
    of_all_before: int


class Sum(NamedTuple):
    """``unknown``: orders that tell no amount, which are in no other sum; minor units."""

    orders: int
    gross: int
    net: int
    unknown: int


class Bought(NamedTuple):
    """An order's event ``placed`` or ``paid``, with what is said of the whole order."""

    customer: str
    time: int
    said: dict[str, list[str]]


@dataclass(frozen=True)
class Days:
    """The days ``first`` to ``last``, both included, on the clock of ``zone``."""

    first: date
    last: date
    zone: str

    def holds(self, time_ms: int) -> bool:
        return self.first <= self.local(time_ms)[0] <= self.last

    def local(self, time_ms: int) -> tuple[date, int]:
        """The date and the hour."""
        moment = (EPOCH + timedelta(milliseconds=time_ms)).astimezone(ZoneInfo(self.zone))
        return moment.date(), moment.hour

    def each(self) -> Iterator["Days"]:
        """Every day by itself."""
        for number in range((self.last - self.first).days + 1):
            day = self.first + timedelta(days=number)
            yield Days(day, day, self.zone)


class Traffic:
    """The figures of ``shop`` over ``days``, of what was ``published`` in any order, some of it twice."""

    def __init__(self, published: Iterable[Published], shop: str, days: Days) -> None:
        self.days = days
        told = [event for event in distinct(published)[0] if event.customer[0] == shop]
        self._events = _of_people(told)
        for event in self._events:
            if event.topic == PROFILES and event.data["action"] == "erase":
                raise ValueError(
                    f"{event.id} erases {event.customer[1]}: this oracle has no erasures"
                )

    def by_day(self) -> dict[date, "Traffic"]:
        """Every day by itself."""
        return {one.first: self._of(one) for one in self.days.each()}

    def _of(self, days: Days) -> "Traffic":
        other = Traffic((), "", days)
        other._events = self._events
        return other

    # --- events

    @cached_property
    def clicks(self) -> list[Event]:
        return self._topic(CLICKS)

    def _topic(self, topic: str) -> list[Event]:
        return [e for e in self._events if e.topic == topic and self.days.holds(e.time)]

    def _did(self, *actions: str) -> list[Event]:
        return [event for event in self.clicks if event.data["action"] in actions]

    @cached_property
    def visits(self) -> list[Event]:
        return self._did(*VISITS)

    @cached_property
    def views(self) -> list[Event]:
        return self._did("view")

    @cached_property
    def searches(self) -> list[Event]:
        return self._did("search")

    @cached_property
    def adds(self) -> list[Event]:
        return [event for event in self._topic(CARTS) if event.data["action"] == "add"]

    def number_of(self, *actions: str) -> int:
        """Clicks of these actions."""
        return len(self._did(*actions))

    def by_hour(self) -> Counter[int]:
        """Visits by hour of day."""
        return Counter(self.days.local(event.time)[1] for event in self.visits)

    def sends(self, topic: str) -> bool:
        """Whether the shop sent anything of it: of a topic of which it sent nothing, nothing is known."""
        return bool(self._topic(topic))

    def bought_tell(self, status: str, dimension: str) -> bool:
        """Whether any event of ``status`` (placed or paid) tells this itself, whatever the other one does."""
        events = [event for event in self._topic(ORDERS) if event.data["status"] == status]
        if dimension == "category":
            lines = [line for event in events for line in event.data.get("lines") or []]
            return any(line.get("category") for line in lines)
        return any(_value(event, dimension) is not None for event in events)

    def silent(self, status: str, dimension: str) -> int:
        """How many of what is placed, paid or added in the period tell no value of it themselves."""
        events = self.adds if status == "adds" else [
            own[status] for own in self._statuses(status)
        ]  # fmt: skip
        return sum(_value(event, dimension) is None for event in events)

    # --- customers

    @cached_property
    def visitors(self) -> set[str]:
        return _who(self.visits)

    @cached_property
    def adders(self) -> set[str]:
        return _who(self.adds)

    @cached_property
    def placers(self) -> set[str]:
        return {order.customer for order in self.placed}

    @cached_property
    def payers(self) -> set[str]:
        return {order.customer for order in self.paid}

    @property
    def adders_without_visit(self) -> set[str]:
        return self.adders - self.visitors

    @property
    def payers_without_visit(self) -> set[str]:
        return self.payers - self.visitors

    @cached_property
    def sessions(self) -> set[tuple[str, str]]:
        """Of visits that name one; a session across midnight is one, and is one on each of its days."""
        named = [event for event in self.visits if event.data.get("session_id") is not None]
        return {(event.customer[1], event.data["session_id"]) for event in named}

    @property
    def dwell(self) -> tuple[int, int]:
        """Milliseconds, and the views that tell any."""
        told = [e.data["dwell_ms"] for e in self.views if e.data.get("dwell_ms") is not None]
        return sum(told), len(told)

    @property
    def add_to_cart_rate(self) -> float | None:
        return _share(self.adders & self.visitors, self.visitors)

    @property
    def conversion(self) -> float | None:
        return _share(self.payers & self.visitors, self.visitors)

    # --- orders

    @cached_property
    def placed(self) -> list[Bought]:
        return self._bought("placed")

    @cached_property
    def paid(self) -> list[Bought]:
        return self._bought("paid")

    def _bought(self, status: str) -> list[Bought]:
        return [
            Bought(own[status].customer[1], own[status].time, _said_of(own[status]))
            for own in self._statuses(status)
        ]

    def _statuses(self, status: str) -> list[dict[str, Event]]:
        """Of each order that had it in the period: what was said when it was placed and paid."""
        orders: dict[tuple[str, str], dict[str, Event]] = {}
        for event in self._events:
            if event.topic == ORDERS and event.data["status"] in ("placed", "paid"):
                own = orders.setdefault((event.customer[1], event.data["order_id"]), {})
                own[event.data["status"]] = event
        return [
            own for own in orders.values() if status in own and self.days.holds(own[status].time)
        ]

    @cached_property
    def money(self) -> Sum:
        """Of what was paid in the period."""
        by_customer: dict[str, list[Event]] = {}
        for event in self._events:
            by_customer.setdefault(event.customer[1], []).append(event)
        orders = [order for own in by_customer.values() for order in paid_orders(own)]
        paid = [order for order in orders if self.days.holds(order.paid_at)]
        known = [order for order in paid if order.known]
        return Sum(
            len(paid),
            sum(order.amount for order in known),
            sum(order.net_amount for order in known),
            len(paid) - len(known),
        )

    # --- parts

    def visitors_by(self, dimension: str) -> dict[str, set[str]]:
        """Value -> visitors; by ``category`` those who viewed something of it."""
        return _parts(self.views if dimension == "category" else self.visits, dimension)

    def adders_by(self, dimension: str) -> dict[str, set[str]]:
        """Value -> adders."""
        return _parts(self.adds, dimension)

    def placers_by(self, dimension: str) -> dict[str, set[str]]:
        """Value -> who placed an order."""
        return _bought_by(self.placed, dimension)

    def payers_by(self, dimension: str) -> dict[str, set[str]]:
        """Value -> who paid an order."""
        return _bought_by(self.paid, dimension)

    def views_by(self, dimension: str) -> Counter[str]:
        """Value -> views."""
        return Counter(value for e in self.views if (value := _value(e, dimension)) is not None)

    def keywords(self) -> Counter[str]:
        """Keyword -> searches for it; searches that tell none are in no part."""
        return Counter(e.data["keyword"] for e in self.searches if e.data.get("keyword"))

    def live(self) -> dict[str, tuple[int, set[str]]]:
        """Live id -> entries, and who entered."""
        found: dict[str, tuple[int, set[str]]] = {}
        for event in self._did("live_enter"):
            if event.data.get("live_id") is not None:
                entries, who = found.get(event.data["live_id"], (0, set()))
                found[event.data["live_id"]] = entries + 1, who | {event.customer[1]}
        return found

    # --- funnel

    def funnel(self) -> dict[str, Stage]:
        """visit -> view -> cart -> placed -> paid."""
        return _funnel([self.visitors, _who(self.views), self.adders, self.placers, self.payers])

    def funnel_by(self, dimension: str) -> dict[str, dict[str, Stage]]:
        """The same of each value; a customer may be in several."""
        stages: list[dict[str, set[str]]] = [
            self.visitors_by(dimension),
            _parts(self.views, dimension),
            self.adders_by(dimension),
            self.placers_by(dimension),
            self.payers_by(dimension),
        ]
        values = sorted({value for stage in stages for value in stage})
        return {value: _funnel([stage.get(value, set()) for stage in stages]) for value in values}


def _of_people(events: list[Event]) -> list[Event]:
    """``events`` with those of orders as people's, each status once."""
    became = {
        event.customer[1]: event.data["alias_of"]
        for event in events
        if event.topic == PROFILES and event.data["action"] == "alias"
    }
    found, seen = [], set[tuple[object, ...]]()
    for event in events:
        if event.topic == ORDERS:
            who = event.customer[1]
            while who in became:
                who = became[who]
            name = (who, event.data["order_id"], event.data["status"], event.data.get("refund_id"))
            if name in seen:
                continue
            seen.add(name)
            event = event._replace(customer=(event.customer[0], who))
        found.append(event)
    return found


def _funnel(stages: list[set[str]]) -> dict[str, Stage]:
    found, before = {}, stages[0]
    for name, who in zip(STAGES, stages, strict=True):
        before = before & who
        found[name] = Stage(len(who), len(before))
    return found


def _who(events: Iterable[Event]) -> set[str]:
    return {event.customer[1] for event in events}


def _value(event: Event, dimension: str) -> str | None:
    name = "traffic_source" if dimension == "source" else dimension
    found: str | None = event.data.get(name)
    return found


def _parts(events: Iterable[Event], dimension: str) -> dict[str, set[str]]:
    return _grouped(
        (event.customer[1], [] if (value := _value(event, dimension)) is None else [value])
        for event in events
    )


def _bought_by(orders: Iterable[Bought], dimension: str) -> dict[str, set[str]]:
    return _grouped((order.customer, order.said[dimension]) for order in orders)


def _grouped(told: Iterable[tuple[str, list[str]]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for customer, values in told:
        for value in values:
            found.setdefault(value, set()).add(customer)
    return found


def _said_of(event: Event) -> dict[str, list[str]]:
    """What the event says itself; of categories, all of them."""
    lines = event.data.get("lines") or []
    said = {"category": sorted({line["category"] for line in lines if line.get("category")})}
    for dimension in ("source", "channel", "region"):
        value = _value(event, dimension)
        said[dimension] = [] if value is None else [value]
    return said


def _share(part: set[str], whole: set[str]) -> float | None:
    return round(len(part) / len(whole), 6) if whole else None
