"""huitou report as a process, on a store that huitou sink filled from a real Kafka."""

import json
import os
from pathlib import Path

import pytest

from schemas.catalogue import ORDERS, PROFILES
from streams.settings import Settings
from tests.engine.harness import run_cli
from tests.query.events import event
from tests.query.publishing import shop_of_tea

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


def test_days_and_money_are_those_of_the_shops_settings(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", "200")
    limits = {"recency_days": [0, 1, 2, 3], "orders": [2, 3, 4, 5], "amount": [100, 200, 501, 600]}
    shop = shop_of_tea(settings, tmp_path, rfm=limits)
    # 16:30 UTC on 1 January is 2 January in Shanghai.
    for number, hour in enumerate((15.5, 16.5)):
        shop.send(
            ORDERS,
            event(ORDERS, f"e{number}", hour * 3_600, f"c{number}", shop_id="tea", order_id=f"o{number}",
                  status="paid", amount_paid=500 + number),
        )  # fmt: skip
    shop.flush()
    done = run_cli(settings, "sink", "--once")
    assert done.returncode == 0, done.stderr
    asked = ("report", "overview", "--shop", "tea", "--from", "2026-01-01", "--to", "2026-01-02")
    done = run_cli(settings, *asked, "--by", "day", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["currency"], said["period"]["time_zone"]) == ("JPY", "Asia/Shanghai")
    assert [row["figures"]["paid_amount"] for row in said["rows"]] == [1_001, 500, 501]
    assert said["freshness"]["behind"] == 0
    done = run_cli(settings, *asked)
    assert "1,001 JPY" in done.stdout
    assert "The store has all that the topics have" in done.stdout
    customers = ("report", "rfm", *asked[2:], "--by", "m", "--json")
    said = json.loads(run_cli(settings, *customers).stdout)
    held = {row["key"]: row["figures"]["customers"] for row in said["rows"][1:]}
    assert held == {"5": 0, "4": 1, "3": 1, "2": 0, "1": 0, None: 0}
    assert any("(the shop's then): recency_days 0, 1, 2, 3;" in note for note in said["notes"])
    shop.send(PROFILES, event(PROFILES, "gone", 20 * 3_600, "c0", shop_id="tea", action="erase"))
    shop.flush()
    assert run_cli(settings, "sink", "--once").returncode == 0
    said = json.loads(run_cli(settings, *asked, "--by", "day", "--json").stdout)
    assert [row["figures"]["paid_amount"] for row in said["rows"]] == [501, 0, 501]
    shop.send(ORDERS, event(ORDERS, "late", 0, "c9", shop_id="tea", order_id="o9", status="paid"))
    shop.flush()
    done = run_cli(settings, *asked)
    assert "The store is" in done.stdout
    assert "behind the topics" in done.stdout
