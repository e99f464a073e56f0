"""docs/decisions/0002-abandoned-cart.md, sentence by sentence."""

from collections.abc import Iterable
from typing import NamedTuple

from tests.oracle.events import CARTS, ORDERS, Event, line_of

WAIT = 30 * 60 * 1000
STALE = 3 * 24 * 60 * 60 * 1000

Line = tuple[str, tuple[tuple[str, str], ...]]


class Fact(NamedTuple):
    """Sorts in the order of facts. ``rank``: cart events 0, orders 1."""

    time: int
    rank: int
    event_id: str
    #: What a later version of the same fact replaces: the event's id, or the order's.
    identity: tuple[str, str]
    action: str
    line: Line
    quantity: int
    skus: frozenset[str]


class Change(NamedTuple):
    """A change of the cart; an occasion where ``content`` is not empty."""

    time: int
    identity: tuple[str, str]
    #: The occasion's name: the lines that are not stale.
    content: str
    #: Another change came within the wait.
    dropped: bool

    @property
    def due(self) -> int:
        return self.time + WAIT


def facts(events: Iterable[Event]) -> list[Fact]:
    """Of one customer, in the order of facts."""
    found: list[Fact] = []
    orders: dict[str, list[Event]] = {}
    for event in events:
        data = event.data
        if event.topic == CARTS:
            action, quantity = data["action"], data.get("quantity", 1)
            identity = ("cart", event.id)
            skus: frozenset[str] = frozenset()
            found.append(
                Fact(event.time, 0, event.id, identity, action, line_of(data), quantity, skus)
            )
        elif event.topic == ORDERS and data["status"] in ("placed", "paid") and data.get("lines"):
            orders.setdefault(data["order_id"], []).append(event)
    for order_id, carrying in orders.items():
        first = min(carrying, key=lambda event: (event.time, event.id))
        skus = frozenset(line["sku"] for line in first.data["lines"])
        found.append(Fact(first.time, 1, first.id, ("order", order_id), "order", ("", ()), 0, skus))
    return sorted(found, key=lambda fact: fact[:3])


def changes(ordered: Iterable[Fact]) -> list[Change]:
    """The changes that these facts make, in order, each with its content."""
    cart: dict[Line, tuple[int, int]] = {}
    made = [(fact, _content(cart, fact.time)) for fact in ordered if _apply(cart, fact)]
    return [
        Change(
            fact.time,
            fact.identity,
            content,
            dropped=index + 1 < len(made) and made[index + 1][0].time < fact.time + WAIT,
        )
        for index, (fact, content) in enumerate(made)
    ]


def _apply(cart: dict[Line, tuple[int, int]], fact: Fact) -> bool:
    """Applies a fact to line -> (quantity, since); True when it is a change."""
    quantity, since = cart.get(fact.line, (0, 0))
    if fact.action == "order":
        taken = [line for line in cart if line[0] in fact.skus]
        for line in taken:
            del cart[line]
        return bool(taken)
    if fact.action == "clear":
        cart.clear()
    elif fact.action == "add":
        cart[fact.line] = (quantity + fact.quantity, fact.time)
    elif fact.action == "set":
        cart[fact.line] = (fact.quantity, fact.time)
    elif quantity > fact.quantity:
        cart[fact.line] = (quantity - fact.quantity, since)
    else:
        cart.pop(fact.line, None)
    return True


def _content(cart: dict[Line, tuple[int, int]], time: int) -> str:
    """The name of the lines with since > time - 3 days; empty when there is none."""
    return "|".join(
        sorted(
            f"{sku};{','.join(f'{name}={value}' for name, value in attributes)};{quantity};{since}"
            for (sku, attributes), (quantity, since) in cart.items()
            if since > time - STALE
        )
    )


class Abandonment:
    """The occasions of one customer that fire as the watermark moves."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._settled: set[tuple[str, str]] = set()
        self._issued: set[str] = set()

    def add(self, events: Iterable[Event]) -> None:
        self._events.extend(events)

    def fire(self, watermark: int | None) -> list[Change]:
        """What fires now, in order of due time, once per content; None: nothing comes any more."""
        fired: list[Change] = []
        for change in changes(facts(self._events)):
            if watermark is not None and change.due > watermark:
                continue
            if change.identity in self._settled:
                continue
            self._settled.add(change.identity)
            if change.content and not change.dropped and change.content not in self._issued:
                self._issued.add(change.content)
                fired.append(change)
        return fired
