"""What a simulated customer does in the shop: visits of views, favourites, cart and checkout."""

import math
import random
from collections.abc import Callable
from typing import Final

from producers.simulator.assortment import Product, attributes, popular_product
from producers.simulator.calibration import Behaviour, ShopHours
from producers.simulator.events import EventMaker, Process, Step, delay_ms
from producers.simulator.orders import OrderDesk
from producers.simulator.people import Person
from schemas.cart import Cart, CartAction
from schemas.click import CameFrom, Channel, Click, ClickAction, TrafficSource
from schemas.envelope import Line

_TRAFFIC: Final[tuple[TrafficSource, ...]] = (
    "search",
    "recommend",
    "direct_train",
    "live",
    "store",
    "share",
    "message",
)
_TRAFFIC_WEIGHTS: Final = (38, 30, 10, 8, 6, 5, 3)
_CHANNELS: Final[tuple[Channel, ...]] = ("app", "miniapp", "web", "store")
_CHANNEL_WEIGHTS: Final = (70, 20, 9, 1)
#: A pause of 30 minutes would be another visit.
_LONGEST_PAUSE_MS: Final = 29 * 60_000
#: Behaviours of the longest visit; the sample's is 130.
_LONGEST_VISIT: Final = 200
#: Things in a cart that a customer still remembers.
_CART: Final = 12
#: Orders of more than one line.
_SECOND_LINES: Final = 0.12


class Storefront:
    """Where customers come and go. ``start`` begins a process beside the one that calls it."""

    def __init__(
        self,
        maker: EventMaker,
        desk: OrderDesk,
        behaviour: Behaviour,
        hours: ShopHours,
        draw: random.Random,
        start: Callable[[Process], None],
    ) -> None:
        self._maker = maker
        self._desk = desk
        self._behaviour = behaviour
        self._hours = hours
        self._draw = draw
        self._start = start

    def customer(self, person: Person, at_ms: int, until_ms: int) -> Process:
        """All visits of a customer from ``at_ms`` on."""
        cart: list[Product] = []
        while True:
            pause_days = self._draw.expovariate(person.sessions)
            at_ms = self._hours.later(at_ms, pause_days * 24) + 1
            if at_ms >= until_ms:
                return
            for step in self._visit(person, at_ms, cart):
                at_ms = step[0]
                yield step

    def _visit(self, person: Person, at_ms: int, cart: list[Product]) -> Process:
        draw, behaviour = self._draw, self._behaviour
        visit = _Visit(self._maker, person, draw)
        if draw.random() < behaviour.searches:
            yield visit.search(at_ms)
            at_ms += self._pause()
        size = behaviour.session_median * draw.lognormvariate(0, behaviour.session_sigma)
        for _ in range(min(1 + int(size * person.session_factor), _LONGEST_VISIT)):
            fate = draw.random()
            if fate < person.cart_share:
                product = visit.seen[-1] if visit.seen and draw.random() < 0.5 else visit.find()
                yield visit.cart(at_ms, product)
                cart.append(product)
                del cart[:-_CART]
                if draw.random() < behaviour.cart_regrets:
                    at_ms += self._pause()
                    yield visit.regret(at_ms, cart)
            elif fate < person.cart_share + person.favourite_share:
                yield visit.click(at_ms, "favorite", visit.seen[-1] if visit.seen else visit.find())
            else:
                again = visit.seen and draw.random() < behaviour.repeated_views
                yield visit.click(at_ms, "view", draw.choice(visit.seen) if again else visit.find())
            at_ms += self._pause()
        for _ in range(_poisson(person.purchases, draw)):
            self._start(self._desk.order(person, at_ms, self._lines(visit, cart)))
            at_ms += self._pause()

    def _lines(self, visit: "_Visit", cart: list[Product]) -> list[Line]:
        draw = self._draw
        if cart and draw.random() < self._behaviour.purchases_from_cart:
            product = cart.pop(draw.randrange(len(cart)))
        else:
            product = visit.seen[-1] if visit.seen else visit.find()
        products = [product]
        if draw.random() < _SECOND_LINES:
            products.append(visit.find())
        return [
            Line(
                sku=each.sku,
                quantity=draw.choice((1, 1, 1, 1, 2, 3)),
                category=each.category,
                unit_price=each.price,
                attributes=attributes(each, draw),
            )
            for each in dict.fromkeys(products)
        ]

    def _pause(self) -> int:
        behaviour = self._behaviour
        pause = delay_ms(behaviour.gap_median, behaviour.gap_sigma, self._draw)
        return min(pause, _LONGEST_PAUSE_MS)


class _Visit:
    """One visit: what all its events have in common, and what was seen in it."""

    def __init__(self, maker: EventMaker, person: Person, draw: random.Random) -> None:
        self.seen: list[Product] = []
        self._maker = maker
        self._person = person
        self._draw = draw
        self._session = maker.new_id("s")
        self._traffic = draw.choices(_TRAFFIC, _TRAFFIC_WEIGHTS)[0]
        self._channel = draw.choices(_CHANNELS, _CHANNEL_WEIGHTS)[0]
        #: Attributes chosen for what was put into the cart, so that taking it out names its line.
        self._chosen: dict[str, dict[str, str]] = {}
        #: What was looked at last.
        self._at: CameFrom = "none"

    def find(self) -> Product:
        return popular_product(self._draw)

    def search(self, at_ms: int) -> Step:
        """A search for something that the shop sells."""
        data = Click(shop_id=self._shop, action="search", keyword=self._word())
        return self._click(at_ms, data, "search")

    def click(self, at_ms: int, action: ClickAction, product: Product) -> Step:
        """A view or favourite of a product."""
        if action == "view":
            self.seen.append(product)
        data = Click(
            shop_id=self._shop,
            action=action,
            sku=product.sku,
            category=product.category,
            price=product.price,
            page=product.name,
            dwell_ms=delay_ms(12, 1.0, self._draw) if action == "view" else None,
        )
        return self._click(at_ms, data, "product" if action == "view" else None)

    def cart(self, at_ms: int, product: Product) -> Step:
        """A product into the cart."""
        chosen = self._chosen[product.sku] = attributes(product, self._draw)
        data = Cart(
            shop_id=self._shop,
            action="add",
            sku=product.sku,
            category=product.category,
            unit_price=product.price,
            attributes=chosen,
            traffic_source=self._traffic,
            channel=self._channel,
        )
        return self._maker.cart(self._person.customer_id, at_ms, data)

    def regret(self, at_ms: int, cart: list[Product]) -> Step:
        """The last product of the cart taken out again, or more pieces of it; or no cart at all."""
        fate = self._draw.random()
        if fate < 0.1:
            cart.clear()
            data = Cart(shop_id=self._shop, action="clear", channel=self._channel)
            return self._maker.cart(self._person.customer_id, at_ms, data)
        product = cart[-1]
        action: CartAction = "remove" if fate < 0.6 else "set"
        if action == "remove":
            cart.pop()
        data = Cart(
            shop_id=self._shop,
            action=action,
            sku=product.sku,
            quantity=1 if action == "remove" else self._draw.randint(2, 4),
            attributes=self._chosen[product.sku],
            channel=self._channel,
        )
        return self._maker.cart(self._person.customer_id, at_ms, data)

    @property
    def _shop(self) -> str:
        return self._maker.shop_id

    def _word(self) -> str:
        # The noun: names are series, style and noun, of three, two and some characters.
        return self.find().name[5:]

    def _click(self, at_ms: int, data: Click, looked_at: CameFrom | None) -> Step:
        if looked_at is not None:
            data.came_from, self._at = self._at, looked_at
        data.session_id = self._session
        data.traffic_source = self._traffic
        data.channel = self._channel
        data.region = self._person.region
        data.device_hash = self._person.device
        return self._maker.click(self._person.customer_id, at_ms, data)


def _poisson(mean: float, draw: random.Random) -> int:
    """Knuth's method: fine for the small means here."""
    limit, count, chance = math.exp(-mean), 0, draw.random()
    while chance > limit:
        count += 1
        chance *= draw.random()
    return count
