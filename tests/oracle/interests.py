"""What `huitou customer` must show of a customer's interests: docs/state.md, from all events at once."""

from collections.abc import Iterable
from fractions import Fraction

from tests.oracle.contact import Shown, moment
from tests.oracle.events import CARTS, CLICKS, ORDERS, Event

DAY = 86_400_000
#: Regions, devices, skus shared and sharers that are known of a customer (docs/state.md).
KEPT = 2
HALF_LIFE = 28 * DAY
CLICK_POINTS = {"view": 1, "ask": 2, "trial_apply": 2, "favorite": 3, "share": 3}
CHANNELS = ("app", "web", "miniapp", "store")


def interests(events: Iterable[Event], owner: str, now: int) -> Shown:
    """All but the attribution, which hangs on what came before a payment, and the path."""
    held = list(events)
    clicks = [event for event in held if event.topic == CLICKS]
    goods = [
        event
        for event in held
        if event.topic == ORDERS and event.data["status"] in ("placed", "paid")
    ]
    return {
        "categories": _weights(_named_points(held, "category"), now),
        "bands": _weights(_band_points(held), now),
        "keywords": _weights(
            [
                (event.data["keyword"].strip(), event.time, 1)
                for event in clicks
                if event.data["action"] == "search" and event.data.get("keyword", "").strip()
            ],
            now,
        ),
        "favorites": _favorites(clicks),
        "products": _products(clicks, goods),
        "touches": _touches(clicks, now),
        "shared": _latest(
            (event.data["sku"], event.time)
            for event in clicks
            if event.data["action"] == "share" and "sku" in event.data
        ),
        "came_by": _came_by(clicks, owner),
        "channels": [
            channel
            for channel in CHANNELS
            if any(event.data.get("channel") == channel for event in held)
        ],
        "regions": _seen("region", [*clicks, *goods]),
        "devices": _seen("device_hash", [*clicks, *goods]),
    }


def _named_points(events: Iterable[Event], name: str) -> list[tuple[str, int, int]]:
    """What each event says of a category: (category, time, points)."""
    said = []
    for event in events:
        for field, points in _points(event, name):
            said.append((str(field), event.time, points))
    return said


def _band_points(events: Iterable[Event]) -> list[tuple[str, int, int]]:
    said = []
    for event in events:
        name = "price" if event.topic == CLICKS else "unit_price"
        bands = {(_band(int(price)), points) for price, points in _points(event, name)}
        said += [(band, event.time, points) for band, points in bands]
    return said


def _points(event: Event, name: str) -> set[tuple[object, int]]:
    data = event.data
    if event.topic == CLICKS and data["action"] in CLICK_POINTS and name in data:
        return {(data[name], CLICK_POINTS[data["action"]])}
    if event.topic == CARTS and data["action"] == "add" and name in data:
        return {(data[name], 3)}
    if event.topic == ORDERS and data["status"] in ("placed", "paid"):
        return {(line[name], 4) for line in data.get("lines", []) if name in line}
    return set()


def _band(price: int) -> str:
    """The greatest of 0, 1, 2, 5, 10, 20, 50 ... that is not above the price."""
    if price == 0:
        return "0"
    zeros = len(str(price)) - 1
    digit = max(digit for digit in (1, 2, 5) if digit * 10**zeros <= price)
    return str(digit * 10**zeros)


def _weights(said: Iterable[tuple[str, int, int]], now: int) -> dict[str, float]:
    """Half for each half-life that has begun since, nothing beyond five of them."""
    weights: dict[str, Fraction] = {}
    for name, time, points in said:
        age = now // HALF_LIFE - time // HALF_LIFE
        if age < 5:
            weights[name] = weights.get(name, Fraction()) + Fraction(points, 2**age)
    return {name: float(weight) for name, weight in weights.items()}


def _favorites(clicks: Iterable[Event]) -> list[tuple[str, str | None]]:
    last: dict[str, tuple[int, bool]] = {}
    for event in clicks:
        action = event.data["action"]
        if action in ("favorite", "unfavorite") and "sku" in event.data:
            word = (event.time, action == "unfavorite")
            last[event.data["sku"]] = max(word, last.get(event.data["sku"], word))
    kept = [(sku, time) for sku, (time, removed) in last.items() if not removed]
    return [(sku, moment(time)) for sku, time in sorted(kept, key=lambda each: (-each[1], each[0]))]


def _products(clicks: Iterable[Event], goods: Iterable[Event]) -> dict[str, Shown]:
    shown: dict[str, Shown] = {}
    views = [event for event in clicks if event.data["action"] == "view" and "sku" in event.data]
    bought = [(line["sku"], event.time) for event in goods for line in event.data.get("lines", [])]
    for sku in {*(event.data["sku"] for event in views), *(sku for sku, _ in bought)}:
        own = [event for event in views if event.data["sku"] == sku]
        viewed_at = max((event.time for event in own), default=None)
        bought_at = max((time for name, time in bought if name == sku), default=None)
        dwell = sum(event.data.get("dwell_ms", 0) for event in own)
        open_since = viewed_at is not None and (bought_at is None or bought_at < viewed_at)
        shown[sku] = {
            "views": len(own),
            "dwell_ms": dwell,
            "viewed_at": moment(viewed_at),
            "bought_at": moment(bought_at),
            "viewed_not_bought": open_since and (len(own) >= 2 or dwell > 60_000),
        }
    return shown


def _touches(clicks: Iterable[Event], now: int) -> list[tuple[str | None, str]]:
    """Of a session with an id one for each source; of the other clicks one for each run of a source."""
    named: dict[tuple[str, str], int] = {}
    unnamed: dict[str, list[int]] = {}
    for event in clicks:
        source, session = event.data.get("traffic_source"), event.data.get("session_id")
        second = event.time // 1000
        if source and session:
            named[source, session] = min(second, named.get((source, session), second))
        elif source:
            unnamed.setdefault(source, []).append(second)
    begun = [(start, source) for (source, _), start in named.items()]
    for source, times in unnamed.items():
        times.sort()
        begun += [
            (time, source)
            for at, time in enumerate(times)
            if at == 0 or time - times[at - 1] >= 30 * 60
        ]
    since = now // 1000 - 30 * 86_400
    return sorted((moment(start * 1000), source) for start, source in begun if start > since)


def _latest(times: Iterable[tuple[str, int]]) -> dict[str, str | None]:
    last: dict[str, int] = {}
    for name, time in times:
        last[name] = max(time, last.get(name, time))
    newest = sorted(last.items(), key=lambda each: (each[1], each[0]))[-KEPT:]
    return {name: moment(time) for name, time in newest}


def _seen(name: str, events: Iterable[Event]) -> dict[str, str | None]:
    return _latest((event.data[name], event.time) for event in events if name in event.data)


def _came_by(clicks: Iterable[Event], owner: str) -> dict[str, str | None]:
    first: dict[str, int] = {}
    for event in clicks:
        sharer = event.data.get("shared_by", owner)
        if sharer != owner:
            first[sharer] = min(event.time, first.get(sharer, event.time))
    earliest = sorted(first.items(), key=lambda each: (each[1], each[0]))[:KEPT]
    return {name: moment(time) for name, time in earliest}
