"""The whole way on a Redis Cluster: events in, a killed worker, coupons out, and the commands that look."""

import json
from pathlib import Path

import pytest

from streams.local.redis_cluster import RedisCluster
from tests.conftest import settings_of
from tests.engine.conftest import make_bench
from tests.engine.harness import Bench, WorkerProcess, moment, run_cli
from tests.engine.scenario import ShopDay
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture
def bench(kafka: str, redis_cluster: RedisCluster, prefix: str) -> Bench:
    """Kafka's topics and the cluster."""
    return make_bench(settings_of(kafka, redis_cluster.url, prefix))


def test_a_killed_worker_goes_on_exactly_once(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    day = ShopDay(bench)
    looked_at = ["c000", "c020", "c040"]
    first = WorkerProcess(bench.settings, log)
    first.wait_recovered(120)
    day.morning()
    wait_for(lambda: bench.processed() > 0, 120, "the first commits")
    first.kill()
    day.evening()
    second = WorkerProcess(bench.settings, log)
    second.wait_recovered(120)
    bench.wait_processed(120)
    wait_for(lambda: len(bench.triggers()) == len(day.expected), 120, "all triggers")
    bench.wait_published(120)
    assert _nodes_in_use(bench) == 3
    day.assert_exactly_once()

    customer = _customer(bench, "c007", "--shop", "shop")
    assert customer["customer_id"] == "c007"
    assert _customer(bench, "c007") == customer
    assert "abandoned-cart" in run_cli(bench.settings, "customer", "c007").stdout
    unknown = run_cli(bench.settings, "customer", "nobody")
    assert unknown.returncode == 1
    resumed = run_cli(bench.settings, "resume", f"{bench.prefix}shop.clicks")
    assert resumed.returncode == 0, resumed.stderr
    assert bench.store.control() == {f"resume:{bench.prefix}shop.clicks": "1"}

    assert second.stop() == 0
    before = [_customer(bench, name) for name in looked_at]
    rebuilt = run_cli(bench.settings, "rebuild", "--yes")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert [_customer(bench, name) for name in looked_at] == before
    third = WorkerProcess(bench.settings, log)
    third.wait_recovered(120)
    bench.send("shop.clicks", "c007", {"action": "view"}, id="later", time=moment(90_000))
    bench.flush()
    bench.wait_processed(120)
    bench.wait_published(120)
    day.assert_exactly_once()
    assert third.stop() == 0


def _nodes_in_use(bench: Bench) -> int:
    pattern = f"{bench.settings.redis_prefix}*"
    return sum(bool(node.keys(pattern)) for node in bench.redis.primaries())


def _customer(bench: Bench, name: str, *options: str) -> dict[str, object]:
    """What `huitou customer` prints, but for what moves with the clock: the commit's number, and worth as
    of a later moment."""
    shown = run_cli(bench.settings, "customer", name, *options, "--json")
    assert shown.returncode == 0, shown.stderr
    found: dict[str, object] = json.loads(shown.stdout)
    del found["seq"], found["worth"]
    return found
