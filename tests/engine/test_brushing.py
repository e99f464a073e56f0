"""Orders of three buyers on one phone, through a real worker: judged across partitions, and put back.

From what upstream publishes to the reports of a merchant, before the verdicts, after them, and after some of
them were taken back.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from streams.cli.live import live_aggregates
from streams.domain.shop import day_of
from tests.engine.harness import Bench, WorkerProcess, moment, run_cli
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_200)]

BUYERS = [f"b{number}" for number in range(3)]


#: The day of all orders, in days since 1970.
DAY = day_of(1_767_225_600_000, "UTC")


def test_verdicts_cross_partitions_and_go_as_they_came(bench: Bench, tmp_path: Path) -> None:
    bench.settings.query_store = f"sqlite:///{tmp_path / 'query.sqlite'}"
    file = tmp_path / "shop.json"
    file.write_text(json.dumps({"shop_id": "shop", "brushing": {}}))
    assert run_cli(bench.settings, "settings", "apply", str(file)).returncode == 0
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    order(bench, "b0", 0, device_hash="phone")
    look(bench, "honest", 100)
    order(bench, "honest", 1, device_hash="own phone")
    bench.flush()
    bench.wait_processed(120)
    bench.wait_published(120)
    assert reported(bench, "overview") == {"paid_orders": 2, "paid_amount": 1_000, "buyers": 2}
    # Nobody knows whether any order is judged before one was.
    assert reported(bench, "brushing") == dict.fromkeys(
        ("judged_orders", "brushed_orders", "reversed_orders", "brushed_amount")
    )
    assert counted(bench) == (2, 1_000, 0)

    for buyer in BUYERS:
        for number in range(3):
            order(bench, buyer, number, device_hash="phone")
    bench.flush()
    bench.wait_processed(120)
    wait_for(lambda: all(brushed(bench, buyer) == 3 for buyer in BUYERS), 120, "all verdicts")
    shown = customer(bench, "b0")
    assert (shown["orders"]["paid"], shown["orders"]["paid_amount"]) == (0, 0)
    assert shown["orders"]["brushed_amount"] == 3 * 500
    assert {each["sign"] for each in shown["integrity"]["brushed_orders"][0]["reasons"]} == {
        "device", "rate", "unviewed",
    }  # fmt: skip
    assert (brushed(bench, "honest"), customer(bench, "honest")["orders"]["paid"]) == (0, 1)
    bench.wait_published(120)
    assert reported(bench, "overview") == {"paid_orders": 1, "paid_amount": 500, "buyers": 1}
    assert reported(bench, "brushing") == {
        "judged_orders": 9, "brushed_orders": 9, "reversed_orders": 0, "brushed_amount": 4_500,
    }  # fmt: skip
    assert counted(bench) == (1, 500, 9)
    wanted = sorted(f"{buyer}-{number}" for buyer in BUYERS for number in range(3))
    assert found(bench) == wanted
    page = asked(bench, "orders", "show", "b0-0")["orders"][0]
    assert page["verdict"]["brushed"]
    assert page["verdict"]["sku"] == "tea"
    assert {each["sign"] for each in page["verdict"]["reasons"]} == {"device", "rate", "unviewed"}

    # What one of them looked at comes in late. A worker that starts anew knows all it needs.
    bench.wait_published(120)
    worker.kill()
    again = WorkerProcess(bench.settings, tmp_path / "again.log")
    look(bench, "b1", 10)
    bench.flush()
    wait_for(lambda: brushed(bench, "b1") == 0, 120, "the verdicts to be taken back")
    assert customer(bench, "b1")["orders"]["paid_amount"] == 3 * 500
    assert brushed(bench, "b0") == 3
    bench.wait_processed(120)
    bench.wait_published(120)
    assert again.stop() == 0
    assert reported(bench, "overview") == {"paid_orders": 4, "paid_amount": 2_000, "buyers": 2}
    assert reported(bench, "brushing") == {
        "judged_orders": 9, "brushed_orders": 6, "reversed_orders": 3, "brushed_amount": 3_000,
    }  # fmt: skip
    assert counted(bench) == (4, 2_000, 6)
    assert found(bench) == [each for each in wanted if not each.startswith("b1")]
    verified = run_cli(bench.settings, "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["verdicts"]["compared"] == 9 + 3


def order(bench: Bench, buyer: str, number: int, **data: Any) -> None:
    body = {
        "order_id": f"{buyer}-{number}", "status": "paid", "lines": [{"sku": "tea"}],
        "amount_paid": 500, **data,
    }  # fmt: skip
    at = moment(1_000 + number * 300)
    bench.send("shop.orders", buyer, body, id=f"paid-{buyer}-{number}", time=at)


def look(bench: Bench, buyer: str, at: float) -> None:
    body = {"action": "view", "sku": "tea", "dwell_ms": 90_000}
    bench.send("shop.clicks", buyer, body, id=f"look-{buyer}", time=moment(at))


def customer(bench: Bench, name: str) -> dict[str, Any]:
    shown = run_cli(bench.settings, "customer", name, "--shop", "shop", "--json")
    assert shown.returncode == 0, shown.stderr
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


def brushed(bench: Bench, name: str) -> int:
    return int(customer(bench, name)["orders"]["brushed"])


def asked(bench: Bench, *command: str) -> dict[str, Any]:
    done = run_cli(bench.settings, *command, "--json")
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def reported(bench: Bench, name: str) -> dict[str, int]:
    """What a report says of the day, after the sink has read all that was published."""
    filled = run_cli(bench.settings, "sink", "--once")
    assert filled.returncode == 0, filled.stderr
    period = ("--shop", "shop", "--from", "2026-01-01", "--to", "2026-01-01")
    whole = asked(bench, "report", name, *period)["rows"][0]["figures"]
    shown = {
        "overview": ("paid_orders", "paid_amount", "buyers"),
        "brushing": ("judged_orders", "brushed_orders", "reversed_orders", "brushed_amount"),
    }
    return {figure: whole[figure] for figure in shown[name]}


def found(bench: Bench) -> list[str]:
    return sorted(
        each["order_id"] for each in asked(bench, "orders", "find", "--brushed")["orders"]
    )


def counted(bench: Bench) -> tuple[int, int, int]:
    """Paid orders, what was paid, and brushed orders, as the shop's day has them in Redis."""
    live = live_aggregates(bench.settings).aggregates
    assert live is not None
    sums = live.counts("shop", [DAY])[DAY]
    return sums["paid_orders"], sums["paid_amount"], sums.get("brushed_orders", 0)
