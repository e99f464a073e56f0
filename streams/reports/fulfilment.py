"""How long customers wait: from payment to the parcel's leaving, and to its arrival."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_

from streams.reports.amounts import count, rows_of
from streams.reports.honest import orders
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.quantiles import add_quantiles, quantiles_of
from streams.reports.sums import Facts, Parts, Raw, add_up, counted

_held = orders.c
#: Name of a stage -> how long it lasted, and what it is.
_STAGES: Final = {
    "shipping": (_held.shipped_ms - _held.paid_ms, "from paid to shipped"),
    "delivery": (_held.received_ms - _held.shipped_ms, "from shipped to received"),
    "waiting": (_held.received_ms - _held.paid_ms, "from paid to received"),
}
_TIMES = "orders.paid_ms, shipped_ms, received_ms"
FIGURES = (
    Figure("paid_orders", "count", "Orders that were paid in the period.", _TIMES, additive=True),
    Figure("shipped_orders", "count", "Those of them that were shipped by now.", _TIMES, additive=True),
    Figure("received_orders", "count", "Those of them that were received by now.", _TIMES, additive=True),
    Figure(
        "open_orders", "count",
        "Those of them by now neither shipped, received, cancelled nor refunded whole.",
        f"{_TIMES}, cancelled_ms, status", additive=True,
    ),
    Figure(
        "disordered_orders", "count",
        "Those of them with a status that is earlier than the one before it: not in that time.", _TIMES,
        additive=True,
    ),
    *(
        Figure(f"{stage}_{which}", "ms", f"{words} of the times {what}.", _TIMES)
        for stage, (_, what) in _STAGES.items()
        for which, words in (("median", "Median"), ("p90", "90th percentile (nearest rank)"))
    ),
    Figure("late_orders", "count", "Orders shipped later than promised.", "not in the query store"),
)  # fmt: skip
_KEYS: dict[str, ColumnElement[Any]] = {"region": _held.region, "carrier": _held.carrier}


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    facts = Facts(orders, _held.paid_ms, [_held.shop_id == asked.shop])
    gone = (_held.shipped_ms, _held.received_ms, _held.cancelled_ms)
    disordered = or_(*(lasted < 0 for lasted, _ in _STAGES.values()))
    columns = [
        func.count(_held.paid_ms).label("paid"),
        func.count(_held.shipped_ms).label("shipped"),
        func.count(_held.received_ms).label("received"),
        func.count(
            case((and_(func.coalesce(*gone).is_(None), _held.status != "refunded"), 1))
        ).label("open"),
        func.count(case((disordered, 1))).label("disordered"),
    ]
    key = _KEYS.get(asked.by or "")
    found = add_up(connection, asked, facts, columns, key, func.count())
    whole, others = dict(found.whole), dict(found.others or {})
    parts: list[tuple[str | None, dict[str, Any]]] = [
        (name, dict(raw)) for name, raw in found.parts
    ]
    for stage, (lasted, _) in _STAGES.items():
        names = [name for name, _ in parts]
        of_whole, by_part, of_others = add_quantiles(
            connection, asked, facts, stage, lasted, names, key
        )
        whole |= of_whole
        others |= of_others
        for name, raw in parts:
            raw |= by_part.get(name, {})

    def values(raw: Raw) -> dict[str, Value]:
        names = ("paid", "shipped", "received", "open", "disordered")
        said = {f"{name}_orders": count(counted(raw, name)) for name in names}
        for stage in _STAGES:
            said |= quantiles_of(raw, stage)
        said["late_orders"] = Value(None, "no event says until when an order was promised")
        return said

    shown = Parts(whole, parts, None if found.others is None else others)
    return rows_of(asked, shown, FIGURES, values)


REPORT = Report("fulfilment", "Fulfilment", FIGURES, (*TIME_DIMENSIONS, "region", "carrier"), _rows)
