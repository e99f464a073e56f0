"""The simulated customers, each with habits of their own."""

import math
import random
from typing import Final, NamedTuple

from producers.simulator.calibration import SAMPLE_DAYS, Behaviour

_REGIONS: Final = ("浙江", "广东", "江苏", "上海", "北京", "四川", "山东", "湖北")
#: Neither cart additions nor favourites are more of what anyone does than this.
_MOST: Final = 0.6


class Person(NamedTuple):
    """``sessions`` and ``purchases``: how many to expect, by day and by session."""

    customer_id: str
    region: str
    device: str
    sessions: float
    session_factor: float
    purchases: float
    cart_share: float
    favourite_share: float


def make_people(
    count: int, behaviour: Behaviour, activity: float, draw: random.Random
) -> list[Person]:
    """``count`` customers; ``activity`` multiplies how often they come."""
    return [_make_person(number, behaviour, activity, draw) for number in range(1, count + 1)]


def _make_person(number: int, behaviour: Behaviour, activity: float, draw: random.Random) -> Person:
    def gamma(shape: float, mean: float) -> float:
        return draw.gammavariate(shape, mean / shape)

    eagerness = gamma(behaviour.sessions_shape, 1.0)
    power = behaviour.purchases_by_activity
    # E[X^p] of a gamma variable of mean 1, so that the mean of purchases stays what it says.
    shape = behaviour.sessions_shape
    mean_power = math.exp(math.lgamma(shape + power) - math.lgamma(shape)) / shape**power
    purchases = gamma(behaviour.purchases_shape, behaviour.purchases)
    purchases *= eagerness**power / mean_power
    sessions = max(eagerness * behaviour.sessions, 0.05)
    sigma = behaviour.session_customer_sigma
    return Person(
        customer_id=f"customer-{number:06}",
        region=draw.choice(_REGIONS),
        device=f"device-{draw.getrandbits(48):012x}",
        sessions=activity * sessions / SAMPLE_DAYS,
        session_factor=draw.lognormvariate(-sigma * sigma / 2, sigma),
        purchases=purchases / sessions,
        cart_share=min(gamma(behaviour.cart_shape, behaviour.cart_share), _MOST),
        favourite_share=min(gamma(behaviour.favourite_shape, behaviour.favourite_share), _MOST),
    )
