"""describe: all of a state by name, as JSON can hold it."""

import json

from streams.domain.describe import describe
from streams.domain.moments import moment
from streams.domain.shop import ShopSettings
from streams.domain.state import new_state
from tests.domain.events import DAY, SHOP, START, fold_all, order
from tests.domain.sample import golden_state


def test_a_new_state_has_all_names_too() -> None:
    empty = describe(new_state("shop", "c1"), ShopSettings("shop"), START)
    full = describe(golden_state(), SHOP)
    assert _names(empty) == _names(full)
    assert empty["first_seen"] is None
    assert empty["orders"]["currency"] == "CNY"


def _names(shown: dict[str, object]) -> set[str]:
    names = set()
    for name, value in shown.items():
        names.add(name)
        if isinstance(value, dict) and name not in ("session", "duplicates"):
            names |= {f"{name}.{inner}" for inner in value}
    return names


def test_worth_is_as_of_the_moment_given_or_the_newest_event_where_that_is_later() -> None:
    state = fold_all([order("1", START, "A", "paid")])
    assert [describe(state, SHOP, as_of)["worth"]["as_of"] for as_of in (None, START - 1)] == [
        "2024-06-01T00:00:00.000Z"
    ] * 2
    later = describe(state, SHOP, START + DAY)["worth"]
    assert (later["as_of"], later["day"]) == ("2024-06-02T00:00:00.000Z", "2024-06-02")
    assert later["rfm"]["recency_days"] == 1


def test_worth_is_unknown_without_settings_or_a_moment() -> None:
    assert describe(golden_state(), None)["worth"] is None
    assert describe(new_state("shop", "c1"), SHOP)["worth"] is None


def test_it_is_json() -> None:
    shown = describe(golden_state(), SHOP)
    assert json.loads(json.dumps(shown)) == shown


def test_times_are_rfc_3339_to_the_millisecond() -> None:
    assert moment(0) == "1970-01-01T00:00:00.000Z"
    assert moment(-1) == "1969-12-31T23:59:59.999Z"
    assert moment(253_402_300_799_999) == "9999-12-31T23:59:59.999Z"
    assert moment(None) is None
