"""Verdicts on a buyer's orders: given and taken back as the signs have it, and why.

Each change is a fact (``OrderJudged``). The customer's changes are numbered, also past a hand-over, where the
greater number of both goes on: of two facts about one order the one with the greater number is the later,
whoever's state gave them.
"""

from collections.abc import Iterable

from schemas.settings import Brushing
from streams.domain.facts import MoneyChange, OrderJudged
from streams.domain.integrity.buyer import BuyerIntegrity, OrderMark
from streams.domain.integrity.score import NO_JUDGEMENT, Judgement, judge
from streams.domain.names import NAME_BYTES
from streams.domain.order import BRUSHED
from streams.domain.orders import (
    Orders,
    brushed_orders,
    known_order,
    set_brushed,
    verdict_change,
)
from streams.domain.shop import ShopSettings, hour_of_day
from streams.domain.state import CustomerState


def withdraw_verdicts(buyer: BuyerIntegrity | None, orders: Orders | None) -> None:
    """Put all orders whose signs are known back into the figures."""
    if buyer is not None and orders is not None:
        for mark in buyer.marks:
            mark.verdict = 0
            set_brushed(orders, mark.key, mark.hour, brushed=False)


def review_verdicts(
    buyer: BuyerIntegrity, orders: Orders, brushing: Brushing
) -> list[tuple[OrderMark, Judgement, MoneyChange]]:
    """Judge all orders whose signs are known, and let ``orders`` follow.

    Returns those that changed, with what the judgement now says of them and what that changes in the
    figures of the day of the payment. An order that ``orders`` no longer knows keeps the part that it has
    in the figures.
    """
    changed = []
    for mark in buyer.marks:
        judgement = judge(buyer, mark, brushing)
        brushed = judgement.points >= brushing.verdict_points
        mark.verdict = judgement.points if brushed else 0
        if mark.paid_at:
            money = set_brushed(orders, mark.key, mark.hour, brushed)
            if money is not None:
                changed.append((mark, judgement, money))
    return changed


def judge_orders(
    state: CustomerState, time: int, settings: ShopSettings
) -> tuple[OrderJudged, ...]:
    """Review the verdicts of a customer after something of ``time`` (ms) was folded; what changed."""
    buyer, orders = state.integrity, state.orders
    if buyer is None or orders is None or settings.brushing is None:
        return ()
    return tuple(
        _numbered(state, buyer, orders, mark.key, time, judgement, money, mark.hour)
        for mark, judgement, money in review_verdicts(buyer, orders, settings.brushing)
    )


def held_brushed(states: Iterable[CustomerState]) -> frozenset[bytes]:
    """Hashes of the orders that any of ``states`` holds to be brushed."""
    return frozenset(
        key
        for state in states
        if state.orders is not None and state.orders.totals.brushed
        for key in brushed_orders(state.orders)
    )


def judged_since(
    state: CustomerState, before: frozenset[bytes], time: int, settings: ShopSettings
) -> tuple[OrderJudged, ...]:
    """What became of the verdicts when two lives of a customer were made one, at ``time`` (ms).

    ``before``: ``held_brushed`` of both lives.
    """
    orders = state.orders
    if orders is None:
        return ()
    now = held_brushed((state,))
    if now == before:
        return ()
    buyer = state.integrity = state.integrity or BuyerIntegrity(looks_left=True)
    marks = {mark.key: mark for mark in buyer.marks}
    facts = []
    for key in sorted(now ^ before):
        order, mark = known_order(orders, key), marks.get(key)
        if order is None or order.paid_at is None:
            continue  # it left, with what was counted of it
        judgement = NO_JUDGEMENT
        if mark is not None and settings.brushing is not None:
            judgement = judge(buyer, mark, settings.brushing)
        hour = hour_of_day(order.paid_at, settings.time_zone) if mark is None else mark.hour
        hour = hour if order.paid_hour < 0 else order.paid_hour
        money = verdict_change(order)
        facts.append(_numbered(state, buyer, orders, key, time, judgement, money, hour))
    return tuple(facts)


def _numbered(
    state: CustomerState, buyer: BuyerIntegrity, orders: Orders, key: bytes, time: int,
    judgement: Judgement, money: MoneyChange, hour: int,
) -> OrderJudged:  # fmt: skip
    """The next of the customer's changes; the order is as it is to be."""
    buyer.changes += 1
    order = known_order(orders, key)
    aliases = state.identity.aliases if state.identity is not None else []
    return OrderJudged(
        number=buyer.changes,
        key=key,
        order_id=_whole(order.order_id) if order is not None else "",
        brushed=order is not None and order.seen & BRUSHED > 0,
        points=judgement.points,
        reasons=tuple((each.sign, each.points, each.value) for each in judgement.reasons),
        product=judgement.product,
        visitors=tuple(alias.visitor for alias in aliases),
        time=time,
        hour=hour,
        money=money,
    )


def _whole(order_id: str) -> str:
    """``order_id`` where it is certain that nothing was cut off; else empty."""
    # A short form (streams.domain.names) has at least 4 bytes less than it may: it ends at a character.
    return order_id if len(order_id.encode()) <= NAME_BYTES - 4 else ""
