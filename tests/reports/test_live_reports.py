"""The live reports, asked as the command asks them, against the independent computation of traffic."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.domain.aggregated import Aggregates
from streams.query.connecting import Database
from streams.reports.answer import answer
from streams.reports.model import Asked, Value
from streams.reports.period import Period
from streams.reports.registry import REPORTS
from tests.oracle.events import Published
from tests.reports.test_traffic_agrees import counted
from tests.reports.traffic_histories import FIRST, ZONE, histories
from tests.reports.traffic_oracle import Days, Traffic

LAST = FIRST.replace(day=2)
Values = dict[str, Value]


def said(
    store: Database, live: Aggregates, name: str, by: str | None = None
) -> dict[str | None, Values]:
    """The parts by key; the whole under "whole"."""
    asked = Asked("s", Period(FIRST, LAST, ZONE), by, limit=100, live=live)
    with store.reading() as connection:
        lines = answer(connection, REPORTS[name], asked).lines
    assert lines[0].row.kind == "whole"
    return {
        "whole" if at == 0 else line.row.key: dict(line.row.values) for at, line in enumerate(lines)
    }


def numbers(row: Values, *names: str) -> list[float | None]:
    for name in names:
        assert (row[name].number is None) == bool(row[name].why)
    return [row[name].number for name in names]


def check_overview(store: Database, live: Aggregates, whole: Traffic) -> None:
    rows = said(store, live, "overview", "day")
    days = {str(day): own for day, own in whole.by_day().items()}
    for key, expected in (("whole", whole), *days.items()):
        row = rows[key]
        assert row["adders"].number == len(expected.adders)
        if not whole.clicks:
            assert row["visitors"].number is None
            continue
        assert numbers(row, "visitors", "views", "add_to_cart_rate", "conversion") == [
            len(expected.visitors), len(expected.views), expected.add_to_cart_rate,
            expected.conversion,
        ]  # fmt: skip
        assert row["buyers_without_visit"].number == len(expected.payers_without_visit)
        if all("session_id" in event.data for event in expected.visits):
            assert row["sessions"].number == len(expected.sessions)
        else:
            assert row["sessions"].number is None


def check_sources(store: Database, live: Aggregates, whole: Traffic) -> None:
    for dimension in ("source", "channel", "region"):
        rows = said(store, live, "sources", dimension)
        own = whole.visitors_by(dimension)
        visitors = {key: row["visitors"].number for key, row in rows.items() if key in own}
        assert visitors == {key: len(who) for key, who in own.items()}
        parts = [row["visits"].number for key, row in rows.items() if key != "whole"]
        assert sum(number or 0 for number in parts) == len(whole.visits)


def check_keywords(store: Database, live: Aggregates, whole: Traffic) -> None:
    rows = said(store, live, "keywords", "keyword")
    assert rows.pop("whole")["searches"].number == len(whole.searches)
    untold = rows.pop(None, None)
    assert {key: row["searches"].number for key, row in rows.items()} == whole.keywords()
    told = whole.keywords().total()
    assert (untold["searches"].number if untold else 0) == len(whole.searches) - told


def check_live(store: Database, live: Aggregates, whole: Traffic) -> None:
    rows = said(store, live, "live", "live")
    found = {
        key: numbers(row, "live_entries", "live_visitors")
        for key, row in rows.items()
        if key not in ("whole", None)
    }
    assert found == {key: [entries, len(who)] for key, (entries, who) in whole.live().items()}
    assert rows["whole"]["live_entries"].number == whole.number_of("live_enter")


def check_hours(store: Database, live: Aggregates, whole: Traffic) -> None:
    rows = said(store, live, "hours", "hour")
    if whole.clicks:
        found = {int(key or 0): rows[key]["visits"].number for key in rows if key != "whole"}
        assert found == {hour: whole.by_hour()[hour] for hour in range(24)}


def check_funnel(store: Database, live: Aggregates, whole: Traffic) -> None:
    stages = whole.funnel()
    row = said(store, live, "funnel")["whole"]
    names = {"adders": "cart", "payers": "paid"}
    if whole.clicks:
        names |= {"visitors": "visit", "viewers": "view"}
    if whole.placed or not whole.paid:
        names["placers"] = "placed"
    else:
        assert row["placers"].why == "no order says when it was placed"
    assert {name: row[name].number for name in names} == {
        name: stages[stage].customers for name, stage in names.items()
    }
    for key, own in said(store, live, "funnel", "source").items():
        if key not in ("whole", None) and own["visitors"].number is not None:
            of_key = whole.funnel_by("source")[key]
            assert numbers(own, "visitors", "adders") == [
                of_key["visit"].customers, of_key["cart"].customers
            ]  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=histories, shuffler=st.randoms(use_true_random=False))
def test_live_reports_are_those_of_an_independent_computation(
    store: Database, events: list[Published], shuffler: random.Random
) -> None:
    again = [*events, *events[: len(events) // 2]]
    shuffler.shuffle(again)
    live = counted(again, "s")
    whole = Traffic(events, "s", Days(FIRST, LAST, ZONE))
    for check in (
        check_overview, check_sources, check_keywords, check_live, check_hours, check_funnel,
    ):  # fmt: skip
        check(store, live, whole)
