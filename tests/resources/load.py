"""Many events of few customers, made and published quickly."""

from collections.abc import Iterator

from producers.bulk import BulkPublisher
from producers.cluster import Cluster
from streams.settings import Settings
from tests.engine.scenario import START_MS

SHOP = "shop"
#: Of one of these, about.
EVENT_BYTES = 260
_SECOND = 1_000


def events(customer: str, count: int, first: int = 0) -> Iterator[tuple[str, bytes]]:
    """(topic, value) of ``count`` events of a customer, a second apart: of everything something."""
    for number in range(first, first + count):
        kind = number % 10
        if kind < 6:
            data = f'"action":"view","sku":"s{number % 997}","session_id":"v{number // 40}"'
            yield "shop.clicks", _event("click", customer, number, data)
        elif kind < 8:
            action = "remove" if number % 30 == 7 else "add"
            data = f'"action":"{action}","sku":"s{number % 499}","quantity":{number % 9 + 1}'
            yield "shop.carts", _event("cart", customer, number, data)
        elif kind < 9:
            status = ("placed", "paid", "received")[number // 10 % 3]
            data = f'"order_id":"o{number // 30}","status":"{status}","amount_paid":990'
            yield "shop.orders", _event("order", customer, number, data)
        else:
            data = f'"action":"posted","order_id":"o{number // 30}","sku":"s{number}","rating":1'
            yield "shop.reviews", _event("review", customer, number, data)


def _event(kind: str, customer: str, number: int, data: str) -> bytes:
    at = START_MS + number * _SECOND
    days, milliseconds = divmod(at, 86_400_000)
    return (
        f'{{"specversion":"1.0","type":"shop.{kind}.v1","id":"e{number}","source":"test",'
        f'"subject":"{customer}","time":"{_day(days)}T{_clock(milliseconds)}Z",'
        f'"data":{{"shop_id":"{SHOP}",{data}}}}}'
    ).encode()


def _day(days: int) -> str:
    found = _days.get(days)
    if found is None:
        from datetime import date, timedelta

        found = _days[days] = (date(1970, 1, 1) + timedelta(days)).isoformat()
    return found


_days: dict[int, str] = {}


def _clock(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def publish(settings: Settings, records: Iterator[tuple[str, bytes, bytes]]) -> int:
    """Sends (topic, key, value), uncompressed, so that bytes on the wire are bytes; returns how many."""
    publisher = BulkPublisher(
        Cluster(settings.kafka_bootstrap, settings.topic_prefix),
        client_id="huitou-test",
        linger_ms=20,
        compression="none",
    )
    for topic, key, value in records:
        publisher.send(topic, key, value)
    publisher.flush()
    return publisher.published
