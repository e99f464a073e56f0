"""How much an order looks brushed: its signs, their points, and whether they make a verdict.

| sign | full | near: half the points |
|---|---|---|
| rate | more than ``orders_in_an_hour`` orders of the product by the buyer within an hour | two or more |
| unviewed | the product was never looked at before | for less than ``glance_s`` in all |
| device | ``buyers`` buyers of the product use the phone, or two with ``shared_orders`` orders of it | two |
| address | the same of the address | two |
| praise | five stars without a word at most ``praise_minutes`` after receipt | within a day |

An order is judged by its worst product, as it is known now: points are a function of the signs, so a
later fact (a look that arrives late, words that are added to a review) takes the verdict back, and the
order of arrival makes no difference. An order counts from its payment on, whatever became of it: money
that goes back is part of how brushing is done.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from schemas.settings import Brushing
from schemas.verdict import Sign
from streams.domain.integrity.buyer import (
    VIEW_UNKNOWN,
    VIEWED,
    WORDED,
    BuyerIntegrity,
    OrderMark,
    ProductMark,
    look_at,
)

_HOUR_S = 3_600
_DAY_S = 86_400
#: Two of anything are near.
_NEAR = 2


class Reason(NamedTuple):
    """A sign that an order has: its points, and the value that they rest on."""

    sign: Sign
    points: int
    #: Orders in the hour; seconds looked (0: never); buyers; seconds from receipt to praise.
    value: int


class Judgement(NamedTuple):
    """An order's points, and why; the strongest reasons first. ``product``: whose signs these are
    (streams.domain.integrity.buyer ``sku_key``); empty where there are none.
    """

    points: int
    reasons: tuple[Reason, ...]
    product: bytes = b""


#: Of an order of which nothing is known that could be judged.
NO_JUDGEMENT = Judgement(0, ())


def judge(buyer: BuyerIntegrity, mark: OrderMark, brushing: Brushing) -> Judgement:
    """The judgement of an order by its worst product; no points for one that is not paid."""
    if not mark.paid_at:
        return NO_JUDGEMENT
    judged = [_judge_product(buyer, mark, product, brushing) for product in mark.products]
    return max(judged, default=NO_JUDGEMENT)


def _judge_product(
    buyer: BuyerIntegrity, mark: OrderMark, product: ProductMark, brushing: Brushing
) -> Judgement:
    signs: list[tuple[Sign, int, int, int]] = [
        ("rate", brushing.rate_points, *_rate(buyer, mark, product, brushing)),
        ("unviewed", brushing.unviewed_points, *_unviewed(buyer, mark, product, brushing)),
        (
            "device", brushing.device_points,
            *_shared(product.device_buyers, product.device_orders, brushing),
        ),
        (
            "address", brushing.address_points,
            *_shared(product.address_buyers, product.address_orders, brushing),
        ),
        ("praise", brushing.praise_points, *_praise(mark, product, brushing)),
    ]  # fmt: skip
    reasons = [
        Reason(sign, points * halves // 2, value) for sign, points, halves, value in signs if halves
    ]
    reasons.sort(key=lambda reason: (-reason.points, reason.sign))
    points = sum(reason.points for reason in reasons)
    return Judgement(points, tuple(reasons), product.sku if reasons else b"")


def _rate(
    buyer: BuyerIntegrity, mark: OrderMark, product: ProductMark, brushing: Brushing
) -> tuple[int, int]:
    """Halves of the points, and the most orders of the product within an hour, this one included."""
    times = sorted(
        other.paid_at
        for other in buyer.marks
        if abs(other.paid_at - mark.paid_at) <= _HOUR_S
        and other.paid_at
        and any(each.sku == product.sku for each in other.products)
    )
    most = max(_within_an_hour(times, start) for start in times if start <= mark.paid_at)
    return 2 if most > brushing.orders_in_an_hour else int(most >= _NEAR), most


def _within_an_hour(times: Sequence[int], start: int) -> int:
    return bisect_right(times, start + _HOUR_S) - times.index(start)


def _unviewed(
    buyer: BuyerIntegrity, mark: OrderMark, product: ProductMark, brushing: Brushing
) -> tuple[int, int]:
    """Halves of the points, and seconds looked at the product before and after."""
    look = look_at(buyer, product.sku)
    if product.flags & VIEWED or (look is not None and look[0] <= mark.paid_at):
        return (1, look[1]) if look is not None and look[1] < brushing.glance_s else (0, 0)
    return (0, 0) if product.flags & VIEW_UNKNOWN else (2, 0)


def _shared(buyers: int, orders: int, brushing: Brushing) -> tuple[int, int]:
    if buyers >= brushing.buyers or (buyers >= _NEAR and orders >= brushing.shared_orders):
        return 2, buyers
    return int(buyers >= _NEAR), buyers


def _praise(mark: OrderMark, product: ProductMark, brushing: Brushing) -> tuple[int, int]:
    if not product.praised_at or not mark.received_at or product.flags & WORDED:
        return 0, 0
    after = product.praised_at - mark.received_at
    if not 0 <= after <= _DAY_S:
        return 0, 0
    return 2 if after <= brushing.praise_minutes * 60 else 1, after
