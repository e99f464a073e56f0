"""A verdict marks the order that it is about, whoever it was told under, and whatever came first."""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from streams.cli.order_pages import print_page
from streams.query.batch import BatchReader
from streams.query.connecting import Database
from streams.query.finding import Wanted, find
from streams.query.migrating import bring_up
from streams.query.page import pages
from streams.query.store import QueryStore
from streams.query.tables import wishes
from tests.query.conftest import open_store
from tests.query.events import WISH_VERDICT, batch_of, event, placed, verdict, wish_verdict
from tests.query.expected import ORDERS, PROFILES, VERDICTS, WISHES
from tests.query.plans import plan_of, statements_of

READER = BatchReader(1, {name: name for name in (ORDERS, PROFILES, VERDICTS, WISHES)})
TOPICS = {
    "shop.order.v1": ORDERS, "shop.profile.v1": PROFILES, "shop.verdict.v1": VERDICTS,
    WISH_VERDICT: VERDICTS, "shop.wish.v1": WISHES,
}  # fmt: skip
RATE = {"sign": "rate", "points": 30, "value": 4}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_store(f"sqlite:///{tmp_path / 'query'}.sqlite")
    bring_up(opened)
    yield opened
    opened.close()


def put(database: Database, *events: dict[str, Any]) -> None:
    """Each in a transaction of its own."""
    for one in placed([(TOPICS[each["type"]], each) for each in events], 1):
        QueryStore(database).write(batch_of([one], READER))


def paid(order_id: str, customer: str = "c1", at: float = 10, **data: Any) -> dict[str, Any]:
    return event(
        ORDERS, f"paid-{customer}-{order_id}", at, customer, order_id=order_id, status="paid",
        amount_paid=500, lines=[{"sku": "a"}, {"sku": "b"}], **data,
    )  # fmt: skip


def brushed(database: Database, value: bool = True) -> list[tuple[str, str]]:
    with database.reading() as connection:
        found = find(connection, Wanted(brushed=value)).orders
    return sorted((row["customer_id"], row["order_id"]) for row in found)


def page(database: Database, order_id: str) -> dict[str, Any]:
    with database.reading() as connection:
        (found,) = pages(connection, order_id).pages
    return found


def test_the_greatest_number_holds_whatever_came_first(tmp_path: Path) -> None:
    events = (
        paid("o1"), paid("o2"), verdict(1, "o1", sku="b", reasons=[RATE]), verdict(2, "o2"),
        verdict(3, "o2", brushed=False, points=5),
    )  # fmt: skip
    for number, some in enumerate(permutations(events)):
        if number % 29:
            continue
        opened = open_store(f"sqlite:///{tmp_path / str(number)}.sqlite")
        bring_up(opened)
        put(opened, *some, some[0])
        assert brushed(opened) == [("c1", "o1")]
        assert brushed(opened, False) == [("c1", "o2")]
        row = page(opened, "o1")["order"]
        assert (row["judged_points"], row["judged_sign"], row["judged_sku"]) == (55, "rate", "b")
        opened.close()


def test_an_order_of_another_customer_with_the_same_id_is_left_alone(database: Database) -> None:
    put(database, paid("o1"), paid("o1", "c2"), verdict(1, "o1"))
    assert brushed(database) == [("c1", "o1")]


def test_an_order_that_was_told_as_a_visitor_s_is_found(database: Database) -> None:
    put(database, paid("o1", "cookie"), verdict(3, "o1", "cookie"))
    assert brushed(database) == [("cookie", "o1")]
    # They turned out to be c1, whose state goes on counting and takes it back.
    put(database, verdict(4, "o1", "c1", visitors=["cookie"], brushed=False, points=0))
    assert brushed(database) == []
    put(database, verdict(5, "o1", "c1", visitors=["cookie"]))
    assert brushed(database) == [("cookie", "o1")]


def test_what_is_told_later_of_a_brushed_order_leaves_it_brushed(database: Database) -> None:
    put(database, paid("o1"), verdict(1, "o1"))
    put(database, event(ORDERS, "2", 90, "c1", order_id="o1", status="shipped"))
    assert brushed(database) == [("c1", "o1")]
    assert page(database, "o1")["order"]["status"] == "shipped"


def suspicious(database: Database) -> dict[tuple[str, str], int]:
    """(customer, wish) -> likes that are held to be bought."""
    with database.reading() as connection:
        found = connection.execute(select(wishes)).mappings()
        return {(row["customer_id"], row["wish_id"]): row["suspicious"] for row in found}


def made(wish_id: str, customer: str = "c1", at: float = 10) -> dict[str, Any]:
    name = f"made-{customer}-{wish_id}"
    return event(WISHES, name, at, customer, wish_id=wish_id, action="made", sku="a")


def test_a_wish_has_the_greatest_number_s_suspicious_likes(tmp_path: Path) -> None:
    events = made("w1"), made("w2"), wish_verdict(1, "w1", 3), wish_verdict(2, "w1", 1)
    for number, some in enumerate(permutations(events)):
        opened = open_store(f"sqlite:///{tmp_path / str(number)}.sqlite")
        bring_up(opened)
        put(opened, *some, some[0])
        assert suspicious(opened) == {("c1", "w1"): 1, ("c1", "w2"): 0}
        opened.close()


def test_a_wish_that_was_made_as_a_visitor_is_found_and_an_erasure_unmarks_it(
    database: Database,
) -> None:
    put(database, made("w1", "cookie", at=200), wish_verdict(3, "w1", 2, "cookie"))
    assert suspicious(database) == {("cookie", "w1"): 2}
    put(database, wish_verdict(4, "w1", 1, "c1", at=70, visitors=["cookie"]))
    assert suspicious(database) == {("cookie", "w1"): 1}
    put(database, event(PROFILES, "x1", 100, "c1", action="erase"))
    # The verdict names the visitor, so what the visitor did until then has gone, too: the first verdict.
    assert suspicious(database) == {("cookie", "w1"): 0}


def test_an_erasure_takes_verdicts_and_their_marks(database: Database) -> None:
    put(database, paid("o1", at=200), verdict(1, "o1", at=50), verdict(2, "o1", at=250))
    put(database, event(PROFILES, "x1", 100, "c1", action="erase"))
    assert brushed(database) == [("c1", "o1")]
    put(database, verdict(1, "o1", at=50), verdict(3, "o1", at=100, brushed=False))
    assert brushed(database) == [("c1", "o1")]
    put(database, event(PROFILES, "x2", 300, "c1", action="erase"))
    assert brushed(database) == brushed(database, False) == []


def test_an_erasure_reaches_the_visitors_whom_verdicts_name(database: Database) -> None:
    """Their brushed order would else be honest again."""
    told = verdict(1, "o1", at=60, visitors=["cookie"])
    erased = event(PROFILES, "x1", 100, "c1", action="erase")
    put(database, paid("o1", "cookie", at=50), paid("o2", "cookie", at=70), told, erased)
    assert (brushed(database), brushed(database, False)) == ([], [("cookie", "o2")])


@pytest.mark.parametrize("verdict_first", [True, False])
def test_the_same_whichever_comes_first(database: Database, verdict_first: bool) -> None:
    put(database, paid("o1", "older", at=50))
    told = [
        verdict(1, "o1", "cookie", at=60, visitors=["older"]),
        verdict(2, "o1", at=70, visitors=["cookie"]),
    ]
    erased = [event(PROFILES, "x1", 100, "c1", action="erase")]
    for one in (*told, *erased) if verdict_first else (*erased, *reversed(told)):
        put(database, one)
    assert brushed(database) == brushed(database, False) == []


def test_an_erasure_of_the_verdict_alone_unmarks_the_order(database: Database) -> None:
    put(database, paid("o1", at=200), verdict(1, "o1", at=50))
    assert brushed(database) == [("c1", "o1")]
    put(database, event(PROFILES, "x1", 100, "c1", action="erase"))
    assert (brushed(database), brushed(database, False)) == ([], [("c1", "o1")])
    assert page(database, "o1")["verdict"] is None


class _Shops:
    """What a page asks of the shops' settings."""

    def time_zone(self, _: str) -> str:
        return "UTC"

    def currency(self, _: str) -> str:
        return "CNY"


def test_the_page_of_an_order_says_why(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    put(database, paid("o1"), verdict(1, "o1", sku="a", reasons=[RATE]))
    shown = page(database, "o1")
    assert shown["verdict"] == {
        "brushed": True, "points": 55, "time_ms": 1_767_225_660_000, "reasons": [RATE], "sku": "a",
        "customer_id": "c1", "number": 1,
    }  # fmt: skip
    print_page(shown, _Shops())  # type: ignore[arg-type]
    said = capsys.readouterr().out
    assert "held to be brushed since 2026-01-01 00:01:00" in said
    assert "55 points by a" in said
    assert "rate: 30 points, 4 orders of it within an hour" in said


def test_brushed_orders_are_found_along_an_index(database: Database) -> None:
    put(database, paid("o1"), paid("o2"), verdict(1, "o1"))
    plans = []
    for statement, parameters in statements_of(database, lambda: brushed(database)):
        with database.reading() as connection:
            plans += plan_of(connection, statement, parameters)
    assert any("INDEX orders_by_brushed (brushed=?" in step for step in plans), plans
