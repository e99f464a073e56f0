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


def demographics(database: Database, question: Question) -> None:
    for dimension in ("age", "gender", "region"):
        split(
            database, question, "demographics", dimension, question.paid(),
            lambda order, d=dimension: question.buyer(order, d),  # type: ignore[misc]
            lambda orders: oracle.paid_figures(question, orders),
        )  # fmt: skip
    by_time(
        database, question, "demographics",
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

    split(database, question, "products", "product", lines, lambda x: x[1]["sku"], expected)
    split(
        database, question, "products", "category", lines, lambda x: question.category(x[1]), expected
    )  # fmt: skip
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
    of_order: dict[Any, dict[str, set[Any]]] = {
        oracle.key(order): {"product": set(), "category": set()} for order in question.orders
    }
    for line in question.lines:
        parts = of_order[oracle.key(line)]
        parts["product"].add(line["sku"])
        parts["category"].add(question.category(line))
    for parts in of_order.values():
        # An order without lines is of no product, and of a category that is not known.
        parts["category"] = parts["category"] or {None}

    def keys_of(dimension: str, of: dict[str, Any]) -> set[Any]:
        """The parts that a refund or an order is of."""
        return of_order[oracle.key(of)][dimension]

    def of(dimension: str, keys: set[Any]) -> dict[str, Any]:
        """What is of any of the keys."""
        if dimension in ("product", "category"):
            some = [
                [each for each in part if keys_of(dimension, each) & keys]
                for part in (done, cohort, paid)
            ]
            unknown = {name: Unknown() for name in whole if "amount" in name}
            return {**oracle.refund_figures(question, *some), **unknown}
        some = [[each for each in part if each[dimension] in keys] for part in (done, cohort)]
        return oracle.refund_figures(question, *some, paid)

    every_key = {
        d: set().union(*(p[d] for p in of_order.values())) for d in ("product", "category")
    }
    for dimension in ("reason", "kind", "product", "category"):
        by_line = dimension in every_key

        def found_in(some: list[Any], d: str = dimension, lines: bool = by_line) -> set[Any]:
            if lines:
                return set().union(*(keys_of(d, refund) for refund in some))
            return {refund[d] for refund in some}

        keys, later = found_in(done), found_in(cohort)
        for limit in (20, 1):
            found = rows(database, question, "refunds", dimension, limit=limit)
            assert figures(found[0]) == whole
            shown = by_key(found)
            assert len(shown) == min(limit, len(keys))
            for key, values in shown.items():
                assert values == of(dimension, {key}), (dimension, key)
            left = (keys | later) - shown.keys()
            assert [row.kind for row in found if row.kind == "others"] == ["others"] * bool(left)
            if left and not by_line:
                assert figures(found[-1]) == of(dimension, left)
            elif left:
                # Also those of which nothing was refunded.
                assert figures(found[-1]) == of(dimension, every_key[dimension] - shown.keys())


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


def brushing(database: Database, question: Question) -> None:
    judged = [order for order in question.judged if question.holds(order["paid_ms"])]
    paid = [*question.paid(), *(order for order in judged if order["brushed"])]

    if not question.judges:
        found = rows(database, question, "brushing", "day")
        assert all(value == Unknown() for row in found for value in figures(row).values())
        return

    def of(some: list[Any], fits: Callable[[Any], bool]) -> Any:
        held = [order for order in some if order["judged_ms"] is not None]
        return oracle.brushing_figures(question, held, sum(map(fits, paid)))

    by_time(
        database, question, "brushing",
        lambda fits: of(
            [o for o in judged if fits(o["paid_ms"])], lambda order: fits(order["paid_ms"])
        ),
    )  # fmt: skip
    found = by_key(rows(database, question, "brushing", "region"))
    assert found == {
        region: of(
            [o for o in judged if o["region"] == region], lambda o, r=region: o["region"] == r
        )  # type: ignore[misc]
        for region in {order["region"] for order in paid}
    }
    for dimension, column in (("reason", "judged_sign"), ("product", "judged_sku")):
        shown = rows(database, question, "brushing", dimension)
        assert figures(shown[0]) == of(judged, lambda _: True)
        assert by_key(shown) == {
            key: oracle.brushing_figures(question, [o for o in judged if o[column] == key], None)
            for key in {order[column] for order in judged}
        }


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


def is_silent(database: Database, question: Question, table: str, name: str, by: str) -> bool:
    """Whether the shop told nothing of the kind; then nothing is known of it."""
    if table in question.told:
        return False
    found = [figures(row) for row in rows(database, question, name, by)]
    assert all(value == Unknown() for row in found for value in row.values()), (name, by)
    return True


def reviews(database: Database, question: Question) -> None:
    if is_silent(database, question, "review_events", "reviews", "day"):
        return
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


def themes(database: Database, question: Question) -> None:
    if is_silent(database, question, "review_events", "reviews", "theme"):
        return
    posted = [
        r for r in question.reviews if question.holds(r["posted_ms"]) and r["removed_ms"] is None
    ]
    keys = set().union(*(oracle.themes_of(review) for review in posted))

    def of(some: set[Any]) -> Any:
        return oracle.review_figures([r for r in posted if oracle.themes_of(r) & some])

    for limit in (20, 2, 1):
        found = rows(database, question, "reviews", "theme", limit=limit)
        assert figures(found[0]) == oracle.review_figures(posted)
        shown = by_key(found)
        assert len(shown) == min(limit, len(keys))
        for key, values in shown.items():
            assert values == of({key}), key
        left = keys - shown.keys()
        assert [row.kind for row in found if row.kind == "others"] == ["others"] * bool(left)
        if left:
            assert figures(found[-1]) == of(left)
            assert min(v["reviews"] for v in shown.values()) >= max(
                of({key})["reviews"] for key in left
            )
        for row in found:
            if row.kind != "part":
                assert row.examples == ()
                continue
            own = [r for r in posted if row.key in oracle.themes_of(r)]
            assert {r["order_id"] for r in own} >= set(row.examples)
            assert len(row.examples) == min(5, len({r["order_id"] for r in own}))


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


def members(database: Database, question: Question) -> None:
    whole, parts = customers_oracle.members(question)
    found = rows(database, question, "members")
    assert figures(found[0]) == whole
    assert by_key(found) == parts
    assert sum(part["customers"] for part in parts.values()) == whole["customers"]


def service(database: Database, question: Question) -> None:
    if is_silent(database, question, "service_events", "service", "day"):
        return
    opened = [each for each in question.cases if question.holds(each["opened_ms"])]
    answers = [each for each in question.surveys if question.holds(each["answered_ms"])]
    by_time(
        database, question, "service",
        lambda fits: oracle.service_figures(
            [each for each in opened if fits(each["opened_ms"])],
            [each for each in answers if fits(each["answered_ms"])],
        ),
    )  # fmt: skip
    for limit in (20, 1):
        found = rows(database, question, "service", "topic", limit=limit)
        assert figures(found[0]) == oracle.service_figures(opened, answers)
        shown, topics = by_key(found), {each["topic"] for each in opened}
        assert len(shown) == min(limit, len(topics))
        for topic, values in shown.items():
            own = [each for each in opened if each["topic"] == topic]
            assert values == oracle.service_figures(own, None)
        if left := [each for each in opened if each["topic"] not in shown]:
            assert figures(found[-1]) == oracle.service_figures(left, None)


def wishes(database: Database, question: Question) -> None:
    if is_silent(database, question, "wish_events", "wishes", "day"):
        return
    made = [each for each in question.wishes if question.holds(each["made_ms"])]
    by_time(
        database, question, "wishes",
        lambda fits: oracle.wish_figures(question, [each for each in made if fits(each["made_ms"])]),
    )  # fmt: skip
    for dimension, key in (
        ("product", lambda wish: wish["sku"]),
        ("category", lambda wish: question.product_category(wish["sku"])),
    ):
        split(
            database, question, "wishes", dimension, made, key,
            lambda own: oracle.wish_figures(question, own),
        )  # fmt: skip

    def wanted(wish: dict[str, Any]) -> set[str | None]:
        own = (wish["customer_id"], wish["wish_id"])
        return {
            f"{each['name']}={each['value']}"
            for each in question.wish_attributes
            if (each["customer_id"], each["wish_id"]) == own
        } or {None}

    every = {name for wish in made for name in wanted(wish)}
    for limit in (20, 1):
        found = rows(database, question, "wishes", "attribute", limit=limit)
        assert figures(found[0]) == oracle.wish_figures(question, made)
        shown = by_key(found)
        assert len(shown) == min(limit, len(every))
        for name, values in shown.items():
            own = [wish for wish in made if name in wanted(wish)]
            assert values == oracle.wish_figures(question, own)
        if left := [wish for wish in made if wanted(wish) - shown.keys()]:
            nobody = {"likes": Unknown(), "suspicious_likes": Unknown()}
            assert figures(found[-1]) == {**oracle.wish_figures(question, left), **nobody}


def campaigns(database: Database, question: Question) -> None:
    decided = [row for row in question.decided if question.holds(row["time_ms"])]
    by_time(
        database, question, "campaigns",
        lambda fits: oracle.campaign_figures(question, [row for row in decided if fits(row["time_ms"])]),
    )  # fmt: skip
    split(
        database, question, "campaigns", "campaign", decided, lambda row: row["campaign"],
        lambda own: oracle.campaign_figures(question, own),
    )  # fmt: skip


CHECKS = (
    overview, payments_and_regions, hours, products, refunds, fulfilment, repurchase, intervals, cohorts,
    value, rfm, lifecycle, reviews, themes, brushing, demographics,
    members, service, wishes, campaigns,
)  # fmt: skip
