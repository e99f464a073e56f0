"""No report walks a table from end to end: each reads what its period or its shop has, along an index."""

import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from streams.query.connecting import Database
from streams.reports.registry import REPORTS
from tests.query.events import event, placed
from tests.query.expected import ORDERS, REVIEWS, SERVICE, WISHES
from tests.reports.asking import rows
from tests.reports.histories import fill
from tests.reports.oracle import Question
from tests.reports.test_examples import paid

TABLES = (
    "orders",
    "order_lines",
    "refunds",
    "reviews",
    "profiles",
    "cases",
    "surveys",
    "wishes",
    "wish_attributes",
    "wish_likes",
    "triggers",
    "decisions",
    "order_coupons",
    "hit",
)

#: Reports that are about what was paid in the period, and how they must find it.
OF_THE_PERIOD = (
    "overview",
    "payments",
    "regions",
    "products",
    "hours",
    "fulfilment",
    "repurchase",
    "demographics",
)
#: Reports of live figures only ask the store nothing.
OF_THE_STORE = [
    name for name in REPORTS
    if name not in {
        "funnel", "sources", "attribution", "keywords", "paths", "live", "sharing", "completeness",
    }
]  # fmt: skip
ALONG = "USING INDEX orders_by_paid (shop_id=? AND paid_ms>? AND paid_ms<?)"


@pytest.mark.long
@pytest.mark.parametrize("name", list(OF_THE_STORE))
def test_a_report_reads_along_an_index(store: Database, name: str) -> None:
    lines = [{"sku": "a"}, {"sku": "b"}]
    back = event(
        ORDERS, "back", 9, "c1", order_id="o1", status="refunded", refund_id="r1", reason="broken"
    )
    said_of = [
        (REVIEWS, event(REVIEWS, sku, 9, "c1", order_id="o1", sku=sku, action="posted", rating=1))
        for sku in ("a", "b")
    ]
    said_of += [
        (SERVICE, event(SERVICE, topic, 9, "c1", action="inquiry", case_id=topic, topic=topic))
        for topic in ("size", "delivery")
    ]
    said_of += [
        (WISHES, event(WISHES, wish, 9, "c1", action="made", wish_id=wish, sku="a"))
        for wish in ("w1", "w2")
    ]
    published = placed([paid(1, 0, lines=lines), paid(2, 1), (ORDERS, back), *said_of], 1)
    fill(store, published)
    said: list[tuple[str, Any]] = []

    def note(_1: object, _2: object, statement: str, parameters: Any, *_: object) -> None:
        said.append((statement, parameters))

    with store.reading() as connection:
        engine = connection.engine
    sqlalchemy_event.listen(engine, "before_cursor_execute", note)
    question = Question(published, date(2026, 1, 1), date(2026, 1, 31), "Europe/Berlin")
    for by in ("whole", *REPORTS[name].dimensions):
        for limit in (1, 20):
            rows(store, question, name, by, limit=limit)
    sqlalchemy_event.remove(engine, "before_cursor_execute", note)
    statements = [one for one in said if "SELECT" in one[0] and "FROM sink_offsets" not in one[0]]
    assert statements
    with store.reading() as connection:
        for statement, parameters in statements:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [row[-1] for row in plan]
            walks = [s for s in steps if re.match(rf"SCAN ({'|'.join(TABLES)})\b", s)]
            assert walks == [], (statement, steps)
            assert any(step.startswith("SEARCH") for step in steps), steps
            if name in OF_THE_PERIOD and "orders.paid_ms >=" in statement:
                assert any(ALONG in step for step in steps), (statement, steps)
