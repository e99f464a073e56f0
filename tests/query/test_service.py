"""Cases and surveys in the store are those of the live state, whatever came in which order."""

from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.service import Service as ServiceData
from streams.domain.duplicates import hash_of
from streams.domain.service import Service, fold_service
from streams.query.batch import Batch, BatchReader, LeftOut
from streams.query.connecting import Database
from streams.query.facts import CustomerFact
from streams.query.migrating import bring_up
from streams.query.service import service_rows
from streams.query.store import QueryStore, Stored
from tests.query.conftest import open_store
from tests.query.events import batch_of, event, placed
from tests.query.expected import PROFILES, SERVICE, expected
from tests.query.stored import content, differences

READER = BatchReader(1, {SERVICE: SERVICE, PROFILES: PROFILES})


def told(event_id: str, at: float, action: str, case: str | None = "k1", **data: Any) -> Any:
    return SERVICE, event(SERVICE, event_id, at, "c1", action=action, case_id=case, **data)


EARLY = told("1", 5, "replied")
ASKED = told("2", 10, "inquiry", topic="delivery")
ANSWER = told("3", 40, "replied", topic="other")
DONE = told("4", 60, "resolved")
AGAIN = told("5", 90, "resolved")
SURVEY = told("6", 100, "survey_answered", score=4)
BETTER = told("7", 110, "survey_answered", score=9)
FREE = told("8", 105, "survey_answered", None, score=1)


@pytest.fixture
def file(tmp_path: Any) -> Any:
    opened = open_store(f"sqlite:///{tmp_path / 'query'}.sqlite")
    bring_up(opened)
    yield opened
    opened.close()


def test_a_case_has_its_first_reply_after_the_opening_and_its_last_resolution(
    database: Database,
) -> None:
    published = placed([EARLY, ASKED, ANSWER, DONE, AGAIN, SURVEY, BETTER, FREE], 1)
    for part in (published[5:], published[2:5], published[:3], published):
        QueryStore(database).write(batch_of(part, READER))
    found = content(database)
    assert differences(expected(published), found) == []
    (case,) = found["cases"]
    since = case["opened_ms"]
    assert (case["replied_ms"] - since, case["resolved_ms"] - since) == (30_000, 80_000)
    assert (case["topic"], case["complaint"]) == ("delivery", 0)
    assert {row["case_id"]: row["score"] for row in found["surveys"]} == {"k1": 9, "": 1}


def test_what_is_left_out_or_erased_is_in_no_row(file: Database) -> None:
    every = [ASKED, ANSWER, DONE, BETTER]
    published = placed(every, 1)
    gone = {published[n].place: "skipped" for n in (1, 3)}
    verdict = Batch(left_out=[LeftOut(place, "skipped") for place in gone])
    for batch in (batch_of(published, READER), verdict, batch_of(published, READER)):
        QueryStore(file).write(batch)
    found = content(file)
    assert differences(expected(published, gone), found) == []
    assert (found["cases"][0]["replied_ms"], found["surveys"]) == (None, [])
    erase = PROFILES, event(PROFILES, "x", 20, "c1", action="erase")
    told_then = placed([*every, erase], 1)
    QueryStore(file).write(batch_of(told_then[4:], READER))
    found = content(file)
    # What is left of the case is no opening.
    assert [row["opened_ms"] for row in found["cases"]] == [None]
    assert len(found["service_events"]) == 1


def test_a_store_of_an_older_build_reads_the_verdicts_again(tmp_path: Any) -> None:
    """Those on cases it did not take."""
    opened = open_store(f"sqlite:///{tmp_path / 'older'}.sqlite")
    bring_up(opened, "0009")
    store = QueryStore(opened)
    topics = ("shop.deadletters", "g2.shop.deadletters", "shop.orders", PROFILES)
    store.begin([Stored(topic, 0, "id", 0, 7, None, 0, 0) for topic in topics])
    bring_up(opened)
    assert sorted(topic for topic, _ in store.offsets()) == ["shop.orders", PROFILES]
    opened.close()


_facts = st.lists(
    st.tuples(
        st.sampled_from([1_000, 1_001, 9_000]),
        st.sampled_from(["inquiry", "replied", "complaint", "resolved", "survey_answered"]),
        st.sampled_from(["k1", "k2"]),
        st.integers(0, 10),
    ),
    min_size=1,
    max_size=9,
)


def as_facts(drawn: Any) -> list[CustomerFact]:
    return [
        CustomerFact(
            ("shop", "c1"), time_ms, "app", f"e{number}",
            msgspec.json.encode(
                {"shop_id": "shop", "action": action, "case_id": case, "score": score}
            ).decode(),
            (SERVICE, 0, number),
        )
        for number, (time_ms, action, case, score) in enumerate(drawn)
    ]  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(_facts, st.data())
def test_rows_add_up_to_the_live_state(drawn: Any, data: st.DataObject) -> None:
    """Of few cases with few replies, of which the state has forgotten nothing."""
    facts = as_facts(drawn)
    replied = [fact for fact in facts if '"replied"' in fact.data]
    facts = [fact for fact in facts if fact not in replied[4:]]
    state = Service()
    for fact in data.draw(st.permutations(facts)):
        said = msgspec.json.decode(fact.data, type=ServiceData)
        fold_service(state, said, fact.time_ms, hash_of(fact.source, fact.event_id))
    rows = service_rows(data.draw(st.permutations([*facts, *facts[:3]])))
    cases = [row for row in rows.cases if row["opened_ms"] is not None]
    replies = [row["replied_ms"] - row["opened_ms"] for row in cases if row["replied_ms"]]
    resolved = [row["resolved_ms"] - row["opened_ms"] for row in cases if row["resolved_ms"]]
    timed = [lasted for lasted in resolved if lasted >= 0]
    assert len(cases) == state.opened
    assert sum(row["complaint"] for row in cases) == state.complaints
    assert (len(replies), sum(replies)) == (state.replied, state.reply_ms)
    assert (len(resolved), len(timed)) == (state.resolved, state.resolved_timed)
    assert sum(timed) == state.resolution_ms
    answered = {row["answered_ms"]: row["score"] for row in rows.surveys}
    assert max(answered, default=None) == state.survey_at
    if len({row["answered_ms"] for row in rows.surveys}) == len(rows.surveys):
        assert answered.get(state.survey_at or 0) == state.survey_score


def test_rows_do_not_hang_on_the_order() -> None:
    facts = batch_of(placed([EARLY, ASKED, ANSWER, SURVEY, BETTER], 1), READER).service
    first = service_rows(facts)
    assert all(service_rows(some) == first for some in permutations(facts) if some[0] == facts[0])
    assert service_rows(facts[::-1]).cases == first.cases
