"""Likes of wishes: honest ones, some of which look bought, and bought ones.

Honest: friends come by over days, most known to the shop for weeks, some new since they were asked to
come; a family likes on one tablet; customers in a store use its tablet, one after another over weeks
(``kiosk``); an enthusiast likes a dozen wishes in an evening; a wish goes viral and many like it within
an hour, half of them new.

Bought: a phone with many accounts on it (``farm``), the owner's own second accounts (``own_accounts``),
programs that like wish after wish with accounts of their own (``bots``). Below what gives these away:
farms with two accounts a phone (``small_farm``), with accounts that were made days ago (``aged_farm``),
and programs that take their time (``slow_bots``).
"""

from tests.integrity.shop import DAY, HOUR, MINUTE, OPENED, SECOND, Person, Shop

FAKE = ("farm", "own_accounts", "bots", "small_farm", "aged_farm", "slow_bots")


def _seen(shop: Shop, person: Person, first: int) -> None:
    """The shop first hears of ``person`` at ``first``."""
    shop.view(person, shop.product(), first, shop.random.uniform(3, 60))


def like_honestly(shop: Shop, likes: int) -> list[tuple[Person, str, int]]:
    """About ``likes`` honest likes; returns the wishes: owner, id and when they were made."""
    wanted = len(shop.likes) + likes
    regulars = [shop.person("visitor") for _ in range(likes // 3)]
    for person in regulars:
        _seen(shop, person, OPENED + shop.between(0, 2 * DAY))
    wishes = []
    for _ in range(likes // 12):
        owner, wish_id = shop.person("owner"), shop.name("wish")
        made = max(shop.moment(), OPENED + 3 * DAY)
        _seen(shop, owner, made - shop.between(HOUR, 2 * DAY))
        shop.wish(owner, wish_id, made)
        wishes.append((owner, wish_id, made))
    for wish in shop.random.sample(wishes, max(1, len(wishes) // 40)):
        _go_viral(shop, regulars, *wish)
    for wish in shop.random.sample(wishes, max(1, len(wishes) // 10)):
        _family_likes(shop, *wish)
    for wish in shop.random.sample(wishes, max(1, len(wishes) // 60)):
        _kiosk_likes(shop, regulars, *wish)
    for person in shop.random.sample(regulars, max(1, len(regulars) // 100)):
        evening = shop.moment()
        made_before = [wish for wish in wishes if wish[2] < evening]
        for owner, wish_id, _ in made_before[: shop.between(8, 14)]:
            evening += shop.between(MINUTE, 6 * MINUTE)
            shop.like("enthusiast", person, owner, wish_id, evening)
    while len(shop.likes) < wanted:
        owner, wish_id, made = shop.random.choice(wishes)
        time = made + round(shop.random.expovariate(1 / (2 * DAY)))
        if shop.chance(0.2):
            friend = shop.person("friend")
            _seen(shop, friend, time - shop.between(30 * SECOND, HOUR))
            shop.like("newcomer", friend, owner, wish_id, time)
        else:
            shop.like("ordinary like", shop.random.choice(regulars), owner, wish_id, time)
    return wishes


def _go_viral(shop: Shop, regulars: list[Person], owner: Person, wish_id: str, made: int) -> None:
    start = made + shop.between(HOUR, 2 * DAY)
    for _ in range(shop.between(40, 90)):
        time = start + shop.between(0, HOUR)
        person = shop.random.choice(regulars)
        if shop.chance(0.5):
            person = shop.person("crowd")
            _seen(shop, person, time - shop.between(10 * SECOND, 10 * MINUTE))
        shop.like("viral", person, owner, wish_id, time)


def _family_likes(shop: Shop, owner: Person, wish_id: str, made: int) -> None:
    tablet = shop.name("device")
    for _ in range(shop.between(2, 3)):
        person = shop.person("relative", device=tablet)
        time = made + shop.between(10 * MINUTE, 3 * DAY)
        _seen(shop, person, max(OPENED, time - shop.between(HOUR, 12 * DAY)))
        shop.like("family like", person, owner, wish_id, time)


def _kiosk_likes(
    shop: Shop, regulars: list[Person], owner: Person, wish_id: str, made: int
) -> None:
    tablet = shop.name("device")
    for _ in range(shop.between(4, 9)):
        time = made + shop.between(HOUR, 12 * DAY)
        person = shop.person("walk-in", device=tablet)
        if shop.chance(0.7):
            person = shop.random.choice(regulars)._replace(device=tablet)
        else:
            _seen(shop, person, time - shop.between(2 * MINUTE, HOUR))
        shop.like("kiosk", person, owner, wish_id, time)


def like_falsely(shop: Shop, kind: str, wishes: list[tuple[Person, str, int]]) -> None:
    """One purchase of likes of ``kind``."""
    owner, wish_id, made = shop.random.choice(wishes)
    start = made + shop.between(HOUR, DAY)
    if kind == "farm":
        _farm(shop, kind, owner, wish_id, start, on_a_phone=(5, 12), phones=2)
    elif kind == "small_farm":
        _farm(shop, kind, owner, wish_id, start, on_a_phone=(2, 2), phones=7)
    elif kind == "aged_farm":
        _farm(shop, kind, owner, wish_id, start, on_a_phone=(4, 9), phones=2, aged=True)
    elif kind == "own_accounts":
        for _ in range(shop.between(2, 5)):
            account = shop.person("second", device=owner.device)
            time = start + shop.between(0, DAY)
            _seen(shop, account, time - shop.between(MINUTE, 3 * HOUR))
            shop.like(kind, account, owner, wish_id, time)
    else:
        pause = (5, 50) if kind == "bots" else (420, 900)
        wanted = shop.random.sample(wishes, min(len(wishes), shop.between(18, 30)))
        for _ in range(shop.between(1, 2)):
            account, time = shop.person("bot"), max(wish[2] for wish in wanted) + HOUR
            _seen(shop, account, time - shop.between(MINUTE, DAY))
            for its_owner, its_wish, _ in wanted:
                time += shop.between(pause[0] * SECOND, pause[1] * SECOND)
                shop.like(kind, account, its_owner, its_wish, time)


def _farm(
    shop: Shop,
    kind: str,
    owner: Person,
    wish_id: str,
    start: int,
    *,
    on_a_phone: tuple[int, int],
    phones: int,
    aged: bool = False,
) -> None:
    for _ in range(phones):
        phone = shop.name("device")
        for _ in range(shop.between(*on_a_phone)):
            account = shop.person("made", device=phone)
            time = start + shop.between(0, 3 * HOUR)
            age = shop.between(2 * DAY, 8 * DAY) if aged else shop.between(MINUTE, 5 * HOUR)
            _seen(shop, account, max(OPENED, time - age))
            shop.like(kind, account, owner, wish_id, time)
