"""The reports of traffic over Taobao's sample, against the SQL over its raw rows."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from producers.replay.taobao import TaobaoFeed, read_sample
from streams.domain.aggregated import AggregatesInMemory
from streams.domain.shop import day_of_date
from streams.query.migrating import bring_up
from streams.reports.answer import answer
from streams.reports.model import Asked, Row, Value
from streams.reports.period import Period
from streams.reports.registry import REPORTS
from tests.figures import raw
from tests.figures.traffic import Traffic
from tests.oracle.events import Published
from tests.query.conftest import open_store
from tests.reports.test_traffic_agrees import counted
from tests.taobao import sample_file

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
FIRST, LAST = raw.TAOBAO.first, raw.TAOBAO.last
#: All nine days, four of them, and one.
PERIODS = [(FIRST, LAST), (date(2017, 11, 27), date(2017, 11, 30)), (date(2017, 12, 2),) * 2]
#: Events of a commit; about as many as the worker's.
_COMMIT = 500


class Live:
    """Taobao's sample as the replay sends it, folded and counted, and a store that has nothing."""

    def __init__(self, folder: Path) -> None:
        rows = read_sample(sample_file(), on_refused=lambda _: None)
        sent = [
            Published(record.topic, (record.key or b"").decode(), json.loads(record.value or b""))
            for record in TaobaoFeed(rows).records()
        ]
        self.events = len(sent)
        self.live: AggregatesInMemory = counted(sent, raw.TAOBAO.name, _COMMIT)
        self._database = open_store(f"sqlite:///{folder / 'empty'}.sqlite")
        bring_up(self._database)

    def rows(self, name: str, first: date, last: date, by: str | None = None) -> list[Row]:
        period = Period(first, last, raw.TAOBAO.zone)
        asked = Asked(raw.TAOBAO.name, period, by, limit=10_000, live=self.live)
        with self._database.reading() as connection:
            return [line.row for line in answer(connection, REPORTS[name], asked).lines]

    def parts(
        self, name: str, first: date, last: date, by: str
    ) -> tuple[Mapping[str, Value], dict[str | None, Mapping[str, Value]]]:
        whole, *parts = self.rows(name, first, last, by)
        return whole.values, {row.key: row.values for row in parts if row.kind == "part"}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Live:
    return Live(tmp_path_factory.mktemp("traffic"))


@pytest.fixture(scope="module")
def sql() -> Traffic:
    return Traffic(raw.taobao(sample_file()))


#: Figure -> that of the SQL, and the factor of a share's rounding.
_OVERVIEW = {
    "visitors": "visitors", "views": "views", "adders": "adders", "add_to_cart_rate": "add_to_cart_rate",
    "conversion": "conversion", "buyers_without_visit": "buyers_without_visit",
}  # fmt: skip


def same(found: Mapping[str, Value], wanted: Mapping[str, Any], names: Mapping[str, str]) -> None:
    for figure, column in names.items():
        value, expected = found[figure], wanted[column]
        assert value.number is not None, (figure, value.why)
        assert value.error is None, "a few hundred customers are counted exactly"
        assert value.number == pytest.approx(expected, abs=5e-7), figure


@pytest.mark.parametrize(("first", "last"), PERIODS)
def test_overview_as_a_whole_and_by_day(live: Live, sql: Traffic, first: date, last: date) -> None:
    assert live.events > 80_000
    whole, days = live.parts("overview", first, last, "day")
    same(whole, sql.figures(first, last)[None], _OVERVIEW)
    by_day = sql.figures(first, last, "day")
    assert days.keys() == by_day.keys()
    for day, own in days.items():
        same(own, by_day[day or ""], _OVERVIEW)
    numbers = [own["visitors"].number or 0 for own in days.values()]
    if len(numbers) > 1:
        assert (whole["visitors"].number or 0) < sum(numbers), "no sum of days"


@pytest.mark.parametrize(("first", "last"), PERIODS)
def test_funnel(live: Live, sql: Traffic, first: date, last: date) -> None:
    names = {"visitors": "visitors", "viewers": "visitors", "adders": "adders", "payers": "buyers"}
    whole, days = live.parts("funnel", first, last, "day")
    same(whole, sql.figures(first, last)[None], names)
    for day, wanted in sql.figures(first, last, "day").items():
        same(days[day], wanted, names)
    assert whole["placers"].why == "no order says when it was placed"


@pytest.mark.parametrize(("first", "last"), PERIODS)
def test_funnel_by_category_where_all_categories_are_kept(
    live: Live, sql: Traffic, first: date, last: date
) -> None:
    """A partition's day has room for 256 sets; where there were more, a part is at least so many."""
    _, parts = live.parts("funnel", first, last, "category")
    by_category = sql.figures(first, last, "category")
    exact = 0
    for category, own in parts.items():
        if category is None:
            continue
        for figure, column in (
            ("visitors", "visitors"),
            ("payers", "buyers"),
            ("adders", "adders"),
        ):
            value, wanted = own[figure], by_category[category][column]
            if value.number is None:
                assert "more parts than are kept" in str(value.why)
                assert (value.at_least or 0) <= wanted
            else:
                assert value.number == wanted
                exact += 1
    days = range(day_of_date(first), day_of_date(last) + 1)
    assert exact or live.live.coverage(raw.TAOBAO.name, days).cut


@pytest.mark.parametrize(("first", "last"), PERIODS)
def test_carts_and_hours(live: Live, sql: Traffic, first: date, last: date) -> None:
    whole, days = live.parts("carts", first, last, "day")
    names = {"adds": "cart_additions", "adders": "adders", "views": "views"}
    same(whole, sql.figures(first, last)[None], names)
    for day, wanted in sql.figures(first, last, "day").items():
        same(days[day], wanted, names)
    _, hours = live.parts("hours", first, last, "hour")
    found = {int(hour or 0): own["visits"].number for hour, own in hours.items()}
    wanted_hours = sql.hours(first, last)
    assert found == {hour: wanted_hours.get(hour, 0) for hour in range(24)}


@pytest.mark.parametrize(("first", "last"), PERIODS)
def test_completeness(live: Live, sql: Traffic, first: date, last: date) -> None:
    """The sample tells customer, product, category and time of each row, and nothing else."""
    counted = sql.figures(first, last)[None]
    events = {
        "shop.clicks": counted["views"] + counted["favourites"],
        "shop.carts": counted["cart_additions"],
        "shop.orders": counted["paid_orders"],
    }
    told = {
        "shop.clicks sku", "shop.clicks category", "shop.carts category", "shop.orders lines",
    }  # fmt: skip
    whole, parts = live.parts("completeness", first, last, "field")
    assert whole["events"].number == sum(events.values())
    assert {str(key).split()[0] for key in parts} == set(events)
    assert told <= set(parts)
    for key, own in parts.items():
        number = events[str(key).split()[0]]
        assert own["events"].number == number, key
        assert own["told"].number == (number if key in told else 0), key


def test_what_the_sample_does_not_tell_is_not_known(live: Live, sql: Traffic) -> None:
    _, sources = live.parts("sources", FIRST, LAST, "source")
    for own in sources.values():
        assert own["payers"].number is None
    whole = live.rows("overview", FIRST, LAST)[0].values
    assert whole["sessions"].number is None
    assert whole["average_dwell"].why == "no view tells how long it was looked at"
    attributed = live.rows("attribution", FIRST, LAST)[0].values
    wanted = sql.figures(FIRST, LAST)[None]["paid_orders"]
    assert attributed["untouched_orders"].number == wanted > 0
    assert attributed["last_touch_orders"].number == 0
    for row in live.rows("paths", FIRST, LAST):
        assert {value.number for value in row.values.values()} == {None}
    for name in ("keywords", "sharing", "live"):
        numbers = {
            value.number for row in live.rows(name, FIRST, LAST) for value in row.values.values()
        }
        assert numbers <= {None, 0}, name
