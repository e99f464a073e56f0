"""Histories of traffic as published events: builders, what hypothesis draws, and Taobao's rows."""

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.oracle import taobao
from tests.oracle.events import CARTS, CLICKS, ORDERS, PROFILES, Published
from tests.reports.traffic_oracle import Days

ZONE = "Asia/Shanghai"
#: 00:00 of March 1 on the shop's clock.
MIDNIGHT = datetime(2026, 2, 28, 16, tzinfo=UTC)
FIRST = date(2026, 3, 1)
_numbers = itertools.count()
_TYPES = {
    CLICKS: "shop.click.v1", CARTS: "shop.cart.v1", ORDERS: "shop.order.v1",
    PROFILES: "shop.profile.v1",
}  # fmt: skip


def told(topic: str, hour: float, customer: str = "c", **data: Any) -> Published:
    """An event ``hour`` hours after the first day began."""
    value = {
        "specversion": "1.0", "type": _TYPES[topic], "id": f"e{next(_numbers)}", "source": "test",
        "subject": customer,
        "time": (MIDNIGHT + timedelta(hours=hour)).isoformat(),
        "data": {"shop_id": "s", **{name: said for name, said in data.items() if said is not None}},
    }  # fmt: skip
    return Published(topic, customer, value)


_hours = st.sampled_from([-1, 0, 1, 23, 24, 25, 47, 48, 49])
_customers = st.sampled_from("abcd")
_words = {
    "category": st.sampled_from(["tea", "cups"]), "traffic_source": st.sampled_from(["search", "live"]),
    "region": st.sampled_from(["CN-31", "CN-33"]), "channel": st.sampled_from(["app", "web"]),
}  # fmt: skip
_clicks = st.builds(
    lambda at, action, who, data: (CLICKS, at, who, {"action": action, **data}),
    _hours, st.sampled_from(["view", "view", "search", "store_visit", "live_enter", "share"]), _customers,
    st.fixed_dictionaries(
        {}, optional=_words | {"session_id": st.sampled_from("12"), "keyword": st.sampled_from("kl"),
                               "live_id": st.just("l"), "dwell_ms": st.sampled_from([0, 7])},
    ),
)  # fmt: skip
_carts = st.builds(
    lambda at, action, who, data: (CARTS, at, who, {"action": action, "sku": "A", **data}),
    _hours, st.sampled_from(["add", "add", "remove"]), _customers,
    st.fixed_dictionaries({}, optional={n: _words[n] for n in ("category", "traffic_source", "channel")}),
)  # fmt: skip
_lines = st.lists(
    st.fixed_dictionaries({"sku": st.just("A")}, optional={"category": _words["category"]}),
    max_size=2,
)
_orders = st.builds(
    lambda at, status, who, name, data: (ORDERS, at, who, {"order_id": name, "status": status, **data}),
    _hours, st.sampled_from(["placed", "paid", "paid", "cancelled"]), _customers, st.sampled_from("op"),
    st.fixed_dictionaries(
        {}, optional=_words | {"lines": _lines, "amount_paid": st.sampled_from([0, 99])}
    ),
)  # fmt: skip
_refunds = st.builds(
    lambda at, who, name, refund, amount: (
        ORDERS, at, who, {"order_id": name, "status": "refunded", "refund_id": refund, **amount},
    ),
    _hours, _customers, st.sampled_from("op"), st.sampled_from("rq"),
    st.fixed_dictionaries({}, optional={"amount": st.sampled_from([0, 30, 99])}),
)  # fmt: skip
#: Of one natural key only one: of two with different contents the first to come counts.
histories = st.lists(
    st.one_of(_clicks, _clicks, _carts, _orders, _refunds), max_size=30,
).map(lambda drawn: [told(topic, at, who, **data) for topic, at, who, data in _once(drawn)])  # fmt: skip

#: Of few customers, so that one order is placed, paid, cancelled and refunded on different days.
histories_of_orders = st.lists(
    st.one_of(_orders, _refunds).map(lambda drawn: (*drawn[:2], "ab"[ord(drawn[2]) % 2], drawn[3])),
    min_size=4, max_size=20,
).map(lambda drawn: [told(topic, at, who, **data) for topic, at, who, data in _once(drawn)])  # fmt: skip


def _once(drawn: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    found = {}
    for number, (topic, at, who, data) in enumerate(drawn):
        key: tuple[Any, ...] = (number,)
        if topic == CARTS:
            key = (topic, who, at, data["action"])
        elif topic == ORDERS:
            key = (topic, who, data["order_id"], data["status"], data.get("refund_id"))
        found.setdefault(key, (topic, at, who, data))
    return list(found.values())


# --- Taobao's sample

SAMPLE_DAYS = Days(date(2017, 11, 25), date(2017, 12, 3), ZONE)


def published_row(number: int, row: taobao.Row) -> Published:
    goods = {"sku": row.item, "category": row.category}
    topic, data = {
        "pv": (CLICKS, {"action": "view", **goods}),
        "fav": (CLICKS, {"action": "favorite", **goods}),
        "cart": (CARTS, {"action": "add", **goods}),
        "buy": (ORDERS, {"order_id": f"row-{number}", "status": "paid", "lines": [goods]}),
    }[row.behaviour]
    value = {
        "specversion": "1.0", "type": _TYPES[topic], "id": str(number), "source": "taobao",
        "subject": row.customer,
        "time": datetime.fromtimestamp(row.second, UTC).isoformat(),
        "data": {"shop_id": "taobao", **data},
    }  # fmt: skip
    return Published(topic, row.customer, value)
