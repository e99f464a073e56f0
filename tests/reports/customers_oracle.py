"""What rfm and lifecycle must say, from the words of docs/worth.md: plain Python, no code of streams."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from tests.reports.oracle import Figures, Question, Unknown, average, share

#: docs/worth.md: the least is the best of recency, the most of the others.
DEFAULTS = {
    "recency_days": (30, 60, 90, 180),
    "orders": (2, 3, 5, 10),
    "amount": (10_000, 30_000, 100_000, 300_000),
}
STAGES = ("new", "active", "repeat", "won_back", "dormant", "lost", None)


@dataclass
class Customer:
    """Net orders as (day, what is left of the amount; None: not known), the oldest first."""

    orders: list[tuple[date, int | None]]
    erased: date | None

    @property
    def days(self) -> list[date]:
        return sorted({day for day, _ in self.orders})


def customers(question: Question) -> list[Customer]:
    after = question.last + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(question.zone)).timestamp()

    def is_usd(time_ms: float) -> bool:
        return question.turn_ms is not None and time_ms >= question.turn_ms

    marks = {row["customer_id"]: question.day(row["until_ms"]) for row in question.erased}
    found: dict[str, Customer] = {}
    for order in sorted(question.orders, key=lambda o: o["paid_ms"] or 0):
        at = order["paid_ms"]
        if at is None or question.day(at) > question.last:
            continue
        if order["cancelled_ms"] is not None or order["status"] == "refunded":
            continue
        who = order["customer_id"]
        other = is_usd(at) != is_usd(end * 1000 - 1)
        customer = found.setdefault(who, Customer([], marks.get(who)))
        customer.orders.append((question.day(at), None if other else order["net_amount"]))
    return list(found.values())


def segment(r: int, f: int, m: int) -> str:
    if r >= 4:
        if f >= 4:
            return "champions" if m >= 4 else "loyal"
        if f >= 2:
            return "potential"
        return "potential" if m >= 3 else "new"
    if r == 3:
        return "loyal" if f >= 3 else "hibernating"
    if f >= 3 or m >= 4:
        return "at_risk"
    return "hibernating" if r == 2 else "lost"


def scores(
    customer: Customer, today: date, limits: Mapping[str, tuple[int, ...]]
) -> dict[str, Any]:
    """r, f, m, segment (None: not known), and the orders of the year: None where these are not known."""
    age = (today - customer.days[-1]).days
    r = 1 + sum(age <= limit for limit in limits["recency_days"])
    first = today - timedelta(days=364)
    if customer.erased is not None and customer.erased >= first:
        return {"r": r, "f": None, "m": None, "segment": None, "orders": None}
    orders = [amount for day, amount in customer.orders if day >= first]
    f = 1 + sum(len(orders) >= limit for limit in limits["orders"])
    known = sum(amount for amount in orders if amount is not None)
    least = 1 + sum(known >= limit for limit in limits["amount"])
    m = None if None in orders else least
    possible = {segment(r, f, each) for each in ([m] if m else range(least, 6))}
    one = possible.pop() if len(possible) == 1 else None
    return {"r": r, "f": f, "m": m, "segment": one, "orders": orders}


def stage(customer: Customer, today: date) -> str | None:
    days = customer.days
    if customer.erased is not None and len(days) < 55:
        return None
    if len(customer.orders) == 1 and (today - days[0]).days <= 30:
        return "new"
    if gone := _gone(customer.orders, today):
        return gone
    for day in days:
        before = [order for order in customer.orders if order[0] < day]
        if (today - day).days <= 30 and before and _gone(before, day):
            return "won_back"
    year = [day for day, _ in customer.orders if (today - day).days < 365]
    return "repeat" if len(year) >= 2 else "active"


def _gone(orders: Iterable[tuple[date, int | None]], today: date) -> str | None:
    """Whether who has bought so much and no more is lost, dormant or neither."""
    every = list(orders)
    days = sorted({day for day, _ in every})
    age = (today - days[-1]).days
    between = [(later - earlier).days for earlier, later in pairwise(days[-24:])]
    own = median(between) if between else None
    if age > 180 and (own is None or age > 3 * own):
        return "lost"
    if age > 90 or (len(every) >= 3 and own is not None and age > 2 * own):
        return "dormant"
    return None


def rfm(question: Question, dimension: str) -> tuple[Figures, dict[str | None, Figures]]:
    """The whole, and the parts."""
    limits = question.limits or DEFAULTS
    every = [(one, scores(one, question.last, limits)) for one in customers(question)]
    names: tuple[Any, ...] = (1, 2, 3, 4, 5)
    if dimension == "segment":
        names = ("champions", "loyal", "potential", "new", "at_risk", "hibernating", "lost")
    parts = {
        None if name is None else str(name): _rfm_figures(
            [each for each in every if each[1][dimension] == name], len(every)
        )
        for name in (*names, None)
    }
    return _rfm_figures(every, len(every)), parts


def _rfm_figures(some: list[tuple[Customer, dict[str, Any]]], everybody: int) -> Figures:
    years = [found["orders"] for _, found in some]
    known = [amount for orders in years if orders is not None for amount in orders]
    amount: Any = sum(each for each in known if each is not None)
    orders: Any = len(known)
    if None in years:
        orders = Unknown(orders)
    if None in years or None in known:
        amount = Unknown(amount)
    return {
        "customers": len(some),
        "share": share(len(some), everybody),
        "net_orders": orders,
        "net_amount": amount,
        "amount_per_customer": average(amount, len(some)),
        "unpriced_customers": sum(orders is not None and None in orders for orders in years),
        "erased_customers": sum(customer.erased is not None for customer, _ in some),
    }


def lifecycle(question: Question) -> tuple[Figures, dict[str | None, Figures]]:
    every = [(one, stage(one, question.last)) for one in customers(question)]

    def figures(some: list[Customer]) -> Figures:
        return {
            "customers": len(some),
            "share": share(len(some), len(every)),
            "erased_customers": sum(one.erased is not None for one in some),
        }

    parts: dict[str | None, Figures] = {
        name: figures([one for one, found in every if found == name]) for name in STAGES
    }
    parts["visitor"] = {name: Unknown() for name in ("customers", "share", "erased_customers")}
    return figures([one for one, _ in every]), parts
