"""Customers by their stage: streams.domain.lifecycle over all that a shop has."""

from collections import Counter
from typing import Final, get_args

from sqlalchemy import Connection

from streams.domain.lifecycle import Stage, stage
from streams.reports.amounts import count, share, unknown, withheld
from streams.reports.customers import customers, today_of
from streams.reports.model import Asked, Figure, Report, Row, Value

_FROM = "orders.paid_ms, status; docs/worth.md"
FIGURES = (
    Figure(
        "customers", "count",
        "Customers with a net order (neither cancelled nor wholly refunded by now) until the period's end; a "
        "part has those who are known to be in this stage then.", _FROM, additive=True,
    ),
    Figure("share", "share", "Of all these customers.", "customers"),
    Figure(
        "erased_customers", "count",
        "Those of them who were erased: the stage is not known, since what was before is not (but of those "
        "with net orders on 55 days since then).", "erased.until_ms", additive=True,
    ),
)  # fmt: skip

_VISITOR: Final = "visitor"
#: In the order of life; then those of whom it is not known.
_STAGES: Final[tuple[str | None, ...]] = (
    _VISITOR, "new", "active", "repeat", "won_back", "dormant", "lost", None,
)  # fmt: skip
assert set(_STAGES) == {*get_args(Stage), None}


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    everybody: Counter[str | None] = Counter()
    erased: Counter[str | None] = Counter()
    today = today_of(asked)
    for customer in customers(connection, asked):
        found = stage(customer.purchases, today)
        everybody[found] += 1
        erased[found] += customer.erased
    total, why = everybody.total(), asked.whole_life()

    def values(number: int, of_erased: int) -> dict[str, Value]:
        told = {
            "customers": count(number),
            "share": share(count(number), count(total), "no customer"),
            "erased_customers": count(of_erased),
        }
        return told if why is None else withheld(told, FIGURES, why)

    rows = [Row("whole", values(total, erased.total()))]
    if asked.by != REPORT.by:
        return rows
    for name in _STAGES:
        if name == _VISITOR:
            told = {
                figure.name: unknown("who has no order is not in the query store")
                for figure in FIGURES
            }
        else:
            told = values(everybody[name], erased[name])
        rows.append(Row("part", told, name))
    return rows


REPORT = Report(
    "lifecycle", "Customers by their stage of life", FIGURES, ("stage",), _rows, by="stage",
    notes=(
        "As of the end of the period's last day; its first one matters to --compare only.",
        "In no figure: customers whose net orders are all later, or from before they were erased.",
    ),
)  # fmt: skip
