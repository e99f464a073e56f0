"""Erased customers: nothing of what they did until then is in the store, whichever came first."""

import secrets
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select

from schemas.forwarded import forwarded_header
from streams.query.batch import Batch, BatchReader, LeftOut, Slice
from streams.query.connecting import Database
from streams.query.migrating import bring_up
from streams.query.moves import newest_move
from streams.query.store import QueryStore, Stored
from streams.query.tables import metadata
from tests.query.conftest import open_store
from tests.query.events import APPENDED_MS, batch_of, event, placed, record, slices_of
from tests.query.expected import (
    DECISIONS,
    ORDERS,
    PROFILES,
    REVIEWS,
    TRIGGERS,
    Published,
    expected,
)
from tests.query.plans import plan_of, statements_of
from tests.query.postgres import PostgreSQL
from tests.query.stored import content, differences

LATER = "g2."
NAMES = {
    name: name for name in (ORDERS, REVIEWS, TRIGGERS, DECISIONS, PROFILES, "shop.deadletters")
}
READER = BatchReader(8, {**NAMES, LATER + PROFILES: PROFILES})


def order(event_id: str, at: float, customer: str = "c1", **data: Any) -> Any:
    return ORDERS, event(ORDERS, event_id, at, customer, **{"order_id": "o1", **data})


def erasure(event_id: str, at: float, customer: str = "c1", shop: str = "shop") -> Any:
    return PROFILES, event(PROFILES, event_id, at, customer, action="erase", shop_id=shop)


def trigger(name: str, at: float, customer: str = "c1") -> Any:
    return TRIGGERS, event(
        TRIGGERS, name, at, customer, trigger_id=name, customer_id=customer, campaign="second-order",
        kind="coupon_issued", campaign_version="1",
    )  # fmt: skip


def refusal(name: str, at: float, customer: str = "c1") -> Any:
    return DECISIONS, event(
        DECISIONS, name, at, customer, decision_id=name, trigger_id="t", customer_id=customer,
        campaign="second-order", campaign_version="1", reason="consent",
    )  # fmt: skip


def review(event_id: str, at: float, action: str = "posted", **data: Any) -> Any:
    return REVIEWS, event(
        REVIEWS, event_id, at, "c1", order_id="o1", sku="a", action=action, **data
    )


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('erasing') / 'query.sqlite'}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        url = server.database(secrets.token_hex(6))
    opened = open_store(url)
    bring_up(opened)
    yield opened
    opened.close()


@pytest.fixture
def database(made: Database) -> Database:
    """Empty."""
    with made.writing() as connection:
        for table in metadata.tables.values():
            connection.execute(table.delete())
    return made


LIFE = [
    order("1", 0, status="placed", amount_paid=300, lines=[{"sku": "a"}], coupon_codes=["TEN"]),
    order("2", 5, status="paid", remark="in the garden"),
    order("3", 6, status="paid", remark="again"),
    order("4", 7, status="refunded", refund_id="r1"),
    review("5", 8, rating=2, text="small"),
    trigger("t1", 9),
    refusal("d1", 9),
]
ERASE = erasure("x", 10)
#: Where the erasure is behind a life, and what is behind it.
ERASED, AFTERWARDS = len(LIFE), len(LIFE) + 1
AFTER = [
    order("6", 11, status="paid", amount_paid=70),
    order("7", 12, order_id="o2", status="placed", amount_paid=80),
    review("8", 13, "replied"),
    trigger("t2", 14),
    refusal("d2", 14),
]


def of_batches(database: Database, *batches: list[Published]) -> None:
    store = QueryStore(database)
    for some in batches:
        store.write(batch_of(some, READER))


@pytest.mark.parametrize("first", list(permutations(["life", "erase", "after"])), ids="-".join)
def test_whatever_comes_first_only_what_is_later_stays(
    database: Database, first: tuple[str, ...]
) -> None:
    published = placed([*LIFE, ERASE, *AFTER, order("9", 1, "c2", status="placed")], 8)
    parts = {
        "life": published[:ERASED],
        "erase": published[ERASED:AFTERWARDS],
        "after": published[AFTERWARDS:],
    }
    wanted = expected(published)
    assert [row["amount"] for row in wanted["orders"] if row["customer_id"] == "c1"] == [70, 80]
    of_batches(database, *(parts[name] for name in first))
    assert differences(wanted, content(database)) == []
    of_batches(database, *(parts[name] for name in reversed(first)))
    assert differences(wanted, content(database)) == [], "twice the same"
    of_batches(database, published)
    assert differences(wanted, content(database)) == []


def test_a_trigger_that_comes_alone_and_late_is_not_stored(database: Database) -> None:
    published = placed([ERASE, trigger("t1", 9), trigger("t2", 14)], 8)
    of_batches(database, *([one] for one in published))
    found = content(database)
    assert differences(expected(published), found) == []
    assert [row["trigger_id"] for row in found["triggers"]] == ["t2"]


def test_in_one_batch_as_in_several(database: Database) -> None:
    published = placed([*AFTER, *LIFE, ERASE], 8)
    of_batches(database, published)
    assert differences(expected(published), content(database)) == []


def test_nothing_but_the_mark_names_a_customer_who_did_nothing_since(database: Database) -> None:
    late = order("0", -50, status="placed", remark="the least time moves the order")
    published = placed([*LIFE, late, ERASE], 8)
    of_batches(database, published[:ERASED], published[ERASED:AFTERWARDS])
    with database.reading() as connection:
        assert newest_move(connection) == 1, "there is a move to forget"
    of_batches(database, published[AFTERWARDS:], published[:AFTERWARDS])
    with database.reading() as connection:
        for table in metadata.tables.values():
            rows = [tuple(row) for row in connection.execute(select(table))]
            named = [row for row in rows if any("c1" in str(value) for value in row)]
            assert len(named) == (table.name == "erased"), (table.name, named)
            assert not any("garden" in str(value) for row in rows for value in row), table.name


def test_the_latest_of_several_erasures_counts_whichever_came_first(database: Database) -> None:
    events = [order(str(n), n, order_id=f"o{n}", status="placed") for n in range(6)]
    published = placed([*events, erasure("x", 3), erasure("y", 1), erasure("z", 2)], 8)
    of_batches(database, published[:6], *([one] for one in published[6:]))
    found = content(database)
    assert differences(expected(published), found) == []
    assert [row["order_id"] for row in found["orders"]] == ["o4", "o5"]


def test_what_happened_in_the_erasures_own_millisecond_goes_too(database: Database) -> None:
    published = placed(
        [
            order("1", 10, status="placed"), order("2", 10.001, order_id="o2", status="placed"),
            erasure("x", 10),
        ],
        8,
    )  # fmt: skip
    of_batches(database, published)
    assert [row["order_id"] for row in content(database)["orders"]] == ["o2"]


def test_other_customers_and_other_shops_keep_theirs(database: Database) -> None:
    other = {"shop_id": "other"}
    events = [
        order("1", 0, status="placed"), order("2", 0, status="placed", **other),
        order("3", 0, "c2", status="placed"),
    ]  # fmt: skip
    published = placed([*events, erasure("x", 9, shop="other")], 8)
    of_batches(database, published[:3], published[3:])
    found = content(database)
    assert differences(expected(published), found) == []
    assert [(row["shop_id"], row["customer_id"]) for row in found["orders"]] == [
        ("shop", "c1"), ("shop", "c2"),
    ]  # fmt: skip


def test_other_words_of_a_profile_erase_nothing(database: Database) -> None:
    said = [
        (PROFILES, event(PROFILES, "1", 99, "c1", action="updated", region="north")),
        (PROFILES, event(PROFILES, "2", 99, "c1", action="consent", consent={"sms": False})),
    ]
    published = placed([*LIFE, *said], 8)
    of_batches(database, published)
    found = content(database)
    assert found["erased"] == []
    assert differences(expected(published), found) == []


def test_an_erasure_further_ahead_than_any_worker_must_take_is_passed_over(
    database: Database,
) -> None:
    """A worker's verdict on it is read later, and what is deleted does not come back."""
    (one, far) = placed([LIFE[0], ERASE], 8)
    stamp = APPENDED_MS - 400 * 86_400_000
    read = READER.read(slices_of([record(far)._replace(timestamp=stamp)]))
    assert (read.erasures, [each.passed_over for each in read.advances]) == ([], [1])
    QueryStore(database).write(batch_of([one], READER))
    QueryStore(database).write(Batch(erasures=read.erasures))
    assert len(content(database)["orders"]) == 1
    in_time = READER.read(slices_of([record(far)._replace(timestamp=APPENDED_MS)]))
    assert len(in_time.erasures) == 1


def test_an_erasure_that_was_left_out_before_it_is_read_erases_nothing(database: Database) -> None:
    published = placed([*LIFE, ERASE], 8)
    verdict = {published[ERASED].place: "skipped"}
    store = QueryStore(database)
    store.write(Batch(left_out=[LeftOut(published[ERASED].place, "skipped")]))
    of_batches(database, published)
    assert differences(expected(published, verdict), content(database)) == []


def test_a_verdict_that_is_read_after_the_erasure_brings_nothing_back(database: Database) -> None:
    published = placed([*LIFE, ERASE], 8)
    of_batches(database, published)
    store = QueryStore(database)
    store.write(Batch(left_out=[LeftOut(published[ERASED].place, "skipped")]))
    of_batches(database, published)
    found = content(database)
    assert (found["orders"], found["triggers"], len(found["erased"])) == ([], [], 1)


@pytest.mark.parametrize("first", ["original", "copy"])
def test_an_erasure_forwarded_to_another_generation_counts(database: Database, first: str) -> None:
    published = placed([*LIFE, ERASE], 8)
    header = forwarded_header(*published[ERASED].place)
    copy = record(published[ERASED])._replace(topic=LATER + PROFILES, offset=7, headers=[header])
    forwarded = READER.read([Slice(LATER + PROFILES, copy.partition, 7, 8, [copy])])
    forwarded.advances = []
    assert [one.reason for one in forwarded.left_out] == ["forwarded"]
    batches = [batch_of(published, READER), forwarded]
    for batch in batches if first == "original" else reversed(batches):
        QueryStore(database).write(batch)
    moved = Published(PROFILES, (LATER + PROFILES, copy.partition, 7), published[ERASED].event)
    wanted = expected([*published, moved], {published[ERASED].place: "forwarded"})
    assert differences(wanted, content(database)) == []


def test_an_erasure_and_the_offsets_are_one_transaction(database: Database) -> None:
    published = placed([*LIFE, ERASE, AFTER[3]], 8)
    store = QueryStore(database)
    partition = published[0].place[1]
    store.begin([Stored(name, partition, "id", 0, 0, None, 0, 0) for name in NAMES])
    store.write(batch_of(published[:ERASED], READER))
    before = content(database), store.offsets()
    batch = READER.read(slices_of([record(published[ERASED])]))
    # The triggers are written last; one without a kind is refused by the database.
    batch.triggers = [{**batch_of(published[AFTERWARDS:], READER).triggers[0], "kind": None}]
    with pytest.raises(Exception, match="kind"):
        store.write(batch)
    assert (content(database), store.offsets()) == before
    store.write(READER.read(slices_of([record(published[ERASED])])))
    assert differences(expected(published[:AFTERWARDS]), content(database)) == []
    assert store.offsets()[PROFILES, partition].next == 1


def test_the_number_of_a_forgotten_move_is_not_given_again(database: Database) -> None:
    """A walk that began at it would take the new one for an old one."""
    moving = [order("1", 5, status="paid"), order("2", 0, status="placed")]
    others = [
        order("3", 5, "c2", status="paid"), order("4", 0, "c2", status="placed"),
        order("5", 5, "c3", status="paid"), order("6", 0, "c3", status="placed"),
    ]  # fmt: skip
    numbers = []
    published = placed([*moving, ERASE, *others, erasure("y", 20, "c2")], 8)
    for one in published:
        of_batches(database, [one])
        with database.reading() as connection:
            numbers.append(newest_move(connection))
    assert numbers == sorted(numbers)
    # The order that goes is a move, too.
    assert numbers == [0, 1, 2, 2, 3, 3, 4, 5]
    with database.reading() as connection:
        moves = connection.execute(select(metadata.tables["order_moves"])).all()
    assert [(row.number, row.customer_id) for row in moves] == [(4, "c3"), (5, "")]


def test_an_erasure_walks_no_table(database: Database) -> None:
    if database.file is None:
        return  # A server's planner decides by its statistics.
    published = placed([*LIFE, ERASE, *AFTER], 8)
    of_batches(database, published[:ERASED], published[AFTERWARDS:])
    said = statements_of(database, lambda: of_batches(database, published[ERASED:AFTERWARDS]))
    assert len(said) > 10
    with database.reading() as connection:
        for statement, parameters in said:
            steps = plan_of(connection, statement, parameters)
            walks = [step for step in steps if step.startswith("SCAN") and "VIRTUAL" not in step]
            assert walks == [], statement
