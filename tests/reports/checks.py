"""Each report against the oracle, on whatever store has the question's events."""

from collections.abc import Callable
from typing import Any

from streams.query.connecting import Database
from tests.reports import customers_oracle, oracle
from tests.reports.asking import by_key, figures, rows
from tests.reports.oracle import Question, Unknown

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
        f"{hour:02}": {
            **oracle.paid_figures(
                question, [o for o in question.paid() if question.clock(o["paid_ms"]).hour == hour]
            ),
            "visits": oracle.Unknown(),
        }
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


def refunds(database: Database, question: Question) -> None:
    every = oracle.completed(question)
    done = [refund for refund in every if question.holds(refund["refunded_ms"])]
    cohort = [refund for refund in every if question.holds(refund["order"]["paid_ms"])]
    paid = question.paid()
    by_time(
        database, question, "refunds",
        lambda fits: oracle.refund_figures(
            question, [r for r in done if fits(r["refunded_ms"])],
            [r for r in cohort if fits(r["order"]["paid_ms"])], [o for o in paid if fits(o["paid_ms"])],
        ),
    )  # fmt: skip
    whole = oracle.refund_figures(question, done, cohort, paid)
    has = {
        sku: {oracle.key(line) for line in question.lines if line["sku"] == sku}
        for sku in {line["sku"] for line in question.lines}
    }

    def of(dimension: str, keys: set[Any]) -> dict[str, Any]:
        """What is of any of the keys."""
        if dimension == "product":
            held = set().union(*(has[sku] for sku in keys))
            some = [
                [each for each in part if oracle.key(each) in held] for part in (done, cohort, paid)
            ]
            unknown = {name: Unknown() for name in whole if "amount" in name}
            return {**oracle.refund_figures(question, *some), **unknown}
        some = [[each for each in part if each[dimension] in keys] for part in (done, cohort)]
        return oracle.refund_figures(question, *some, paid)

    for dimension in ("reason", "kind", "product"):
        column = [r[dimension] for r in done] if dimension != "product" else [
            sku for sku in has if any(oracle.key(r) in has[sku] for r in done)
        ]  # fmt: skip
        later = [r[dimension] for r in cohort] if dimension != "product" else [
            sku for sku in has if any(oracle.key(r) in has[sku] for r in cohort)
        ]  # fmt: skip
        keys = set(column)
        for limit in (20, 1):
            found = rows(database, question, "refunds", dimension, limit=limit)
            assert figures(found[0]) == whole
            shown = by_key(found)
            assert len(shown) == min(limit, len(keys))
            for key, values in shown.items():
                assert values == of(dimension, {key}), (dimension, key)
            left = (keys | set(later)) - shown.keys()
            assert [row.kind for row in found if row.kind == "others"] == ["others"] * bool(left)
            if left and dimension != "product":
                assert figures(found[-1]) == of(dimension, left)
            elif left:
                # Also products of which nothing was refunded.
                assert figures(found[-1]) == of(dimension, has.keys() - shown.keys())


def fulfilment(database: Database, question: Question) -> None:
    paid = question.paid()
    split(
        database,
        question,
        "fulfilment",
        "region",
        paid,
        lambda o: o["region"],
        oracle.fulfilment_figures,
    )
    by_time(
        database, question, "fulfilment",
        lambda fits: oracle.fulfilment_figures([o for o in paid if fits(o["paid_ms"])]),
    )  # fmt: skip


def repurchase(database: Database, question: Question) -> None:
    found = rows(database, question, "repurchase")
    days = (question.last - question.first).days + 1
    assert figures(found[0]) == oracle.repurchase_figures(question, days)
    wanted = {f"{n} days": oracle.repurchase_figures(question, n) for n in (30, 90, 180, 365)}
    assert by_key(found) == wanted


def intervals(database: Database, question: Question) -> None:
    every = oracle.intervals(question)
    found = by_key(rows(database, question, "intervals"))
    assert sum(values["intervals"] for values in found.values()) == len(every)
    for name, values in found.items():
        own = [lasted for _, lasted in every if oracle.interval_class(lasted) == name]
        assert values == oracle.interval_figures(own), name
    by_time(
        database, question, "intervals",
        lambda fits: oracle.interval_figures([lasted for at, lasted in every if fits(at)]),
    )  # fmt: skip


def reviews(database: Database, question: Question) -> None:
    posted = [
        r for r in question.reviews if question.holds(r["posted_ms"]) and r["removed_ms"] is None
    ]
    split(
        database, question, "reviews", "product", posted, lambda r: r["sku"], oracle.review_figures
    )
    by_time(
        database, question, "reviews",
        lambda fits: oracle.review_figures([r for r in posted if fits(r["posted_ms"])]),
    )  # fmt: skip


def cohorts(database: Database, question: Question) -> None:
    every = oracle.cohorts(question)
    found = rows(database, question, "cohorts")
    assert by_key(found) == {
        month: oracle.retention_figures(question, month, orders) for month, orders in every.items()
    }
    everybody = {order["customer_id"] for orders in every.values() for order in orders}
    assert figures(found[0])["customers"] == len(everybody)


def value(database: Database, question: Question) -> None:
    every = oracle.cohorts(question)
    found = rows(database, question, "value")
    assert by_key(found) == {
        month: oracle.value_figures(question, orders) for month, orders in every.items()
    }
    together = [order for orders in every.values() for order in orders]
    assert figures(found[0]) == oracle.value_figures(question, together)


def rfm(database: Database, question: Question) -> None:
    for dimension in ("segment", "r", "f", "m"):
        whole, parts = customers_oracle.rfm(question, dimension)
        found = rows(database, question, "rfm", dimension)
        assert figures(found[0]) == whole
        assert by_key(found) == parts
        assert sum(part["customers"] for part in parts.values()) == whole["customers"]


def lifecycle(database: Database, question: Question) -> None:
    whole, parts = customers_oracle.lifecycle(question)
    found = rows(database, question, "lifecycle")
    assert figures(found[0]) == whole
    assert by_key(found) == parts


CHECKS = (
    overview, payments_and_regions, hours, products, refunds, fulfilment, repurchase, intervals, cohorts,
    value, rfm, lifecycle, reviews,
)  # fmt: skip
