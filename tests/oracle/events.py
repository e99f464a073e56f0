"""What was published, and which of it is distinct."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

CLICKS, CARTS, ORDERS, REVIEWS = "shop.clicks", "shop.carts", "shop.orders", "shop.reviews"
SERVICE, WISHES, PROFILES = "shop.service", "shop.wishes", "shop.profiles"


class Published(NamedTuple):
    """A good record as it was published: ``value`` is the CloudEvent as a dict."""

    topic: str
    key: str
    value: dict[str, Any]


class Event(NamedTuple):
    """A distinct event. ``time``: milliseconds since 1970; ``customer``: (shop id, customer id)."""

    topic: str
    customer: tuple[str, str]
    id: str
    time: int
    data: dict[str, Any]
    source: str = ""


def milliseconds(moment: str) -> int:
    """An RFC 3339 time as milliseconds since 1970, cut down."""
    return (datetime.fromisoformat(moment) - EPOCH) // timedelta(milliseconds=1)


def line_of(data: dict[str, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A cart line: sku and attributes, these by name. A clear has the empty sku."""
    return data.get("sku") or "", tuple(sorted(data.get("attributes", {}).items()))


def natural_key(event: Event) -> tuple[object, ...] | None:
    """What makes two events with different ids one and the same fact; None: only the id does.

    What is said again of a case, a wish or a profile is another event, and what they come to does not
    hang on which of two came first: tests.oracle.contact.
    """
    data = event.data
    if event.topic == CARTS:
        return CARTS, line_of(data), event.time, data["action"]
    if event.topic == ORDERS:
        return ORDERS, data["order_id"], data["status"], data.get("refund_id")
    if event.topic == REVIEWS:
        return REVIEWS, data["order_id"], data["sku"], data["action"]
    return None


def distinct(published: Iterable[Published]) -> tuple[list[Event], dict[str, int]]:
    """The distinct events in published order, and the number of duplicates by topic.

    Two are one when source and id are equal, or when their natural keys are, within a customer of a
    shop; the first one counts.
    """
    events: list[Event] = []
    duplicates: dict[str, int] = {}
    seen: set[tuple[object, ...]] = set()
    for event, source in _events(published):
        names = [(*event.customer, "id", source, event.id)]
        key = natural_key(event)
        if key is not None:
            names.append((*event.customer, "natural", *key))  # type: ignore[arg-type]
        if seen.isdisjoint(names):
            events.append(event)
        else:
            duplicates[event.topic] = duplicates.get(event.topic, 0) + 1
        seen.update(names)
    return events, duplicates


def _events(published: Iterable[Published]) -> Iterator[tuple[Event, str]]:
    for topic, key, value in published:
        data = value["data"]
        customer = (data["shop_id"], key)
        yield (
            Event(topic, customer, value["id"], milliseconds(value["time"]), data, value["source"]),
            value["source"],
        )
