"""A slice of The Complete Journey through Kafka, a worker and the sink: its figures against the raw files."""

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from streams.domain.describe import describe
from streams.domain.shop import ShopSettings
from streams.settings import Settings
from streams.state.codec import decode
from tests.engine.conftest import make_bench
from tests.engine.harness import Bench, WorkerProcess, run_cli
from tests.figures import raw
from tests.figures.asking import Table, table
from tests.figures.purchases import Purchases
from tests.figures.test_purchases import same
from tests.producers.commands import huitou
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

HOUSEHOLDS = 60
DAYS = ("2017-03-01", "2017-04-30")
PART = ("--households", str(HOUSEHOLDS), "--from", DAYS[0], "--to", DAYS[1])


def replayed(settings: Settings, *options: str) -> dict[str, Any]:
    done = huitou(settings, "replay", "completejourney", *options, "--json")
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def asked(settings: Settings, name: str, by: str | None = None) -> Table:
    arguments = ("--shop", raw.JOURNEY.name, "--from", DAYS[0], "--to", DAYS[1], "--limit", "1000")
    done = run_cli(settings, "report", name, *arguments, *(("--by", by) if by else ()), "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["currency"], said["period"]["time_zone"]) == ("USD", raw.JOURNEY.zone)
    assert said["freshness"]["behind"] == 0
    return table(said)


def paid_in_states(bench: Bench) -> dict[str, int]:
    """Household -> its paid orders, as Redis has them."""
    found = {}
    for key in bench.redis.scan_iter(match=f"{bench.settings.redis_prefix}*state:*", count=2_000):
        state = decode(bench.redis.get(key))
        shop = ShopSettings(state.shop_id, raw.JOURNEY.zone, raw.JOURNEY.currency)
        found[state.customer_id] = describe(state, shop)["orders"]["paid"]
    return found


def test_a_slice_comes_to_the_figures_of_its_rows(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", "200")
    settings.query_store = f"sqlite:///{tmp_path / 'query.sqlite'}"
    bench = make_bench(settings)
    shop = tmp_path / "shop.json"
    shop.write_text(
        json.dumps(
            {"shop_id": raw.JOURNEY.name, "time_zone": raw.JOURNEY.zone, "currency": raw.JOURNEY.currency}
        )
    )  # fmt: skip
    assert run_cli(settings, "settings", "apply", str(shop)).returncode == 0
    connection = raw.journey(HOUSEHOLDS)
    connection.execute(f"delete from bought where day not between '{DAYS[0]}' and '{DAYS[1]}'")
    (rows,) = raw.rows(
        connection,
        """select count(*) as baskets, (select count(*) from demographics_file
                semi join transactions using (household_id)) as profiles from bought""",
    )
    worker = WorkerProcess(settings, tmp_path / "worker.log")
    try:
        summary = replayed(settings, *PART)
        total = 2 * rows["baskets"] + rows["profiles"]
        assert (summary["published"], summary["delivered"]) == (total, total)
        assert summary["by_topic"] == {
            "shop.profiles": rows["profiles"], "shop.orders": 2 * rows["baskets"],
        }  # fmt: skip
        # Again, the topics skewed against each other: the same events, which count once.
        replayed(settings, *PART, "--shuffle", "5")
        wait_for(lambda: bench.processed() >= 2 * total, 400, "all of it processed")
        assert bench.read("shop.deadletters") == []
        done = run_cli(settings, "sink", "--once")
        assert done.returncode == 0, done.stderr
        purchases = Purchases(connection)
        first, last = (date.fromisoformat(day) for day in DAYS)
        for by in (None, "day", "week"):
            assert same(asked(settings, "overview", by), purchases.paid(first, last, by)) > 0
        assert (
            same(asked(settings, "products"), purchases.products(first, last, "product", 1_000)) > 0
        )
        assert same(asked(settings, "hours"), purchases.paid(first, last, "hour")) > 0
        assert same(asked(settings, "regions"), purchases.paid(first, last, "region")) > 0
        wanted = raw.rows(
            connection, "select customer, count(*) as paid from bought group by customer"
        )
        paid = {household: number for household, number in paid_in_states(bench).items() if number}
        assert paid == {row["customer"]: row["paid"] for row in wanted}
        assert worker.stop() == 0
    finally:
        worker.kill()
