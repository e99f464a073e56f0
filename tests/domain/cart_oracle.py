"""docs/decisions/0002 written out naively, over all events at once: no log, no bounds, no increments."""

from schemas.cart import CartEvent
from schemas.order import OrderEvent
from tests.domain.events import Timed

_LineKey = tuple[str, tuple[tuple[str, str], ...]]


def _facts(events: list[Timed]) -> list[tuple[int, int, str, Timed]]:
    facts: list[tuple[int, int, str, Timed]] = []
    orders: dict[str, tuple[int, int, str, Timed]] = {}
    for event, time in events:
        if isinstance(event, CartEvent):
            facts.append((time, 0, event.id, (event, time)))
        elif isinstance(event, OrderEvent):
            data = event.data
            if data.status in ("placed", "paid") and data.lines:
                fact = (time, 1, event.id, (event, time))
                earlier = orders.get(data.order_id)
                if earlier is None or fact[:3] < earlier[:3]:
                    orders[data.order_id] = fact
    return sorted([*facts, *orders.values()], key=lambda fact: fact[:3])


def occasions(events: list[Timed]) -> list[tuple[int, str]]:
    """(due, text) of every occasion that stands, given all the events."""
    lines: dict[_LineKey, tuple[int, int]] = {}
    changes: list[tuple[int, str]] = []
    for time, _, _, (event, _) in _facts(events):
        if isinstance(event, OrderEvent):
            skus = {line.sku for line in event.data.lines}
            taken = [key for key in lines if key[0] in skus]
            for key in taken:
                del lines[key]
            if not taken:
                continue
        elif isinstance(event, CartEvent):
            data = event.data
            if data.action == "clear":
                lines.clear()
            else:
                key = (data.sku or "", tuple(sorted(data.attributes.items())))
                quantity, since = lines.get(key, (0, 0))
                if data.action == "add":
                    lines[key] = (quantity + data.quantity, time)
                elif data.action == "set":
                    lines[key] = (data.quantity, time)
                elif quantity > data.quantity:
                    lines[key] = (quantity - data.quantity, since)
                else:
                    lines.pop(key, None)
        content = sorted(
            f"{sku};{','.join(f'{k}={v}' for k, v in attributes)};{quantity};{since}"
            for (sku, attributes), (quantity, since) in lines.items()
            if since > time - 3 * 24 * 3600 * 1000
        )
        changes.append((time, "|".join(content)))
    standing = []
    for place, (time, content_text) in enumerate(changes):
        due = time + 30 * 60 * 1000
        replaced = any(time <= later < due for later, _ in changes[place + 1 :])
        if content_text and not replaced:
            standing.append((due, content_text))
    return sorted(standing)
