"""huitou orders, as processes, on a store that huitou sink filled from a real Kafka."""

import csv
import io
import json
import os
from pathlib import Path

import pytest

from schemas.catalogue import ORDERS, PRODUCTS
from streams.cli.endings import EXIT_DOUBT, EXIT_FOUND, EXIT_REFUSED, EXIT_USAGE
from streams.settings import Settings
from tests.engine.harness import run_cli
from tests.query.events import event
from tests.query.publishing import Shop, shop_of_tea

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture
def filled(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Two orders of shop tea, whose clock is Shanghai's and whose currency is the yen."""
    monkeypatch.setitem(os.environ, "COLUMNS", "200")
    shop = shop_of_tea(settings, tmp_path)
    for number, (customer, amount) in enumerate((("c1", 12_345), ("c2", None))):
        shop.send(
            ORDERS,
            event(ORDERS, f"e{number}", 16.5 * 3_600 + number, customer, shop_id="tea",
                  order_id=f"o{number}", status="paid", amount_paid=amount, remark="[bold] gift",
                  lines=[{"sku": "green", "unit_price": 12_345}]),
        )  # fmt: skip
    shop.flush()
    done = run_cli(settings, "sink", "--once")
    assert done.returncode == 0, done.stderr
    return shop


def huitou(shop: Shop, *arguments: str, code: int = 0) -> tuple[str, str]:
    done = run_cli(shop.settings, "orders", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout, done.stderr


def test_orders_are_found_and_the_answer_says_how_fresh_it_is(filled: Shop) -> None:
    out, _ = huitou(filled, "find", "--shop", "tea", "--limit", "1")
    assert "2026-01-02 00:30:01" in out, "on the shop's clock"
    assert "o1" in out
    assert "o0" not in out
    assert "unknown" in out, "no amount was told"
    assert "[bold] gift" in out
    assert "The store has all that the topics have; its newest record is of" in out
    following = out.split("--after ")[1].split()[0]
    out, _ = huitou(filled, "find", "--shop", "tea", "--limit", "1", "--after", following)
    assert "12,345 JPY" in out
    assert "--after" not in out
    # The second of January there is still the first in UTC.
    for since, ids in (
        ("2026-01-02", ["o1", "o0"]),
        ("2026-01-02T00:30:01", ["o1"]),
        ("2026-01-03", []),
    ):
        out, _ = huitou(filled, "find", "--shop", "tea", "--from", since, "--json")
        assert [order["order_id"] for order in json.loads(out)["orders"]] == ids
    out, _ = huitou(filled, "find", "--from", "2026-01-02", "--json")
    assert json.loads(out)["orders"] == []
    # What a customer wrote is not done by the terminal; JSON is exact.
    hostile = "\x1b[2J\u202e[red]:smile:\n"
    filled.send(
        ORDERS,
        event(
            ORDERS,
            "hostile",
            0,
            "c9",
            shop_id="tea",
            order_id="o9",
            status="placed",
            remark=hostile,
        ),
    )
    filled.flush()
    assert run_cli(filled.settings, "sink", "--once").returncode == 0
    for command in (("find", "--customer", "c9"), ("show", "o9")):
        out, _ = huitou(filled, *command)
        assert r"\x1b[2J\u202e[red]:smile:\n" in out
        assert "\x1b" not in out
        out, _ = huitou(filled, *command, "--json")
        assert json.dumps(hostile, ensure_ascii=False) in out
    filled.trade(5)
    out, _ = huitou(filled, "find", "--customer", "c1", "--json")
    answer = json.loads(out)
    assert [order["paid_at"] for order in answer["orders"]] == ["2026-01-01T16:30:00.000Z"]
    assert answer["freshness"]["behind"] > 0


def test_products_and_coupons_are_found_with_their_orders(filled: Shop) -> None:
    sold = [{"sku": sku} for sku in ("t3", "t1", "t2", "t1")]
    told = {
        "shop_id": "tea",
        "status": "placed",
        "lines": sold,
        "coupon_codes": ["N11"],
        "remark": "=1+1",
    }
    filled.send(ORDERS, event(ORDERS, "many", 3, "c8", order_id="o8", **told))
    filled.flush()
    assert run_cli(filled.settings, "sink", "--once").returncode == 0
    asked = ("find", "--customer", "c8")
    out, _ = huitou(filled, *asked, "--json")
    (order,) = json.loads(out)["orders"]
    assert (order["skus"], order["coupon_codes"]) == (["t1", "t2", "t3"], ["N11"])
    out, err = huitou(filled, *asked, "--csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["order_id"], row["skus"], row["coupon_codes"]) == ("o8", "t1 t2 t3", "N11")
    assert (row["placed_at"], row["amount"], row["remark"]) == (
        "2026-01-01T00:00:03.000Z",
        "",
        "'=1+1",
    )
    assert "The store has all that the topics have" in err
    out, _ = huitou(filled, *asked)
    assert "t1, t2 and 1" in " ".join(out.split())


def test_an_unknown_shop_is_no_shop_without_orders(filled: Shop) -> None:
    """A shop is known by its settings, or by an order or a review in the store."""
    none = ("find", "--customer", "nobody")
    for arguments in (none, (*none, "--shop", "tea")):
        out, _ = huitou(filled, *arguments, "--json")
        assert json.loads(out)["orders"] == []
    out, err = huitou(filled, "find", "--shop", "tae\x1b[2J", "--json", code=EXIT_FOUND)
    assert out == ""
    assert r"shop tae\x1b[2J is unknown: the store has no order and no review of it" in err
    assert "The store has all that the topics have" in err
    # Without settings of its own a shop is known by what it sells.
    huitou(filled, "find", "--shop", "shop", code=EXIT_FOUND)
    filled.send(
        ORDERS, event(ORDERS, "other", 0, "c1", shop_id="shop", order_id="x", status="placed")
    )
    filled.flush()
    assert run_cli(filled.settings, "sink", "--once").returncode == 0
    out, _ = huitou(filled, "find", "--shop", "shop", "--status", "paid", "--json")
    assert json.loads(out)["orders"] == []
    # While Kafka is away, nobody has told settings of a shop; orders in the store are found as ever.
    filled.settings.kafka_bootstrap = "127.0.0.1:1"
    huitou(filled, "find", "--shop", "tea")
    _, err = huitou(filled, "find", "--shop", "tae", code=EXIT_FOUND)
    assert "it has no settings that were read. Kafka does not answer" in err


def test_an_order_is_shown_with_its_history(filled: Shop) -> None:
    out, _ = huitou(filled, "show", "o0")
    assert "order o0 of customer c1 in shop tea: paid" in out
    assert "times: Asia/Shanghai" in out
    assert "amount: 12,345 JPY" in out
    assert "remark: [bold] gift" in out
    for title in ("lines", "refunds: none", "reviews: none", "history", "around it: none"):
        assert title in out
    out, _ = huitou(filled, "show", "o0", "--json")
    (page,) = json.loads(out)["orders"]
    assert page["history"][0]["time_at"] == "2026-01-01T16:30:00.000Z"
    assert page["order"]["amount"] == 12_345
    _, err = huitou(filled, "show", "nothing", code=EXIT_FOUND)
    assert "The store has no order nothing. The store has all that the topics have" in err


def test_lines_have_the_names_of_their_products(filled: Shop) -> None:
    name = "明前龙井 \x1b[2J[red]"
    listed = event(
        PRODUCTS, "p1", 0, "green", shop_id="tea", sku="green", action="listed", name=name
    )
    filled.send(PRODUCTS, listed)
    filled.flush()
    assert run_cli(filled.settings, "sink", "--once").returncode == 0
    out, _ = huitou(filled, "show", "o0")
    assert r"明前龙井 \x1b[2J[red]" in out
    assert "\x1b" not in out
    out, _ = huitou(filled, "show", "o0", "--json")
    (page,) = json.loads(out)["orders"]
    assert [(line["sku"], line["name"]) for line in page["lines"]] == [("green", name)]


def test_what_cannot_be_asked_is_said(filled: Shop, tmp_path: Path) -> None:
    _, err = huitou(filled, "find", "--from", "yesterday", code=EXIT_USAGE)
    assert "'yesterday' is no time" in err
    _, err = huitou(filled, "find", "--from", "2026-01-02", "--zone", "Moon", code=EXIT_USAGE)
    assert "'Moon' is no time zone" in err
    _, err = huitou(filled, "find", "--status", "payed", code=EXIT_USAGE)
    assert "no status 'payed'; there are placed, paid" in err
    _, err = huitou(filled, "find", "--customer", "c\udcff", code=EXIT_USAGE)
    assert "--customer is not UTF-8" in err
    _, err = huitou(filled, "show", "o\udcff", code=EXIT_USAGE)
    assert "ORDER_ID is not UTF-8" in err
    _, err = huitou(filled, "find", "--after", "nowhere", code=EXIT_USAGE)
    assert "'nowhere' is no page" in err
    _, err = huitou(filled, "find", "--store", f"sqlite:///{tmp_path / 'none'}", code=EXIT_REFUSED)
    assert "there is no query store" in err
    assert not (tmp_path / "none").exists()
    _, err = huitou(filled, "find", "--store", "mysql://root:secret@db/x", code=EXIT_USAGE)
    assert "no query store 'mysql://root:***@db/x'" in err
    filled.settings.kafka_bootstrap = "127.0.0.1:1"
    out, err = huitou(filled, "show", "o0")
    assert "Kafka does not answer, so how far the store is behind is unknown" in out
    assert "amount: 12,345 minor units" in out
    assert "shown without currency and time zone" in err
    # The shop's clock is not known, and no other one stands in for it.
    tea = ("find", "--shop", "tea", "--json")
    for option in ("--from", "--to"):
        _, err = huitou(filled, *tea, option, "2026-01-02", code=EXIT_DOUBT)
        assert "2026-01-02 names no offset from UTC, and the clock of shop tea is in Kafka" in err
    for times in (
        ("--from", "2026-01-02T00:30:01+08:00"),
        ("--from", "2026-01-02T00:30:01", "--zone", "Asia/Shanghai"),
    ):
        out, _ = huitou(filled, *tea, *times)
        assert [order["order_id"] for order in json.loads(out)["orders"]] == ["o1"]
