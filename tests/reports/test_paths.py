"""Browse paths, asked as the command asks them, against a count of the events one by one."""

import random
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.domain.aggregates.names import is_open
from streams.domain.aggregates.paths import NAMES
from streams.query.connecting import Database
from streams.reports.answer import answer
from streams.reports.model import Asked, Row
from streams.reports.period import Period
from streams.reports.registry import REPORTS
from tests.oracle.events import CARTS, CLICKS, Published
from tests.reports.test_traffic_agrees import counted
from tests.reports.traffic_histories import FIRST, ZONE, told

LAST = FIRST.replace(day=2)
_actions = st.sampled_from(
    ["view", "view", "view", "search", "live_enter", "campaign_open", "store_visit", "favorite"]
)
_clicks = st.builds(
    lambda at, who, action, data: told(CLICKS, at, who, action=action, **data),
    st.sampled_from([1, 2, 23, 24, 47]), st.sampled_from("ab"), _actions,
    st.fixed_dictionaries(
        {},
        optional={
            "sku": st.just("p"), "page_kind": st.sampled_from(["home", "category"]),
            "came_from": st.sampled_from(["none", "home", "product", "search"]),
        },
    ),
)  # fmt: skip


def rows(
    store: Database, events: list[Published], by: str | None, limit: int = 20, days: int = 2
) -> list[Row]:
    period = Period(FIRST, FIRST.replace(day=days), ZONE)
    asked = Asked("s", period, by, limit=limit, live=counted(events, "s"))
    with store.reading() as connection:
        return [line.row for line in answer(connection, REPORTS["paths"], asked).lines]


def steps(events: list[Published]) -> Counter[tuple[str, str]]:
    """(kind before, kind looked at) -> how often, of what tells both."""
    found: Counter[tuple[str, str]] = Counter()
    fixed = {"search": "search", "live_enter": "live", "campaign_open": "campaign",
             "store_visit": "store"}  # fmt: skip
    for event in events:
        data = event.value["data"]
        kind = fixed.get(data["action"])
        if data["action"] == "view":
            kind = data.get("page_kind", "product" if "sku" in data else None)
        if kind is not None and "came_from" in data:
            found[data["came_from"], kind] += 1
    return found


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(_clicks, max_size=25), shuffler=st.randoms(use_true_random=False))
def test_paths_are_those_that_looks_tell(
    store: Database, events: list[Published], shuffler: random.Random
) -> None:
    again = [*events, *events[: len(events) // 2]]
    shuffler.shuffle(again)
    expected = steps(events)
    whole, *parts = rows(store, again, "step")
    if not expected:
        looks = [event for event in events if event.value["data"]["action"] != "favorite"]
        known = events and not looks
        assert whole.values["page_views"].number == (0 if known else None)
        return
    assert {row.key: row.values["page_views"].number for row in parts} == {
        f"{before}>{page}": number for (before, page), number in expected.items()
    }
    views: Counter[str] = Counter()
    went_on: Counter[str] = Counter()
    for (before, page), number in expected.items():
        views[page] += number
        went_on[before] += number
    assert whole.values["page_views"].number == views.total()
    assert whole.values["entries"].number == went_on["none"]
    for row in parts:
        before = (row.key or "").partition(">")[0]
        of = went_on["none"] if before == "none" else views[before]
        found = row.values["went_on_share"].number
        number = row.values["page_views"].number or 0
        assert found == (round(number / of, 6) if of else None)
    _, *parts = rows(store, again, "page")
    for row in parts:
        kind = row.key or ""
        assert row.values["page_views"].number == views[kind]
        assert row.values["entries"].number == expected["none", kind]
        assert row.values["went_on"].number == went_on[kind]
        assert row.values["exits"].number == max(0, views[kind] - went_on[kind])
    assert {row.key for row in parts} == (set(views) | set(went_on)) - {"none"}


def visit(*kinds: str) -> list[Published]:
    return [
        told(CLICKS, at, action="view", page_kind=kind, came_from=before)
        for at, (before, kind) in enumerate(zip(("none", *kinds), kinds, strict=False))
    ]


def test_a_visit_has_one_entry_and_one_exit(store: Database) -> None:
    whole, *parts = rows(store, visit("home", "category", "product", "category"), "page")
    assert {name: value.number for name, value in whole.values.items()} == {
        "page_views": 4, "entries": 1, "went_on": 3, "exits": 1, "went_on_share": 0.75,
    }  # fmt: skip
    ends = {row.key: (row.values["entries"].number, row.values["exits"].number) for row in parts}
    assert ends == {"home": (1, 0), "category": (0, 1), "product": (0, 0)}


def test_what_is_left_out_is_one_row(store: Database) -> None:
    events = [*visit("home", "category"), *visit("home", "category"), *visit("home", "search")]
    whole, *parts = rows(store, events, "step", limit=1)
    assert [(row.kind, row.key) for row in parts] == [("part", "none>home"), ("others", None)]
    numbers = [row.values["page_views"].number for row in parts]
    assert numbers == [3, 3]
    assert whole.values["page_views"].number == 6
    assert parts[1].values["went_on_share"].number is None


def test_looks_that_tell_nothing_of_it_are_not_0(store: Database) -> None:
    view = told(CLICKS, 1, action="view")
    (whole,) = rows(store, [view], "step")
    assert whole.values["page_views"].why == (
        "no look at a page tells what was looked at before (came_from)"
    )
    (whole,) = rows(store, [told(CARTS, 1, action="clear")], "step")
    assert whole.values["page_views"].why == "the shop sent no clicks in the period"
    period = Period(FIRST, FIRST, ZONE)
    asked = Asked("s", period, "step", live=counted([view, *visit("home")], "s"))
    with store.reading() as connection:
        notes = answer(connection, REPORTS["paths"], asked).notes
    assert "1 of 2 looks at pages tell nothing of this and are in no figure." in notes


def test_there_is_always_room_for_a_step() -> None:
    names = {name for after in NAMES.values() for name in after.values()}
    assert not any(is_open(name) for name in names)
    assert len(names) == 12 * 13
