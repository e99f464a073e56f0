"""Customers by recency, frequency and money: streams.domain.rfm over all that a shop has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from streams.domain.rfm import RFM_DAYS, SCORES, SEGMENTS, Rfm, rfm
from streams.reports.amounts import average, count, share, withheld
from streams.reports.customers import Customer, customers, today_of
from streams.reports.model import Asked, Figure, Report, Row, Value

_FROM = "orders.paid_ms, status, net_amount; docs/worth.md"
FIGURES = (
    Figure(
        "customers", "count",
        "Customers with a net order (neither cancelled nor wholly refunded by now) until the period's end; a "
        "part has those of whom the segment or score is known to be this one.", _FROM, additive=True,
    ),
    Figure("share", "share", "Of all these customers.", "customers"),
    Figure(
        "net_orders", "count", f"Their net orders in the {RFM_DAYS} days that end with the period.", _FROM,
        additive=True,
    ),
    Figure(
        "net_amount", "money", "What is left now of what was paid with these orders.", _FROM, additive=True
    ),
    Figure("amount_per_customer", "money_average", "Net amount / customers.", "net_amount, customers"),
    Figure(
        "unpriced_customers", "count",
        "Those of them with such an order that tells no amount, or was paid in another currency than the "
        "shop's at the period's end: M is not known, the segment only where it hangs on no M.", _FROM,
        additive=True,
    ),
    Figure(
        "erased_customers", "count",
        "Those of them who were erased: what was before is not known, and less than "
        f"{RFM_DAYS} days after it neither are F, M and segment.", "erased.until_ms", additive=True,
    ),
)  # fmt: skip

_SEGMENTS: Final = tuple(dict.fromkeys(segment for *_, segment in SEGMENTS))
_SCORES: Final = tuple(str(score) for score in reversed(SCORES))
#: What the parts of each dimension are, and in which order; then those of whom it is not known.
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "segment": _SEGMENTS, "r": _SCORES, "f": _SCORES, "m": _SCORES,
}  # fmt: skip


@dataclass(slots=True)
class _Sums:
    """Over the customers of a part. ``hidden``: those whose orders of the year are not all known."""

    customers: int = 0
    orders: int = 0
    amount: int = 0
    without_amount: int = 0
    hidden: int = 0
    unpriced: int = 0
    erased: int = 0

    def add(self, customer: Customer, found: Rfm) -> None:
        self.customers += 1
        self.erased += customer.erased
        if found.orders is None:
            self.hidden += 1
            return
        self.orders += found.orders
        self.amount += found.amount or 0
        self.without_amount += found.unknown_amounts or 0
        self.unpriced += bool(found.unknown_amounts)


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    by = asked.by if asked.by in _PARTS else None
    whole = _Sums()
    parts: dict[str | None, _Sums] = {}
    if by is not None:
        parts = {name: _Sums() for name in (*_PARTS[by], None)}
    today, thresholds = today_of(asked), asked.rfm_at_end()
    for customer in customers(connection, asked):
        found = rfm(customer.purchases, today, thresholds)
        whole.add(customer, found)
        if by is not None:
            known = getattr(found, by)
            parts[None if known is None else str(known)].add(customer, found)
    why = asked.whole_life()

    def values(sums: _Sums) -> dict[str, Value]:
        told = _values(sums, whole, asked)
        return told if why is None else withheld(told, FIGURES, why)

    return [
        Row("whole", values(whole)),
        *(Row("part", values(sums), name) for name, sums in parts.items()),
    ]


def _values(sums: _Sums, whole: _Sums, asked: Asked) -> dict[str, Value]:
    number, currency = count(sums.customers), asked.currency_at_end()
    orders, amount = count(sums.orders), Value(sums.amount, currency=currency)
    if sums.hidden:
        why = f"of {sums.hidden:,} of {sums.customers:,} customers earlier orders are not known"
        orders = Value(None, why, sums.orders)
        amount = Value(None, why, sums.amount, currency=currency)
    elif sums.without_amount:
        why = (
            f"{sums.without_amount:,} of {sums.orders:,} orders tell no amount, or one of another "
            "currency"
        )
        amount = Value(None, why, sums.amount, currency=currency)
    return {
        "customers": number,
        "share": share(number, count(whole.customers), "no customer"),
        "net_orders": orders,
        "net_amount": amount,
        "amount_per_customer": average(amount, sums.customers, "customer"),
        "unpriced_customers": count(sums.unpriced),
        "erased_customers": count(sums.erased),
    }


def _says(asked: Asked) -> tuple[str, ...]:
    found = asked.rfm_at_end()
    told = "; ".join(
        f"{name} {', '.join(f'{limit:,}' for limit in getattr(found, name))}"
        for name in found.__struct_fields__
    )
    whose = "the shop's then" if asked.thresholds else "the defaults: the shop's own were not read"
    return (f"Thresholds at the end of {asked.period.last} ({whose}): {told} (minor units).",)


REPORT = Report(
    "rfm", "Customers by recency, frequency and money", FIGURES, tuple(_PARTS), _rows, by="segment",
    notes=(
        "As of the end of the period's last day; its first one matters to --compare only.",
        "In no figure: customers whose net orders are all later, or from before they were erased.",
    ),
    says=_says,
)  # fmt: skip
