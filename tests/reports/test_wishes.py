"""Wish figures that people can work out by hand."""

from typing import Any

import pytest

from streams.query.connecting import Database
from streams.query.tables import sink_offsets
from tests.query.events import event, wish_verdict
from tests.query.expected import PRODUCTS, PROFILES, VERDICTS, WISHES
from tests.reports.asking import by_key, figures, rows
from tests.reports.histories import DAY, HOUR
from tests.reports.oracle import Unknown
from tests.reports.test_examples import asked_of


def told(number: int, at: float, action: str, wish: str, customer: str = "c1", **data: Any) -> Any:
    return WISHES, event(WISHES, f"w{number}", at, customer, action=action, wish_id=wish, **data)


EVENTS = [
    told(1, 0, "made", "red", sku="a", attributes={"colour": "red", "size": "M"}),
    told(2, HOUR, "liked", "red", liker_id="l1"),
    told(3, HOUR, "liked", "red", liker_id="l2"),
    # Said again, taken back, and by the owner.
    told(4, 2 * HOUR, "liked", "red", liker_id="l1"),
    told(5, 2 * HOUR, "unliked", "red", liker_id="l2"),
    told(6, 2 * HOUR, "liked", "red", liker_id="c1"),
    told(7, 3 * DAY, "granted", "red"),
    told(8, 4 * DAY, "declined", "red"),
    told(9, DAY, "made", "large", sku="a", attributes={"size": "L"}),
    told(10, DAY, "made", "any", "c2"),
    # A like of a wish that nobody made.
    told(11, DAY, "liked", "none", "c2", liker_id="l1"),
    (PRODUCTS, event(PRODUCTS, "p1", 5 * DAY, "a", sku="a", action="listed", category="coats")),
]


def test_wishes_are_of_the_day_they_were_made_and_likes_are_last_words(store: Database) -> None:
    question = asked_of(store, EVENTS, "2026-01-01", "2026-01-02")
    found = rows(store, question, "wishes", "day")
    assert figures(found[0]) == {
        "wishes": 3, "wishers": 2, "granted": 0, "declined": 1, "withdrawn": 0, "undecided": 2,
        "likes": 1, "liked_wishes": 1, "suspicious_likes": Unknown(),
    }  # fmt: skip
    days = by_key(found)
    assert [days[f"2026-01-0{n}"]["wishes"] for n in (1, 2)] == [1, 2]


def test_likes_that_look_bought_do_not_count_until_they_no_longer_do(store: Database) -> None:
    likes = [told(20 + n, HOUR, "liked", "large", liker_id=f"phone{n}") for n in range(3)]
    names = ("likes", "liked_wishes", "suspicious_likes")
    events = [*EVENTS, *likes]
    for number, suspicious, wanted in [
        (1, 2, (1 + 3 - 2, 2, 2)),
        # More than are stored of it: a like is on its way, or was taken back.
        (2, 9, (1, 1, 3)),
        (3, 0, (1 + 3, 2, 0)),
    ]:
        events.append((VERDICTS, wish_verdict(number, "large", suspicious)))
        question = asked_of(store, events, "2026-01-01", "2026-01-02")
        found = figures(rows(store, question, "wishes", "whole")[0])
        assert tuple(found[name] for name in names) == wanted
    by_attribute = by_key(rows(store, question, "wishes", "attribute"))
    assert by_attribute["size=L"]["likes"] == 3


def test_demand_by_attribute_product_and_category(store: Database) -> None:
    question = asked_of(store, EVENTS, "2026-01-01", "2026-01-02")
    by_attribute = by_key(rows(store, question, "wishes", "attribute"))
    assert {name: each["wishes"] for name, each in by_attribute.items()} == {
        "colour=red": 1, "size=M": 1, "size=L": 1, None: 1,
    }  # fmt: skip
    products = by_key(rows(store, question, "wishes", "product"))
    assert {name: each["wishes"] for name, each in products.items()} == {"a": 2, None: 1}
    categories = by_key(rows(store, question, "wishes", "category"))
    assert {name: each["wishes"] for name, each in categories.items()} == {"coats": 2, None: 1}
    # Nobody said what it costs, or it is of no product.
    prices = by_key(rows(store, question, "wishes", "price"))
    assert {name: each["wishes"] for name, each in prices.items()} == {None: 3}
    one = rows(store, question, "wishes", "attribute", limit=1)
    assert (figures(one[0])["likes"], figures(one[-1])["likes"]) == (1, Unknown())


@pytest.mark.parametrize(
    ("price", "band"),
    [
        (0, "0.00 CNY to 0.00 CNY"), (1, "0.01 CNY to 0.01 CNY"), (19_99, "10.00 CNY to 19.99 CNY"),
        (20_00, "20.00 CNY to 49.99 CNY"), (99_999_999, "500,000.00 CNY to 999,999.99 CNY"),
        (10**12, "from 1,000,000.00 CNY"),
    ],
)  # fmt: skip
def test_demand_by_what_the_product_costs_now(store: Database, price: int, band: str) -> None:
    first = PRODUCTS, event(PRODUCTS, "p2", 6 * DAY, "a", sku="a", action="price_changed", price=5)
    now = (
        PRODUCTS,
        event(PRODUCTS, "p3", 7 * DAY, "a", sku="a", action="price_changed", price=price),
    )
    question = asked_of(store, [*EVENTS, first, now], "2026-01-01", "2026-01-02")
    found = by_key(rows(store, question, "wishes", "price"))
    assert {name: (each["wishes"], each["likes"]) for name, each in found.items()} == {
        band: (2, 1), None: (1, 0),
    }  # fmt: skip


def test_an_erased_customer_s_wishes_go_and_their_likes_of_others_stay(store: Database) -> None:
    liked = told(12, DAY, "liked", "any", "c2", liker_id="c1")
    gone = (PROFILES, event(PROFILES, "x", 9 * DAY, "c1", action="erase"))
    question = asked_of(store, [*EVENTS, liked, gone], "2026-01-01", "2026-01-02")
    whole = figures(rows(store, question, "wishes")[0])
    assert (whole["wishes"], whole["likes"]) == (1, 1)


def test_without_the_topic_nothing_is_known(store: Database) -> None:
    question = asked_of(store, [], "2026-01-01", "2026-01-02")
    with store.writing() as connection:
        connection.execute(sink_offsets.delete().where(sink_offsets.c.topic == WISHES))
    found = rows(store, question, "wishes")[0]
    assert found.values["wishes"].why == "the store has no wish yet: `huitou sink` fills it"
