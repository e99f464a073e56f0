"""How complete the data are that upstream sends: which optional fields its events have (数据的完整).

By topic and the event's ``source``: its events, and those that have a field. Of a click ``shared_by``
counts only where it is somebody else.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from schemas.cart import CartEvent
from schemas.order import OrderEvent
from schemas.review import ReviewEvent
from streams.domain.aggregates.names import part
from streams.domain.increments import Increments, add_to

#: The figure's name among the sums of a day.
TOLD: Final = "told"
#: What a figure needs of the events of each topic but shop.clicks, beside what is required.
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "shop.carts": ("category", "unit_price", "traffic_source", "channel"),
    "shop.orders": (
        "lines", "amount_paid", "payment_method", "region", "channel", "traffic_source",
        "device_hash", "address_hash",
    ),
    "shop.reviews": ("rating", "text", "photos"),
}  # fmt: skip
_TOPICS: Final[dict[type, tuple[str, Callable[[Any], tuple[Any, ...]]]]] = {
    kind: (topic, attrgetter(*FIELDS[topic]))
    for kind, topic in (
        (CartEvent, "shop.carts"),
        (OrderEvent, "shop.orders"),
        (ReviewEvent, "shop.reviews"),
    )
}


def note_fields(
    increments: Increments, event: CartEvent | OrderEvent | ReviewEvent, day: int
) -> None:
    """Count which optional fields one event has."""
    topic, values_of = _TOPICS[type(event)]
    present = tuple(
        [value is not None and value != [] and value != "" for value in values_of(event.data)]
    )
    fields = increments.fields(event.data.shop_id, day)
    for name in told(topic, event.source, FIELDS[topic], present):
        add_to(fields, name, 1)


@lru_cache(maxsize=4_096)
def told(
    topic: str, source: str, names: Sequence[str], present: tuple[bool, ...]
) -> tuple[str, ...]:
    """The sums that an event of ``source`` adds one to: its events, and those with each field it has."""
    there = [name for name, is_there in zip(names, present, strict=True) if is_there]
    return tuple(part(TOLD, f"{topic}.{name}", source) for name in ("", *there))
