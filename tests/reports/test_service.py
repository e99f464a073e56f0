"""Service figures that people can work out by hand."""

from typing import Any

from streams.query.connecting import Database
from streams.query.store import QueryStore, Stored
from streams.query.tables import sink_offsets
from tests.query.events import batch_of, event, placed
from tests.query.expected import PROFILES, SERVICE
from tests.reports.asking import by_key, figures, rows
from tests.reports.histories import DAY, HOUR, READER, fill
from tests.reports.oracle import Unknown
from tests.reports.test_examples import asked_of


def told(number: int, at: float, action: str, case: str | None, **data: Any) -> Any:
    customer = data.pop("customer", "c1")
    made = event(SERVICE, f"k{number}", at, customer, action=action, case_id=case, **data)
    return SERVICE, made


EVENTS = [
    told(1, 0, "inquiry", "k1", topic="size"),
    told(2, HOUR, "replied", "k1"),
    told(3, 2 * HOUR, "resolved", "k1"),
    told(4, 3 * DAY, "resolved", "k1"),
    told(5, DAY, "complaint", "k2", topic="delivery"),
    told(6, DAY - 1, "replied", "k2"),
    # Another customer's case of that name.
    told(7, DAY, "inquiry", "k1", customer="c2"),
    told(8, DAY + 60, "replied", "k1", customer="c2"),
    told(9, DAY, "survey_answered", "k1", score=2),
    told(10, 2 * DAY, "survey_answered", "k1", score=9),
    told(11, 2 * DAY, "survey_answered", None, score=4),
]


def test_cases_are_of_their_opening_and_what_came_of_them_is_counted_there(store: Database) -> None:
    question = asked_of(store, EVENTS, "2026-01-01", "2026-01-03")
    found = rows(store, question, "service", "day")
    whole = figures(found[0])
    assert (whole["cases"], whole["complaints"], whole["replied_cases"]) == (3, 1, 2)
    assert (whole["resolved_cases"], whole["open_cases"]) == (1, 2)
    assert (whole["first_reply_median"], whole["first_reply_p90"]) == (1_830_000, 3_600_000)
    assert whole["resolution_median"] == 3 * DAY * 1_000
    assert (whole["answers"], whole["average_score"]) == (2, 6.5)
    days = by_key(found)
    assert [days[f"2026-01-0{n}"]["cases"] for n in (1, 2, 3)] == [1, 2, 0]
    # The answer that was corrected is of no day.
    assert [days[f"2026-01-0{n}"]["answers"] for n in (1, 2, 3)] == [0, 0, 2]
    assert days["2026-01-03"]["first_reply_median"] == Unknown()


def test_by_topic_answers_are_of_none(store: Database) -> None:
    question = asked_of(store, EVENTS, "2026-01-01", "2026-01-03")
    found = rows(store, question, "service", "topic")
    assert {key: each["cases"] for key, each in by_key(found).items()} == {
        "size": 1, "delivery": 1, None: 1,
    }  # fmt: skip
    assert figures(found[0])["answers"] == 2
    assert found[1].values["answers"].why == "an answer tells no topic"


def test_an_erased_customer_has_no_case(store: Database) -> None:
    gone = (PROFILES, event(PROFILES, "x", 9 * DAY, "c1", action="erase"))
    question = asked_of(store, [*EVENTS, gone], "2026-01-01", "2026-01-03")
    whole = figures(rows(store, question, "service")[0])
    assert (whole["cases"], whole["answers"]) == (1, 0)


def test_what_the_store_does_not_have_of_the_topic_is_unknown(store: Database) -> None:
    question = asked_of(store, [], "2026-01-01", "2026-01-03")
    with store.writing() as connection:
        connection.execute(sink_offsets.delete().where(sink_offsets.c.topic == SERVICE))
    found = rows(store, question, "service")[0]
    assert found.values["cases"].why == "the store has no service case yet: `huitou sink` fills it"
    fill(store, [])
    with store.writing() as connection:
        connection.execute(sink_offsets.delete().where(sink_offsets.c.topic == SERVICE))
    cut = QueryStore(store)
    cut.begin([Stored(SERVICE, 0, "id", 7, 7, None, 0, 0)])
    cut.write(batch_of(placed(EVENTS[4:5], 1), READER))
    found = rows(store, question, "service")[0]
    assert (
        found.values["cases"].why
        == "the store has this shop's service cases from 2026-01-02 00:00:00 on only"
    )
    assert found.values["cases"].at_least == 1
