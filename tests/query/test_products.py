"""What a shop sells, in both databases: the latest of each field, in whatever order it is read."""

import json
from itertools import permutations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.decoding import RawRecord
from streams.query.batch import Batch, BatchReader, Slice
from streams.query.connecting import Database
from streams.query.products import ProductFact, product_names, product_row
from streams.query.store import QueryStore
from streams.query.tables import products
from tests.query.events import batch_of, event, placed, product_events
from tests.query.expected import PRODUCTS, Published, expected
from tests.query.stored import content, differences

READER = BatchReader(1, {PRODUCTS: PRODUCTS})
NOW_MS = 1_798_761_600_000
WORDS = {"listed": "明前龙井", "again": "龙井"}


def change(number: int, at: float, sku: str = "a", **data: object) -> tuple[str, dict[str, object]]:
    return PRODUCTS, event(PRODUCTS, f"p{number}", at, sku, sku=sku, **data)


LISTED = change(1, 0, action="listed", name="明前龙井", category="tea", price=100)
CHEAPER = change(2, 60, action="price_changed", price=80)
RENAMED = change(3, 30, action="listed", name="龙井")
GONE = change(4, 90, action="delisted")


def facts(published: list[Published]) -> list[ProductFact]:
    return batch_of(published, READER).products


def test_each_field_is_the_latest_that_was_said_of_it() -> None:
    published = placed([LISTED, CHEAPER, RENAMED, GONE], 1)
    rows = [product_row(("shop", "a"), some) for some in permutations(facts(published))]
    row = rows[0]
    assert (row["name"], row["category"], row["price"]) == ("龙井", "tea", 80)
    assert (row["status"], row["stock"]) == ("delisted", None)
    assert rows == [row] * len(rows)


def test_of_one_moment_the_later_in_the_partition_stands() -> None:
    both = [
        change(1, 5, action="price_changed", price=1),
        change(2, 5, action="price_changed", price=2),
    ]
    for events, wanted in ((both, 2), (both[::-1], 1)):
        assert product_row(("shop", "a"), facts(placed(events, 1)))["price"] == wanted


def test_one_batch_or_many_come_to_the_same_row() -> None:
    every = facts(placed([CHEAPER, LISTED, GONE, RENAMED], 1))
    row: dict[str, object] | None = None
    for fact in every:
        row = product_row(("shop", "a"), [fact], row)
    assert row == product_row(("shop", "a"), every)


@pytest.mark.parametrize(
    ("subject", "data", "ahead_ms"),
    [
        ("b", {"sku": "a", "action": "delisted"}, 0),
        ("a", {"sku": "a", "action": "price_changed"}, 0),
        ("a", {"sku": "a", "action": "sold"}, 0),
        ("a", {"sku": "a", "action": "listed", "name": ""}, 0),
        ("a", {"sku": "a", "action": "delisted"}, -86_400_001),
    ],
    ids=["another-sku", "no-price", "unknown-action", "empty-name", "too-far-ahead"],
)
def test_what_cannot_be_used_is_passed_over(
    subject: str, data: dict[str, object], ahead_ms: int
) -> None:
    made = event(PRODUCTS, "p", 0, subject)
    made["data"] = {"shop_id": "shop", **data}
    at_ms = 1_767_225_600_000 + ahead_ms
    raw = RawRecord(PRODUCTS, 0, 0, at_ms, subject.encode(), json.dumps(made).encode())
    batch = READER.read([Slice(PRODUCTS, 0, 0, 1, [raw])])
    assert batch.products == []
    assert [advance.passed_over for advance in batch.advances] == [1]


def test_names_are_of_the_shop_and_of_what_has_one(database: Database) -> None:
    events = [
        change(1, 0, action="listed", name="明前龙井"),
        change(2, 0, "b", action="listed", name="Kettle", shop_id="other"),
        change(3, 0, "c", action="price_changed", price=1),
        change(4, 0, "n\0l", action="listed", name="n\0ul"),
    ]
    QueryStore(database).write(batch_of(placed(events, 1), READER))
    with database.reading() as connection:
        assert product_names(connection, "shop", ["a", "b", "c", "d", "n\0l"]) == {
            "a": "明前龙井", "n\0l": "n\N{REPLACEMENT CHARACTER}ul",
        }  # fmt: skip
        assert product_names(connection, "shop", []) == {}
        many = [f"s{number}" for number in range(5_000)]
        assert product_names(connection, "shop", [*many, "a"]) == {"a": "明前龙井"}


@pytest.mark.long
@pytest.mark.timeout(300)
def test_rows_are_those_of_an_independent_computation(database: Database) -> None:
    @settings(
        max_examples=40, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )  # fmt: skip
    @given(product_events(), st.data())
    def holds(published: list[Published], data: st.DataObject) -> None:
        with database.writing() as connection:
            connection.execute(products.delete())
        shuffled = data.draw(st.permutations(published))
        cut = data.draw(st.integers(0, len(shuffled)))
        for part in (shuffled[:cut], shuffled[cut:], shuffled[:1]):
            batch: Batch = batch_of(part, READER)
            batch.advances = []
            QueryStore(database).write(batch)
        wanted = {"products": expected(published)["products"]}
        assert differences(wanted, {"products": content(database)["products"]}) == []

    holds()
