"""Profiles in the store are those of the live state, whatever came in which order and was left out."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from schemas.forwarded import forwarded_header
from schemas.profile import Profile as ProfileData
from streams.domain.duplicates import hash_of
from streams.domain.profile import Profile, consents_of, fold_profile
from streams.query.batch import Batch, BatchReader, LeftOut, Slice
from streams.query.connecting import Database
from streams.query.facts import CustomerFact
from streams.query.migrating import bring_up
from streams.query.profiles import profile_row
from streams.query.store import QueryStore, Stored
from tests.query.conftest import open_store
from tests.query.events import APPENDED_MS, batch_of, event, placed, record, slices_of
from tests.query.expected import ORDERS, PROFILES, Published, expected
from tests.query.stored import content, differences

LATER = "g2."
READER = BatchReader(1, {PROFILES: PROFILES, LATER + PROFILES: PROFILES, ORDERS: ORDERS})


def said(event_id: str, at: float, customer: str = "c1", **data: Any) -> Any:
    return PROFILES, event(PROFILES, event_id, at, customer, **{"action": "updated", **data})


NORTH = said("1", 0, region="north", gender="female", birthday="1990-02-28")
SOUTH = said("2", 60, region="south", tags=["vip", "new"])
JOINED = said("3", 30, action="joined_membership")
NO_SMS = said("4", 90, action="consent", consent={"sms": False})
OTHER = said("5", 10, "c2", region="east")
ALL = [NORTH, SOUTH, JOINED, NO_SMS, OTHER]


def written(database: Database, *parts: Sequence[Published]) -> None:
    for part in parts:
        QueryStore(database).write(batch_of(part, READER))


def regions(database: Database) -> dict[str, str | None]:
    return {row["customer_id"]: row["region"] for row in content(database)["profiles"]}


@pytest.fixture
def file(tmp_path: Any) -> Any:
    opened = open_store(f"sqlite:///{tmp_path / 'query'}.sqlite")
    bring_up(opened)
    yield opened
    opened.close()


def test_of_each_field_the_last_is_kept_whatever_came_first(database: Database) -> None:
    published = placed(ALL, 1)
    written(database, published[3:], published[1:2], published[:3], published)
    found = content(database)
    assert differences(expected(published), found) == []
    row = next(row for row in found["profiles"] if row["customer_id"] == "c1")
    assert (row["region"], row["gender"], row["birthday"]) == ("south", "female", "1990-02-28")
    assert (row["tags"], row["consents"]) == ('["new", "vip"]', '{"sms": false}')
    assert row["age_band"] is None


def test_what_was_left_out_is_in_no_profile_and_what_it_covered_is_back(file: Database) -> None:
    published = placed(ALL, 1)
    for first in (True, False):
        with file.writing() as connection:
            for name in ("profile_events", "profiles", "left_out"):
                connection.execute(text(f"DELETE FROM {name}"))
        verdict = Batch(left_out=[LeftOut(published[n].place, "future_time") for n in (1, 4)])
        batches = [verdict, batch_of(published, READER)]
        for batch in batches if first else reversed(batches):
            QueryStore(file).write(batch)
        # Who has nothing left has no row.
        assert regions(file) == {"c1": "north"}
        gone = {published[n].place: "future_time" for n in (1, 4)}
        assert differences(expected(published, gone), content(file)) == []


def test_what_lies_ahead_of_its_record_is_for_the_worker_to_judge(file: Database) -> None:
    """But an erasure, which nothing brings back."""
    published = placed([NORTH, said("x", 5, action="erase")], 1)
    stamp = APPENDED_MS - 400 * 86_400_000
    read = READER.read(slices_of([record(one)._replace(timestamp=stamp) for one in published]))
    assert (len(read.profiles), read.erasures) == (1, [])
    assert [each.passed_over for each in read.advances] == [1]


@pytest.mark.parametrize("first", ["original", "copy"])
def test_a_copy_in_another_generation_stands_for_the_record(file: Database, first: str) -> None:
    published = placed([NORTH], 1)
    header = forwarded_header(*published[0].place)
    copy = record(published[0])._replace(topic=LATER + PROFILES, offset=7, headers=[header])
    forwarded = READER.read([Slice(LATER + PROFILES, 0, 7, 8, [copy])])
    forwarded.advances = []
    batches = [batch_of(published, READER), forwarded]
    for batch in batches if first == "original" else reversed(batches):
        QueryStore(file).write(batch)
    moved = Published(PROFILES, (LATER + PROFILES, 0, 7), published[0].event)
    wanted = expected([*published, moved], {published[0].place: "forwarded"})
    assert differences(wanted, content(file)) == []


@pytest.mark.parametrize("order", list(permutations([NORTH, said("x", 20, action="erase"), SOUTH])))
def test_what_was_said_until_an_erasure_goes(file: Database, order: Any) -> None:
    published = placed(order, 1)
    written(file, *([one] for one in published))
    found = content(file)
    assert differences(expected(published), found) == []
    (row,) = found["profiles"]
    assert (row["region"], row["gender"]) == ("south", None)


def test_a_store_of_an_older_build_reads_the_topic_again(new_store: Any) -> None:
    """It stood behind all profiles, of which it had taken the erasures."""
    opened = open_store(new_store())
    bring_up(opened, "0008")
    published = placed([*ALL, said("x", 65, action="erase"), said("6", 70, gender="male")], 1)
    with opened.writing() as connection:
        for topic in (PROFILES, "g2.shop.profiles", ORDERS):
            connection.execute(
                text(
                    "INSERT INTO sink_offsets (topic, partition, topic_id, first_offset, next_offset, "
                    f"records, passed_over) VALUES ('{topic}', 0, 'id', 0, 7, 7, 0)"
                )
            )
        connection.execute(
            text("INSERT INTO erased VALUES ('shop', 'c1', :until)"),
            {"until": expected(published)["erased"][0]["until_ms"]},
        )
    bring_up(opened)
    store = QueryStore(opened)
    assert [topic for topic, _ in store.offsets()] == [ORDERS]
    store.begin([Stored(PROFILES, 0, "id", 0, 0, None, 0, 0)])
    store.write(READER.read(slices_of([record(one) for one in published])))
    found = content(opened)
    assert differences(expected(published), found) == []
    assert regions(opened) == {"c1": None, "c2": "east"}
    assert store.offsets()[PROFILES, 0].next == len(published)
    opened.close()


def test_of_one_event_id_with_two_contents_the_earlier_counts_in_any_order() -> None:
    """The live state takes what came first, which the store does not know."""
    told = [
        said("1", 60, region="north"),
        said("1", 0, region="south"),
        said("1", 0, region="west"),
    ]
    facts = batch_of(placed(told, 1), READER).profiles
    assert {profile_row(some)["region"] for some in permutations(facts)} == {"south"}


# --- any order

_words = st.fixed_dictionaries(
    {},
    optional={
        "region": st.sampled_from(["north", "south", "区" * 64]),
        "gender": st.sampled_from(["female", "male"]),
        "birthday": st.sampled_from(["1990-02-28", "2001-01-01"]),
        "income_band": st.sampled_from(["low", "high"]),
        "education": st.just("school"),
        "tags": st.lists(st.sampled_from(["a", "b", "标" * 64, "签" * 50]), max_size=4),
        "consent": st.dictionaries(st.sampled_from(["sms", "email"]), st.booleans(), max_size=2),
    },
)
_facts = st.lists(
    st.tuples(
        st.sampled_from([1_000, 1_001, 9_000]),
        st.sampled_from(["updated", "updated", "consent", "joined_membership"]),
        _words,
    ),
    min_size=1,
    max_size=9,
)


def as_facts(drawn: Sequence[tuple[int, str, dict[str, Any]]]) -> list[CustomerFact]:
    return [
        CustomerFact(
            ("shop", "c1"), time_ms, "app", f"e{number}",
            msgspec.json.encode({"shop_id": "shop", "action": action, **words}).decode(),
            (PROFILES, 0, number),
        )
        for number, (time_ms, action, words) in enumerate(drawn)
    ]  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(_facts, st.data())
def test_a_row_is_what_the_live_state_comes_to(drawn: Any, data: st.DataObject) -> None:
    facts = as_facts(drawn)
    state = Profile()
    for fact in data.draw(st.permutations(facts)):
        said_of = msgspec.json.decode(fact.data, type=ProfileData)
        fold_profile(state, said_of, fact.time_ms, hash_of(fact.source, fact.event_id))
    arrived = data.draw(st.permutations([*facts, *data.draw(st.lists(st.sampled_from(facts)))]))
    row = profile_row(arrived)
    for name in ("birthday", "gender", "age_band", "income_band", "education", "region"):
        assert row[name] == (getattr(state, name) or None), name
    assert msgspec.json.decode(row["tags"]) == state.tags
    assert msgspec.json.decode(row["consents"]) == {
        channel: given for channel, (given, _) in consents_of(state).items()
    }
    assert row["joined_ms"] == state.joined_at
    assert row["changed_ms"] == max(fact.time_ms for fact in facts)
