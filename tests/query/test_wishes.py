"""Wishes in the store are those of the live state, whatever came in which order."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.wish import Wish as WishData
from streams.domain.wishes import Wishes, fold_wish
from streams.query.batch import Batch, BatchReader, LeftOut
from streams.query.connecting import Database
from streams.query.facts import CustomerFact
from streams.query.migrating import bring_up
from streams.query.store import QueryStore, Stored
from streams.query.tables import wish_likes
from streams.query.wishes import like_rows, wish_rows
from tests.query.conftest import open_store
from tests.query.events import batch_of, event, placed
from tests.query.expected import PROFILES, WISHES, expected, liker_hash
from tests.query.stored import content, differences

READER = BatchReader(1, {WISHES: WISHES, PROFILES: PROFILES})


def told(number: int, at: float, action: str, wish: str = "w1", **data: Any) -> Any:
    return WISHES, event(WISHES, f"w{number}", at, "c1", action=action, wish_id=wish, **data)


MADE = told(1, 10, "made", sku="a", attributes={"size": "M"})
EVERY = [
    MADE, told(2, 20, "liked", liker_id="l1"), told(3, 20, "unliked", liker_id="l1"),
    told(4, 30, "liked", liker_id="l2"), told(5, 5, "liked", liker_id="l2"), told(6, 40, "granted"),
    told(7, 15, "commented"), told(8, 1, "made", sku="b"), told(9, 50, "liked", "w2", liker_id="l1"),
]  # fmt: skip


def test_a_wish_is_its_earliest_and_a_like_its_last_word(database: Database) -> None:
    published = placed(EVERY, 1)
    for part in (published[5:], published[2:5], published[:3], published, published[1:2]):
        QueryStore(database).write(batch_of(part, READER))
    found = content(database)
    assert differences(expected(published), found) == []
    (wish,) = found["wishes"]
    assert (wish["sku"], wish["decision"], wish["comments"]) == ("b", "granted", 1)
    likes = {(row["wish_id"], row["liker_id"]): row["liked"] for row in found["wish_likes"]}
    one, two = liker_hash("l1"), liker_hash("l2")
    assert likes == {("w1", one): 0, ("w1", two): 1, ("w2", one): 1}


def test_nobody_who_likes_a_wish_is_named_but_its_owner(database: Database) -> None:
    """An erasure of theirs would not find them in what is somebody else's."""
    published = placed(
        [
            MADE, told(2, 11, "liked", liker_id="c1", device_hash="phone-of-c1"),
            told(3, 12, "commented", liker_id="liker-b"),
            told(4, 13, "liked", liker_id="liker-b", device_hash="phone-of-b"),
        ],
        1,
    )  # fmt: skip
    QueryStore(database).write(batch_of(published, READER))
    found = content(database)
    assert differences(expected(published), found) == []
    assert "liker-b" not in repr(found)
    assert "phone-of" not in repr(found)
    assert {row["liker_id"] for row in found["wish_likes"]} == {"c1", liker_hash("liker-b")}


@pytest.mark.parametrize("gone", [0, 2, 3])
def test_what_is_left_out_or_erased_is_in_no_row(database: Database, gone: int) -> None:
    published = placed(EVERY, 1)
    places = {published[gone].place: "skipped"}
    verdict = Batch(left_out=[LeftOut(place, "skipped") for place in places])
    for batch in (batch_of(published, READER), verdict, batch_of(published, READER)):
        QueryStore(database).write(batch)
    assert differences(expected(published, places), content(database)) == []
    erase = PROFILES, event(PROFILES, "x", 20, "c1", action="erase")
    every = placed([*EVERY, erase], 1)
    QueryStore(database).write(batch_of(every[len(EVERY) :], READER))
    assert differences(expected(every, places), content(database)) == []


@pytest.mark.parametrize("wish", ["w1", 'a "wish" \\ of 100 %_\ufffd'])
def test_a_like_that_is_left_out_moves_no_other_row(database: Database, wish: str) -> None:
    """Of a wish with very many likes the others are not even read."""
    likes = [
        told(2, 20, "liked", wish, liker_id="l1"), told(3, 30, "unliked", wish, liker_id="l1"),
        told(4, 20, "liked", wish, liker_id="l2"), told(5, 20, "liked", "w2", liker_id="l1"),
    ]  # fmt: skip
    published = placed(likes, 1)
    store = QueryStore(database)
    store.write(batch_of(published, READER))
    with database.writing() as connection:
        connection.execute(wish_likes.update().values(time_ms=wish_likes.c.time_ms + 1))
    store.write(Batch(left_out=[LeftOut(published[1].place, "skipped")]))
    rows = {(row["wish_id"], row["liker_id"]): row for row in content(database)["wish_likes"]}
    one, two = liker_hash("l1"), liker_hash("l2")
    was = {(row["wish_id"], row["liker_id"]): row for row in expected(published[:1])["wish_likes"]}
    assert rows[wish, one] == was[wish, one]
    assert rows[wish, one]["liked"] == 1
    assert rows[wish, two]["time_ms"] % 1_000 == rows["w2", one]["time_ms"] % 1_000 == 1
    # The other word of this liker goes, too: nothing is left of them.
    store.write(Batch(left_out=[LeftOut(published[0].place, "skipped")]))
    left = {(row["wish_id"], row["liker_id"]) for row in content(database)["wish_likes"]}
    assert left == {(wish, two), ("w2", one)}


def test_a_store_of_an_older_build_reads_the_verdicts_again(tmp_path: Any) -> None:
    opened = open_store(f"sqlite:///{tmp_path / 'older'}.sqlite")
    bring_up(opened, "0010")
    store = QueryStore(opened)
    store.begin(
        [Stored(topic, 0, "id", 0, 7, None, 0, 0) for topic in ("shop.deadletters", "shop.orders")]
    )
    bring_up(opened)
    assert [topic for topic, _ in store.offsets()] == ["shop.orders"]
    opened.close()


_drawn = st.lists(
    st.tuples(
        st.sampled_from([1_000, 1_001, 9_000]),
        st.sampled_from(["made", "liked", "liked", "unliked", "granted", "declined", "withdrawn"]),
        st.sampled_from(["w1", "w2"]),
        st.sampled_from(["c1", "l1", "l2"]),
        st.sampled_from(["a", "b"]),
    ),
    min_size=1,
    max_size=9,
)


@settings(deadline=None, max_examples=100)
@given(_drawn, st.data())
def test_rows_add_up_to_the_live_state(drawn: Any, data: st.DataObject) -> None:
    """Of few wishes with few likers, of which the state has forgotten nothing."""
    facts = [
        CustomerFact(
            ("shop", "c1"), time_ms, "app", f"e{number}",
            msgspec.json.encode(
                {"shop_id": "shop", "action": action, "wish_id": wish, "liker_id": liker, "sku": sku}
            ).decode(),
            (WISHES, 0, number),
        )
        for number, (time_ms, action, wish, liker, sku) in enumerate(drawn)
    ]  # fmt: skip
    state = Wishes()
    for fact in data.draw(st.permutations(facts)):
        fold_wish(state, msgspec.json.decode(fact.data, type=WishData), fact.time_ms, "c1")
    likes = [fact for fact in facts if '"liked"' in fact.data or '"unliked"' in fact.data]
    rows = wish_rows([fact for fact in data.draw(st.permutations(facts)) if fact not in likes])
    made = {row["wish_id"]: row for row in rows.wishes if row["made_ms"] is not None}
    words = [
        row for row in like_rows(data.draw(st.permutations([*likes, *likes[:2]]))) if row["liked"]
    ]
    assert len(made) == state.made
    became = [row["decision"] for row in made.values()]
    assert tuple(map(became.count, ("withdrawn", "granted", "declined"))) == (
        state.withdrawn, state.granted, state.declined,
    )  # fmt: skip
    # Also of wishes that nobody made.
    assert sum(row["liker_id"] != "c1" for row in words) == state.likes
    assert sum(row["liker_id"] == "c1" for row in words) == state.self_likes
