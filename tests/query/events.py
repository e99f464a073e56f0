"""Records of orders, reviews and triggers as they lie in the topics, and strategies that draw them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from schemas.decoding import RawRecord
from schemas.partitioner import partition_of
from streams.query.batch import Batch, BatchReader, Slice
from tests.engine.harness import moment
from tests.query.expected import (
    DECISIONS,
    ORDERS,
    PRODUCTS,
    PROFILES,
    REVIEWS,
    SERVICE,
    TRIGGERS,
    VERDICTS,
    WISHES,
    Published,
)

TYPES = {
    ORDERS: "shop.order.v1", REVIEWS: "shop.review.v1", TRIGGERS: "shop.trigger.v1",
    PROFILES: "shop.profile.v1", PRODUCTS: "shop.product.v1", VERDICTS: "shop.verdict.v1",
    SERVICE: "shop.service.v1", WISHES: "shop.wish.v1", DECISIONS: "shop.decision.v1",
}  # fmt: skip
#: The other type of records on VERDICTS.
WISH_VERDICT = "shop.wishverdict.v1"
#: When the broker appended the records of these tests: after all that they tell.
APPENDED_MS = 1_798_761_600_000


def event(
    topic: str, event_id: str, at: float, customer: str, /, *, source: str = "test", **data: Any
) -> dict[str, Any]:
    """A CloudEvent. ``at``: seconds after 2026 began; ``data`` without what is None or empty."""
    said = {name: value for name, value in data.items() if value not in (None, [])}
    return {
        "specversion": "1.0", "type": TYPES[topic], "id": event_id, "source": source,
        "subject": customer, "time": moment(at), "data": {"shop_id": "shop", **said},
    }  # fmt: skip


def record(published: Published) -> RawRecord:
    """As a consumer gets it."""
    return RawRecord(
        *published.place, APPENDED_MS, published.event["subject"].encode(),
        json.dumps(published.event).encode(),
    )  # fmt: skip


def batch_of(published: Sequence[Published], reader: BatchReader) -> Batch:
    """The facts of these records as one batch, in the order in which they stand; it moves no offset."""
    batch = Batch()
    for one in published:
        raw = record(one)
        read = reader.read([Slice(raw.topic, raw.partition, 0, 1, [raw])])
        assert [each.passed_over for each in read.advances] == [0], one
        batch.orders += read.orders
        batch.reviews += read.reviews
        batch.triggers += read.triggers
        batch.decisions += read.decisions
        batch.verdicts += read.verdicts
        batch.wish_verdicts += read.wish_verdicts
        batch.erasures += read.erasures
        batch.products += read.products
        batch.profiles += read.profiles
        batch.service += read.service
        batch.wishes += read.wishes
    return batch


def slices_of(records: Sequence[RawRecord]) -> list[Slice]:
    """What a poll would bring that has these records, which are in order within a partition."""
    parts: dict[tuple[str, int], list[RawRecord]] = {}
    for each in records:
        parts.setdefault((each.topic, each.partition), []).append(each)
    return [Slice(*place, own[0].offset, own[-1].offset + 1, own) for place, own in parts.items()]


def placed(
    events: Sequence[tuple[str, Mapping[str, Any]]], partitions: int, prefix: str = ""
) -> list[Published]:
    """(catalogue topic, event) pairs, each on its partition at the next offset."""
    nexts: dict[tuple[str, int], int] = {}
    found = []
    for topic, each in events:
        place = (prefix + topic, partition_of(each["subject"].encode(), partitions))
        offset = nexts.get(place, 0)
        nexts[place] = offset + 1
        found.append(Published(topic, (*place, offset), each))
    return found


def verdict(number: int, order_id: str, customer: str = "c1", **data: Any) -> dict[str, Any]:
    """The customer's change ``number``: the order is brushed, unless ``data`` says otherwise."""
    said = {"brushed": True, "points": 55, "sku": None, "at": 60.0} | data
    at, sku = said.pop("at"), said.pop("sku")
    return event(
        VERDICTS, f"v-{customer}-{number}", at, customer, customer_id=customer, number=number,
        order_hash=order_hash(order_id), product_hash=sku and product_hash(sku), **said,
    )  # fmt: skip


def wish_verdict(
    number: int, wish_id: str, suspicious: int, customer: str = "c1", at: float = 60, **data: Any
) -> dict[str, Any]:
    """The customer's change ``number``: so many likes of the wish are held to be bought."""
    said = event(
        VERDICTS, f"v-{customer}-{number}", at, customer, customer_id=customer, number=number,
        wish_hash=wish_hash(wish_id), suspicious=suspicious, likes=1, **data,
    )  # fmt: skip
    return {**said, "type": WISH_VERDICT}


def wish_hash(wish_id: str) -> str:
    """By which a verdict names a wish: docs/contract.md."""
    return hashlib.blake2b(wish_id.encode(), digest_size=8).hexdigest()


def order_hash(order_id: str) -> str:
    """By which a verdict names an order: docs/contract.md."""
    return hashlib.blake2b(b"\0" + order_id.encode(), digest_size=8).hexdigest()


def product_hash(sku: str) -> str:
    """By which a verdict names a product: docs/contract.md."""
    return hashlib.blake2b(sku.encode(), digest_size=4).hexdigest()


_times = st.sampled_from([0, 0, 1, 1.001, 60, 3_600, 86_400])
_amounts = st.sampled_from([None, 0, 50, 100, 250])
_lines = st.lists(
    st.fixed_dictionaries(
        {"sku": st.sampled_from(["a", "b", "c"])},
        optional={
            "quantity": st.integers(2, 3), "unit_price": st.sampled_from([0, 10, 99]),
            "category": st.just("shoes"), "attributes": st.just({"size": "M", "colour": "red"}),
        },
    ),
    max_size=3,
)  # fmt: skip
_texts = st.sampled_from([None, "quick, please", "50 % off?", "\N{SMILING FACE WITH SMILING EYES}"])

#: (topic, at, customer, source, data)
_Drawn = tuple[str, float, str, str, dict[str, Any]]


def _drawn(topic: str, /, **data: st.SearchStrategy[Any]) -> st.SearchStrategy[_Drawn]:
    return st.tuples(
        st.just(topic), _times, st.sampled_from(["c1", "c2"]), st.sampled_from(["app", "web"]),
        st.fixed_dictionaries({"order_id": st.sampled_from(["o1", "o2"]), **data}),
    )  # fmt: skip


_order_events = _drawn(
    ORDERS,
    status=st.sampled_from(["placed", "placed", "paid", "paid", "shipped", "received", "cancelled"]),
    lines=_lines, amount_paid=_amounts, discount=_amounts, remark=_texts,
    coupon_codes=st.lists(st.sampled_from(["A1", "B2"]), max_size=2),
    region=st.sampled_from([None, "north", "south"]),
    payment_method=st.sampled_from([None, "card", "alipay"]),
    carrier=st.sampled_from([None, "sf"]), tracking=st.sampled_from([None, "t1", "t2"]),
)  # fmt: skip
_refund_events = _drawn(
    ORDERS,
    status=st.sampled_from(["refund_requested", "refund_withdrawn", "refunded", "refunded"]),
    refund_id=st.sampled_from(["r1", "r2", "r3"]), amount=st.sampled_from([None, 0, 60, 100]),
    kind=st.sampled_from([None, "refund", "return", "exchange"]), reason=_texts,
)  # fmt: skip
_review_events = _drawn(
    REVIEWS,
    action=st.sampled_from(["posted", "posted", "appended", "shown", "removed", "replied"]),
    sku=st.sampled_from(["a", "b"]), text=_texts,

    photos=st.sampled_from([None, 1, 2]), rating=st.integers(1, 5),
)  # fmt: skip


_triggers = _drawn(
    TRIGGERS, kind=st.just("coupon_issued"), campaign=st.just("second-order"), campaign_version=st.just("1"),
)  # fmt: skip
_decisions = _drawn(
    DECISIONS, campaign=st.just("bad-review"), campaign_version=st.just("1"),
    reason=st.sampled_from(["consent", "brushed", "issued_before"]),
    checks=st.sampled_from([[], [{"step": "consent", "passed": True, "value": "", "threshold": "sms"}]]),
)  # fmt: skip
_verdicts = _drawn(
    VERDICTS, order_id=st.sampled_from(["o1", "o1", "o2", "o3"]), sku=st.sampled_from(["a", "b", None]),
    brushed=st.booleans(), visitors=st.sampled_from([[], [], ["c1"], ["c2"], ["c3", "c2"]]),
    reasons=st.sampled_from([[], [{"sign": "rate", "points": 30, "value": 4}]]),
)  # fmt: skip
_wish_verdicts = _drawn(
    VERDICTS, judged_wish=st.sampled_from(["w1", "w1", "w2", "w3"]), suspicious=st.integers(0, 3),
    visitors=st.sampled_from([[], [], ["c1"], ["c2"], ["c3", "c2"]]),
)  # fmt: skip
_profiles = _drawn(
    PROFILES,
    action=st.sampled_from(
        ["erase", "erase", "updated", "updated", "consent", "joined_membership"]
    ),
    region=st.sampled_from([None, "north", "south"]),
    gender=st.sampled_from([None, "female", "male"]),
    birthday=st.sampled_from([None, "1990-02-28"]),
    age_band=st.sampled_from([None, "25-34"]),
    tags=st.sampled_from([None, ["vip", "new", "vip"], ["old"]]),
    consent=st.sampled_from([{"sms": True}, {"sms": False, "email": True}]),
)


_service = _drawn(
    SERVICE,
    action=st.sampled_from(["inquiry", "replied", "complaint", "resolved", "survey_answered"]),
    case_id=st.sampled_from(["k1", "k2"]), topic=st.sampled_from([None, "delivery"]),
    score=st.integers(0, 10), text=_texts,
)  # fmt: skip


_wishes = _drawn(
    WISHES,
    action=st.sampled_from(
        ["made", "made", "liked", "liked", "unliked", "commented", "granted", "declined", "withdrawn"]
    ),
    wish_id=st.sampled_from(["w1", "w2"]), sku=st.sampled_from([None, "a", "b"]),
    attributes=st.sampled_from([None, {"size": "M"}, {"size": "L", "colour": "red"}]),
    liker_id=st.sampled_from(["c1", "l1", "l2"]),
)  # fmt: skip


_changes = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["listed", "listed", "price_changed", "stock_changed", "delisted"]),
        "price": st.sampled_from([0, 100, 250]), "stock": st.sampled_from([0, 7]),
    },
    optional={
        "name": st.sampled_from(["明前龙井", "Kettle", "=1+1"]), "brand": st.just("West Lake"),
        "category": st.sampled_from(["tea", "hats"]), "unit_cost": st.just(40), "image": st.just("a.jpg"),
    },
)  # fmt: skip


def product_events(most: int = 12) -> st.SearchStrategy[list[Published]]:
    """Records of a few products of two shops, on one partition; some written twice."""

    def build(drawn: list[tuple[float, str, str, dict[str, Any], bool]]) -> list[Published]:
        events: list[tuple[str, dict[str, Any]]] = []
        for number, (at, shop, sku, data, again) in enumerate(drawn):
            made = event(PRODUCTS, f"p{number}", at, sku, shop_id=shop, sku=sku, **data)
            events += [(PRODUCTS, made)] * (1 + again)
        return placed(events, 1)

    one = st.tuples(
        _times, st.sampled_from(["shop", "other"]), st.sampled_from(["a", "b"]), _changes, st.booleans()
    )  # fmt: skip
    return st.lists(one, min_size=1, max_size=most).map(build)


def published_events(most: int = 25, *, erased: bool = False) -> st.SearchStrategy[list[Published]]:
    """Records on one partition, some written twice; ``erased``: with erasures, triggers and verdicts."""

    def build(drawn: list[tuple[_Drawn, bool]]) -> list[Published]:
        events: list[tuple[str, dict[str, Any]]] = []
        for number, ((topic, at, customer, source, data), again) in enumerate(drawn):
            # Ids number them in an order that is not theirs.
            name = f"{number * 7 % 10}-{number}"
            kind = TYPES[topic]
            if topic == VERDICTS and "judged_wish" in data:
                kind = WISH_VERDICT
                data = {each: data[each] for each in ("suspicious", "visitors")} | {
                    "customer_id": customer, "wish_hash": wish_hash(data["judged_wish"]), "likes": number,
                    "number": number * 11 % 29,
                }  # fmt: skip
            elif topic == VERDICTS:
                # No two changes have one number, whoever's they are; they rise in an order of their own.
                order_id, sku = data["order_id"], data["sku"]
                data = {each: data[each] for each in ("brushed", "visitors", "reasons")} | {
                    "customer_id": customer, "order_hash": order_hash(order_id),
                    "product_hash": sku and product_hash(sku), "points": 30 * data["brushed"],
                    "number": number * 11 % 29,
                }  # fmt: skip
            if topic in (TRIGGERS, DECISIONS, PROFILES, WISHES):
                data = {each: data[each] for each in data if each != "order_id"}
            if topic == TRIGGERS:
                data = {**data, "trigger_id": name, "customer_id": customer}
            if topic == DECISIONS:
                # The same occasion may be refused often.
                data |= {"decision_id": name, "trigger_id": "occasion", "customer_id": customer}
            made = {**event(topic, name, at, customer, source=source, **data), "type": kind}
            events += [(topic, made)] * (1 + again)
        return placed(events, 1)

    one = st.one_of(_order_events, _order_events, _refund_events, _review_events)
    if erased:
        one = st.one_of(
            one,
            one,
            one,
            _triggers,
            _decisions,
            _verdicts,
            _verdicts,
            _wish_verdicts,
            _profiles,
            _service,
            _wishes,
            _wishes,
        )
    return st.lists(st.tuples(one, st.booleans()), min_size=1, max_size=most).map(build)
