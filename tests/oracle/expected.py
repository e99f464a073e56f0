"""The figures of every customer and every trigger that must have been published."""

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from tests.oracle import contact
from tests.oracle.abandoned import Abandonment
from tests.oracle.events import CARTS, CLICKS, ORDERS, REVIEWS, Event, Published, distinct
from tests.oracle.orders import paid_orders
from tests.oracle.worth import Shop, worth


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
    #: See tests.oracle.worth; None where nothing is known of the customer.
    worth: dict[str, Any] | None = None
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
    one_of = contact.handed_over(events)
    of_one: dict[tuple[str, str], list[Event]] = {customer: [] for customer in by_customer}
    for event in events:
        of_one.setdefault(one_of.get(event.customer, event.customer), []).append(event)
    customers = {customer: figures(own, customer[1]) for customer, own in of_one.items()}
    return Expected(customers, triggers, counts, duplicates)


def trigger_id(campaign: str, shop_id: str, customer_id: str, occasion: str) -> str:
    """The first 32 hexadecimal digits of SHA-256 of the four, separated by 0x1f."""
    text = "\x1f".join((campaign, shop_id, customer_id, occasion))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def figures(events: Sequence[Event], owner: str) -> Figures:
    """Of the distinct events of one customer in one shop, whose id is ``owner``, as of the newest of them.

    Those of visitors who turned out to be the customer are among them, and of the visitors there are none.
    """
    counting, erased = contact.since_erasure(events)
    figure = Figures(
        service=contact.service(counting),
        wishes=contact.wishes(counting, owner),
        profile=contact.profile(counting),
        erased_at=contact.moment(erased),
    )
    for event in counting:
        data = event.data
        if event.topic == CLICKS:
            figure.views += data["action"] == "view"
            figure.favourites += data["action"] == "favorite"
        elif event.topic == CARTS:
            figure.cart_adds += data["action"] == "add"
        elif event.topic == REVIEWS and data["action"] == "posted":
            figure.reviews += 1
            figure.bad_reviews += data["rating"] <= 2
    paid = paid_orders(counting)
    figure.orders_paid = len(paid)
    figure.orders_net = sum(order.net for order in paid)
    figure.amount_paid = sum(order.amount for order in paid)
    figure.amount_refunded = sum(order.amount - order.net_amount for order in paid)
    if counting:
        newest = max(event.time for event in counting)
        figure.worth = worth(paid, newest, Shop(), erased)
    return figure


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
