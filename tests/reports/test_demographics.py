"""Buyers by what their profiles say: whose birthday is on the day, and who said nothing."""

from typing import Any

import pytest

from streams.query.connecting import Database
from streams.reports.model import Row
from tests.query.events import event
from tests.query.expected import PROFILES
from tests.reports.asking import by_key, rows
from tests.reports.histories import DAY
from tests.reports.test_examples import asked_of, paid


def told(number: int, at: float, customer: str = "c1", **data: Any) -> Any:
    return PROFILES, event(PROFILES, f"s{number}", at, customer, action="updated", **data)


def paid_amounts(found: list[Row]) -> dict[str | None, int]:
    return {key: each["paid_amount"] for key, each in by_key(found).items()}


def shown(store: Database, events: list[Any], by: str, last: str = "2026-01-31") -> Any:
    return paid_amounts(
        rows(store, asked_of(store, events, "2026-01-01", last), "demographics", by)
    )


@pytest.mark.parametrize(
    ("birthday", "band"),
    [
        ("2008-01-31", "18-24"), ("2008-02-01", "0-17"), ("1961-01-31", "65+"), ("1961-02-01", "55-64"),
        ("2026-01-31", "0-17"), ("2026-02-01", None), ("1900-01-01", "65+"),
    ],
)  # fmt: skip
def test_an_age_is_that_of_the_periods_last_day(
    store: Database, birthday: str, band: str | None
) -> None:
    said = told(1, 0, birthday=birthday, age_band="25-34")
    assert shown(store, [paid(1, 0), said], "age") == {band: 100}


def test_who_was_born_on_february_29_is_older_on_march_1_of_other_years(store: Database) -> None:
    events = [paid(1, 0), told(1, 0, birthday="2008-02-29")]
    assert shown(store, events, "age", "2026-02-28") == {"0-17": 100}
    assert shown(store, events, "age", "2026-03-01") == {"18-24": 100}


def test_what_is_known_now_counts_for_orders_of_before(store: Database) -> None:
    events = [paid(1, 0), paid(2, DAY, 30, "c2"), told(1, 60 * DAY, gender="female")]
    assert shown(store, events, "gender") == {"female": 100, None: 30}
    later = told(2, 61 * DAY, gender="male")
    earlier = told(3, 59 * DAY, gender="other")
    assert shown(store, [*events, later, earlier], "gender") == {"male": 100, None: 30}


def test_of_another_shop_and_of_the_erased_nothing_is_known(store: Database) -> None:
    elsewhere = told(1, 0, region="north", shop_id="other")
    gone = [
        told(2, 0, "c2", region="south"),
        (PROFILES, event(PROFILES, "x", 5, "c2", action="erase")),
    ]
    events = [paid(1, 0), elsewhere, *gone, paid(2, DAY, 30, "c2")]
    assert shown(store, events, "region") == {None: 130}


def test_the_orders_region_is_not_the_buyers(store: Database) -> None:
    events = [paid(1, 0, region="south"), told(1, 0, region="north", age_band="thirties")]
    assert shown(store, events, "region") == {"north": 100}
    assert shown(store, events, "age") == {"thirties": 100}
