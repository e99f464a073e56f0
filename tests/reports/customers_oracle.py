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
    """Net orders as (day, what is left of the amount; None: not known), the oldest first; ``paid``: all that
    were paid, with what was paid."""

    orders: list[tuple[date, int | None]]
    erased: date | None
    paid: list[tuple[date, int | None]]

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
        who = order["customer_id"]
        other = is_usd(at) != is_usd(end * 1000 - 1)
        customer = found.setdefault(who, Customer([], marks.get(who), []))
        customer.paid.append((question.day(at), None if other else order["amount"]))
        if order["cancelled_ms"] is not None or order["status"] == "refunded":
            continue
        customer.orders.append((question.day(at), None if other else order["net_amount"]))
    return [customer for customer in found.values() if customer.orders]


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


#: docs/worth.md; the lowest first.
TIERS = (("silver", 2, 50_000), ("gold", 6, 200_000), ("platinum", 12, 1_000_000))


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def level(customer: Customer, today: date, tiers: tuple[tuple[str, int, int], ...]) -> int | None:
    """The highest that any day since the last month's last one gave; None: not known."""
    day = today.replace(day=1) - timedelta(days=1)
    if customer.erased is not None and customer.erased > _year_before(day):
        return None
    best = 0
    while day <= today:
        after = _year_before(day)
        year = [amount for at, amount in customer.orders if after < at <= day]
        money = sum(amount or 0 for amount in year)
        best = max(best, sum(len(year) >= n and money >= least for _, n, least in tiers))
        day += timedelta(days=1)
    return best


def members(question: Question) -> tuple[Figures, dict[str | None, Figures]]:
    tiers = question.tiers or TIERS
    before = question.first - timedelta(days=1)
    every = [
        (one, level(one, before, tiers), level(one, question.last, tiers))
        for one in customers(question)
    ]
    names: list[tuple[int | None, str | None]] = [(None, None), (0, "none")]
    names += [(number, name) for number, (name, _, _) in enumerate(tiers, 1)]
    parts = {
        name: _member_figures(question, [each for each in every if each[2] == number], len(every))
        for number, name in names
    }
    return _member_figures(question, every, len(every)), parts


def _member_figures(
    question: Question, some: list[tuple[Customer, int | None, int | None]], everybody: int
) -> Figures:
    moves = [None if None in (was, now) else now - was for _, was, now in some]  # type: ignore[operator]
    up: Any = sum(move is not None and move > 0 for move in moves)
    down: Any = sum(move is not None and move < 0 for move in moves)
    if None in moves:
        up, down = Unknown(up), Unknown(down)
    paid = [each for one, _, _ in some for each in one.paid if question.first <= each[0]]
    orders: Any = len(paid)
    amount: Any = sum(each or 0 for _, each in paid)
    if any(one.erased is not None and one.erased >= question.first for one, _, _ in some):
        orders, amount = Unknown(orders), Unknown(amount)
    elif None in [each for _, each in paid]:
        amount = Unknown(amount)
    return {
        "customers": len(some), "share": share(len(some), everybody), "moved_up": up, "moved_down": down,
        "paid_orders": orders, "paid_amount": amount,
        **_reward_figures(question),
        "erased_customers": sum(one.erased is not None for one, _, _ in some),
    }  # fmt: skip


def _reward_figures(question: Question) -> Figures:
    """No history of these tests tells a member or what was paid with points: test_members.py does."""
    known: Any = 0 if "profiles" in question.told else Unknown()
    names = ("members", "members_without_order", "points_earned", "points_expiring")
    return {**dict.fromkeys(names, known), "points_used_amount": Unknown()}


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
