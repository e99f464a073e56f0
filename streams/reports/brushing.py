"""Orders that are or were held to be brushed (刷单): what the other reports leave out, and why."""

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, func

from streams.query.tables import orders, verdicts
from streams.reports.amounts import count, money_columns, money_of, rows_of, share, unknown
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.reach import has_rows
from streams.reports.sums import Facts, Parts, Raw, add_up, counted

_VERDICT = "verdicts: the newest one of the order; orders.paid_ms"
_HELD = "orders.brushed, paid_ms"
FIGURES = (
    Figure(
        "judged_orders", "count", "Orders paid in the period that are or once were held to be brushed.",
        _VERDICT, additive=True,
    ),
    Figure(
        "brushed_orders", "count", "Those of them that are now: in no figure of any other report.", _HELD,
        additive=True,
    ),
    Figure(
        "reversed_orders", "count", "Those of them that no longer are, and count like all others again.",
        _VERDICT, additive=True,
    ),
    Figure("brushed_buyers", "count", "Different customers who paid a brushed order.", _HELD),
    Figure(
        "brushed_amount", "money", "Gross: what was paid with the brushed orders.", f"{_HELD}, amount",
        additive=True,
    ),
    Figure(
        "brushed_net_amount", "money",
        "What is left of it now: less completed refunds; nothing of a cancelled order.",
        f"{_HELD}, net_amount", additive=True,
    ),
    Figure(
        "brushed_share", "share", "Brushed orders / all paid orders, the brushed ones included.", _HELD
    ),
)  # fmt: skip
_held = orders.c
_KEYS: Final[dict[str, ColumnElement[Any]]] = {
    "reason": _held.judged_sign, "product": _held.judged_sku, "region": _held.region,
}  # fmt: skip
_NEVER: Final = (
    "no order of the shop has a verdict: its settings have no `brushing`, or nothing looked brushed"
)
#: What only judged orders have.
_OF_VERDICTS: Final = frozenset(("reason", "product"))


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    every = Facts(orders, _held.paid_ms, [_held.shop_id == asked.shop])
    is_brushed = _held.brushed == 1
    columns = [
        func.count(_held.paid_ms).label("paid"),
        func.count(_held.judged_ms).label("judged"),
        func.count(case((is_brushed, 1))).label("brushed"),
        func.count(func.distinct(case((is_brushed, _held.customer_id)))).label("buyers"),
        func.count(case((is_brushed, _held.amount))).label("told"),
        *money_columns("gross", case((is_brushed, _held.amount)), _held.paid_ms, asked),
        *money_columns("net", case((is_brushed, _held.net_amount)), _held.paid_ms, asked),
    ]
    never = unknown(_NEVER) if not has_rows(connection, verdicts, asked.shop) else None
    by_verdict = asked.by in _OF_VERDICTS
    facts = every
    if by_verdict:
        facts = every._replace(where=[*every.where, _held.judged_ms.is_not(None)])
    rank = func.count(case((is_brushed, 1)))
    found = add_up(connection, asked, facts, columns, _KEYS.get(asked.by or ""), rank)
    if by_verdict:
        whole = add_up(connection, replace(asked, by=None), every, columns).whole
        found = Parts(whole, found.parts, found.others)

    def values(raw: Raw) -> dict[str, Value]:
        said = _values(raw, asked)
        if never is not None:
            return dict.fromkeys(said, never)
        if by_verdict and raw is not found.whole:
            said["brushed_share"] = unknown("an order that nobody judged has no reason or product")
        return said

    return rows_of(asked, found, FIGURES, values)


def _values(raw: Raw, asked: Asked) -> dict[str, Value]:
    judged, brushed = counted(raw, "judged"), counted(raw, "brushed")
    lacking = brushed - counted(raw, "told")
    return {
        "judged_orders": count(judged),
        "brushed_orders": count(brushed),
        "reversed_orders": count(judged - brushed),
        "brushed_buyers": count(counted(raw, "buyers")),
        "brushed_amount": money_of(raw, "gross", asked, lacking=lacking, of=brushed),
        "brushed_net_amount": money_of(raw, "net", asked, lacking=lacking, of=brushed),
        "brushed_share": share(count(brushed), count(counted(raw, "paid")), "no order was paid"),
    }


REPORT = Report(
    "brushing", "Brushed orders", FIGURES, ("reason", "product", "region", *TIME_DIMENSIONS), _rows,
    by="reason",
    notes=(
        "The reason is the sign with the most points at the newest judgement, the product that of its signs.",
        "Of an order that was put back they are what is left.",
        "Only shops whose settings have `brushing` judge orders.",
    ),
)  # fmt: skip
