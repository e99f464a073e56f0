"""The figures of every customer and every trigger that must have been published."""

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence

from tests.oracle import contact
from tests.oracle.abandoned import Abandonment
from tests.oracle.events import CARTS, CLICKS, ORDERS, REVIEWS, Event, Published, distinct


@dataclasses.dataclass
class Figures:
    """Of one customer in one shop. Amounts in minor units; of orders whose amount is known."""

    views: int = 0
    favourites: int = 0
    cart_adds: int = 0
    #: Distinct orders that were paid, whatever became of them.
    orders_paid: int = 0
    #: Those of them neither cancelled nor refunded whole.
    orders_net: int = 0
    amount_paid: int = 0
    amount_refunded: int = 0
    reviews: int = 0
    bad_reviews: int = 0
    #: As `huitou customer` shows them, but without the lists of single cases and wishes, of which only
    #: the newest are kept.
    service: contact.Shown = dataclasses.field(default_factory=dict)
    wishes: contact.Shown = dataclasses.field(default_factory=dict)
    profile: contact.Shown = dataclasses.field(default_factory=dict)
    erased_at: str | None = None


@dataclasses.dataclass(frozen=True)
class ExpectedTrigger:
    trigger_id: str
    campaign: str
    shop_id: str
    customer_id: str
    occasion: str
    #: When its timer was due, ms; None when an event itself issued it.
    due: int | None = None


@dataclasses.dataclass
class Expected:
    """``events`` and ``duplicates`` by topic; ``triggers`` by trigger id."""

    customers: dict[tuple[str, str], Figures]
    triggers: dict[str, ExpectedTrigger]
    events: dict[str, int]
    duplicates: dict[str, int]

    def by_campaign(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for trigger in self.triggers.values():
            counts[trigger.campaign] = counts.get(trigger.campaign, 0) + 1
        return counts


def expect(published: Iterable[Published], watermark: int | None = None) -> Expected:
    """What follows from all of ``published``, once the watermark has reached ``watermark``.

    ``watermark`` in ms; None: it has passed everything.
    """
    return expect_in_steps([(published, watermark)])


def expect_in_steps(steps: Sequence[tuple[Iterable[Published], int | None]]) -> Expected:
    """The same where events come late: after each step's records the watermark reaches its value."""
    known: list[Published] = []
    carts: dict[tuple[str, str], Abandonment] = {}
    triggers: dict[str, ExpectedTrigger] = {}
    events: list[Event] = []
    duplicates: dict[str, int] = {}
    for published, watermark in steps:
        seen = len(events)
        known += published
        events, duplicates = distinct(known)
        for event in events[seen:]:
            carts.setdefault(event.customer, Abandonment()).add([event])
        for customer, cart in carts.items():
            for change in cart.fire(watermark):
                _issue(triggers, "abandoned-cart", customer, change.content, change.due)
    counts: dict[str, int] = {}
    by_customer: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        counts[event.topic] = counts.get(event.topic, 0) + 1
        by_customer.setdefault(event.customer, []).append(event)
    for customer, own in by_customer.items():
        _event_triggers(triggers, customer, own)
    customers = {customer: figures(own) for customer, own in by_customer.items()}
    return Expected(customers, triggers, counts, duplicates)


def trigger_id(campaign: str, shop_id: str, customer_id: str, occasion: str) -> str:
    """The first 32 hexadecimal digits of SHA-256 of the four, separated by 0x1f."""
    text = "\x1f".join((campaign, shop_id, customer_id, occasion))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def figures(events: Iterable[Event]) -> Figures:
    """Of the distinct events of one customer in one shop."""
    held = list(events)
    owner = held[0].customer[1]
    counting, erased = contact.since_erasure(held)
    figure = Figures(
        service=contact.service(counting),
        wishes=contact.wishes(counting, owner),
        profile=contact.profile(counting),
        erased_at=contact.moment(erased),
    )
    orders: dict[str, list[Event]] = {}
    for event in counting:
        data = event.data
        if event.topic == CLICKS:
            figure.views += data["action"] == "view"
            figure.favourites += data["action"] == "favorite"
        elif event.topic == CARTS:
            figure.cart_adds += data["action"] == "add"
        elif event.topic == ORDERS:
            orders.setdefault(data["order_id"], []).append(event)
        elif event.topic == REVIEWS and data["action"] == "posted":
            figure.reviews += 1
            figure.bad_reviews += data["rating"] <= 2
    for order in orders.values():
        _add_order(figure, order)
    return figure


def _add_order(figure: Figures, order: Sequence[Event]) -> None:
    statuses = {event.data["status"] for event in order}
    if "paid" not in statuses:
        return
    figure.orders_paid += 1
    amounts = [
        event.data["amount_paid"]
        for event in sorted(order, key=lambda event: event.data["status"] != "paid")
        if event.data["status"] in ("placed", "paid") and "amount_paid" in event.data
    ]
    paid = amounts[0] if amounts else 0
    refunds = [event.data.get("amount") for event in order if event.data["status"] == "refunded"]
    refunded = sum(amount for amount in refunds if amount is not None)
    # Of an order whose amount is unknown, only a refund without an amount is known to be whole.
    whole = None in refunds or bool(refunds and amounts and refunded >= paid)
    figure.amount_paid += paid
    if "cancelled" in statuses:
        figure.amount_refunded += paid
    else:
        figure.amount_refunded += paid if whole else min(refunded, paid)
        figure.orders_net += not whole


def _event_triggers(
    triggers: dict[str, ExpectedTrigger], customer: tuple[str, str], events: Iterable[Event]
) -> None:
    for event in events:
        data = event.data
        if event.topic == ORDERS and data["status"] == "paid":
            _issue(triggers, "second-order", customer, "first", None)
        elif event.topic == REVIEWS and data["action"] == "posted" and data["rating"] <= 2:
            _issue(triggers, "bad-review", customer, f"{data['order_id']}/{data['sku']}", None)


def _issue(
    triggers: dict[str, ExpectedTrigger],
    campaign: str,
    customer: tuple[str, str],
    occasion: str,
    due: int | None,
) -> None:
    shop_id, customer_id = customer
    name = trigger_id(campaign, shop_id, customer_id, occasion)
    triggers.setdefault(name, ExpectedTrigger(name, campaign, shop_id, customer_id, occasion, due))
