"""A shop beside its category, against medians that are computed by hand from what each shop was sent."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.settings import STACK
from streams.definitions import Definitions
from streams.domain.reading import Readable, Reading, Wanted
from streams.query.connecting import Database
from streams.reports.answer import answer
from streams.reports.benchmark import LEAST
from streams.reports.category import category_of
from streams.reports.currencies import spans
from streams.reports.model import Asked, Row, Value
from streams.reports.period import Period
from streams.reports.registry import REPORTS
from tests.contract.versions import version
from tests.oracle.events import CARTS, CLICKS, ORDERS, Published
from tests.query.events import placed
from tests.reports.histories import DAY, HOUR, fill
from tests.reports.test_examples import paid
from tests.reports.test_traffic_agrees import counted
from tests.reports.traffic_histories import FIRST, ZONE, told

#: The second hour of FIRST on the clock of ZONE, in seconds of 2026.
PAID = (31 + 28) * DAY - 8 * HOUR + 2 * HOUR


class Shop(NamedTuple):
    """``amounts``: of its paid orders, each of a customer of its own, who all visit and of whom the first
    adds to a cart; ``visitors`` more visit only.
    """

    name: str
    amounts: Sequence[int]
    visitors: int = 0
    currency: str = "CNY"
    category: str | None = "tea"


class EachOfItsOwn:
    """The live aggregates of several shops."""

    def __init__(self, shops: Mapping[str, Readable]) -> None:
        self._shops = shops

    def read(self, shop_id: str, wanted: Wanted) -> Reading:
        return self._shops[shop_id].read(shop_id, wanted)


def traffic(shop: Shop) -> list[Published]:
    buyers = [f"b{number}" for number in range(len(shop.amounts))]
    guests = [f"v{number}" for number in range(shop.visitors)]
    clicks = [told(CLICKS, 1, who, shop_id=shop.name, action="view") for who in buyers + guests]
    carts = [told(CARTS, 1, who, shop_id=shop.name, action="add", sku="a") for who in buyers[:1]]
    orders = [
        told(
            ORDERS,
            2,
            who,
            shop_id=shop.name,
            status="paid",
            order_id=f"o{number}",
            amount_paid=amount,
        )
        for number, (who, amount) in enumerate(zip(buyers, shop.amounts, strict=True))
    ]
    return clicks + carts + orders


def benchmark(store: Database, shops: Sequence[Shop]) -> list[Row]:
    """The report of the first of ``shops``."""
    events = [
        paid(at, PAID, amount, f"b{number}", shop_id=shop.name)
        for at, (shop, number, amount) in enumerate(
            (shop, number, amount) for shop in shops for number, amount in enumerate(shop.amounts)
        )
    ]
    fill(store, placed(events, 1))
    definitions = Definitions(
        [
            version(STACK, 1, time_zone=ZONE),
            *(version(s.name, 1, currency=s.currency, category=s.category) for s in shops),
        ]
    )
    period, own = Period(FIRST, FIRST, ZONE), shops[0].name
    live = EachOfItsOwn({shop.name: counted(traffic(shop), shop.name) for shop in shops})
    category = category_of(definitions, own, period.until_ms - 1)
    asked = Asked(
        own, period, "category", currencies=spans(definitions, own), live=live, category=category,
        category_why="in none",
    )  # fmt: skip
    with store.reading() as connection:
        return [line.row for line in answer(connection, REPORTS["benchmark"], asked).lines]


def peers(*amounts: Sequence[int], visitors: int = 0, **more: Any) -> list[Shop]:
    return [Shop(f"p{at}", own, visitors, **more) for at, own in enumerate(amounts)]


def test_medians_of_five_shops_stand_beside_the_shop(store: Database) -> None:
    others = peers([100], [200, 300], [12_345], [700, 1], [9, 9, 9], visitors=1)
    whole, median = benchmark(store, [Shop("own", [50, 70], visitors=2), *others])
    own = {name: value.number for name, value in whole.values.items()}
    assert own == {
        "visitors": 4, "add_to_cart_rate": 0.25, "conversion": 0.5, "paid_orders": 2,
        "paid_amount": 120, "order_value": 60, "repurchase_rate": 0.0,
    }  # fmt: skip
    assert (median.kind, median.key) == ("part", "tea")
    assert {name: value.number for name, value in median.values.items()} == {
        # Of 2, 3, 2, 3 and 4 visitors, 1, 2, 1, 2 and 3 orders.
        "visitors": 3, "paid_orders": 2, "add_to_cart_rate": 0.33, "conversion": 0.67,
        # Of 100, 500, 12345, 701 and 27; 100, 250, 12345, 351 and 9.
        "paid_amount": 500, "order_value": 250, "repurchase_rate": 0,
    }  # fmt: skip
    assert median.values["paid_amount"].currency == "CNY"


def test_of_four_nothing_is_said(store: Database) -> None:
    _, median = benchmark(store, [Shop("own", [50]), *peers([100], [200], [300], [400])])
    for value in median.values.values():
        assert value.number is None
        assert value.why is not None
        assert value.why.startswith("fewer than 5 other shops of the category tell it")


def test_amounts_are_beside_those_of_the_same_currency_only(store: Database) -> None:
    dollars = Shop("d", [7], currency="USD")
    shops = [Shop("own", [50]), *peers([100], [200], [300], [400]), dollars]
    _, median = benchmark(store, shops)
    assert median.values["paid_orders"].number == 1
    assert median.values["paid_amount"] == Value(
        None, "fewer than 5 other shops of the category tell it in CNY"
    )


def test_who_sells_something_else_or_nothing_is_no_shop_of_the_category(store: Database) -> None:
    shops = [Shop("own", [50]), *peers([100], [200], [300], [400])]
    closed, ink = Shop("closed", [], 9), Shop("ink", [5], category="ink")
    _, median = benchmark(store, [*shops, closed, ink, Shop("none", [5], category=None)])
    assert median.values["visitors"].number is None
    _, median = benchmark(store, [shops[0]._replace(category=None), *shops[1:], closed, ink])
    assert {value.why for value in median.values.values()} == {"in none"}


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(others=st.lists(st.lists(st.integers(0, 99_999), min_size=1, max_size=3), max_size=8))
def test_no_more_is_told_of_any_shops_than_two_digits(
    store: Database, others: list[list[int]]
) -> None:
    _, median = benchmark(store, [Shop("own", [50]), *peers(*others)])
    sums = sorted(sum(own) for own in others)
    found = median.values["paid_amount"].number
    if len(others) < LEAST:
        assert found is None
        return
    middle = (sums[(len(sums) - 1) // 2] + sums[len(sums) // 2]) / 2
    assert found == float(f"{middle:.1e}")


def test_without_the_settings_of_the_shops_their_category_is_not_known(store: Database) -> None:
    fill(store, [])
    asked = Asked("own", Period(FIRST, FIRST, ZONE), "category")
    with store.reading() as connection:
        lines = answer(connection, REPORTS["benchmark"], asked).lines
    assert {value.why for value in lines[1].row.values.values()} == {
        "the shops' categories were not read"
    }
