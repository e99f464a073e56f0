"""Each report against the oracle, on whatever store has the question's events."""

from collections.abc import Callable
from typing import Any

from streams.query.connecting import Database
from tests.reports import oracle
from tests.reports.asking import by_key, figures, rows
from tests.reports.oracle import Question

TIMES = ("day", "week", "month")


def by_time(
    database: Database,
    question: Question,
    name: str,
    expected: Callable[[Callable[[int], bool]], Any],
) -> None:
    """``expected``: the figures of what happened at the times that fit."""
    for dimension in TIMES:
        wanted = {
            each: expected(
                lambda at, each=each, d=dimension: oracle.bucket(question, d, at) == each
            )  # type: ignore[misc]
            for each in oracle.names(question, dimension)
        }
        found = rows(database, question, name, dimension)
        assert by_key(found) == wanted, (name, dimension)
        assert figures(found[0]) == expected(lambda _: True)


def split(
    database: Database, question: Question, name: str, dimension: str,
    items: list[Any], of: Callable[[Any], Any], expected: Callable[[list[Any]], Any],
) -> None:  # fmt: skip
    """By a column: all parts, then the greatest and the others in one row."""
    keys = {of(item) for item in items}
    found = rows(database, question, name, dimension)
    assert figures(found[0]) == expected(items)
    wanted = {each: expected([item for item in items if of(item) == each]) for each in keys}
    assert by_key(found) == wanted
    if len(keys) > 1:
        cut = rows(database, question, name, dimension, limit=1)
        (top,) = by_key(cut)
        assert [row.kind for row in cut] == ["whole", "part", "others"]
        assert by_key(cut)[top] == wanted[top]
        assert figures(cut[2]) == expected([item for item in items if of(item) != top])


def overview(database: Database, question: Question) -> None:
    by_time(database, question, "overview", lambda fits: oracle.overview(question, fits))


def payments_and_regions(database: Database, question: Question) -> None:
    for name, dimension, column in (
        ("payments", "payment", "payment_method"), ("regions", "region", "region"),
    ):  # fmt: skip
        split(
            database, question, name, dimension, question.paid(), lambda o, c=column: o[c],  # type: ignore[misc]
            lambda orders: oracle.paid_figures(question, orders),
        )  # fmt: skip
        by_time(
            database, question, name,
            lambda fits: oracle.paid_figures(question, [o for o in question.paid() if fits(o["paid_ms"])]),
        )  # fmt: skip


def hours(database: Database, question: Question) -> None:
    found = rows(database, question, "hours")
    wanted = {
        f"{hour:02}": oracle.paid_figures(
            question, [o for o in question.paid() if question.clock(o["paid_ms"]).hour == hour]
        )
        for hour in range(24)
    }
    assert by_key(found) == wanted


def products(database: Database, question: Question) -> None:
    lines = oracle.bought_lines(question)

    def expected(some: list[Any]) -> Any:
        return oracle.product_figures(question, some)

    for dimension, column in (("product", "sku"), ("category", "category")):
        split(
            database, question, "products", dimension, lines, lambda x, c=column: x[1][c], expected
        )  # type: ignore[misc]
    by_time(
        database, question, "products",
        lambda fits: expected([line for line in lines if fits(line[0]["paid_ms"])]),
    )  # fmt: skip


CHECKS = (overview, payments_and_regions, hours, products)
