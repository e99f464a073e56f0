"""What huitou itself writes for others to read: definitions, triggers, verdicts and dead letters."""

from typing import Any, Final

from schemas.catalogue import (
    CLICKS,
    DEADLETTERS,
    DECISIONS,
    ORDERS,
    REVIEWS,
    SETTINGS,
    TRIGGERS,
    VERDICTS,
)
from schemas.examples.example import Example, event


def _settings(title: str, shop: str, time: str, **data: Any) -> Example:
    data = {"shop_id": shop, "effective_from": time, **data}
    return event(SETTINGS, "shop.settings.v1", title, shop, time, data, source="huitou")


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
    _settings(
        "thresholds and tiers",
        "tea",
        "2026-09-01T00:00:00+08:00",
        version=3,
        time_zone="Asia/Shanghai",
        currency="CNY",
        rfm={
            "recency_days": [14, 30, 60, 120],
            "orders": [2, 4, 8, 16],
            "amount": [20_000, 60_000, 200_000, 600_000],
        },
        tiers=[
            {"name": "silver", "orders": 2},
            {"name": "gold", "orders": 6, "amount": 200_000},
        ],
    ),
    _settings(
        "brushed orders are out of the figures",
        "tea",
        "2026-10-01T00:00:00+08:00",
        version=4,
        time_zone="Asia/Shanghai",
        currency="CNY",
        brushing={"praise_minutes": 5, "verdict_points": 60},
    ),
    _settings(
        "what the shop sells",
        "tea",
        "2026-12-01T00:00:00+08:00",
        version=5,
        time_zone="Asia/Shanghai",
        currency="CNY",
        category="tea and cups",
    ),
    _settings(
        "bought likes do not count",
        "tea",
        "2026-12-15T00:00:00+08:00",
        version=6,
        time_zone="Asia/Shanghai",
        currency="CNY",
        liking={"likers": 6},
    ),
    _settings(
        "what all campaigns together may do",
        "tea",
        "2026-12-20T00:00:00+08:00",
        version=7,
        time_zone="Asia/Shanghai",
        currency="CNY",
        contacting={"per_day": {"sms": 1, "app_push": 2}, "rest_minutes": 120, "holdout": 200},
    ),
    _settings("stack's lateness", "_stack", "2026-01-01T00:00:00Z", version=1, lateness_s=5),
)


def _trigger(title: str, trigger_id: str, time: str, **data: Any) -> Example:
    data = {"trigger_id": trigger_id, "shop_id": "tea", "customer_id": "100001", **data}
    return event(
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


def _verdict(title: str, number: int, time: str, **data: Any) -> Example:
    data = {"shop_id": "tea", "customer_id": "100001", "number": number, **data}
    return event(VERDICTS, "shop.verdict.v1", title, "100001", time, data, source="huitou")


_VERDICTS = (
    _verdict(
        "minimal verdict: one that is taken back",
        2,
        "2026-05-20T09:00:00Z",
        order_hash="5c843a03a222ab52",
        brushed=False,
        points=0,
    ),
    _verdict(
        "an order that the state knows by its hash alone",
        3,
        "2026-05-21T10:00:00Z",
        order_hash="5c843a03a222ab52",
        brushed=True,
        points=55,
        reasons=[
            {"sign": "rate", "points": 30, "value": 5},
            {"sign": "unviewed", "points": 20, "value": 0},
            {"sign": "address", "points": 5, "value": 2},
        ],
        product_hash="6d63c0cd",
    ),
    _verdict(
        "an order of a gang, made as a visitor",
        1,
        "2026-05-20T08:31:10Z",
        visitors=["cookie-7f3a"],
        order_hash="5c843a03a222ab52",
        order_id="20260520-0042",
        brushed=True,
        points=60,
        reasons=[
            {"sign": "device", "points": 30, "value": 3},
            {"sign": "unviewed", "points": 20, "value": 0},
            {"sign": "address", "points": 10, "value": 4},
        ],
        product_hash="6d63c0cd",
    ),
)


def _wish_verdict(title: str, number: int, time: str, **data: Any) -> Example:
    data = {"shop_id": "tea", "customer_id": "100001", "number": number, **data}
    return event(VERDICTS, "shop.wishverdict.v1", title, "100001", time, data, source="huitou")


_WISH_VERDICTS = (
    _wish_verdict(
        "minimal verdict on likes: none looks bought any more",
        5,
        "2026-05-22T09:00:00Z",
        wish_hash="009e0d0970e9d7b8",
        suspicious=0,
        likes=12,
    ),
    _wish_verdict(
        "likes that came from one phone",
        4,
        "2026-05-21T10:00:00Z",
        wish_hash="009e0d0970e9d7b8",
        wish_id="w-2207",
        suspicious=4,
        likes=8,
    ),
    _wish_verdict(
        "a wish made as a visitor",
        6,
        "2026-05-23T10:00:00Z",
        visitors=["cookie-7f3a"],
        wish_hash="009e0d0970e9d7b8",
        wish_id="w-2207",
        suspicious=2,
        likes=10,
    ),
)


def _decision(title: str, decision_id: str, time: str, **data: Any) -> Example:
    data = {
        "decision_id": decision_id, "shop_id": "tea", "customer_id": "100001", "campaign_version": "1",
        **data,
    }  # fmt: skip
    return event(
        DECISIONS, "shop.decision.v1", title, "100001", time, data, id=decision_id, source="huitou"
    )


_DECISIONS = (
    _decision(
        "minimal refusal",
        "20d2b1e5b8aeb8a5c1bd5a1a4b4e6b07",
        "2026-05-29T09:00:00Z",
        trigger_id="9b74c9897bac770ffc029102a200c5de",
        campaign="bad-review",
        reason="issued_before",
    ),
    _decision(
        "no channel is left",
        "5a0a8e0d4f5f3b8de1a6b2f4c0e5d911",
        "2026-05-20T08:31:10Z",
        trigger_id="7d793037a0760186574b0282f2f435e7",
        campaign="abandoned-cart",
        reason="consent",
        why=[{"rule": "cart_idle_minutes", "value": 30, "threshold": 30}],
        checks=[
            {
                "step": "consent", "passed": False,
                "value": "app_push,sms", "threshold": "app_push,sms",
            },
        ],
        seq=4713,
        cause={"type": "timer", "kind": "abandoned-cart", "due": 1_779_265_870_000},
    ),
    _decision(
        "an order of the customer is held to be brushed",
        "c61d4f3f4b1f0b9e7a2d5e8c9f0a1b22",
        "2026-05-29T09:00:00Z",
        trigger_id="9b74c9897bac770ffc029102a200c5de",
        campaign="bad-review",
        reason="brushed",
        why=[{"rule": "rating_at_most", "value": 2, "threshold": 2, "event": "bad-review-posted"}],
        checks=[
            {"step": "consent", "passed": True, "value": "", "threshold": "app_push,chat"},
            {"step": "brushed", "passed": False, "value": 1, "threshold": 1},
        ],
        seq=4714,
        cause={"type": "event", "topic": REVIEWS, "partition": 3, "offset": 99},
    ),
)  # fmt: skip


def _dead_letter(title: str, time: str, **data: Any) -> Example:
    position = f"{data['topic']}/{data['partition']}/{data['offset']}"
    return event(
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

STACK_EXAMPLES: Final = (
    *_SETTINGS,
    *_TRIGGERS,
    *_VERDICTS,
    *_WISH_VERDICTS,
    *_DECISIONS,
    *_DEADLETTERS,
)
