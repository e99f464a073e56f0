"""Events for the domain's tests: short builders, and strategies that hit ties and repeats often."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from schemas.cart import Cart, CartEvent
from schemas.click import Click, ClickEvent
from schemas.envelope import Line
from schemas.order import Order, OrderEvent
from schemas.profile import Profile, ProfileEvent
from schemas.review import Review, ReviewEvent
from schemas.service import Service, ServiceEvent
from schemas.wish import Wish, WishEvent
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


def service(event_id: str, time: int, action: Any, case_id: str | None, **data: Any) -> Timed:
    body = Service(shop_id="shop", action=action, case_id=case_id, **data)
    return ServiceEvent(data=body, **_envelope(event_id, time)), time


def wish(event_id: str, time: int, action: Any, wish_id: str, **data: Any) -> Timed:
    body = Wish(shop_id="shop", action=action, wish_id=wish_id, **data)
    return WishEvent(data=body, **_envelope(event_id, time)), time


def profile(event_id: str, time: int, action: Any, **data: Any) -> Timed:
    body = Profile(shop_id="shop", action=action, **data)
    return ProfileEvent(data=body, **_envelope(event_id, time)), time


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
#: What a click may say besides, of so few names that nothing leaves a state.
_click_data: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "sku": st.sampled_from(["a", "b", "c", "k" * 64]),
        "category": st.sampled_from(["tea", "cups", "茶" * 30]),
        "price": st.sampled_from([0, 1, 1990, 10**12]), "page": st.sampled_from(["p1", "p2"]),
        "keyword": st.sampled_from(["jade", " jade ", "green tea", " "]),
        "region": st.sampled_from(["CN-33", "CN-31"]), "device_hash": st.sampled_from(["d1", "d2"]),
        "channel": st.sampled_from(["app", "web"]), "shared_by": st.sampled_from(["c1", "c7"]),
    },
)  # fmt: skip
click_events = st.builds(
    lambda at, action, session, dwell, data: ("click", at, action, session, dwell, data),
    moments, st.sampled_from(["view", "view", "search", "favorite", "unfavorite", "share"]),
    st.sampled_from([None, None, "s1", "s2"]), st.sampled_from([None, 0, 1500]), _click_data,
)  # fmt: skip
#: Several half-lives apart. Those without a session id come by one source: with the others there are no
#: more than the 16 touches that are kept.
_periods = st.builds(
    lambda days, minute: START + days * DAY + minute * MINUTE,
    st.sampled_from([0, 0, 1, 28, 57, 200]),
    st.sampled_from([0, 1, 29, 30]),
)
interest_events: st.SearchStrategy[Drawn] = st.one_of(
    click_events,
    st.builds(
        lambda at, action, session, source, data: (
            "click", at, action, session, None,
            {**data, "traffic_source": source if session else "search"},
        ),
        _periods, st.sampled_from(["view", "search", "favorite", "share", "campaign_open"]),
        st.sampled_from([None, "s1", "s2", "s3"]), st.sampled_from(["search", "live"]),
        _click_data,
    ),
    st.builds(
        lambda at, sku, data: ("cart", at, "add", sku, data),
        _periods, st.sampled_from("ab"),
        st.sampled_from([{"category": "tea", "unit_price": 600}, {"channel": "store"}]),
    ),
    st.builds(
        lambda at, order_id, status, skus: ("order", at, order_id, status, skus, 100),
        _periods, st.sampled_from(["o1", "o2"]), st.sampled_from(["placed", "paid"]),
        st.sampled_from(["", "a", "abc"]),
    ),
)  # fmt: skip
point_events: st.SearchStrategy[Drawn] = st.one_of(
    order_events, refund_events, st.builds(lambda at: ("profile", at, "joined_membership", {}), moments)
)  # fmt: skip

#: As many as are kept of a case, so that no reply is forgotten.
reply_moments = st.sampled_from([START, START + MINUTE, START + DAY, START + DAY + MINUTE])
service_events: st.SearchStrategy[Drawn] = st.one_of(
    st.builds(
        lambda at, action, case_id: ("service", at, action, case_id, None),
        moments, st.sampled_from(["inquiry", "complaint", "resolved", "resolved"]),
        st.sampled_from(["k1", "k1", "k1", "k2", "k3"]),
    ),
    st.builds(
        lambda at, case_id: ("service", at, "replied", case_id, None),
        reply_moments, st.sampled_from(["k1", "k2"]),
    ),
    st.builds(
        lambda at, case_id, score: ("service", at, "survey_answered", case_id, score),
        moments, st.sampled_from([None, None, "k1", "k2"]), st.integers(0, 10),
    ),
)  # fmt: skip
wish_events: st.SearchStrategy[Drawn] = st.one_of(
    st.builds(
        lambda at, action, wish_id, sku, attributes: (
            "wish", at, action, wish_id, {"sku": sku, "attributes": attributes},
        ),
        moments, st.sampled_from(["made", "made", "withdrawn", "granted", "declined"]),
        st.sampled_from(["w1", "w1", "w2"]), st.sampled_from([None, "a", "b"]), _attributes,
    ),
    st.builds(
        lambda at, action, wish_id, liker, device: (
            "wish", at, action, wish_id, {"liker_id": liker, "device_hash": device},
        ),
        moments, st.sampled_from(["liked", "liked", "unliked", "commented"]),
        st.sampled_from(["w1", "w2"]), st.sampled_from(["c1", "c2", "c3"]),
        st.sampled_from([None, "d1", "d2"]),
    ),
    st.builds(lambda at, wish_id: ("wish", at, "story", wish_id, {}), moments, st.just("w1")),
)  # fmt: skip
profile_events: st.SearchStrategy[Drawn] = st.one_of(
    st.builds(
        lambda at, fields: ("profile", at, "updated", fields),
        moments,
        st.fixed_dictionaries(
            {},
            optional={
                "birthday": st.dates(), "gender": st.sampled_from(["female", "male"]),
                "region": st.sampled_from(["CN-33", "CN-31"]), "age_band": st.just("30-34"),
                "tags": st.lists(st.sampled_from(["tea", "gifts", "é" * 60]), max_size=3),
            },
        ),
    ),
    st.builds(
        lambda at, consent: ("profile", at, "consent", {"consent": consent}),
        moments, st.dictionaries(st.sampled_from(["sms", "email"]), st.booleans()),
    ),
    st.builds(lambda at: ("profile", at, "joined_membership", {}), moments),
)  # fmt: skip


def build(drawn: list[tuple[Any, ...]], *, distinct: bool = True) -> list[Timed]:
    """Events of what the strategies drew; ids number them in an order that is not their order.

    ``distinct``: leave out what has the natural key of an earlier cart event, order's status or review,
    since of two of these with different contents the first to arrive counts. Of cases, wishes and
    profiles nothing is left out: what is said again is folded in any order.
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
        elif kind == "service":
            action, case_id, score = rest
            made = service(event_id, at, action, case_id, score=score)
        elif kind == "wish":
            action, wish_id, data = rest
            made = wish(event_id, at, action, wish_id, **data)
        elif kind == "profile":
            action, data = rest
            made = profile(event_id, at, action, **data)
        else:
            action, session, dwell, data = rest
            made = click(event_id, at, action, session_id=session, dwell_ms=dwell, **data)
        if distinct and key in keys:
            continue
        keys.add(key)
        events.append(made)
    return events
