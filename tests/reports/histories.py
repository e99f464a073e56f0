"""Shops' histories as events, drawn by hypothesis, and a store that has them by its own way of writing."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from streams.query.batch import BatchReader
from streams.query.connecting import Database
from streams.query.store import QueryStore, Stored
from streams.query.tables import metadata
from tests.query.events import batch_of, event, order_hash, placed, product_hash, wish_verdict
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

READER = BatchReader(
    1,
    {
        name: name
        for name in (
            ORDERS,
            REVIEWS,
            TRIGGERS,
            DECISIONS,
            PROFILES,
            PRODUCTS,
            VERDICTS,
            SERVICE,
            WISHES,
        )
    },
)
SHOP = "shop"
HOUR, DAY = 3_600, 86_400
#: Seconds after 2026 began at which clocks change in Berlin (29 March, 25 October, 01:00 UTC), at which days
#: begin in zones of the tests, and others of more than two years.
TURNS = [
    0, 87 * DAY + HOUR, 297 * DAY + HOUR, 297 * DAY, 8 * HOUR, 23 * HOUR, 59 * DAY, -306 * DAY, -307 * DAY,
]  # fmt: skip
ZONES = ["UTC", "Europe/Berlin", "Asia/Shanghai", "America/Sao_Paulo", "Asia/Kathmandu"]

_moments = st.one_of(
    st.builds(
        lambda turn, beside: turn + beside,
        st.sampled_from(TURNS),
        st.sampled_from([-HOUR, -1, -0.001, 0, 0.001, 1, HOUR, DAY]),
    ),
    st.integers(-400, 400).map(lambda day: day * DAY + 12 * HOUR),
)
_lines = st.lists(
    st.fixed_dictionaries(
        {"sku": st.sampled_from(["a", "b", "c"]), "quantity": st.sampled_from([1, 2, 1_000_000])},
        optional={
            "unit_price": st.sampled_from([0, 10, 99, 1_000_000_000_000]),
            "category": st.sampled_from(["shoes", "hats"]),
        },
    ),
    max_size=3,
)
_orders = st.fixed_dictionaries(
    {
        "customer": st.sampled_from(["c1", "c2", "c3", "c11"]),
        "order_id": st.sampled_from(["o1", "o2", "o3", "1o1"]),
        "shop_id": st.sampled_from([SHOP, SHOP, SHOP, "other"]),
        "placed": st.none() | _moments,
        "paid": st.none() | _moments,
        "shipped": st.none() | st.sampled_from([-1, 0, 30, 3 * DAY]),
        "received": st.none() | st.sampled_from([0, 5 * DAY]),
        "cancelled": st.none() | st.none() | st.sampled_from([1, DAY]),
        "amount": st.sampled_from([None, 0, 99, 250, 100_000, 1_000_000_000_000]),
        "region": st.sampled_from([None, "north", "south", "east"]),
        "payment": st.sampled_from([None, "card", "alipay"]),
        "coupons": st.sampled_from([None, ["T1"], ["T1", "T2"], ["T2"], ["T3"], ["mine"]]),
        "lines": _lines,
        "refunds": st.lists(
            st.fixed_dictionaries(
                {
                    "status": st.sampled_from(
                        ["refund_requested", "refund_withdrawn", "refunded", "refunded"]
                    ),
                    "refund_id": st.sampled_from(["r1", "r2"]),
                    "after": st.sampled_from([-DAY, 60, 2 * DAY, 40 * DAY]),
                    "amount": st.sampled_from([None, 0, 60, 100_000]),
                    "kind": st.sampled_from([None, "refund", "return", "exchange"]),
                    "reason": st.sampled_from([None, "too small", "broken"]),
                }
            ),
            max_size=3,
        ),
        "reviews": st.lists(
            st.fixed_dictionaries(
                {
                    "action": st.sampled_from(["posted", "posted", "appended", "replied", "removed"]),
                    "sku": st.sampled_from(["a", "b"]), "after": st.sampled_from([0, HOUR, 30 * HOUR]),
                    "rating": st.integers(1, 5), "photos": st.sampled_from([None, 2]),
                    "text": st.sampled_from(
                        [None, "fine", "resized, boxes", "Wrong SIZE!", "尺码不对，包装破损", "good box尺码"]
                    ),
                }
            ),
            max_size=3,
        ),
        "verdicts": st.just([]) | st.lists(
            st.fixed_dictionaries(
                {
                    "brushed": st.sampled_from([True, True, False]),
                    "sku": st.sampled_from([None, "a", "b"]),
                    "sign": st.sampled_from([None, "rate", "device"]),
                    "visitor": st.sampled_from([None, None, "c1", "c2"]),
                    "after": st.sampled_from([0, HOUR, 30 * DAY]),
                }
            ),
            min_size=1, max_size=2,
        ),
        "again": st.booleans(),
    }
)  # fmt: skip


#: Seconds after 2026 began: no erasure is later than its record was appended.
APPENDED = 364 * DAY
_erasures = st.builds(
    lambda name, at, customer, shop: (
        PROFILES, event(PROFILES, f"x{name}", at, customer, action="erase", shop_id=shop)
    ),
    st.integers(0, 9), _moments.map(lambda at: min(at, APPENDED)), st.sampled_from(["c1", "c2"]),
    st.sampled_from([SHOP, SHOP, "other"]),
)  # fmt: skip


_listed = st.builds(
    lambda number, sku, category, shop: (
        PRODUCTS,
        event(PRODUCTS, f"p{number}", number, sku, sku=sku, action="listed", category=category, shop_id=shop),
    ),
    st.integers(0, 9), st.sampled_from(["a", "b", "c"]), st.sampled_from([None, "hats", "gloves"]),
    st.sampled_from([SHOP, SHOP, "other"]),
)  # fmt: skip


_profiles = st.builds(
    lambda number, at, customer, shop, said: (
        PROFILES,
        event(PROFILES, f"s{number}", at, customer, action="updated", shop_id=shop, **said),
    ),
    st.integers(0, 99), st.sampled_from([-900 * DAY, 0, 100 * DAY]), st.sampled_from(["c1", "c2", "c3"]),
    st.sampled_from([SHOP, SHOP, SHOP, "other"]),
    st.fixed_dictionaries(
        {},
        optional={
            "gender": st.sampled_from(["female", "male"]), "region": st.sampled_from(["north", "west"]),
            "age_band": st.sampled_from(["25-34", "grown up"]),
            # Of a band that begins with some of the last days that are asked for, and of nobody born.
            "birthday": st.sampled_from(
                ["2000-06-01", "2008-03-29", "2008-03-30", "2008-02-29", "1961-01-01", "2030-01-01"]
            ),
        },
    ),
)  # fmt: skip


@st.composite
def _service(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    action = draw(
        st.sampled_from(["inquiry", "complaint", "replied", "resolved", "survey_answered"])
    )
    data: dict[str, Any] = {
        "case_id": draw(st.sampled_from(["k1", "k1", "k2"])),
        "topic": draw(st.sampled_from([None, "size", "delivery"])),
        "score": draw(st.integers(0, 10)), "shop_id": draw(st.sampled_from([SHOP, SHOP, "other"])),
    }  # fmt: skip
    at = draw(st.sampled_from(TURNS)) + draw(st.sampled_from([-HOUR, 0, 0.001, 60, 30 * HOUR]))
    name, customer = draw(st.integers(0, 999)), draw(st.sampled_from(["c1", "c2"]))
    return SERVICE, event(SERVICE, f"k{name}", at, customer, action=action, **data)


@st.composite
def _wish_verdicts(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    number, customer = draw(st.integers(0, 99)), draw(st.sampled_from(["c1", "c2"]))
    wish_id, suspicious = draw(st.sampled_from(["w1", "w2"])), draw(st.integers(0, 3))
    said = {"shop_id": draw(st.sampled_from([SHOP, SHOP, "other"]))}
    return VERDICTS, wish_verdict(number, wish_id, suspicious, customer, TURNS[0], **said)


@st.composite
def _wishes(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    data: dict[str, Any] = {
        "action": draw(st.sampled_from(["made", "made", "liked", "liked", "unliked", "granted"])),
        "wish_id": draw(st.sampled_from(["w1", "w2"])), "sku": draw(st.sampled_from([None, "a", "b"])),
        "attributes": draw(st.sampled_from([None, {"size": "M"}, {"size": "L", "colour": "red"}])),
        "liker_id": draw(st.sampled_from(["c1", "l1", "l2"])),
        "shop_id": draw(st.sampled_from([SHOP, SHOP, "other"])),
    }  # fmt: skip
    at = draw(st.sampled_from(TURNS)) + draw(st.sampled_from([-HOUR, 0, 0.001, 60, 30 * HOUR]))
    name, customer = draw(st.integers(0, 999)), draw(st.sampled_from(["c1", "c2"]))
    return WISHES, event(WISHES, f"w{name}", at, customer, **data)


_REASONS = (
    "consent", "brushed", "issued_before", "campaign_cap", "channel_cap", "rest", "quiet_hours", "priority",
    "holdout", "holdout", "budget", "later_step",
)  # fmt: skip
_KINDS = ("coupon_issued", "coupon_issued", "coupon_issued", "message_requested", "coupon_reminded")


@st.composite
def _decided(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A trigger, of each id always the same, or a refusal."""
    at = draw(st.sampled_from(TURNS)) + draw(st.sampled_from([-HOUR, 0, 0.001, 60, 30 * HOUR]))
    name, shop = draw(st.integers(1, 3)), draw(st.sampled_from([SHOP, SHOP, SHOP, "other"]))
    customer, campaign = (
        draw(st.sampled_from(["c1", "c2", "c3"])),
        draw(st.sampled_from(["second-order", "bad-review", "cart"])),
    )
    shared = {
        "customer_id": customer, "shop_id": shop, "campaign": campaign, "campaign_version": "1",
    }  # fmt: skip
    if draw(st.booleans()):
        # Of each code one coupon: the name has all of it.
        name = f"d{draw(st.integers(0, 99_999))}"
        reason = draw(st.sampled_from(_REASONS))
        return DECISIONS, event(
            DECISIONS, name, at, customer, decision_id=name, trigger_id="t", reason=reason, **shared
        )
    offer = {
        "kind": "amount", "value": 5, "valid_from": "2026-01-01T00:00:00Z",
        "valid_until": "2026-01-01T00:00:00Z", "code": f"T{name}",
    }  # fmt: skip
    kind = draw(st.sampled_from(_KINDS))
    return TRIGGERS, event(
        TRIGGERS, f"t{name}", at, customer, trigger_id=f"t{name}", kind=kind, offer=offer, **shared
    )


def _events(number: int, order: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    of_order = {"order_id": order["order_id"], "shop_id": order["shop_id"]}
    details = {
        "amount_paid": order["amount"], "region": order["region"], "payment_method": order["payment"],
        "lines": order["lines"], "coupon_codes": order["coupons"],
    }  # fmt: skip
    paid = order["paid"] if order["paid"] is not None else order["placed"] or 0
    times = {
        "placed": order["placed"], "paid": order["paid"],
        **{name: None if order[name] is None else paid + order[name]
           for name in ("shipped", "received", "cancelled")},
    }  # fmt: skip
    found: list[tuple[str, dict[str, Any]]] = []

    def tell(topic: str, at: float, **data: Any) -> None:
        name = f"e{number}-{len(found)}"
        found.append((topic, event(topic, name, at, order["customer"], **of_order, **data)))

    for status, at in times.items():
        if at is not None:
            tell(ORDERS, at, status=status, **(details if status in ("placed", "paid") else {}))
    for refund in order["refunds"]:
        said = {name: value for name, value in refund.items() if name != "after"}
        tell(ORDERS, paid + refund["after"], **said)
    for review in order["reviews"]:
        said = {name: value for name, value in review.items() if name != "after"}
        if review["action"] != "posted":
            del said["rating"]
        tell(REVIEWS, paid + review["after"], **said)
    for at, verdict in enumerate(order["verdicts"]):
        sku, sign, visitor = verdict["sku"], verdict["sign"], verdict["visitor"]
        name = f"v{number}-{at}"
        data = {
            "shop_id": order["shop_id"], "customer_id": order["customer"],
            "visitors": [visitor] if visitor else [], "order_hash": order_hash(order["order_id"]),
            "brushed": verdict["brushed"], "points": 55 if verdict["brushed"] else 0,
            "reasons": [{"sign": sign, "points": 30, "value": 4}] if sign else [],
            "product_hash": sku and product_hash(sku),
            # No two changes have one number, whoever's they are.
            "number": 1 + number * 2 + at,
        }  # fmt: skip
        made = event(VERDICTS, name, paid + verdict["after"], order["customer"], **data)
        found.append((VERDICTS, made))
    return found * (1 + order["again"])


@st.composite
def histories(draw: st.DrawFn, most: int = 9) -> list[Published]:
    """What was published, in any order, some of it twice."""
    drawn = draw(st.lists(_orders, max_size=most))
    events = [each for number, order in enumerate(drawn) for each in _events(number, order)]
    events += draw(st.just([]) | st.just([]) | st.lists(_erasures, max_size=2))
    events += draw(st.lists(_listed, max_size=4))
    events += draw(st.lists(_profiles, max_size=5))
    events += draw(st.just([]) | st.lists(_service(), max_size=12))
    events += draw(st.just([]) | st.lists(_wishes(), max_size=12))
    events += draw(
        st.just([])
        | st.lists(
            _wish_verdicts(), max_size=4,
            # No two changes of a customer have one number.
            unique_by=lambda one: one[1]["id"],
        )
    )  # fmt: skip
    events += draw(
        st.just([])
        | st.lists(
            _decided(), max_size=9,
            unique_by=lambda one: one[1]["id"],
        )
    )  # fmt: skip
    return placed(draw(st.permutations(events)), 1)


def _purchases(gaps: list[int], least: int, most: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(
        st.fixed_dictionaries(
            {
                "gap": st.sampled_from(gaps),
                "hour": st.sampled_from([0, 0.001, 12, 17, 23.999]),
                "amount": st.sampled_from(
                    [None, 0, 99, 250, 9_999, 10_000, 100_000, 100_000, 400_000]
                ),
                "then": st.sampled_from(
                    [None, None, None, None, None, "cancelled", "refunded", "part"]
                ),
            }
        ),
        min_size=least,
        max_size=most,
    )


#: Nobody and who bought once; who buys often; anybody.
_life = st.one_of(
    _purchases([0], 0, 1),
    _purchases([0, 1, 2, 10, 30], 4, 14),
    _purchases([0, 1, 2, 30, 31, 45, 60, 61, 90, 91, 120, 180, 181, 364, 365, 366], 1, 12),
)


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[Published], list[float]]:
    """What three customers bought over years, some of them erased; and when they did."""
    events: list[tuple[str, dict[str, Any]]] = []
    every = [0.0]
    for customer in ("c1", "c2", "c3"):
        day, moments = draw(st.sampled_from([-1_500, -700, -200])), []
        for number, order in enumerate(draw(_life)):
            day += order["gap"]
            at = day * DAY + order["hour"] * HOUR
            moments.append(at)
            of_order = {"order_id": f"o{number}"}
            name = f"{customer}-{number}"
            told = [("paid", at, {"amount_paid": order["amount"]})]
            if order["then"] == "cancelled":
                told.append(("cancelled", at + 400 * DAY, {}))
            elif order["then"] is not None:
                amount = 40 if order["then"] == "part" else None
                told.append(("refunded", at + 2 * DAY, {"refund_id": "r1", "amount": amount}))
            for status, when, data in told:
                made = event(
                    ORDERS, f"{name}-{status}", when, customer, status=status, **of_order, **data
                )
                events.append((ORDERS, made))
        every += moments
        if moments and draw(st.integers(0, 2)) == 0:
            # Among the orders.
            erased = min(
                draw(st.sampled_from(moments)) - draw(st.sampled_from([0, 1, DAY])), APPENDED
            )
            gone = event(PROFILES, f"x-{customer}", erased, customer, action="erase")
            events.append((PROFILES, gone))
    return placed(draw(st.permutations(events)), 1), every


def fill(database: Database, published: Sequence[Published], *, first_offset: int = 0) -> None:
    """Empty the store and write these as the sink does."""
    with database.writing() as connection:
        for table in metadata.tables.values():
            connection.execute(table.delete())
    store = QueryStore(database)
    store.begin(
        [
            Stored(ORDERS, 0, "id", first_offset, first_offset, None, 0, 0),
            Stored(SERVICE, 0, "id", 0, 0, None, 0, 0),
            Stored(WISHES, 0, "id", 0, 0, None, 0, 0),
            Stored(TRIGGERS, 0, "id", 0, 0, None, 0, 0),
            Stored(DECISIONS, 0, "id", 0, 0, None, 0, 0),
        ]
    )
    if published:
        store.write(batch_of(published, READER))
