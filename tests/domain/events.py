"""Events for the domain's tests: short builders, and strategies that hit ties and repeats often."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from schemas.cart import Cart, CartEvent
from schemas.click import Click, ClickEvent
from schemas.envelope import Line
from schemas.order import Order, OrderEvent
from schemas.review import Review, ReviewEvent
from streams.domain.fold import CustomerEvent, fold
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state

SHOP = ShopSettings("shop", "Asia/Shanghai", "CNY")
MINUTE = 60_000
DAY = 86_400_000
#: 2024-06-01T00:00:00Z
START = 1_717_200_000_000

#: An event and its time in ms, as the decoder hands them to fold.
Timed = tuple[CustomerEvent, int]


def _envelope(
    event_id: str, time: int, customer: str = "c1", source: str = "test"
) -> dict[str, Any]:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time)
    return {
        "specversion": "1.0", "id": event_id, "source": source, "subject": customer, "time": moment,
    }  # fmt: skip


def click(event_id: str, time: int, action: Any = "view", **data: Any) -> Timed:
    return ClickEvent(
        data=Click(shop_id="shop", action=action, **data), **_envelope(event_id, time)
    ), time


def cart(event_id: str, time: int, action: Any, sku: str | None = None, **data: Any) -> Timed:
    body = Cart(shop_id="shop", action=action, sku=sku, **data)
    return CartEvent(data=body, **_envelope(event_id, time)), time


def order(
    event_id: str, time: int, order_id: str, status: Any, skus: str = "", **data: Any
) -> Timed:
    """``skus``: one letter a line."""
    lines = [Line(sku=sku) for sku in skus]
    body = Order(shop_id="shop", order_id=order_id, status=status, lines=lines, **data)
    return OrderEvent(data=body, **_envelope(event_id, time)), time


def review(event_id: str, time: int, action: Any, order_id: str, sku: str, **data: Any) -> Timed:
    body = Review(shop_id="shop", action=action, order_id=order_id, sku=sku, **data)
    return ReviewEvent(data=body, **_envelope(event_id, time)), time


def fold_all(
    events: list[Timed], state: CustomerState | None = None, shop: ShopSettings = SHOP
) -> CustomerState:
    """Fold ``events`` as they stand, into ``state`` or a new one."""
    if state is None:
        state = new_state("shop", "c1")
    for event, time in events:
        fold(state, event, time, shop)
    return state


#: What a strategy draws: the kind of event, its time, and what the kind needs.
Drawn = tuple[Any, ...]

#: A few moments, minutes apart or days, many of them equal or exactly 30 minutes or 3 days apart.
moments = st.builds(
    lambda day, minute, ms: START + day * DAY + minute * MINUTE + ms,
    st.sampled_from([0, 0, 0, 1, 3]),
    st.sampled_from([0, 1, 10, 29, 30, 31, 60, 90]),
    st.sampled_from([0, 0, 0, 1, -1]),
)
_attributes = st.sampled_from([{}, {}, {"size": "M"}, {"size": "L", "colour": "red"}])

cart_events: st.SearchStrategy[Drawn] = st.one_of(
    st.builds(
        lambda at, action, sku, quantity, attributes: (
            "cart", at, action, sku, {"quantity": quantity, "attributes": attributes},
        ),
        moments, st.sampled_from(["add", "add", "remove", "set"]), st.sampled_from("abc"),
        st.integers(1, 3), _attributes,
    ),
    st.builds(lambda at: ("cart", at, "clear", None, {}), moments),
)  # fmt: skip
order_events = st.builds(
    lambda at, order_id, status, skus, amount: ("order", at, order_id, status, skus, amount),
    moments, st.sampled_from(["o1", "o2", "o3"]),
    st.sampled_from(["placed", "paid", "paid", "shipped", "received", "cancelled"]),
    st.sampled_from(["", "a", "b", "ab", "abc"]), st.sampled_from([None, 0, 100, 250]),
)  # fmt: skip
refund_events = st.builds(
    lambda at, order_id, status, refund, amount, kind: (
        "refund", at, order_id, status, refund, amount, kind,
    ),
    moments, st.sampled_from(["o1", "o2"]),
    st.sampled_from(["refund_requested", "refund_withdrawn", "refunded", "refunded"]),
    st.sampled_from(["r1", "r2"]), st.sampled_from([None, 0, 60, 100]),
    st.sampled_from([None, "refund", "exchange"]),
)  # fmt: skip
review_events = st.builds(
    lambda at, action, order_id, rating: ("review", at, action, order_id, rating),
    moments, st.sampled_from(["posted", "posted", "appended", "shown", "removed", "replied"]),
    st.sampled_from(["o1", "o2"]), st.integers(1, 5),
)  # fmt: skip
click_events = st.builds(
    lambda at, action, session, dwell: ("click", at, action, session, dwell),
    moments, st.sampled_from(["view", "search", "favorite"]),
    st.sampled_from([None, None, "s1", "s2"]), st.sampled_from([None, 0, 1500]),
)  # fmt: skip


def build(drawn: list[tuple[Any, ...]], *, distinct: bool = True) -> list[Timed]:
    """Events of what the strategies drew; ids number them in an order that is not their order.

    ``distinct``: leave out what has the natural key of an earlier one, since of two events with one
    natural key and different contents the first to arrive counts.
    """
    events: list[Timed] = []
    keys: set[tuple[Any, ...]] = set()
    for number, (kind, at, *rest) in enumerate(drawn):
        event_id = f"{number * 7 % 10}-{number}"
        key: tuple[Any, ...] = (event_id,)
        if kind == "cart":
            action, sku, data = rest
            key = ("cart", at, action, sku, str(sorted(data.get("attributes", {}).items())))
            made = cart(event_id, at, action, sku, **data)
        elif kind == "order":
            order_id, status, skus, amount = rest
            key = ("order", order_id, status)
            made = order(event_id, at, order_id, status, skus, amount_paid=amount)
        elif kind == "refund":
            order_id, status, refund, amount, reason = rest
            key = ("refund", order_id, status, refund)
            made = order(
                event_id, at, order_id, status, refund_id=refund, amount=amount, kind=reason
            )
        elif kind == "review":
            action, order_id, rating = rest
            key = ("review", order_id, action)
            made = review(
                event_id, at, action, order_id, "a", rating=rating if action == "posted" else None
            )
        else:
            action, session, dwell = rest
            made = click(event_id, at, action, session_id=session, dwell_ms=dwell)
        if distinct and key in keys:
            continue
        keys.add(key)
        events.append(made)
    return events
