"""The funnel by age and gender, against what each customer had said before each event."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.domain.aggregates.demographics import age_of
from streams.domain.aggregates.names import is_open
from streams.domain.shop import day_of_date
from streams.query.connecting import Database
from streams.reports.answer import answer
from streams.reports.model import Asked, Value
from streams.reports.period import Period
from streams.reports.registry import REPORTS
from tests.oracle.events import CARTS, CLICKS, ORDERS, PROFILES, Published
from tests.reports.test_traffic_agrees import counted
from tests.reports.traffic_histories import FIRST, ZONE, told

_who = st.sampled_from("abc")
_said = st.fixed_dictionaries(
    {},
    optional={
        "gender": st.sampled_from(["female", "male"]),
        "birthday": st.sampled_from(["2000-03-02", "1960-01-01"]),
        "age_band": st.sampled_from(["25-34", "grown up"]),
    },
)
_events = st.one_of(
    st.tuples(st.just(PROFILES), _who, _said.map(lambda said: {"action": "updated", **said})),
    st.tuples(st.just(CLICKS), _who, st.sampled_from([{"action": "view"}, {"action": "search"}])),
    st.tuples(
        st.just(CARTS), _who, st.sampled_from([{"action": "add", "sku": "p"}, {"action": "clear"}])
    ),
    st.tuples(st.just(ORDERS), _who, st.sampled_from([{"status": "placed"}, {"status": "paid"}])),
)


def steps(topic: str, data: dict[str, Any]) -> str | None:
    if topic == CLICKS:
        return "visitors" if data["action"] == "view" else None
    if topic == CARTS:
        return "adders" if data["action"] == "add" else None
    return {"placed": "placers", "paid": "payers"}.get(data.get("status", ""))


def parts(store: Database, events: Sequence[Published], by: str) -> dict[str, dict[str, Value]]:
    asked = Asked("s", Period(FIRST, FIRST, ZONE), by, live=counted(events, "s", commit=3))
    with store.reading() as connection:
        lines = answer(connection, REPORTS["funnel"], asked).lines
    return {line.row.key: dict(line.row.values) for line in lines if line.row.key is not None}


def band(said: dict[str, str]) -> str | None:
    # On March 1, 2026, the younger one is 25, and 26 on the day after.
    known = {"2000-03-02": "25-34", "1960-01-01": "65+"}
    if "birthday" in said:
        return known[said["birthday"]]
    return said.get("age_band") if said.get("age_band") == "25-34" else None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(_events, max_size=20))
def test_each_step_goes_by_what_had_been_said_before_it(
    store: Database, drawn: list[tuple[str, str, dict[str, Any]]]
) -> None:
    events, said = [], dict[str, dict[str, str]]()
    expected: dict[str, dict[str, dict[str, set[str]]]] = {"age": {}, "gender": {}}
    for number, (topic, who, data) in enumerate(drawn):
        more = {"order_id": f"o{number}"} if topic == ORDERS else {}
        events.append(told(topic, 1 + number / 60, who, **data, **more))
        if topic == PROFILES:
            said.setdefault(who, {}).update({k: v for k, v in data.items() if k != "action"})
            continue
        own, step = said.get(who, {}), steps(topic, data)
        for dimension, value in (("age", band(own)), ("gender", own.get("gender"))):
            if step is not None and value is not None:
                expected[dimension].setdefault(value, {}).setdefault(step, set()).add(who)
    # The states of customers are folded apart, each in its own order.
    by_customer = [event for name in "abc" for event in events if event.key == name]
    for dimension, values in expected.items():
        found = parts(store, by_customer, dimension)
        assert set(found) == set(values)
        for value, stages in values.items():
            for step in ("visitors", "adders", "placers", "payers"):
                number = found[value][step].number
                if number is None:
                    assert found[value][step].why
                    assert not any(step in own for own in values.values())
                else:
                    assert number == len(stages.get(step, ()))


def test_a_visitor_is_both_what_they_were_and_what_they_said_since(store: Database) -> None:
    view = [told(CLICKS, at, action="view") for at in (1, 3, 5)]
    first = told(PROFILES, 2, action="updated", gender="male")
    then = told(PROFILES, 4, action="updated", gender="female")
    found = parts(store, [view[0], first, view[1], then, view[2]], "gender")
    assert {key: row["visitors"].number for key, row in found.items()} == {"male": 1, "female": 1}
    assert found["male"]["payers"].why == "the shop sent no orders in the period"
    paid = told(ORDERS, 6, "d", order_id="o", status="paid")
    found = parts(store, [first, view[1], paid], "gender")
    assert found["male"]["payers"].why == "nobody of them had said their gender"


@pytest.mark.parametrize(
    ("birthday", "band"),
    [
        ("2008-03-02", "0-17"), ("2008-03-01", "18-24"), ("2001-03-02", "18-24"),
        ("2001-03-01", "25-34"), ("1900-01-01", "65+"), ("2026-03-02", ""),
    ],
)  # fmt: skip
def test_a_band_begins_on_the_birthday(birthday: str, band: str) -> None:
    assert age_of(birthday, day_of_date(FIRST)) == band


def test_there_is_always_room_for_ages_and_genders() -> None:
    assert not is_open("visitors|age|25-34")
    assert not is_open("payers|gender|female")
