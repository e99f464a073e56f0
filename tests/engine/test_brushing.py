"""Orders of three buyers on one phone, through a real worker: judged across partitions, and put back."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.harness import Bench, WorkerProcess, moment, run_cli
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_200)]

BUYERS = [f"b{number}" for number in range(3)]


def test_verdicts_cross_partitions_and_go_as_they_came(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "shop.json"
    file.write_text(json.dumps({"shop_id": "shop", "brushing": {}}))
    assert run_cli(bench.settings, "settings", "apply", str(file)).returncode == 0
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    for buyer in BUYERS:
        for number in range(3):
            order(bench, buyer, number, device_hash="phone")
    look(bench, "honest", 100)
    order(bench, "honest", 1, device_hash="own phone")
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
    verified = run_cli(bench.settings, "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


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
