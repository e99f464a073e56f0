"""Examples of every record, as they are on the wire: documentation that tests decode.

The examples of a released version stay as they are and must decode for ever; new fields come with
new examples. Each topic has a minimal one, with nothing but what is required.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from schemas.catalogue import (
    CARTS,
    CLICKS,
    CLOCK,
    DEADLETTERS,
    JOURNAL,
    ORDERS,
    REVIEWS,
    SETTINGS,
    TRIGGERS,
)
from schemas.clock import WALL, Close, Rebase, RecordCause, Skip, Tick, encode_clock
from schemas.journal import (
    GENESIS,
    JOURNAL_VERSION,
    ClockState,
    Fired,
    JournalRow,
    Slice,
    chain,
    encode_row,
)


@dataclass(frozen=True, slots=True)
class Example:
    """One record: ``key`` is None where the topic's records have none."""

    topic: str
    title: str
    key: bytes | None
    value: bytes


def _event(
    topic: str, kind: str, title: str, subject: str, time: str, data: dict[str, Any], **also: str
) -> Example:
    envelope = {
        "specversion": "1.0",
        "id": also.get("id", title.replace(" ", "-")),
        "source": also.get("source", "storefront"),
        "type": kind,
        "subject": subject,
        "time": time,
        "data": data,
    }
    return Example(topic, title, subject.encode(), msgspec.json.encode(envelope))


def _click(title: str, subject: str, time: str, **data: Any) -> Example:
    return _event(CLICKS, "shop.click.v1", title, subject, time, data)


def _cart(title: str, subject: str, time: str, **data: Any) -> Example:
    return _event(CARTS, "shop.cart.v1", title, subject, time, data)


def _order(title: str, subject: str, time: str, **data: Any) -> Example:
    return _event(ORDERS, "shop.order.v1", title, subject, time, data, source="orders")


def _review(title: str, subject: str, time: str, **data: Any) -> Example:
    return _event(REVIEWS, "shop.review.v1", title, subject, time, data, source="reviews")


_SHIRT: Final = {
    "sku": "2734026",
    "quantity": 2,
    "category": "4145813",
    "unit_price": 12_900,
    "attributes": {"colour": "navy", "size": "L"},
}

_CLICKS = (
    _click("minimal click", "100001", "2026-05-20T08:00:00Z", shop_id="tea", action="view"),
    _click(
        "view of a product",
        "100001",
        "2026-05-20T08:00:07.250Z",
        shop_id="tea",
        action="view",
        session_id="s-5f0c",
        sku="2734026",
        category="4145813",
        price=12_900,
        dwell_ms=41_300,
        page="/item/2734026",
        traffic_source="search",
        channel="app",
        region="CN-33",
        device_hash="d41d8cd98f00b204",
    ),
    _click(
        "search",
        "100001",
        "2026-05-20T16:00:31+08:00",
        shop_id="tea",
        action="search",
        session_id="s-5f0c",
        keyword="龙井 明前",
        channel="miniapp",
    ),
    _click(
        "live stream entered",
        "100002",
        "2026-05-20T12:30:00Z",
        shop_id="tea",
        action="live_enter",
        live_id="live-0520",
        traffic_source="share",
        shared_by="100001",
        channel="app",
    ),
)

_CARTS = (
    _cart("minimal add", "100001", "2026-05-20T08:01:00Z", shop_id="tea", action="add", sku="1"),
    _cart(
        "two shirts added",
        "100001",
        "2026-05-20T08:01:10Z",
        shop_id="tea",
        action="add",
        traffic_source="search",
        channel="app",
        **_SHIRT,
    ),
    _cart(
        "one shirt removed",
        "100001",
        "2026-05-20T08:02:00Z",
        shop_id="tea",
        action="remove",
        sku="2734026",
        quantity=1,
        attributes={"colour": "navy", "size": "L"},
    ),
    _cart("cart cleared", "100001", "2026-05-20T08:03:00Z", shop_id="tea", action="clear"),
)

_ORDERS = (
    _order(
        "minimal order",
        "100001",
        "2026-05-20T08:10:00Z",
        shop_id="tea",
        order_id="o-1",
        status="paid",
    ),
    _order(
        "order placed",
        "100001",
        "2026-05-20T08:10:00Z",
        shop_id="tea",
        order_id="20260520-000017",
        status="placed",
        lines=[_SHIRT, {"sku": "918273", "category": "4756105", "unit_price": 4_500}],
        discount=3_000,
        promotions=[{"id": "spring", "kind": "full_reduction", "amount": 3_000}],
        region="CN-33",
        channel="app",
        traffic_source="search",
        device_hash="d41d8cd98f00b204",
        address_hash="9e107d9d372bb682",
    ),
    _order(
        "order paid",
        "100001",
        "2026-05-20T08:10:42Z",
        shop_id="tea",
        order_id="20260520-000017",
        status="paid",
        amount_paid=27_300,
        points_used=0,
        coupon_codes=["K7Q2-M9XD"],
        payment_method="alipay",
    ),
    _order(
        "order shipped",
        "100001",
        "2026-05-21T02:00:00Z",
        shop_id="tea",
        order_id="20260520-000017",
        status="shipped",
        carrier="SF",
        tracking="SF1029384756",
    ),
    _order(
        "shirt refunded",
        "100001",
        "2026-05-28T09:00:00Z",
        shop_id="tea",
        order_id="20260520-000017",
        status="refunded",
        refund_id="r-1",
        amount=12_900,
        lines=[{**_SHIRT, "quantity": 1}],
        kind="return",
        reason="too large",
    ),
)

_REVIEWS = (
    _review(
        "minimal review",
        "100001",
        "2026-05-29T09:00:00Z",
        shop_id="tea",
        order_id="o-1",
        sku="1",
        action="removed",
    ),
    _review(
        "bad review posted",
        "100001",
        "2026-05-29T09:00:00Z",
        shop_id="tea",
        order_id="20260520-000017",
        sku="2734026",
        action="posted",
        rating=2,
        text="The seam came apart after one wash.",
        photos=2,
    ),
    _review(
        "review appended",
        "100001",
        "2026-06-02T09:00:00Z",
        shop_id="tea",
        order_id="20260520-000017",
        sku="2734026",
        action="appended",
        text="The shop sent a new one at once.",
    ),
)


def _settings(title: str, shop: str, time: str, **data: Any) -> Example:
    data = {"shop_id": shop, "effective_from": time, **data}
    return _event(SETTINGS, "shop.settings.v1", title, shop, time, data, source="huitou")


_SETTINGS = (
    _settings("minimal settings", "tea", "2026-01-01T00:00:00Z", version=1),
    _settings(
        "shop in Shanghai",
        "tea",
        "2026-06-01T00:00:00+08:00",
        version=2,
        time_zone="Asia/Shanghai",
        currency="CNY",
    ),
    _settings("stack's lateness", "_stack", "2026-01-01T00:00:00Z", version=1, lateness_s=5),
)


def _trigger(title: str, trigger_id: str, time: str, **data: Any) -> Example:
    data = {"trigger_id": trigger_id, "shop_id": "tea", "customer_id": "100001", **data}
    return _event(
        TRIGGERS, "shop.trigger.v1", title, "100001", time, data, id=trigger_id, source="huitou"
    )


_TRIGGERS = (
    _trigger(
        "minimal trigger",
        "0f0e0d0c0b0a09080706050403020100",
        "2026-05-20T08:40:00Z",
        kind="message_requested",
        campaign="abandoned-cart",
        campaign_version="1",
    ),
    _trigger(
        "coupon for an abandoned cart",
        "7d793037a0760186574b0282f2f435e7",
        "2026-05-20T08:31:10Z",
        kind="coupon_issued",
        campaign="abandoned-cart",
        campaign_version="1",
        offer={
            "kind": "percent",
            "value": 10,
            "max_value": 5_000,
            "scope": ["2734026"],
            "valid_from": "2026-05-20T08:31:10Z",
            "valid_until": "2026-05-23T08:31:10Z",
            "code": "K7Q2-M9XD",
        },
        why=[{"rule": "cart unchanged", "value": "30 min", "threshold": "30 min"}],
        channels=["app_push", "sms"],
        not_before="2026-05-20T08:31:10Z",
        expires="2026-05-21T08:31:10Z",
        seq=4711,
        cause={"type": "timer", "kind": "abandoned-cart", "due": 1_779_265_870_000},
    ),
    _trigger(
        "coupon after a bad review",
        "9b74c9897bac770ffc029102a200c5de",
        "2026-05-29T09:00:00Z",
        kind="coupon_issued",
        campaign="bad-review",
        campaign_version="1",
        offer={
            "kind": "amount",
            "value": 2_000,
            "min_spend": 10_000,
            "valid_from": "2026-05-29T09:00:00Z",
            "valid_until": "2026-06-12T09:00:00Z",
            "code": "T4WN-82PC",
        },
        why=[{"rule": "rating", "value": 2, "threshold": 2, "event": "bad-review-posted"}],
        seq=4712,
        cause={"type": "event", "topic": REVIEWS, "partition": 3, "offset": 99},
    ),
)


def _dead_letter(title: str, time: str, **data: Any) -> Example:
    position = f"{data['topic']}/{data['partition']}/{data['offset']}"
    return _event(
        DEADLETTERS,
        "shop.deadletter.v1",
        title,
        position,
        time,
        data,
        id=position,
        source="huitou",
    )


_DEADLETTERS = (
    _dead_letter(
        "minimal dead letter",
        "2026-05-20T08:00:00Z",
        topic=CLICKS,
        partition=3,
        offset=41,
        reason="null_value",
    ),
    _dead_letter(
        "an unknown action",
        "2026-05-20T08:00:01Z",
        topic=CLICKS,
        partition=3,
        offset=42,
        reason="invalid_value",
        detail="Invalid enum value 'stare' - at `$.data.action`",
        key="MTAwMDAx",
        value="eyJzcGVjdmVyc2lvbiI6IjEuMCJ9",
        value_bytes=21,
    ),
    _dead_letter(
        "a body over the limit",
        "2026-05-20T08:00:02Z",
        topic=ORDERS,
        partition=0,
        offset=7,
        reason="body_too_large",
        detail="70000 bytes, at most 65536 are read",
        key="MTAwMDAx",
        value="eyJzcGVjdmVyc2lvbiI6IjEuMCIs",
        value_bytes=70_000,
        value_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ),
)

_ROW: Final = JournalRow(
    version=JOURNAL_VERSION,
    seq=1,
    previous=GENESIS,
    epoch=1,
    slices=[Slice(CLICKS, 0, 40, 40, 3_735_928_559)],
    clock=ClockState(WALL, 1_779_264_000_000, 0, 1.0, 1_779_263_995_000, 1),
    latest=1_779_264_000_000,
    fired=None,
    skip=None,
    definitions={SETTINGS: 2},
    build="0.1.0",
    codec=1,
    config="5feceb66ffc86f38",
    code_key="1",
    rows=bytes(16),
    states=bytes(range(16)),
)

_INTERNAL = (
    Example(
        CLOCK,
        "a worker's tick",
        None,
        encode_clock(Tick(3, 1_779_264_000_000, WALL, 1, {CLICKS: 41, ORDERS: 7}, {SETTINGS: 2})),
    ),
    Example(
        CLOCK,
        "a replay takes the clock over",
        None,
        encode_clock(Rebase(3, 1_511_539_200_000, 1_512_316_800_000, "replay-1", 3600.0)),
    ),
    Example(
        CLOCK,
        "a replay hands the clock back",
        None,
        encode_clock(Close(3, 1_512_316_800_000, "replay-1", {CLICKS: 10_558})),
    ),
    Example(
        CLOCK,
        "an operator has an order left out",
        None,
        encode_clock(Skip(3, RecordCause(ORDERS, 7), "line quantities overflow, see the runbook")),
    ),
    Example(JOURNAL, "a commit of forty clicks", None, encode_row(_ROW)),
    Example(
        JOURNAL,
        "a commit of timers only",
        None,
        encode_row(
            msgspec.structs.replace(
                _ROW,
                seq=2,
                previous=chain(encode_row(_ROW)),
                slices=[],
                fired=Fired(1_779_265_870_000, "tea/100001", 1),
            )
        ),
    ),
)

EXAMPLES: Final = (
    *_CLICKS,
    *_CARTS,
    *_ORDERS,
    *_REVIEWS,
    *_SETTINGS,
    *_TRIGGERS,
    *_DEADLETTERS,
    *_INTERNAL,
)
