"""Honest customers, those among them who look like brushers first of all.

- ordinary: looks at a product a few times, buys it once; one in twelve bought from a cart or a link
  whose view the shop never saw; some review, a few at the courier's door.
- again: bought the same product once or twice more within minutes: forgot one, a gift, several
  vouchers that do not add up.
- family: three to five people at one address, some on one tablet, buy a product that one of them
  recommended.
- group: a neighbourhood's group buying: one pick-up address, one hour or two, many come from the
  group's card straight to payment; some elderly neighbours' orders are placed on the leader's phone.
- flash: a flash sale: scores of orders in minutes, straight from the sale's page, several orders a
  buyer since each order may have one piece only.
- dormitory: students and colleagues of one building with one address, who buy what is in fashion.
- office: a buyer for a company, an order a department.
"""

from tests.integrity.shop import DAY, HOUR, MINUTE, SECOND, Person, Shop

ORDINARY = "ordinary"


def fill(shop: Shop, orders: int) -> None:
    """Honest orders, about ``orders`` of them."""
    wanted = len(shop.orders) + orders
    for _ in range(max(1, orders // 400)):
        _family(shop)
        _group(shop)
        _office(shop)
    for _ in range(max(1, orders // 2_000)):
        _flash_sale(shop)
        _dormitory(shop)
    customers = [shop.person("customer") for _ in range(orders // 2)]
    while len(shop.orders) < wanted:
        _ordinary(shop, shop.random.choice(customers))


def _look(shop: Shop, person: Person, sku: str, before: int) -> None:
    """One to four looks at a product in the days before ``before``."""
    for _ in range(shop.random.choice([1, 1, 2, 2, 3, 4])):
        seconds = min(shop.random.lognormvariate(3.4, 0.9), 900)
        ahead = shop.random.expovariate(1 / (8 * HOUR)) + MINUTE + seconds * SECOND
        shop.view(person, sku, round(before - min(ahead, 9 * DAY)), seconds)


def _review(shop: Shop, person: Person, order: tuple[str, int], sku: str) -> None:
    """A third review; most later, with a word or two; one in fifteen taps the stars at the door."""
    if not shop.chance(0.33):
        return
    order_id, received = order
    rating = shop.random.choices([5, 4, 3, 2, 1], [68, 15, 8, 4, 5])[0]
    at_the_door = shop.chance(1 / 15)
    delay = (
        shop.between(40 * SECOND, 12 * MINUTE)
        if at_the_door
        else shop.random.expovariate(1 / (3 * DAY))
    )
    words = shop.random.choice(["fits well", "as described", "my mother likes it", "arrived late"])
    text = None if at_the_door or shop.chance(0.45) else words
    shop.review(person, order_id, sku, round(received + delay), rating, text)


def _buy(
    shop: Shop, kind: str, person: Person, sku: str, time: int, *, viewed: float = 11 / 12
) -> None:
    if shop.chance(viewed):
        _look(shop, person, sku, time)
    skus = [sku]
    if shop.chance(0.15):
        other = shop.product()
        if other != sku:
            _look(shop, person, other, time)
            skus.append(other)
    order = shop.order(kind, person, skus, time, receives_after=shop.random.uniform(1.2, 6))
    if shop.chance(0.05):
        refund = {"refund_id": "refund-1", "reason": "does not fit"}
        asked = order[1] + shop.between(HOUR, 3 * DAY)
        shop.tell_order(person, order[0], asked, status="refund_requested", **refund)
        shop.tell_order(person, order[0], asked + 2 * DAY, status="refunded", **refund)
        return
    _review(shop, person, order, sku)


def _ordinary(shop: Shop, person: Person) -> None:
    sku, time = shop.product(), shop.moment()
    _buy(shop, ORDINARY, person, sku, time)
    if shop.chance(0.015):
        for _ in range(shop.random.choice([1, 1, 1, 2])):
            time += shop.between(2 * MINUTE, 35 * MINUTE)
            _buy(shop, "again", person, sku, time, viewed=0)


def _family(shop: Shop) -> None:
    sku, first, address = shop.product(), shop.moment(), shop.name("address")
    tablet = shop.name("device")
    for _ in range(shop.between(3, 5)):
        on_tablet = shop.chance(0.4)
        person = shop.person("family", device=tablet if on_tablet else None, address=address)
        # Whoever bought on the others' word may not have looked.
        _buy(shop, "family", person, sku, first + shop.between(0, 12 * DAY), viewed=0.8)


def _group(shop: Shop) -> None:
    sku, start, address = shop.product(), shop.moment(), shop.name("address")
    leader = shop.name("device")
    for number in range(shop.between(6, 18)):
        helped = number < 3 and shop.chance(0.5)
        person = shop.person("group", device=leader if helped else None, address=address)
        _buy(shop, "group", person, sku, start + shop.between(0, 2 * HOUR), viewed=0.6)


def _flash_sale(shop: Shop) -> None:
    sku, start = shop.product(), shop.moment()
    for _ in range(shop.between(60, 120)):
        person = shop.person("flash")
        time = start + shop.between(0, 15 * MINUTE)
        for _ in range(shop.random.choices([1, 2, 3, 5], [80, 13, 5, 2])[0]):
            _buy(shop, "flash", person, sku, time, viewed=0.55)
            time += shop.between(20 * SECOND, 4 * MINUTE)


def _dormitory(shop: Shop) -> None:
    """Thirty to sixty people of one building; what is in fashion is bought by several of them."""
    address = shop.name("address")
    people = [shop.person("dormitory", address=address) for _ in range(shop.between(30, 60))]
    fashion = [shop.product() for _ in range(3)]
    for person in people:
        for _ in range(shop.random.choice([1, 1, 2])):
            sku = shop.random.choice(fashion) if shop.chance(0.6) else shop.product()
            _buy(shop, "dormitory", person, sku, shop.moment())


def _office(shop: Shop) -> None:
    person, sku, time = shop.person("office"), shop.product(), shop.moment()
    _look(shop, person, sku, time)
    for _ in range(shop.between(3, 7)):
        _buy(shop, "office", person, sku, time, viewed=0.2)
        time += shop.between(MINUTE, 9 * MINUTE)
