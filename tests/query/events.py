"""Records of orders, reviews and triggers as they lie in the topics, and strategies that draw them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from schemas.decoding import RawRecord
from schemas.partitioner import partition_of
from streams.query.batch import Batch, BatchReader, Slice
from tests.engine.harness import moment
from tests.query.expected import ORDERS, PROFILES, REVIEWS, TRIGGERS, Published

TYPES = {
    ORDERS: "shop.order.v1", REVIEWS: "shop.review.v1", TRIGGERS: "shop.trigger.v1",
    PROFILES: "shop.profile.v1",
}  # fmt: skip
#: When the broker appended the records of these tests: after all that they tell.
APPENDED_MS = 1_798_761_600_000


def event(
    topic: str, event_id: str, at: float, customer: str, *, source: str = "test", **data: Any
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
        batch.erasures += read.erasures
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


def _drawn(topic: str, **data: st.SearchStrategy[Any]) -> st.SearchStrategy[_Drawn]:
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
_profiles = _drawn(
    PROFILES,
    action=st.sampled_from(["erase", "erase", "updated"]),
    region=st.sampled_from([None, "north"]),
)


def published_events(most: int = 25, *, erased: bool = False) -> st.SearchStrategy[list[Published]]:
    """Records on one partition, some of them written twice; ``erased``: with erasures, and triggers."""

    def build(drawn: list[tuple[_Drawn, bool]]) -> list[Published]:
        events: list[tuple[str, dict[str, Any]]] = []
        for number, ((topic, at, customer, source, data), again) in enumerate(drawn):
            # Ids number them in an order that is not theirs.
            name = f"{number * 7 % 10}-{number}"
            if topic in (TRIGGERS, PROFILES):
                data = {each: data[each] for each in data if each != "order_id"}
            if topic == TRIGGERS:
                data = {**data, "trigger_id": name, "customer_id": customer}
            made = event(topic, name, at, customer, source=source, **data)
            events += [(topic, made)] * (1 + again)
        return placed(events, 1)

    one = st.one_of(_order_events, _order_events, _refund_events, _review_events)
    if erased:
        one = st.one_of(one, one, one, _triggers, _profiles)
    return st.lists(st.tuples(one, st.booleans()), min_size=1, max_size=most).map(build)
