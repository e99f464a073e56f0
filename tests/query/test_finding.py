"""What is asked of the store, on SQLite and on PostgreSQL."""

import random
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import pytest

from schemas.order import OrderStatus
from streams.cli.order_pages import for_machines
from streams.query.batch import BatchReader
from streams.query.connecting import Database
from streams.query.finding import PageKey, Wanted, find, page_key
from streams.query.migrating import bring_up
from streams.query.moves import newest_move
from streams.query.orders import STATUSES
from streams.query.page import NEWEST, pages
from streams.query.page_keys import written
from streams.query.store import QueryStore
from streams.query.tables import order_moves
from streams.query.wording import NoClock, instant
from tests.query.conftest import open_store
from tests.query.events import batch_of, event, placed
from tests.query.expected import DECISIONS, ORDERS, REVIEWS, TRIGGERS
from tests.query.plans import plan_of, statements_of

pytestmark = pytest.mark.long

READER = BatchReader(1, {name: name for name in (ORDERS, REVIEWS, TRIGGERS, DECISIONS)})
START_MS = 1_767_225_600_000


def put(database: Database, *events: dict[str, Any]) -> None:
    topics = {
        "shop.order.v1": ORDERS, "shop.review.v1": REVIEWS, "shop.trigger.v1": TRIGGERS,
        "shop.decision.v1": DECISIONS,
    }  # fmt: skip
    published = placed([(topics[each["type"]], each) for each in events], 1)
    QueryStore(database).write(batch_of(published, READER))


def order(
    number: int, at: float, customer: str = "c1", status: str = "placed", **data: Any
) -> dict[str, Any]:
    return event(
        ORDERS, f"e{number}-{status}", at, customer, order_id=f"o{number}", status=status, **data
    )


def found(database: Database, **wanted: Any) -> list[str]:
    with database.reading() as connection:
        return [row["order_id"] for row in find(connection, Wanted(**wanted)).orders]


@pytest.fixture
def shop(database: Database) -> Database:
    put(
        database,
        order(1, 10, region="north", payment_method="card", lines=[{"sku": "a"}, {"sku": "b"}]),
        order(2, 20, customer="c2", region="south", coupon_codes=["TEN"], remark="Gift wrap, 100%"),
        order(3, 30, lines=[{"sku": "b"}, {"sku": "c"}, {"sku": "b"}], remark="gift_wrap"),
        order(3, 40, status="paid", amount_paid=500),
        order(4, 50, customer="c3", remark="100 percent", coupon_codes=["TEN", "FREE"]),
        order(5, 5, customer="c4", lines=[{"sku": "e"}], coupon_codes=["FREE"]),
    )
    return database


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, ["o4", "o3", "o2", "o1", "o5"]),
        ({"order_id": "o3"}, ["o3"]),
        ({"customer": "c1"}, ["o3", "o1"]),
        ({"shop": "shop", "customer": "c2"}, ["o2"]),
        ({"shop": "another"}, []),
        ({"product": "b"}, ["o3", "o1"]),
        ({"product": "a"}, ["o1"]),
        ({"product": "b", "limit": 1}, ["o3"]),
        ({"product": "b", "status": "placed", "shop": "shop", "customer": "c1"}, ["o1"]),
        ({"product": "b", "since_ms": START_MS + 30_000}, ["o3"]),
        ({"product": "b", "coupon": "TEN"}, []),
        ({"product": "e", "coupon": "FREE"}, ["o5"]),
        ({"coupon": "TEN", "until_ms": START_MS + 50_000}, ["o2"]),
        ({"status": "paid"}, ["o3"]),
        ({"status": "placed"}, ["o4", "o2", "o1", "o5"]),
        ({"region": "south"}, ["o2"]),
        ({"payment": "card"}, ["o1"]),
        ({"coupon": "TEN"}, ["o4", "o2"]),
        ({"coupon": "FREE", "customer": "c3"}, ["o4"]),
        ({"remark": "gift wrap"}, ["o2"]),
        ({"remark": "100%"}, ["o2"]),
        ({"remark": "gift_"}, ["o3"]),
        ({"since_ms": START_MS + 20_000}, ["o4", "o3", "o2"]),
        ({"since_ms": START_MS + 20_000, "until_ms": START_MS + 50_000}, ["o3", "o2"]),
        ({"limit": 2}, ["o4", "o3"]),
    ],
)  # fmt: skip
def test_orders_are_found_by_what_they_have(
    shop: Database, wanted: dict[str, Any], ids: list[str]
) -> None:
    assert found(shop, **wanted) == ids


#: What each names by itself must be found along an index, also a page in the middle.
FILTERS: dict[str, Any] = {
    "brushed": True, "shop": "shop", "order_id": "o1", "customer": "c1", "product": "a", "status": "paid",
    "region": "north", "payment": "card", "coupon": "TEN", "since_ms": 1, "until_ms": 2,
}  # fmt: skip


@pytest.mark.parametrize("after", [None, PageKey(0, 5, "shop", "c1", "o1")])
def test_a_page_is_read_along_an_index_of_a_file(tmp_path: Path, after: Any) -> None:
    """A server's planner decides by its statistics; a file's takes what its indexes allow."""
    opened = open_store(f"sqlite:///{tmp_path / 'store'}.sqlite")
    bring_up(opened)
    with opened.writing() as connection:
        connection.execute(order_moves.insert().values((1, "shop", "c1", "o1", 7)))
    named = [names for size in (1, 2, 3) for names in combinations(FILTERS, size)]
    with opened.reading() as connection:
        for names in named:
            wanted = Wanted(**{name: FILTERS[name] for name in names}, after=after)
            said = statements_of(opened, lambda: find(connection, wanted))  # noqa: B023
            assert said
            for statement, parameters in said:
                steps = plan_of(connection, statement, parameters)
                assert [step for step in steps if step.startswith("SCAN")] == [], (names, steps)
                # Orders of one moment may be sorted, and those of one id or that moved, which are few.
                if "order_id" not in names and "was_ms" not in statement:
                    assert "USE TEMP B-TREE FOR ORDER BY" not in steps, (names, steps)
    opened.close()


def walked(database: Database, limit: int) -> Iterator[str]:
    """Page by page, with what comes in between two pages."""
    after, number = None, 1_000
    while True:
        with database.reading() as connection:
            page = find(connection, Wanted(limit=limit, after=after))
        yield from (row["order_id"] for row in page.orders)
        if page.next is None:
            return
        after = page_key(written(page.next))
        number += 1
        put(database, order(number, 100_000 + number))


def test_a_walk_has_each_order_once_though_their_times_change(database: Database) -> None:
    """Into the part that was read and out of it, and more than once."""
    draw = random.Random(5)
    put(
        database,
        *(
            order(n, 1_000 + 10 * n, status="paid", lines=[{"sku": "a"}], region="north")
            for n in range(30)
        ),
    )
    for product in (None, "a"):
        after, ids, number = None, [], 0
        while True:
            with database.reading() as connection:
                page = find(
                    connection, Wanted(limit=4, after=after, product=product, region="north")
                )
            ids += [row["order_id"] for row in page.orders]
            if page.next is None:
                break
            after = page_key(written(page.next))
            for _ in range(6):
                number += 1
                of = draw.randrange(30)
                put(database, told_again(of, draw.randrange(2_000), f"{product}{number}"))
        assert sorted(ids) == sorted(f"o{n}" for n in range(30))
        assert order_moves_in(database) > 20


def told_again(number: int, at: float, name: str) -> dict[str, Any]:
    """Another ``placed`` of an order: the earliest counts, at whatever time it was paid."""
    return event(ORDERS, f"p{name}", at, "c1", order_id=f"o{number}", status="placed")


def order_moves_in(database: Database) -> int:
    with database.reading() as connection:
        return newest_move(connection)


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_hold_each_order_once_while_new_ones_come_in(database: Database, limit: int) -> None:
    """Many of one moment, too: the rest of the key decides between them."""
    draw = random.Random(limit)
    put(
        database,
        *(
            order(number, draw.choice([1, 1, 2, 50]), customer=f"c{number % 3}")
            for number in range(20)
        ),
    )
    ids = list(walked(database, limit))
    assert sorted(ids) == sorted(f"o{number}" for number in range(20))


def test_every_status_that_a_row_can_have_can_be_asked_for_and_no_other() -> None:
    assert set(STATUSES) >= set(get_args(OrderStatus)) - {"refund_withdrawn"}
    for status in STATUSES:
        Wanted(status=status)
    with pytest.raises(ValueError, match=r"no status 'payed'; there are placed, paid, shipped"):
        Wanted(status="payed")


@pytest.mark.parametrize(
    "word",
    [
        "", "x", "bm90IGpzb24", "WzEsMl0", "é",
        written(PageKey(0, 2**70, "shop", "c1", "o1")), written(PageKey(-(2**63) - 1, 1, "shop", "c1", "o1")),
        written(PageKey(0, 1, "shop", "c1", "o\0")),
    ],
)  # fmt: skip
def test_a_word_that_is_no_page_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="is no page"):
        page_key(word)


def test_a_page_has_all_that_is_known_of_an_order(database: Database) -> None:
    day = 86_400
    put(
        database,
        order(1, 10, lines=[{"sku": "a", "attributes": {"size": "M"}}], coupon_codes=["TEN"]),
        order(1, 20, status="paid", amount_paid=900),
        order(1, 5 * day, status="refund_requested", refund_id="r1", reason="too small"),
        order(1, 10, customer="other"),
        event(REVIEWS, "v1", 30, "c1", order_id="o1", sku="a", action="posted", rating=1, text="no"),
        event(REVIEWS, "v2", 40, "c1", order_id="o1", sku="a", action="replied"),
        *(
            event(TRIGGERS, name, at, "c1", trigger_id=name, customer_id="c1", kind="coupon_issued",
                  campaign="bad-review", campaign_version="1")
            for name, at in (("early", -8 * day), ("t1", 35), ("late", 36 * day))
        ),
        *(
            event(DECISIONS, name, at, "c1", decision_id=name, trigger_id="t1", customer_id="c1",
                  campaign="bad-review", campaign_version="1", reason="consent")
            for name, at in (("before", -8 * day), ("d2", 36), ("d1", 35), ("after", 36 * day))
        ),
    )  # fmt: skip
    with database.reading() as connection:
        (page, other), more = pages(connection, "o1")
        assert pages(connection, "o1", shop="another") == ([], False)
    assert not more
    assert page["left_out"] == {"refunds": 0, "history": 0, "reviews": 0}
    assert (other["order"]["customer_id"], other["reviews"], other["triggers"]) == ("other", [], [])
    assert page["order"]["status"] == "refund_requested"
    assert [(line["sku"], line["attributes"]) for line in page["lines"]] == [("a", {"size": "M"})]
    assert page["coupons"] == ["TEN"]
    assert [(one["refund_id"], one["reason"]) for one in page["refunds"]] == [("r1", "too small")]
    assert [one["status"] for one in page["history"]] == ["placed", "paid", "refund_requested"]
    assert page["history"][1]["data"]["amount_paid"] == 900
    (review,) = page["reviews"]
    assert (review["rating"], [one["action"] for one in review["history"]]) == (
        1,
        ["posted", "replied"],
    )
    assert [one["trigger_id"] for one in page["triggers"]] == ["t1"]
    refused = [(one["decision_id"], one["reason"]) for one in page["refusals"]]
    assert refused == [("d1", "consent"), ("d2", "consent")]


def test_a_page_of_what_has_no_end_has_the_newest_and_says_so(database: Database) -> None:
    many = NEWEST + 3
    put(
        database,
        *(
            event(ORDERS, f"r{n}", 10 + n, "c1", order_id="o1", status="refund_requested",
                  refund_id=f"r{n:04}")
            for n in range(many)
        ),
        *(
            event(REVIEWS, f"v{n}", 10 + n, "c1", order_id="o1", sku=f"s{n:04}", action="posted", rating=1)
            for n in range(many)
        ),
        *(order(1, 20, customer=f"d{n:02}") for n in range(20)),
    )  # fmt: skip
    with database.reading() as connection:
        found, more = pages(connection, "o1")
    assert more, "of 21 orders"
    assert [page["order"]["customer_id"] for page in found] == [
        "c1",
        *(f"d{n:02}" for n in range(19)),
    ]
    page = found[0]
    newest = list(range(3, many))
    assert [each["refund_id"] for each in page["history"]] == [f"r{n:04}" for n in newest]
    assert [each["refund_id"] for each in page["refunds"]] == [f"r{n:04}" for n in newest]
    assert [each["sku"] for each in page["reviews"]] == [f"s{n:04}" for n in newest]
    assert page["left_out"] == {"refunds": 3, "history": 3, "reviews": 3}


@pytest.mark.parametrize(
    ("text", "zone", "at"),
    [
        ("2026-01-02", "Asia/Shanghai", START_MS + 57_600_000),
        ("2026-01-02T01:00+01:00", None, START_MS + 86_400_000),
        ("2026-01-01T00:00:00.0015Z", None, START_MS + 1),
        # Elsewhere these lie before the year 1 and after the year 9999.
        ("0001-01-01", "Asia/Shanghai", -62_135_625_943_000),
        ("9999-12-31T23:59:59", "America/New_York", 253_402_318_799_000),
    ],
)
def test_a_time_is_read_by_the_clock_that_it_names_or_is_given(
    text: str, zone: str | None, at: int
) -> None:
    assert instant(text, zone) == at


def test_a_time_without_an_offset_needs_a_clock() -> None:
    with pytest.raises(NoClock, match="2026-01-02 names no offset"):
        instant("2026-01-02", None)
    for zone in ("Nowhere/City", "../etc/passwd", "Asia", "a\0", "\udcff"):
        with pytest.raises(ValueError, match="is no time zone"):
            instant("2026-01-02", zone)


def test_what_producers_name_is_shown_as_they_named_it() -> None:
    shown = for_machines(
        {
            "placed_ms": 253_402_318_799_000,
            "paid_ms": None,
            "lines": [{"attributes": {"length_ms": "M"}}],
            "history": [{"time_ms": 0, "data": {"shipping_ms": 5}}],
        }
    )
    assert shown == {
        "placed_at": "9999-12-31T23:59:59.999Z",
        "paid_at": None,
        "lines": [{"attributes": {"length_ms": "M"}}],
        "history": [{"time_at": "1970-01-01T00:00:00.000Z", "data": {"shipping_ms": 5}}],
    }
