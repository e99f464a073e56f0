"""Customers by the tier of their membership: streams.domain.membership over all that a shop has."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from schemas.settings import NO_TIER, Tier
from streams.domain.membership import tier_level
from streams.domain.shop import day_of_date
from streams.reports.amounts import count, share, withheld
from streams.reports.customers import Customer, customers, today_of
from streams.reports.model import Asked, Figure, Report, Row, Value

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
        for sums in (whole, parts[level]):
            sums.add(customer, before, level, first)
    why = asked.whole_life()

    def values(sums: _Sums) -> dict[str, Value]:
        told = _values(sums, whole, asked)
        return told if why is None else withheld(told, FIGURES, why)

    rows = [Row("whole", values(whole))]
    if asked.by == REPORT.by:
        rows += [Row("part", values(sums), _name(tiers, level)) for level, sums in parts.items()]
    return rows


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
        "In no figure: customers whose net orders are all later, or from before they were erased.",
    ),
    says=_says,
)  # fmt: skip
