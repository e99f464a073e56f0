"""Shops with stated rates of fraud: what the detector is measured on."""

from tests.integrity.brushing import KINDS, brush, hire_crowd
from tests.integrity.honest import fill
from tests.integrity.liking import FAKE, like_falsely, like_honestly
from tests.integrity.shop import Shop

WEEKS = 4
#: Of all orders, and of all likes.
FRAUD_RATE = 0.02


def shop_with_brushing(seed: int, orders: int, *, crowd: int = 0) -> Shop:
    """About ``orders`` orders, of which FRAUD_RATE are brushed, of the kinds in turn.

    ``crowd``: orders by a hired crowd besides.
    """
    shop = Shop(seed, WEEKS)
    fill(shop, round(orders * (1 - FRAUD_RATE)))
    # Each seed begins with another kind, so that over seven seeds all kinds have had the same turns.
    kinds = list(KINDS)[seed % len(KINDS) :] + list(KINDS)[: seed % len(KINDS)]
    honest, number = len(shop.orders), 0
    while (len(shop.orders) - honest) < FRAUD_RATE * len(shop.orders):
        brush(shop, kinds[number % len(kinds)])
        number += 1
    if crowd:
        hire_crowd(shop, crowd)
    shop.happenings.sort(key=lambda each: each.time)
    return shop


def shop_with_likes(seed: int, likes: int) -> Shop:
    """About ``likes`` likes, of which FRAUD_RATE are bought, of the kinds in turn."""
    shop = Shop(seed, WEEKS)
    wishes = like_honestly(shop, round(likes * (1 - FRAUD_RATE)))
    honest, number = len(shop.likes), seed
    while (len(shop.likes) - honest) < FRAUD_RATE * len(shop.likes):
        like_falsely(shop, FAKE[number % len(FAKE)], wishes)
        number += 1
    shop.happenings.sort(key=lambda each: each.time)
    return shop
