"""The Complete Journey (84.51°) as shop events: a year of a grocer's baskets, coupons and households.

A basket is an order: ``placed`` with its goods and coupons, ``paid`` with its money, both at the basket's
time. A household of demographics is a profile. Ids are made of the rows' numbers in the package's files
(``transactions-17-paid``: the basket whose first row is 17), so an order's events are the same in every
replay, whatever part of the data it plays. docs/producing.md says what is derived and what is left out.

The rows are read in batches, twice: first the bounds of the replay and the baskets in which coupons
were redeemed are found, of which there are few, then the events are made.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

import msgspec

from producers.errors import ProducerError
from producers.replay.journey_files import Household, JourneyFiles, Line, Window, day_of, days
from producers.source import Record
from schemas.catalogue import ORDERS, PROFILES
from schemas.envelope import Line as OrderLine
from schemas.order import Order, OrderEvent, OrderStatus, Promotion
from schemas.profile import Profile, ProfileEvent

SOURCE: Final = "completejourney"
#: What manufacturers pay back to the shop of a basket.
MANUFACTURERS: Final = "manufacturer-coupons"
_EVENTS_A_BASKET: Final = 2
_encode = msgspec.json.encode


class NoBasketsError(ProducerError):
    """No transaction fits what was asked for."""


class Redeemed(NamedTuple):
    """What was redeemed in one basket, each once, in the file's order."""

    coupons: tuple[int, ...]
    campaigns: tuple[int, ...]


class _Outline(NamedTuple):
    """What the first reading finds. ``redeemed``: basket -> what was redeemed in it."""

    baskets: int
    first_ms: int
    last_ms: int
    redeemed: dict[int, Redeemed]


class JourneyFeed:
    """The baskets of ``households`` (None: all; else so many, those of the lowest numbers), on the days
    from ``first`` to ``last`` of the shops' clock, both included, None without a bound. A Feed
    (producers.source).

    Raises NoBasketsError where there are none, MissingDataSetError and UnreadableDataSetError.
    """

    name = SOURCE

    def __init__(
        self,
        files: JourneyFiles,
        *,
        shop_id: str = SOURCE,
        households: int | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> None:
        self._files = files
        self._shop = shop_id
        chosen = None if households is None else files.first_households(households)
        self._window = Window(chosen, *days(first, last))
        outline = _outline(files, self._window)
        self._redeemed = outline.redeemed
        self._households = [
            each for each in files.households() if chosen is None or each.household in chosen
        ]
        self.start_ms, self.until_ms = outline.first_ms, outline.last_ms
        self.total = len(self._households) + outline.baskets * _EVENTS_A_BASKET
        #: Rows of quantity 0 of what was read so far: they name no goods and are in no order's lines.
        self.rows_without_goods = 0

    def records(self) -> Iterator[Record]:
        """The households, at the time of the first basket, then the baskets by time."""
        for household in self._households:
            yield self._profile(household)
        categories = self._files.categories()
        kinds = self._files.campaign_types()
        for _, rows in groupby(self._files.lines(self._window), attrgetter("basket")):
            basket = list(rows)
            self.rows_without_goods += sum(row.quantity < 1 for row in basket)
            redeemed = self._redeemed.get(basket[0].basket, Redeemed((), ()))
            yield self._order(basket[0], _placed(self._shop, basket, redeemed, categories, kinds))
            yield self._order(basket[0], _paid(self._shop, basket))

    def _order(self, first: Line, data: Order) -> Record:
        key = str(first.household)
        event = OrderEvent(
            specversion="1.0",
            id=f"transactions-{first.row}-{data.status}",
            source=SOURCE,
            subject=key,
            time=_moment(first.time_ms),
            data=data,
        )
        return Record(first.time_ms, ORDERS, key.encode(), _encode(event))

    def _profile(self, household: Household) -> Record:
        key = str(household.household)
        event = ProfileEvent(
            specversion="1.0",
            id=f"demographics-{household.row}",
            source=SOURCE,
            subject=key,
            time=_moment(self.start_ms),
            data=Profile(
                shop_id=self._shop,
                action="updated",
                age_band=household.age,
                income_band=household.income,
                tags=_tags(household) or None,
            ),
        )
        return Record(self.start_ms, PROFILES, key.encode(), _encode(event))


def _outline(files: JourneyFiles, window: Window) -> _Outline:
    """Counts the baskets, and finds the one that each redemption belongs to: of its household's baskets of
    that day the first with a coupon's discount, else the first.
    """
    coupons: dict[tuple[int, date], list[tuple[int, int]]] = {}
    for each in files.redemptions():
        coupons.setdefault((each.household, each.day), []).append((each.coupon, each.campaign))
    households = {household for household, _ in coupons}
    #: (household, day) -> basket, and whether a coupon's discount is in it.
    found: dict[tuple[int, date], tuple[int, bool]] = {}
    baskets = first_ms = last_ms = basket = 0
    for line in files.lines(window):
        if line.basket != basket:
            basket = line.basket
            baskets += 1
            first_ms, last_ms = first_ms or line.time_ms, line.time_ms
        if line.household not in households:
            continue
        key = (line.household, day_of(line.time_ms))
        discounted = line.coupon_discount > 0
        if key in coupons and (key not in found or (discounted and not found[key][1])):
            found[key] = (basket, discounted)
    if not baskets:
        raise NoBasketsError(
            "no basket of these households on these days; the year is 2017-01-01 to 2017-12-31"
        )
    redeemed = {
        number: Redeemed(
            _each_once(coupon for coupon, _ in coupons[key]),
            _each_once(campaign for _, campaign in coupons[key]),
        )
        for key, (number, _) in found.items()
    }
    return _Outline(baskets, first_ms, last_ms, redeemed)


def _each_once(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(numbers))


def _placed(
    shop: str,
    basket: list[Line],
    redeemed: Redeemed,
    categories: dict[int, str],
    kinds: dict[int, str],
) -> Order:
    promotions = [
        Promotion(id=f"campaign-{campaign}", kind=kinds.get(campaign))
        for campaign in redeemed.campaigns
    ]
    refunded = sum(row.coupon_discount for row in basket)
    if refunded:
        promotions.append(Promotion(id=MANUFACTURERS, kind="manufacturer", amount=refunded))
    return Order(
        shop_id=shop,
        order_id=str(basket[0].basket),
        status="placed",
        lines=[_line(row, categories.get(row.product)) for row in basket if row.quantity > 0],
        promotions=promotions,
        coupon_codes=[str(coupon) for coupon in redeemed.coupons],
        region=f"store-{basket[0].store}",
        channel="store",
    )


def _paid(shop: str, basket: list[Line]) -> Order:
    status: OrderStatus = "paid"
    return Order(
        shop_id=shop,
        order_id=str(basket[0].basket),
        status=status,
        amount_paid=sum(row.sales_value for row in basket),
        discount=sum(row.retail_discount + row.coupon_match_discount for row in basket),
    )


def _line(row: Line, category: str | None) -> OrderLine:
    # At the price on the shelf. Three for a dollar have no price a piece in cents, and so tell none.
    price, rest = divmod(
        row.sales_value + row.retail_discount + row.coupon_match_discount, row.quantity
    )
    return OrderLine(
        sku=str(row.product),
        quantity=row.quantity,
        category=category,
        unit_price=None if rest else price,
    )


def _tags(household: Household) -> list[str]:
    """What the contract has no field for."""
    named = {
        "home": household.home_ownership,
        "marital": household.marital_status,
        "size": household.household_size,
        "household": household.household_comp,
        "kids": household.kids_count,
    }
    return [f"{name}: {value}" for name, value in named.items() if value is not None]


def _moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)
