"""What two lives of a buyer tell only together is judged as one is handed to the other: once, whatever dies.

A visitor and the customer they are each pay two orders of a product that neither looked at, within the
hour. By the shop's settings that is nothing of either of them, and brushing of who paid all four.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from schemas.catalogue import VERDICTS
from streams.engine.crashpoints import EXIT_CODE
from streams.settings import Settings
from tests.engine.conftest import make_bench
from tests.engine.handing_over import PATIENCE, named_pair, state_of, wait_all_processed
from tests.engine.harness import Bench, Snapshot, WorkerProcess, moment, run_cli
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

#: Between the fold of a visitor who arrives and the trimming of the verdicts that it made.
POINTS: Final = (
    "before-commit", "after-commit", "after-begin", "after-produce", "after-offsets",
    "after-transaction", "after-trim",
)  # fmt: skip
ORDERS: Final = 2
#: More than two orders in an hour (15) of what was never looked at (20); of more than three 30 and 20.
BRUSHING: Final = {"verdict_points": 50}


@pytest.fixture
def bench(settings: Settings) -> Bench:
    settings.partitions = 2
    # A successor waits until the group has given the dead one up.
    settings.session_timeout = 3.0
    return make_bench(settings)


def test_verdicts_of_a_merge_are_published_once(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "shop.json"
    file.write_text(json.dumps({"shop_id": "shop", "brushing": BRUSHING}))
    assert run_cli(bench.settings, "settings", "apply", str(file)).returncode == 0
    named = [named_pair(number, bench.settings.partitions) for number in range(len(POINTS))]
    first = _worker(bench, tmp_path)
    for visitor, customer in named:
        for buyer in (visitor, customer):
            for number in range(ORDERS):
                _pay(bench, buyer, number)
    bench.flush()
    wait_all_processed(bench)
    assert first.stop() == 0, first.tail()
    bench.wait_published(PATIENCE)
    assert bench.read(VERDICTS) == []
    early = Snapshot(bench)

    for point, (visitor, customer) in zip(POINTS, named, strict=True):
        dying = _worker(bench, tmp_path, point)
        dying.wait_recovered(PATIENCE)
        body = {"action": "alias", "alias_of": customer}
        bench.send("shop.profiles", visitor, body, id=f"alias-{visitor}", time=moment(3_000))
        bench.flush()
        assert dying.wait(PATIENCE) == EXIT_CODE, f"{point}\n{dying.tail()}"
    healthy = _worker(bench, tmp_path)
    healthy.wait_recovered(PATIENCE)
    wait_all_processed(bench)
    assert healthy.stop() == 0, healthy.tail()
    bench.wait_published(PATIENCE)
    _assert_once(bench, named)

    # A Redis that has forgotten all of it: repeated, and nothing of it sent again.
    bench.wait_no_members(PATIENCE)
    early.put_back()
    again = _worker(bench, tmp_path)
    wait_for(lambda: again.logged("recovered"), PATIENCE, "the recovery")
    wait_all_processed(bench)
    assert again.metrics()['shop_recoveries_total{case="replayed"}'] >= 1
    assert again.stop() == 0, again.tail()
    bench.wait_published(PATIENCE)
    _assert_once(bench, named)
    verified = run_cli(bench.settings, "verify", "--json", timeout=PATIENCE)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["verdicts"]["compared"] == 2 * ORDERS * len(named)


def _pay(bench: Bench, buyer: str, number: int) -> None:
    body = {
        "order_id": f"{buyer}-{number}", "status": "paid", "lines": [{"sku": "tea"}],
        "amount_paid": 500,
    }  # fmt: skip
    at = moment(1_000 + number * 60)
    bench.send("shop.orders", buyer, body, id=f"paid-{buyer}-{number}", time=at)


def _worker(bench: Bench, folder: Path, crash: str = "") -> WorkerProcess:
    return WorkerProcess(bench.settings, folder / "worker.log", HUITOU_CRASH=crash)


def _assert_once(bench: Bench, named: list[tuple[str, str]]) -> None:
    """Of each order of both lives one verdict, of the customer, in their numbers; and no order counts."""
    said: list[dict[str, Any]] = bench.read(VERDICTS)  # type: ignore[assignment]
    ids = Counter(event["id"] for event in said)
    assert [name for name, times in ids.items() if times > 1] == []
    found = sorted((event["subject"], event["data"]["order_id"]) for event in said)
    wanted = sorted(
        (customer, f"{buyer}-{number}")
        for visitor, customer in named
        for buyer in (visitor, customer)
        for number in range(ORDERS)
    )
    assert found == wanted
    for visitor, customer in named:
        own = [event["data"] for event in said if event["subject"] == customer]
        assert sorted(each["number"] for each in own) == list(range(1, 2 * ORDERS + 1))
        assert all(each["brushed"] and each["visitors"] == [visitor] for each in own)
        state = state_of(bench, customer)
        assert state is not None
        assert state.orders is not None
        assert (state.orders.totals.paid, state.orders.totals.brushed) == (0, 2 * ORDERS)
