"""The SQL of Taobao's traffic, against the raw rows counted one by one in plain Python."""

import gzip
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.figures import raw
from tests.figures.traffic import Traffic
from tests.taobao import sample_file

FIRST, LAST = raw.TAOBAO.first, raw.TAOBAO.last
#: Shanghai has no summer time.
_SHANGHAI = timedelta(hours=8)


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    return Traffic(raw.taobao(sample_file()))


@pytest.fixture(scope="module")
def behaviour() -> list[tuple[str, str, str, date]]:
    """(customer, category, kind, day) of each row that is whole."""
    found = []
    with gzip.open(sample_file(), "rt") as file:
        for line in file:
            fields = line.rstrip("\n").split(",")
            if len(fields) == 5 and len(fields[4]) == 10:
                moment = datetime.fromtimestamp(int(fields[4]), UTC) + _SHANGHAI
                found.append((fields[0], fields[2], fields[3], moment.date()))
    return found


def expected(rows: list[tuple[str, str, str, date]]) -> dict[str, float]:
    who = {
        kind: {customer for customer, _, of, _ in rows if of == kind}
        for kind in ("pv", "cart", "buy")
    }
    counts = Counter(kind for _, _, kind, _ in rows)
    visitors = len(who["pv"])
    return {
        "visitors": visitors, "views": counts["pv"], "visitors_who_added": len(who["cart"] & who["pv"]),
        "add_to_cart_rate": len(who["cart"] & who["pv"]) / visitors, "adders": len(who["cart"]),
        "buyers": len(who["buy"]),
        "paying_visitors": len(who["buy"] & who["pv"]), "buyers_without_visit": len(who["buy"] - who["pv"]),
        "conversion": len(who["buy"] & who["pv"]) / visitors, "cart_additions": counts["cart"],
        "favourites": counts["fav"], "paid_orders": counts["buy"],
    }  # fmt: skip


def test_a_period(traffic: Traffic, behaviour: list[tuple[str, str, str, date]]) -> None:
    inside = [row for row in behaviour if FIRST <= row[3] <= LAST]
    assert len(inside) > 80_000
    whole = traffic.figures(FIRST, LAST)[None]
    assert whole == pytest.approx(expected(inside))
    by_day = traffic.figures(FIRST, LAST, "day")
    for each in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=each)
        own = [row for row in inside if row[3] == day]
        assert by_day[str(day)] == pytest.approx(expected(own))
    assert whole["views"] == sum(row["views"] for row in by_day.values())
    assert whole["visitors"] < sum(row["visitors"] for row in by_day.values())


def test_a_category(traffic: Traffic, behaviour: list[tuple[str, str, str, date]]) -> None:
    inside = [row for row in behaviour if FIRST <= row[3] <= LAST]
    by_category = traffic.figures(FIRST, LAST, "category")
    (name, _) = Counter(category for _, category, _, _ in inside).most_common(1)[0]
    assert by_category[name] == pytest.approx(expected([row for row in inside if row[1] == name]))


def test_a_funnel(traffic: Traffic, behaviour: list[tuple[str, str, str, date]]) -> None:
    for day, steps in traffic.funnel(FIRST, LAST).items():
        own = [row for row in behaviour if str(row[3]) == day]
        viewed, added, paid = (
            {customer for customer, _, kind, _ in own if kind == wanted}
            for wanted in ("pv", "cart", "buy")
        )
        assert steps == {
            "visitors": len(viewed), "viewed": len(viewed), "added": len(viewed & added),
            "paid": len(viewed & added & paid),
        }  # fmt: skip
