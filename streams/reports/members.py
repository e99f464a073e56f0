"""Customers by the tier of their membership: streams.domain.membership over all that a shop has."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from schemas.settings import NO_TIER, Tier
from streams.domain.membership import tier_level
from streams.domain.points import points
from streams.domain.shop import day_of, day_of_date
from streams.query.tables import profiles
from streams.reports.amounts import count, share, unknown, withheld
from streams.reports.customers import Customer, customers, today_of
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.reach import has_rows

_FROM = "orders.paid_ms, status, net_amount; docs/worth.md"
_PAID = "orders.paid_ms, amount"
FIGURES = (
    Figure(
        "customers", "count",
        "Customers with a net order (neither cancelled nor wholly refunded by now) until the period's end; a "
        "part has those who are known to have this tier then.", _FROM, additive=True,
    ),
    Figure("share", "share", "Of all these customers.", "customers"),
    Figure(
        "moved_up", "count", "Those of them whose tier was lower before the period's first day.", _FROM,
        additive=True,
    ),
    Figure(
        "moved_down", "count", "Those of them whose tier was higher before the period's first day.", _FROM,
        additive=True,
    ),
    Figure(
        "paid_orders", "count",
        "Their orders that were paid in the period; those cancelled or refunded later count, too.", _PAID,
        additive=True,
    ),
    Figure(
        "paid_amount", "money", "Gross: what was paid with these orders, before any refund.", _PAID,
        additive=True,
    ),
    Figure(
        "members", "count", "Those of them who had joined the membership by the period's end.",
        "profiles.joined_ms", additive=True,
    ),
    Figure(
        "members_without_order", "count",
        "Who had joined by then and is none of these customers: of no tier.",
        "profiles.joined_ms", additive=True,
    ),
    Figure(
        "points_earned", "count",
        "Members' points that are good at the period's end, used ones among them: one for each full 1.00 of "
        "a day's net paid amount from the day of joining on, for 365 days.",
        "profiles.joined_ms, orders.net_amount; docs/worth.md", additive=True,
    ),
    Figure(
        "points_expiring", "count", "Of these: how many will have expired 30 days later.",
        "profiles.joined_ms, orders.net_amount; docs/worth.md", additive=True,
    ),
    Figure(
        "points_used_amount", "money",
        "What their orders that were paid in the period say was paid with points, whatever became of them.",
        "orders.points_used", additive=True,
    ),
    Figure(
        "erased_customers", "count",
        "Those of them who were erased: the tier is not known until the year it rests on is past that.",
        "erased.until_ms", additive=True,
    ),
)  # fmt: skip


@dataclass(slots=True)
class _Sums:
    """Over the customers of a part. ``unmoved``: of whom no move is known, since a tier is not; ``hidden``:
    whose orders of the period are not all known; ``unpriced``: orders that tell no amount."""

    customers: int = 0
    up: int = 0
    down: int = 0
    unmoved: int = 0
    orders: int = 0
    amount: int = 0
    unpriced: int = 0
    hidden: int = 0
    erased: int = 0
    #: Members; of whom points are not all known.
    members: int = 0
    earned: int = 0
    expiring: int = 0
    unscored: int = 0
    #: None: no order tells any; and orders that tell it in another currency.
    used: int | None = None
    used_elsewhere: int = 0

    def reward(self, customer: Customer, today: int, joined: int | None) -> None:
        """Add the points of who joined on the day ``joined``, and what they paid with points."""
        if customer.used is not None:
            self.used = (self.used or 0) + customer.used
            self.used_elsewhere += customer.used_elsewhere
        if joined is None:
            return
        self.members += 1
        found = points(customer.purchases, today, joined)
        self.unscored += found is None or found.unknown_amounts > 0
        if found is not None:
            self.earned += found.earned
            self.expiring += found.expiring

    def add(self, customer: Customer, before: int | None, level: int | None, first: int) -> None:
        """``before`` and ``level``: the tier before the period's ``first`` day and at its end."""
        self.customers += 1
        self.erased += customer.erased
        if before is None or level is None:
            self.unmoved += 1
        else:
            self.up += level > before
            self.down += level < before
        purchases = customer.purchases
        self.hidden += not purchases.known_since(first)
        for day in purchases.days:
            if day.day >= first:
                self.orders += day.orders
                self.amount += day.amount
                self.unpriced += day.unknown


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    tiers, today = asked.tiers_at_end(), today_of(asked)
    first = day_of_date(asked.period.first)
    whole = _Sums()
    parts = {level: _Sums() for level in (*range(len(tiers), -1, -1), None)}
    for customer in customers(connection, asked):
        before = tier_level(customer.purchases, first - 1, tiers)
        level = tier_level(customer.purchases, today, tiers)
        joined = customer.joined_ms
        joined_day = None if joined is None else day_of(joined, asked.period.zone)
        for sums in (whole, parts[level]):
            sums.add(customer, before, level, first)
            sums.reward(customer, today, joined_day)
    why = asked.whole_life()
    joined_ever = _joined(connection, asked)

    def values(sums: _Sums) -> dict[str, Value]:
        told = _values(sums, whole, asked) | _rewards(sums, whole, asked, joined_ever)
        if joined_ever is not None:
            outside = joined_ever - whole.members if sums in (whole, parts[0]) else 0
            told["members_without_order"] = count(outside)
        return told if why is None else withheld(told, FIGURES, why)

    rows = [Row("whole", values(whole))]
    if asked.by == REPORT.by:
        rows += [Row("part", values(sums), _name(tiers, level)) for level, sums in parts.items()]
    return rows


def _joined(connection: Connection, asked: Asked) -> int | None:
    """How many had joined by the period's end; None: the shop has told no profile of anybody."""
    held = profiles.c
    if not has_rows(connection, profiles, asked.shop):
        return None
    joined = held.joined_ms < asked.period.until_ms
    number = select(func.count()).where(held.shop_id == asked.shop, joined)
    return int(connection.execute(number).scalar_one())


def _rewards(sums: _Sums, whole: _Sums, asked: Asked, joined_ever: int | None) -> dict[str, Value]:
    """Membership and points. ``joined_ever`` None: nobody knows who is a member."""
    currency = asked.currency_at_end()
    used = Value(sums.used or 0, currency=currency)
    if whole.used is None:
        used = unknown("no order of the period tells what was paid with points")
    elif sums.used_elsewhere:
        why = f"{sums.used_elsewhere:,} orders tell it in another currency"
        used = Value(None, why, sums.used or 0, currency=currency)
    found = {"points_used_amount": used}
    if joined_ever is None:
        nothing = unknown("the shop has told no profile yet")
        names = ("members", "members_without_order", "points_earned", "points_expiring")
        return found | dict.fromkeys(names, nothing)
    earned, expiring = count(sums.earned), count(sums.expiring)
    if sums.unscored:
        why = (
            f"of {sums.unscored:,} of {sums.members:,} members orders or amounts are not all known"
        )
        earned, expiring = Value(None, why, sums.earned), Value(None, why, sums.expiring)
    return found | {
        "members": count(sums.members), "points_earned": earned, "points_expiring": expiring,
    }  # fmt: skip


def _name(tiers: Sequence[Tier], level: int | None) -> str | None:
    if level is None:
        return None
    return tiers[level - 1].name if level else NO_TIER


def _values(sums: _Sums, whole: _Sums, asked: Asked) -> dict[str, Value]:
    number, currency = count(sums.customers), asked.currency_at_end()
    up, down = count(sums.up), count(sums.down)
    if sums.unmoved:
        why = (
            f"of {sums.unmoved:,} of {sums.customers:,} customers the tier at one of the period's ends is "
            "not known"
        )
        up, down = Value(None, why, sums.up), Value(None, why, sums.down)
    orders, amount = count(sums.orders), Value(sums.amount, currency=currency)
    if sums.hidden:
        why = f"of {sums.hidden:,} of {sums.customers:,} customers earlier orders are not known"
        orders = Value(None, why, sums.orders)
        amount = Value(None, why, sums.amount, currency=currency)
    elif sums.unpriced:
        why = f"{sums.unpriced:,} of {sums.orders:,} orders tell no amount, or one of another currency"
        amount = Value(None, why, sums.amount, currency=currency)
    return {
        "customers": number,
        "share": share(number, count(whole.customers), "no customer"),
        "moved_up": up,
        "moved_down": down,
        "paid_orders": orders,
        "paid_amount": amount,
        "erased_customers": count(sums.erased),
    }


def _says(asked: Asked) -> tuple[str, ...]:
    told = "; ".join(
        f"{tier.name} {tier.orders:,} and {tier.amount:,}" for tier in asked.tiers_at_end()
    )
    whose = "the shop's then" if asked.tiers else "the defaults: the shop's own were not read"
    when = f"Tiers at the end of {asked.period.last} ({whose})"
    return (f"{when}, by net orders and net amount of twelve months: {told} (minor units).",)


REPORT = Report(
    "members", "Customers by their membership's tier", FIGURES, ("tier",), _rows, by="tier",
    notes=(
        "As of the end of the period's last day. Moves are from the end of the day before its first.",
        "Both ends are judged by the tiers of the last one, and by orders as they are known now.",
        "An order that tells no amount, or one of another currency, adds no money to what a tier takes.",
        "Who joined under a visitor's name and bought under another is a member without an order here.",
        "In no figure: customers whose net orders are all later, or from before they were erased.",
    ),
    says=_says,
)  # fmt: skip
