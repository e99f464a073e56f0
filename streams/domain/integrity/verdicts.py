"""Verdicts on a buyer's orders: given and taken back as the signs have it, and why."""

from typing import NamedTuple

from schemas.settings import Brushing
from streams.domain.integrity.buyer import BuyerIntegrity
from streams.domain.integrity.score import Reason, judge
from streams.domain.orders import Orders, set_brushed


class Verdict(NamedTuple):
    """A change of what an order is held to be. ``key``: streams.domain.orders.order_hash."""

    key: bytes
    brushed: bool
    points: int
    #: Of the judgement now, which is too weak where the verdict is taken back.
    reasons: tuple[Reason, ...]


def withdraw_verdicts(buyer: BuyerIntegrity | None, orders: Orders | None) -> None:
    """Put all orders whose signs are known back into the figures."""
    if buyer is not None and orders is not None:
        for mark in buyer.marks:
            mark.verdict = 0
            set_brushed(orders, mark.key, mark.hour, brushed=False)


def review_verdicts(
    buyer: BuyerIntegrity, orders: Orders, brushing: Brushing
) -> tuple[Verdict, ...]:
    """Judge all orders whose signs are known, and let ``orders`` follow; returns what changed.

    An order that ``orders`` no longer knows keeps the part that it has in the figures.
    """
    changed = []
    for mark in buyer.marks:
        judgement = judge(buyer, mark, brushing)
        brushed = judgement.points >= brushing.verdict_points
        mark.verdict = judgement.points if brushed else 0
        if mark.paid_at and set_brushed(orders, mark.key, mark.hour, brushed):
            changed.append(Verdict(mark.key, brushed, *judgement))
    return tuple(changed)
