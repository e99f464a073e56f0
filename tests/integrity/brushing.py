"""Brushers: a shop buys a number of orders of one product from a gang, which has phones, accounts and
addresses, and rules by which its people are told to behave.

As it is described in public: accounts are made or hired by the dozen and share phones; parcels are
empty or hold a trinket, and go to few drop points, or to strangers whose addresses leaked; orders come
straight from a link, or after a pretended look at the product, so as to pass for customers; the same
account orders again and again; receipt is confirmed and five stars given at once, rarely with words.

Each kind but ``crude`` stays below one of the limits that a merchant would look at, and ``below_all``
below every one of them at once; ``crowd`` is beside the others: hired strangers who each buy once, on
their own phone, to their own address, and write a review: nothing in the events gives them away.
"""

from typing import NamedTuple

from tests.integrity.shop import DAY, HOUR, MINUTE, SECOND, Person, Shop


class Rules(NamedTuple):
    """How a gang's people behave; each pair is a range. Chances are of each order."""

    #: Accounts on one phone, and orders to one address in turn.
    on_a_phone: tuple[int, int] = (3, 6)
    at_an_address: tuple[int, int] = (4, 9)
    #: Orders of an account, minutes apart.
    orders: tuple[int, int] = (1, 5)
    minutes_apart: tuple[float, float] = (1.0, 10.0)
    #: The chance of a look before the order, and its seconds.
    looks: float = 0.08
    seconds: tuple[float, float] = (2.0, 20.0)
    #: The chance of a review, minutes after receipt, and of words in it.
    reviews: float = 0.9
    minutes_after: tuple[float, float] = (0.3, 6.0)
    words: float = 0.05


KINDS: dict[str, Rules] = {
    "crude": Rules(orders=(4, 7)),
    # One account orders at most thrice, however fast.
    "below_rate": Rules(orders=(1, 3)),
    # Everybody looks at the product first, as they are told, for minutes.
    "below_view": Rules(looks=1.0, seconds=(20.0, 180.0)),
    "below_device": Rules(on_a_phone=(1, 2)),
    # Strangers' addresses; two orders to one now and then.
    "below_address": Rules(at_an_address=(1, 1)),
    # Praise waits for hours or days, or has words in it.
    "below_praise": Rules(minutes_after=(90.0, 3_000.0), words=0.4),
    "below_all": Rules(
        on_a_phone=(2, 2), at_an_address=(2, 2), orders=(2, 3), minutes_apart=(5.0, 20.0), looks=1.0,
        seconds=(2.0, 8.0), minutes_after=(35.0, 240.0),
    ),
}  # fmt: skip
CROWD = "crowd"


def brush(shop: Shop, kind: str) -> None:
    """One campaign of a gang of ``kind``: ten to thirty orders of one product within some days."""
    rules, sku = KINDS[kind], shop.random.choice(shop.products)
    start, days = shop.moment(), shop.random.uniform(0.3, 4)
    wanted = len(shop.orders) + shop.between(10, 30)
    phone, phone_left, address, address_left = "", 0, "", 0
    while len(shop.orders) < wanted:
        if not phone_left:
            phone, phone_left = shop.name("device"), shop.between(*rules.on_a_phone)
        phone_left -= 1
        account = shop.name("account")
        time = start + round(shop.random.uniform(0, days) * DAY)
        looks = shop.chance(rules.looks)
        for _ in range(shop.between(*rules.orders)):
            if not address_left:
                address, address_left = shop.name("address"), shop.between(*rules.at_an_address)
            address_left -= 1
            person = Person(account, phone, address)
            if looks:
                seconds = shop.random.uniform(*rules.seconds)
                shop.view(person, sku, time - round((seconds + 20) * SECOND), seconds)
                looks = shop.chance(0.3)
            _order(shop, kind, person, sku, time, rules)
            time += shop.between(*(minutes * MINUTE for minutes in rules.minutes_apart))


def _order(shop: Shop, kind: str, person: Person, sku: str, time: int, rules: Rules) -> None:
    order_id, received = shop.order(
        kind, person, [sku], time, receives_after=shop.random.uniform(0.4, 4)
    )
    if shop.chance(rules.reviews):
        after = shop.random.uniform(*rules.minutes_after) * MINUTE
        text = "very good will buy again" if shop.chance(rules.words) else None
        shop.review(person, order_id, sku, round(received + after), 5, text)


def hire_crowd(shop: Shop, orders: int) -> None:
    """``orders`` orders by as many hired strangers, told to look around and to write something."""
    sku, start = shop.random.choice(shop.products), shop.moment()
    for _ in range(orders):
        person, time = shop.person("stranger"), start + shop.between(0, 5 * DAY)
        for _ in range(shop.between(1, 3)):
            ahead = shop.between(3 * MINUTE, 2 * HOUR)
            shop.view(person, sku, time - ahead, shop.random.uniform(40, 170))
        order_id, received = shop.order(
            CROWD, person, [sku], time, receives_after=shop.random.uniform(1.5, 5)
        )
        if shop.chance(0.9):
            shop.review(
                person, order_id, sku, received + shop.between(HOUR, 3 * DAY), 5, "exactly as shown"
            )
