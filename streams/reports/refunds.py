"""Refunds, by the date on which they were completed and by that of the payment.

What a refund took from its order is worked out refund by refund, the earliest first, never more than was
paid; one without an amount takes the rest of the order, an exchange without one nothing. So refunds add up
to what streams.domain.orders takes from an order, whatever dates they are put under.
"""

from dataclasses import replace
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    String,
    Subquery,
    and_,
    case,
    func,
    select,
)

from streams.query.tables import order_lines, refunds
from streams.reports.amounts import count, money_columns, money_of, rows_of, share, unknown
from streams.reports.categories import CATEGORY, NOTE, beside_products
from streams.reports.honest import orders
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.sums import Columns, Facts, Parts, Raw, add_up, counted, in_period

_DONE = "refunds.refunded_ms of paid orders"
_COHORT = "orders.paid_ms and refunds.refunded_ms"
FIGURES = (
    Figure("refunds", "count", "Refunds completed in the period.", _DONE, additive=True),
    Figure("refunded_orders", "count", "Different orders with a refund completed in the period.", _DONE),
    Figure(
        "refunded_amount", "money",
        "What refunds completed in the period took from their orders; never more than was paid.",
        "refunds.amount and kind, orders.amount", additive=True,
    ),
    Figure(
        "refund_rate", "share", "By refund date: refunded orders / orders paid in the period.",
        "refunded_orders, orders.paid_ms",
    ),
    Figure(
        "refund_amount_rate", "share", "By refund date: refunded amount / gross paid amount of the period.",
        "refunded_amount, orders.amount",
    ),
    Figure(
        "cohort_refunded_orders", "count",
        "Of the orders paid in the period: those with a completed refund by now.", _COHORT,
    ),
    Figure(
        "cohort_refunded_amount", "money",
        "What completed refunds took, by now, from the orders paid in the period.", "orders.refunded_amount",
    ),
    Figure(
        "cohort_refund_rate", "share", "By pay date: of the orders paid in the period, those refunded.",
        _COHORT,
    ),
    Figure(
        "cohort_refund_amount_rate", "share",
        "By pay date: of the gross paid amount of the period, what was refunded.",
        "orders.refunded_amount, orders.amount",
    ),
)  # fmt: skip
#: Dimensions of which an order has as many parts as its lines have.
_OF_LINES = frozenset({"product", "category"})
_NOT_BY_LINE = "a refund names its order, not its lines"
_AMOUNTS = (
    "refunded_amount", "refund_amount_rate", "cohort_refunded_amount", "cohort_refund_amount_rate",
)  # fmt: skip


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    by_time = asked.by in TIME_DIMENSIONS
    whole = _Sources(connection, asked, asked if by_time else replace(asked, by=None))
    if by_time or asked.by is None:
        done, cohort, paid = whole.done(), whole.cohort(), whole.paid()
        both = [
            (name, {**one, **other, **third})
            for (name, one), (_, other), (_, third) in zip(
                done.parts, cohort.parts, paid.parts, strict=True
            )
        ]
        found = Parts({**done.whole, **cohort.whole, **paid.whole}, both)
        return rows_of(asked, found, FIGURES, lambda raw: _values(raw, asked))
    return _by_key(connection, asked, whole)


def _by_key(connection: Connection, asked: Asked, whole: "_Sources") -> list[Row]:
    """By what refunds or lines say: the parts are those of the refunds completed in the period."""
    all_paid = whole.paid().whole
    every = {**whole.done().whole, **whole.cohort().whole, **all_paid}
    done = _Sources(connection, asked, asked).done()
    split = _Sources(connection, asked, replace(asked, keys=tuple(key for key, _ in done.parts)))
    cohort = split.cohort()
    by_line = asked.by in _OF_LINES
    paid = split.paid() if by_line else None

    def joined(at: int, one: Raw) -> Raw:
        return {**one, **cohort.parts[at][1], **(paid.parts[at][1] if paid else all_paid)}

    parts = [(key, joined(at, one)) for at, (key, one) in enumerate(done.parts)]
    others: Raw | None = None
    left = cohort.others or {}
    if done.others is not None or counted(left, "cohort_orders"):
        of_paid = paid.others or {} if paid else all_paid
        others = {**(done.others or {}), **left, **of_paid}

    def values(raw: Raw) -> dict[str, Value]:
        found = _values(raw, asked)
        if by_line and raw is not every:
            found |= dict.fromkeys(_AMOUNTS, unknown(_NOT_BY_LINE))
        return found

    return rows_of(asked, Parts(every, parts, others), FIGURES, values)


class _Sources:
    """The three sums of which the figures are made, split as ``split`` asks."""

    def __init__(self, connection: Connection, asked: Asked, split: Asked) -> None:
        self._connection, self._asked, self._split = connection, asked, split

    def done(self) -> Parts:
        """Refunds completed in the period."""
        refund = refunds.c
        wanted = select(refund.customer_id, refund.order_id).where(
            refund.shop_id == self._asked.shop, in_period(refund.refunded_ms, self._asked)
        )
        taken = _taken(self._asked, wanted.distinct().subquery("wanted"))
        return self._sum(taken, taken.c.refunded_ms, "done")

    def cohort(self) -> Parts:
        """Refunds completed by now, of orders paid in the period."""
        order = orders.c
        wanted = select(order.customer_id, order.order_id).where(
            order.shop_id == self._asked.shop, in_period(order.paid_ms, self._asked)
        )
        taken = _taken(self._asked, wanted.subquery("wanted"))
        return self._sum(taken, taken.c.paid_ms, "cohort")

    def paid(self) -> Parts:
        """Orders paid in the period."""
        held = orders.c
        facts = Facts(orders, held.paid_ms, [held.shop_id == self._asked.shop])
        columns = [
            func.count(func.distinct(_order_key(held))).label("paid_orders"),
            func.count(held.amount).label("paid_told"),
            *money_columns("paid", held.amount, held.paid_ms, self._asked),
        ]
        return self._add_up(facts, columns, None)

    def _sum(self, taken: Subquery, time: ColumnElement[int], name: str) -> Parts:
        held = taken.c
        columns = [
            func.count(func.distinct(held.refund_key)).label(f"{name}_refunds"),
            func.count(func.distinct(held.order_key)).label(f"{name}_orders"),
            func.count(func.distinct(case((held.paid.is_(None), held.order_key)))).label(
                f"{name}_lacking"
            ),
            *money_columns(name, held.taken, held.paid_ms, self._asked),
        ]
        key = held[self._split.by] if self._split.by in ("reason", "kind") else None
        return self._add_up(Facts(taken, time, []), columns, key)

    def _add_up(self, facts: Facts, columns: Columns, key: ColumnElement[Any] | None) -> Parts:
        if self._split.by == "product":
            key = order_lines.c.sku
            facts = facts._replace(source=with_lines(facts.source, self._asked.shop))
        elif self._split.by == "category":
            key = CATEGORY
            lines = with_lines(facts.source, self._asked.shop, isouter=True)
            facts = facts._replace(source=beside_products(lines, self._asked.shop))
        return add_up(self._connection, self._split, facts, columns, key, func.count())


def with_lines(source: Any, shop: str, *, isouter: bool = False) -> FromClause:
    """``source`` beside the lines of its orders; ``isouter``: orders without lines stay."""
    line = order_lines.c
    same = (line.customer_id == source.c.customer_id, line.order_id == source.c.order_id)
    fits = and_(line.shop_id == shop, *same)
    return cast(FromClause, source.join(order_lines, fits, isouter=isouter))


def _order_key(held: Any) -> ColumnElement[str]:
    """One text an order of the shop: the length keeps apart what would be the same text."""
    length = func.length(held.customer_id).cast(String)
    return cast(ColumnElement[str], length + " " + held.customer_id + held.order_id)


def _taken(asked: Asked, wanted: Subquery) -> Subquery:
    """The completed refunds of the ``wanted`` orders that were paid, and what each took."""
    refund, order = refunds.c, orders.c
    whole = case((refund.kind == "exchange", 0), else_=order.amount)
    asked_for = func.coalesce(refund.amount, whole, 0)
    running = func.sum(asked_for).over(
        partition_by=(refund.customer_id, refund.order_id),
        order_by=(refund.refunded_ms, refund.refund_id),
    )
    # A sum of PostgreSQL's is no integer any more.
    until_now = running.cast(BigInteger)

    def at_most(of: ColumnElement[int]) -> ColumnElement[int]:
        return case((of > order.amount, order.amount), else_=of)

    took = at_most(until_now) - at_most(until_now - asked_for)
    key = _order_key(refund)
    of_refund = and_(
        refund.shop_id == asked.shop,
        refund.customer_id == wanted.c.customer_id,
        refund.order_id == wanted.c.order_id,
    )
    of_order = and_(
        order.shop_id == asked.shop,
        order.customer_id == wanted.c.customer_id,
        order.order_id == wanted.c.order_id,
    )
    return (
        select(
            refund.customer_id,
            refund.order_id,
            refund.refunded_ms,
            refund.reason,
            refund.kind,
            order.paid_ms,
            order.amount.label("paid"),
            key.label("order_key"),
            (func.length(key).cast(String) + " " + key + refund.refund_id).label("refund_key"),
            case((order.amount.is_not(None), took)).label("taken"),
        )
        .select_from(wanted.join(refunds, of_refund).join(orders, of_order))
        .where(refund.refunded_ms.is_not(None), order.paid_ms.is_not(None))
        .subquery("completed")
    )


def _values(raw: Raw, asked: Asked) -> dict[str, Value]:
    paid = counted(raw, "paid_orders")
    gross = money_of(raw, "paid", asked, lacking=paid - counted(raw, "paid_told"), of=paid)
    found = {"refunds": count(counted(raw, "done_refunds"))}
    for source, before in (("done", ""), ("cohort", "cohort_")):
        number = counted(raw, f"{source}_orders")
        took = money_of(raw, source, asked, lacking=counted(raw, f"{source}_lacking"), of=number)
        found |= {
            f"{before}refunded_orders": count(number),
            f"{before}refunded_amount": took,
            f"{before}refund_rate": share(count(number), count(paid), "no order was paid"),
            f"{before}refund_amount_rate": share(took, gross, "nothing was paid"),
        }
    return found


REPORT = Report(
    "refunds", "Refunds", FIGURES, ("reason", "kind", "product", "category", *TIME_DIMENSIONS), _rows,
    by="reason",
    notes=(
        "Rates of a reason or kind are of all paid orders of the period, others of those with such a line.",
        NOTE,
    ),
)  # fmt: skip
