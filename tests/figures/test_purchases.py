"""`huitou report` of the real data sets against SQL over their raw files."""

import os
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from producers.replay.completejourney import JourneyFeed
from producers.replay.journey_files import JourneyFiles
from producers.replay.taobao import TaobaoFeed, read_sample
from streams.reports import visits
from tests.figures import raw
from tests.figures.asking import Reports, Table, Unknown, filled
from tests.figures.customers import Customers
from tests.figures.purchases import Purchases
from tests.taobao import sample_file

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

#: Households of The Complete Journey: an eighth, for time; all: HUITOU_JOURNEY_HOUSEHOLDS=all.
_HOUSEHOLDS = os.environ.get("HUITOU_JOURNEY_HOUSEHOLDS", "300")
#: Parts that are asked for; the others are one row.
_MOST = 1_000
_CLOCK_CHANGED = (date(2017, 3, 9), date(2017, 3, 14))
#: Per data set: periods of whole months, weeks cut at both ends, one day, one with a change of the clock.
PERIODS = {
    "completejourney": [
        (date(2017, 1, 1), date(2017, 12, 31)), (date(2017, 5, 3), date(2017, 9, 20)),
        (date(2017, 11, 24), date(2017, 11, 24)), _CLOCK_CHANGED,
    ],
    "taobao": [
        (date(2017, 11, 25), date(2017, 12, 3)), (date(2017, 11, 28), date(2017, 12, 1)),
        (date(2017, 12, 2), date(2017, 12, 2)),
    ],
}  # fmt: skip


class Compared:
    """A data set as its shop's reports and as SQL over its files."""

    def __init__(self, data: raw.DataSet, url: str, connection: Any) -> None:
        self.data = data
        self.reports = Reports(url, data)
        self.purchases = Purchases(connection)
        self.customers = Customers(connection)


@pytest.fixture(scope="module", params=["completejourney", "taobao"])
def compared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    file = tmp_path_factory.mktemp("figures") / "query.sqlite"
    if request.param == "taobao":
        sample = sample_file()
        rows = read_sample(sample, on_refused=lambda _: None)
        return Compared(raw.TAOBAO, filled(TaobaoFeed(rows), file), raw.taobao(sample))
    households = None if _HOUSEHOLDS == "all" else int(_HOUSEHOLDS)
    feed = JourneyFeed(JourneyFiles.installed(), households=households)
    return Compared(raw.JOURNEY, filled(feed, file), raw.journey(households))


def same(said: Table, wanted: Table) -> int:
    """Every figure that SQL has is what the report says; how many. What SQL has no rows of is nothing."""
    assert set(wanted) <= set(said), sorted(map(str, set(wanted) - set(said)))
    number = 0
    for key, figures in said.items():
        if key not in wanted:
            counts = {v for v in figures.values() if not isinstance(v, Unknown)}
            assert counts <= {0}, (key, figures)
            continue
        for name, value in wanted[key].items():
            assert figures[name] == value, (key, name, figures[name], value)
            number += 1
    return number


Expected = Callable[[Purchases, date, date, str | None], Table]
#: Report -> its dimensions that the data sets feed, and what it must say.
BY_DIMENSION: dict[str, tuple[tuple[str | None, ...], Expected]] = {
    "overview": ((None, "day", "week", "month"), Purchases.paid),
    "payments": (("payment", "day", "week", "month"), Purchases.paid),
    "regions": (("region", "day", "week", "month"), Purchases.paid),
    "demographics": (("age", "day", "week", "month"), Purchases.paid),
    "hours": (("hour",), Purchases.paid),
    "refunds": ((None, "day", "week", "month"), Purchases.refunds),
    "fulfilment": ((None, "day", "week", "month", "region", "carrier"), Purchases.fulfilment),
    "intervals": (("length", "day", "week", "month"), Purchases.intervals),
    "products": (
        ("product", "category", "day", "week", "month"),
        lambda has, first, last, by: has.products(first, last, by, _MOST),
    ),
}


@pytest.mark.parametrize("name", list(BY_DIMENSION))
def test_what_was_paid(compared: Compared, name: str) -> None:
    dimensions, expected = BY_DIMENSION[name]
    for first, last in PERIODS[compared.data.name]:
        for by in dimensions:
            said = compared.reports.ask(name, first, last, by)
            assert same(said, expected(compared.purchases, first, last, by)) > 0


def test_who_came_back(compared: Compared) -> None:
    for first, last in PERIODS[compared.data.name]:
        said = compared.reports.ask("repurchase", first, last)
        assert same(said, compared.purchases.repurchase(first, last)) == 40


@pytest.mark.parametrize("name", ["cohorts", "value"])
def test_months_of_first_orders(compared: Compared, name: str) -> None:
    for first, last in PERIODS[compared.data.name]:
        said = compared.reports.ask(name, first, last)
        assert same(said, getattr(compared.purchases, name)(first, last)) > 0


@pytest.mark.parametrize("by", ["segment", "r", "f", "m"])
def test_recency_frequency_money(compared: Compared, by: str) -> None:
    for first, last in PERIODS[compared.data.name]:
        said = compared.reports.ask("rfm", first, last, by)
        assert same(said, compared.customers.rfm(last, by)) > 0


def test_tiers(compared: Compared) -> None:
    moved = 0
    for first, last in PERIODS[compared.data.name]:
        said = compared.reports.ask("members", first, last)
        wanted = compared.customers.tiers(first, last)
        assert same(said, wanted) > 0
        moved += wanted["whole", None]["moved_up"] + wanted["whole", None]["moved_down"]
        # Households say their age; nobody says who joined anything.
        members = said["whole", None]["members"]
        assert members == (0 if compared.data.priced else Unknown())
    # What tells no amount gives no tier.
    assert (moved > 0) == compared.data.priced


def test_coupons(compared: Compared) -> None:
    """Each order's, and the orders of each coupon that were used most."""
    if not compared.data.priced:
        assert compared.reports.coupons() == []
        return
    redeemed = compared.purchases.coupons()
    assert sorted(compared.reports.coupons()) == sorted(redeemed)
    often = Counter(code for _, _, code in redeemed).most_common(5)
    for code, number in often:
        assert len(compared.reports.orders_with(code)) == number


def test_stages_of_life(compared: Compared) -> None:
    for first, last in PERIODS[compared.data.name]:
        said = compared.reports.ask("lifecycle", first, last)
        assert isinstance(said["part", "visitor"].pop("customers"), Unknown)
        assert same(said, compared.customers.lifecycle(last)) > 0


def test_buyers_of_a_period_are_no_sum_of_its_days(compared: Compared) -> None:
    """The data could tell the two apart."""
    first, last = PERIODS[compared.data.name][0]
    said = compared.reports.ask("overview", first, last, "day")
    days = sum(figures["buyers"] for (kind, _), figures in said.items() if kind == "part")
    assert said["whole", None]["buyers"] < days


def test_what_the_data_does_not_tell_is_not_known(compared: Compared) -> None:
    """``ask`` has seen a reason for each of these."""
    first, last = PERIODS[compared.data.name][0]
    whole = compared.reports.ask("overview", first, last)["whole", None]
    assert {name for name in whole if isinstance(whole[name], Unknown)} == {
        # Live figures, which the store has not.
        *(figure.name for figure in visits.FIGURES),
        *(() if compared.data.priced else (
            "paid_amount", "net_amount", "per_buyer", "order_value", "placed_orders", "unpaid_orders",
        )),
    }  # fmt: skip
