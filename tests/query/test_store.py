"""One contract, on SQLite and on PostgreSQL: a batch is in the store wholly and once, or not at all."""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, Table, column, inspect, select, table, text, update
from sqlalchemy import event as sqlalchemy_event

from schemas.deadletter import DeadLetter, encode_dead_letter
from schemas.decoding import RawRecord
from schemas.forwarded import FORWARDED_FROM, forwarded_header
from streams.query.batch import Batch, BatchReader, LeftOut, Slice
from streams.query.connecting import Database
from streams.query.errors import OffsetsMoved, StoreRefused
from streams.query.goals import goals
from streams.query.histories import left_out_among
from streams.query.migrating import VERSION_TABLE, bring_up, require_current
from streams.query.store import QueryStore, Stored
from streams.query.tables import metadata, orders, sink_offsets
from tests.query.conftest import open_store
from tests.query.events import (
    batch_of,
    event,
    placed,
    published_events,
    record,
    slices_of,
    verdict,
)
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
    expected,
)
from tests.query.plans import plan_of, statements_of
from tests.query.stored import content, differences

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

READER = BatchReader(
    1,
    {
        name: name
        for name in (
            ORDERS,
            REVIEWS,
            TRIGGERS,
            DECISIONS,
            VERDICTS,
            PROFILES,
            PRODUCTS,
            SERVICE,
            WISHES,
            "shop.deadletters",
        )
    },
)
ONE_DAY = [
    (ORDERS, event(ORDERS, "1", 0, "c1", order_id="o1", status="placed", amount_paid=300,
                   lines=[{"sku": "a", "quantity": 2}], coupon_codes=["TEN"])),
    (ORDERS, event(ORDERS, "2", 5, "c1", order_id="o1", status="paid", amount_paid=250)),
    (ORDERS, event(ORDERS, "3", 9, "c2", order_id="o1", status="placed", remark="in the garden")),
    (REVIEWS, event(REVIEWS, "4", 900, "c1", order_id="o1", sku="a", action="posted", rating=2)),
    (TRIGGERS, event(TRIGGERS, "t1", 901, "c1", trigger_id="t1", customer_id="c1", campaign="bad-review",
                     kind="coupon_issued", campaign_version="1")),
    (PRODUCTS, event(PRODUCTS, "p1", 950, "a", sku="a", action="listed", name="明前龙井", price=150)),
]  # fmt: skip


def begun(database: Database, *topics: str) -> QueryStore:
    """A store that has nothing of these topics, of one partition each."""
    store = QueryStore(database)
    store.begin([Stored(topic, 0, "id", 0, 0, None, 0, 0) for topic in topics])
    return store


def poll_of(published: list[Published]) -> Batch:
    return READER.read(slices_of([record(one) for one in published]))


@pytest.mark.parametrize("place", [(0, 2**63), (0, -1), (2**31, 0), (-1, 0)])
def test_a_letter_that_names_what_no_log_can_hold_is_passed_over(place: tuple[int, int]) -> None:
    letter = DeadLetter(topic=ORDERS, partition=place[0], offset=place[1], reason="skipped")
    value = encode_dead_letter(letter, 0)
    written = RawRecord("shop.deadletters", 0, 0, 0, b"position", value)
    batch = READER.read([Slice("shop.deadletters", 0, 0, 1, [written])])
    assert batch.left_out == []
    assert [advance.passed_over for advance in batch.advances] == [1]


def test_no_statement_of_a_batch_walks_a_whole_table_of_a_file(tmp_path: Path) -> None:
    """A server's planner decides by its statistics; a file's takes what its indexes allow."""
    opened = open_store(f"sqlite:///{tmp_path / 'store'}.sqlite")
    bring_up(opened)
    published = placed(ONE_DAY, 1)
    erase = event(PROFILES, "x", 90_000, "c2", action="erase")
    begun(opened, ORDERS, REVIEWS, TRIGGERS, PRODUCTS).write(poll_of(published))
    left_out = [LeftOut(one.place, "skipped") for one in published[1:4]]
    judged = placed([(VERDICTS, verdict(1, "o1")), (PROFILES, erase)], 1)
    batch = replace(batch_of([published[0], *judged], READER), advances=[], left_out=left_out)
    said = statements_of(opened, lambda: QueryStore(opened).write(batch))
    assert len(said) > 10
    with opened.reading() as connection:
        for statement, parameters in said:
            steps = plan_of(connection, statement, parameters)
            walks = [step for step in steps if step.startswith("SCAN") and "VIRTUAL" not in step]
            assert walks == [], statement
    opened.close()


# --- migrations


def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    bring_up(database)  # again: nothing to do
    require_current(database)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, every_table()) == []


def every_table() -> MetaData:
    """Those that follow from the topics, and goals."""
    found = MetaData()
    for each in (*metadata.sorted_tables, goals):
        each.to_metadata(found)
    return found


def test_what_an_older_build_has_stored_is_brought_up_with_its_tables(database: Database) -> None:
    """The rows are those of a store that this build has filled; products no older one had."""
    customers = [each for each in ONE_DAY if each[0] != PRODUCTS]
    begun(database, ORDERS, REVIEWS, TRIGGERS).write(poll_of(placed(customers, 1)))
    filled = content(database)
    with database.writing() as connection:
        rows = {
            name: connection.execute(select(each)).mappings().all()
            for name, each in metadata.tables.items()
        }
        for name in (*metadata.tables, goals.name, VERSION_TABLE):
            connection.execute(text(f"DROP TABLE {name}"))
    bring_up(database, "0001")
    with database.writing() as connection:
        for name in inspect(connection).get_table_names():
            older = Table(name, MetaData(), autoload_with=connection)
            if rows.get(name):
                held = [{each.name: row[each.name] for each in older.columns} for row in rows[name]]
                connection.execute(older.insert(), held)
    bring_up(database)
    require_current(database)
    assert content(database) == filled


def _bring_up(url: str) -> None:
    opened = open_store(url)
    bring_up(opened)
    opened.close()


def test_several_processes_bring_one_store_up_once(new_store: Callable[[], str]) -> None:
    url = new_store()
    spawned = multiprocessing.get_context("spawn")
    processes = [spawned.Process(target=_bring_up, args=(url,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]


def test_a_migration_that_fails_leaves_nothing(
    new_store: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_store(new_store())

    def fail(*_: object) -> None:
        raise RuntimeError("the power went")

    # The last statement of the migration's transaction is the version's.
    sqlalchemy_event.listen(opened.writer, "commit", fail)
    with pytest.raises(RuntimeError, match="the power went"):
        bring_up(opened)
    sqlalchemy_event.remove(opened.writer, "commit", fail)
    with opened.reading() as connection:
        assert MigrationContext.configure(connection).get_current_revision() is None
    with pytest.raises(StoreRefused, match="is empty: `huitou sink` brings it up"):
        require_current(opened)
    bring_up(opened)
    require_current(opened)
    opened.close()


@pytest.mark.parametrize("meet", [bring_up, require_current])
def test_a_store_of_a_newer_build_is_refused_by_name(
    database: Database, meet: Callable[[Database], None]
) -> None:
    with database.writing() as connection:
        connection.execute(
            update(table(VERSION_TABLE, column("version_num"))).values(version_num="9999")
        )
    with pytest.raises(
        StoreRefused, match=r"version 9999 .* this build knows .*0001: a newer build"
    ):
        meet(database)


# --- batches


def test_a_batch_is_written_whole(database: Database) -> None:
    published = placed(ONE_DAY, 1)
    begun(database, ORDERS, REVIEWS, TRIGGERS, PRODUCTS).write(poll_of(published))
    assert differences(expected(published), content(database)) == []
    held = QueryStore(database).offsets()
    assert {topic: (part.next, part.records) for (topic, _), part in held.items()} == {
        ORDERS: (3, 3), REVIEWS: (1, 1), TRIGGERS: (1, 1), PRODUCTS: (1, 1),
    }  # fmt: skip


def test_offsets_that_another_sink_has_written_are_not_written_again(database: Database) -> None:
    store = begun(database, ORDERS, REVIEWS, TRIGGERS, PRODUCTS)
    published = placed(ONE_DAY, 1)
    batch = poll_of(published)
    store.write(batch)
    before = content(database), store.offsets()
    with pytest.raises(
        OffsetsMoved, match=r"shop.orders\[0\]: .* from offset 0, and the store stands at 3"
    ):
        store.write(batch)
    assert (content(database), store.offsets()) == before


def test_one_partition_that_moved_undoes_the_whole_batch(database: Database) -> None:
    """Of three partitions only one stands elsewhere: nothing of the others is kept either."""
    store = begun(database, ORDERS, REVIEWS, TRIGGERS, PRODUCTS)
    published = placed(ONE_DAY, 1)
    store.write(poll_of([one for one in published if one.topic == REVIEWS]))
    before = content(database), store.offsets()
    with pytest.raises(OffsetsMoved, match=r"shop.reviews\[0\]"):
        store.write(poll_of(published))
    assert (content(database), store.offsets()) == before


def test_of_two_sinks_that_write_the_same_at_once_one_does(database: Database) -> None:
    published = placed(ONE_DAY, 1)
    batch = poll_of(published)
    begun(database, ORDERS, REVIEWS, TRIGGERS, PRODUCTS)
    start = threading.Barrier(4)

    def write(_: int) -> str:
        opened = Database(database.url)
        start.wait(60)
        try:
            QueryStore(opened).write(batch)
        except OffsetsMoved:
            return "moved"
        finally:
            opened.close()
        return "written"

    with ThreadPoolExecutor(4) as pool:
        # What else one of them raises is raised here.
        outcomes = sorted(pool.map(write, range(4), timeout=120))
    assert outcomes == ["moved"] * 3 + ["written"]
    assert differences(expected(published), content(database)) == []


def test_a_writer_sees_all_that_the_writer_before_it_wrote(database: Database) -> None:
    """Also where the first thing that it does is to read, as a migration does."""
    arrived = threading.Event()

    def second() -> int:
        opened = Database(database.url)
        arrived.set()
        try:
            with opened.writing() as connection:
                return len(connection.execute(select(sink_offsets)).all())
        finally:
            opened.close()

    with ThreadPoolExecutor(1) as pool:
        with database.writing() as connection:
            waiting = pool.submit(second)
            assert arrived.wait(60)
            for number in range(200):
                row = ("topic", number, "id", 0, 0, None, 0, 0)
                connection.execute(sink_offsets.insert().values(row))
        assert waiting.result(120) == 200


def test_an_error_before_the_commit_leaves_neither_rows_nor_offsets(database: Database) -> None:
    store = begun(database, ORDERS, REVIEWS, TRIGGERS, PRODUCTS)
    before = content(database), store.offsets()
    batch = poll_of(placed(ONE_DAY, 1))
    # The triggers are written last; one without a kind is refused by the database.
    batch.triggers[0]["kind"] = None
    with pytest.raises(Exception, match="kind"):
        store.write(batch)
    assert (content(database), store.offsets()) == before


def test_a_text_with_a_nul_is_stored_in_both(database: Database) -> None:
    made = event(ORDERS, "1", 0, "c1", order_id="o\0", status="placed", remark="a\0b")
    begun(database, ORDERS).write(poll_of(placed([(ORDERS, made)], 1)))
    with database.reading() as connection:
        (row,) = connection.execute(select(orders.c.order_id, orders.c.remark)).all()
    assert tuple(row) == ("o\ufffd", "a\ufffdb")


def test_the_longest_keys_fit_into_the_indexes(database: Database) -> None:
    longest = "\N{GRINNING FACE}" * 64
    made = event(
        ORDERS, longest, 0, longest, order_id=longest, status="refunded", refund_id=longest, kind="return",
        coupon_codes=[longest], region=longest, payment_method=longest,
    )  # fmt: skip
    paid = event(
        ORDERS, longest, 0, longest, order_id=longest, status="paid", lines=[{"sku": longest}],
        amount_paid=1_000_000_000_000,
    )  # fmt: skip
    published = placed([(ORDERS, made), (ORDERS, paid)], 1)
    begun(database, ORDERS).write(poll_of(published))
    assert differences(expected(published), content(database)) == []


# --- what a worker left out


@pytest.mark.parametrize("first", ["event", "verdict"])
def test_what_a_worker_left_out_is_in_no_row_whichever_came_first(
    database: Database, first: str
) -> None:
    store = begun(database)
    published = placed(ONE_DAY, 1)
    events = batch_of(published, READER)
    gone = {
        published[1].place: "future_time",
        published[2].place: "skipped",
        published[3].place: "skipped",
    }
    verdicts = Batch(left_out=[LeftOut(place, reason) for place, reason in gone.items()])
    for batch in (events, verdicts) if first == "event" else (verdicts, events):
        store.write(batch)
    assert differences(expected(published, gone), content(database)) == []
    store.write(replace(verdicts))
    assert differences(expected(published, gone), content(database)) == []


LATER = "g2.shop.orders"
AGAIN = BatchReader(1, {LATER: ORDERS, ORDERS: ORDERS, "shop.deadletters": "shop.deadletters"})


def forwarded(one: Published, topic: str, offset: int) -> RawRecord:
    """Its copy in a topic of another generation."""
    header = forwarded_header(*one.place)
    return record(one)._replace(topic=topic, offset=offset, headers=[("trace", b"x"), header])


@pytest.mark.parametrize("order", list(permutations(["old", "copy", "verdict"])), ids="-".join)
def test_a_verdict_on_a_forwarded_record_takes_both_copies_away(
    database: Database, order: tuple[str, ...]
) -> None:
    store = begun(database)
    published = placed(ONE_DAY, 1)[:3]
    copy = forwarded(published[1], LATER, 7)
    batches = {
        "old": batch_of(published, READER),
        "copy": AGAIN.read([Slice(LATER, 0, 7, 8, [copy])]),
        "verdict": Batch(left_out=[LeftOut((LATER, 0, 7), "skipped")]),
    }
    batches["copy"].advances = []
    for name in order:
        store.write(batches[name])
    gone = {published[1].place: "forwarded", (LATER, 0, 7): "skipped"}
    moved = Published(ORDERS, (LATER, 0, 7), published[1].event)
    assert differences(expected([*published, moved], gone), content(database)) == []


def test_without_a_verdict_the_copy_of_a_forwarded_record_counts_and_only_it(
    database: Database,
) -> None:
    store = begun(database)
    published = placed(ONE_DAY, 1)[:3]
    batch = AGAIN.read([Slice(LATER, 0, 7, 8, [forwarded(published[1], LATER, 7)])])
    batch.advances = []
    for one in (batch_of(published, READER), batch):
        store.write(one)
    moved = Published(ORDERS, (LATER, 0, 7), published[1].event)
    wanted = expected([*published, moved], {published[1].place: "forwarded"})
    assert wanted["repeats"] == []
    assert differences(wanted, content(database)) == []


@pytest.mark.parametrize(
    "value",
    [
        b"g2.shop.orders/0/3", b"shop.reviews/0/3", b"other/0/3", b"shop.orders/0", b"shop.orders/0/x",
        b"shop.orders/-1/3", b"shop.orders/2147483648/3", b"shop.orders/0/9223372036854775808",
        b"shop.orders/0/" + b"9" * 5_000, b"\xff/0/3", None,
    ],
)  # fmt: skip
def test_a_header_that_no_repartition_wrote_leaves_nothing_out(value: bytes | None) -> None:
    (one,) = placed(ONE_DAY[:1], 1)
    copy = record(one)._replace(topic=LATER, headers=[(FORWARDED_FROM, value)])
    batch = AGAIN.read([Slice(LATER, 0, 0, 1, [copy])])
    assert batch.left_out == []
    assert len(batch.orders) == 1


def test_verdicts_far_ahead_of_the_events_are_not_read_again_with_each_batch(
    database: Database,
) -> None:
    """As when a store is filled anew: the dead letters' topic may be read to its end first."""
    store = begun(database)
    published = placed(
        [
            (ORDERS, event(ORDERS, str(n), n, "c1", order_id=f"o{n}", status="placed"))
            for n in range(6)
        ],
        1,
    )
    gone = {one.place: "skipped" for one in published[1::2]}
    store.write(Batch(left_out=[LeftOut(place, reason) for place, reason in gone.items()]))
    facts = batch_of(published, READER).orders
    with database.reading() as connection:
        assert left_out_among(connection, facts[2:4]) == {published[3].place}
        assert left_out_among(connection, facts) == set(gone)


def test_when_what_was_kept_is_left_out_the_next_record_of_its_status_is_kept(
    database: Database,
) -> None:
    """Whatever of the four came first, and not one that was left out itself."""
    amounts = {"a": 1, "b": 2, "c": 3, "d": 4}
    published = placed(
        [
            (
                ORDERS,
                event(ORDERS, name, 0, "c1", order_id="o1", status="paid", amount_paid=amount),
            )
            for name, amount in amounts.items()
        ],
        1,
    )  # fmt: skip
    store = QueryStore(database)
    store.write(batch_of([published[number] for number in (2, 0, 3, 1)], READER))
    gone: dict[Any, str] = {}
    for number, amount in ((1, 1), (0, 3), (2, 4)):
        gone[published[number].place] = "skipped"
        store.write(Batch(left_out=[LeftOut(published[number].place, "skipped")]))
        found = content(database)
        assert [row["amount"] for row in found["orders"]] == [amount]
        assert differences(expected(published, gone), found) == []


# --- any order


def _is_of_profile(one: Published) -> bool:
    return one.topic == PROFILES and one.event["data"]["action"] != "erase"


@settings(
    max_examples=40, deadline=None,
    # Shrinking on a database takes longer than reading 25 events.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(published_events(erased=True), st.data())
def test_any_order_repeats_and_cuts_into_batches_give_the_same_rows(
    database: Database, published: list[Published], data: st.DataObject
) -> None:
    with database.writing() as connection:
        for each in metadata.tables.values():
            connection.execute(each.delete())
    # What an erasure has deleted does not come back with a verdict.
    ordinary = [
        one
        for one in published
        if one.topic in (ORDERS, REVIEWS, SERVICE, WISHES) or _is_of_profile(one)
    ]
    left_out = data.draw(st.lists(st.sampled_from(ordinary), max_size=3)) if ordinary else []
    # All copies of the first, and one copy of each other.
    names = {one.event["id"] for one in left_out[:1]}
    places = {one.place for one in left_out}
    gone = {
        one.place: "skipped" for one in published if one.event["id"] in names or one.place in places
    }
    pieces: list[Published | LeftOut] = [
        *published, *data.draw(st.lists(st.sampled_from(published), max_size=4)),
        *(LeftOut(place, reason) for place, reason in gone.items()),
    ]  # fmt: skip
    shuffled = data.draw(st.permutations(pieces))
    store = QueryStore(database)
    while shuffled:
        size = data.draw(st.integers(1, len(shuffled)))
        some, shuffled = shuffled[:size], shuffled[size:]
        batch = batch_of([one for one in some if isinstance(one, Published)], READER)
        batch.left_out = [one for one in some if isinstance(one, LeftOut)]
        store.write(batch)
    assert differences(expected(published, gone), content(database)) == []
