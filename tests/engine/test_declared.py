"""Campaigns that a shop declared, judged by real workers: each offer once, whatever a worker dies of, and
nothing a few seconds after a pause.
"""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import CAMPAIGNS, DECISIONS
from streams.campaigns.measure.assignment import held_out
from streams.engine.crashpoints import EXIT_CODE
from tests.engine.declaring import (
    HELD_OUT,
    PATIENCE,
    WELCOME,
    apply_all,
    campaigns,
    ticks,
    wait_known,
)
from tests.engine.harness import Bench, Snapshot, WorkerProcess, moment, run_cli

pytestmark = pytest.mark.timeout(600)

CUSTOMERS = 40
LIVE = """\
campaign: live
audience: {lifecycle: visitor}
trigger: live_entered
offer: {coupon: {percent: 8%, max: "25.00", valid: 2h}}
limits: {per_customer: 2/day}
delivery: {channels: [sms, app_push]}
"""


@pytest.fixture
def shop(bench: Bench, tmp_path: Path) -> Bench:
    """Both campaigns are applied, and every partition has a tick that knows of them."""
    worker = WorkerProcess(bench.settings, tmp_path / "first.log")
    try:
        apply_all(bench, tmp_path, {"welcome": WELCOME, "live": LIVE})
        wait_known(bench, 2)
        bench.wait_published(PATIENCE)
        assert worker.stop() == 0
    finally:
        worker.kill()
    return bench


@pytest.mark.parametrize(
    "point",
    [
        "after-produce",
        *(
            pytest.param(one, marks=pytest.mark.long)
            for one in ("before-commit:2", "after-commit", "after-transaction")
        ),
    ],
)
def test_each_offer_is_made_once(shop: Bench, tmp_path: Path, point: str) -> None:
    crashing = WorkerProcess(shop.settings, tmp_path / "second.log", HUITOU_CRASH=point)
    _visits(shop)
    assert crashing.wait() == EXIT_CODE, crashing.tail()
    _finish(shop, tmp_path)


@pytest.mark.long
def test_offers_that_redis_lost_are_not_made_again(shop: Bench, tmp_path: Path) -> None:
    before = Snapshot(shop)
    worker = WorkerProcess(shop.settings, tmp_path / "second.log")
    try:
        _visits(shop)
        shop.wait_processed(PATIENCE)
        assert worker.stop() == 0
    finally:
        worker.kill()
    shop.wait_published(PATIENCE)
    before.put_back()
    _finish(shop, tmp_path)


@pytest.mark.long
def test_nothing_is_offered_five_seconds_after_a_pause(shop: Bench, tmp_path: Path) -> None:
    worker = WorkerProcess(shop.settings, tmp_path / "second.log")
    try:
        worker.wait_recovered()
        campaigns(shop, "pause", "welcome", "--shop", "shop", "--reason", "enough")
        paused_ms = time.time() * 1000
        wait_known(shop, 3)
        # Of each partition the first tick that knows of it: from there on nothing is judged without.
        first: dict[int, int] = {}
        for number, tick in ticks(shop):
            if tick.definitions.get(f"{shop.prefix}{CAMPAIGNS}", 0) >= 3:
                first.setdefault(number, tick.time)
        assert max(first.values()) - paused_ms < 5_000
        # Visits of long before the pause, too: what is withdrawn judges nothing.
        _visits(shop)
        shop.wait_processed(PATIENCE)
        shop.wait_published(PATIENCE)
    finally:
        code = worker.stop()
    assert code == 0, worker.tail()
    issued = Counter(_data(event)["campaign"] for event in shop.triggers())
    assert issued == {"live": 2 * CUSTOMERS}
    _verify(shop)


def _visits(bench: Bench) -> None:
    """Each customer looks at something, and enters a live stream, three times."""
    for number in range(CUSTOMERS):
        data: dict[str, Any] = {"action": "view", "sku": "s1"}
        bench.send("shop.clicks", f"c{number}", data, id=f"v{number}", time=moment(number))
        for visit in range(3):
            data = {"action": "live_enter", "live_id": "l1", "session_id": f"s{visit}"}
            at = moment(1_000 + 60 * visit + number)
            bench.send("shop.clicks", f"c{number}", data, id=f"l{number}-{visit}", time=at)
    bench.flush()


def _finish(bench: Bench, folder: Path) -> None:
    worker = WorkerProcess(bench.settings, folder / "last.log")
    try:
        worker.wait_recovered()
        bench.wait_processed(PATIENCE)
        bench.wait_published(PATIENCE)
    finally:
        code = worker.stop()
    assert code == 0, worker.tail()
    names = [f"c{number}" for number in range(CUSTOMERS)]
    out = {name for name in names if held_out("welcome", "shop", name, HELD_OUT)}
    assert 0 < len(out) < CUSTOMERS
    issued = Counter(
        (_data(event)["campaign"], _data(event)["customer_id"]) for event in bench.triggers()
    )
    # Twice a day each, though they came three times.
    assert issued == {
        **{("welcome", name): 1 for name in names if name not in out},
        **{("live", name): 2 for name in names},
    }
    refused = Counter(
        (said["campaign"], said["reason"], said["customer_id"])
        for said in (json.loads(value)["data"] for _, value in bench.read_placed(DECISIONS))
    )
    assert refused == {
        **{("welcome", "holdout", name): 1 for name in out},
        **{("live", "campaign_cap", name): 1 for name in names},
    }
    _verify(bench)


def _verify(bench: Bench) -> None:
    verified = run_cli(bench.settings, "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _data(event: dict[str, object]) -> dict[str, Any]:
    data = event["data"]
    assert isinstance(data, dict)
    return data
