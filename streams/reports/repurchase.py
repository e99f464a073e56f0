"""Who comes back: windows that end with the period's last day."""

from typing import Final

from sqlalchemy import ColumnElement, Connection, Executable, and_, case, func, select

from streams.reports.amounts import count, share, withheld
from streams.reports.honest import orders
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import Period, offsets
from streams.reports.sums import Raw, counted, local_day, raws, within

#: Days.
WINDOWS: Final = (30, 90, 180, 365)
_PAID = "orders.paid_ms; orders cancelled or refunded later count, too"
FIGURES = (
    Figure("buyers", "count", "Different customers with at least one paid order in the window.", _PAID),
    Figure("repeat_buyers", "count", "Those of them with at least two paid orders in it.", _PAID),
    Figure("repurchase_rate", "share", "复购率: repeat buyers / buyers.", _PAID),
    Figure("day_repeat_buyers", "count", "Buyers who paid on at least two days of the window.", _PAID),
    Figure(
        "day_repurchase_rate", "share", "复购率 by distinct days: buyers of two days or more / buyers.", _PAID
    ),
    Figure(
        "previous_buyers", "count", "Different customers who paid in the window of the same length before.",
        _PAID,
    ),
    Figure("returned_buyers", "count", "Those of them who paid in this window, too.", _PAID),
    Figure("return_rate", "share", "回购率: returned buyers / buyers of the window before.", _PAID),
)  # fmt: skip
_FROM_BEFORE = ("previous_buyers", "returned_buyers", "return_rate")


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    rows = [Row("whole", _values(connection, asked, asked.period))]
    if asked.by == "window":
        for days in WINDOWS:
            values = _values(connection, asked, asked.period.ending(days))
            rows.append(Row("part", values, f"{days} days"))
    return rows


def _values(connection: Connection, asked: Asked, window: Period) -> dict[str, Value]:
    before = window.previous()
    (now,) = raws(connection, _buyers(asked, window))
    (then,) = raws(connection, _returned(asked, before, window))
    found = _figures({**now, **then})
    for names, since_ms in ((tuple(found), window.since_ms), (_FROM_BEFORE, before.since_ms)):
        why = asked.reason(since_ms)
        if why is not None:
            found |= withheld({name: found[name] for name in names}, FIGURES, why)
    return found


def _buyers(asked: Asked, window: Period) -> Executable:
    held = orders.c
    day = local_day(held.paid_ms, offsets(window.since_ms, window.until_ms, window.zone))
    each = (
        select(
            func.count().label("orders"),
            func.count(func.distinct(day)).label("days"),
        )
        .where(held.shop_id == asked.shop, within(held.paid_ms, window.since_ms, window.until_ms))
        .group_by(held.customer_id)
        .subquery("buyers")
        .c
    )
    return select(
        func.count().label("buyers"),
        func.count(case((each.orders >= 2, 1))).label("repeat"),
        func.count(case((each.days >= 2, 1))).label("day_repeat"),
    )


def _returned(asked: Asked, before: Period, window: Period) -> Executable:
    held = orders.c

    def bought(period: Period) -> ColumnElement[int]:
        fits = within(held.paid_ms, period.since_ms, period.until_ms)
        return func.count(case((fits, 1)))

    each = (
        select(bought(before).label("before"), bought(window).label("now"))
        .where(
            and_(held.shop_id == asked.shop, within(held.paid_ms, before.since_ms, window.until_ms))
        )
        .group_by(held.customer_id)
        .subquery("buyers")
        .c
    )
    return select(
        func.count().label("previous"), func.count(case((each.now > 0, 1))).label("returned")
    ).where(each.before > 0)


def _figures(raw: Raw) -> dict[str, Value]:
    names = ("buyers", "repeat", "day_repeat", "previous", "returned")
    buyers, repeat, by_day, previous, returned = (count(counted(raw, name)) for name in names)
    return {
        "buyers": buyers,
        "repeat_buyers": repeat,
        "repurchase_rate": share(repeat, buyers, "no buyer"),
        "day_repeat_buyers": by_day,
        "day_repurchase_rate": share(by_day, buyers, "no buyer"),
        "previous_buyers": previous,
        "returned_buyers": returned,
        "return_rate": share(returned, previous, "no buyer in the window before"),
    }


REPORT = Report(
    "repurchase", "Repurchase", FIGURES, ("window",), _rows, by="window",
    notes=("The whole is the period asked for; the windows end with its last day and overlap.",),
)  # fmt: skip
