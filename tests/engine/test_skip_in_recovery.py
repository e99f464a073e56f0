"""Redis lost what another build could fold and this one cannot: paused in recovery, skipped, recovered."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.partitioner import partition_of
from streams.domain.describe import describe
from streams.domain.shop import ShopSettings
from streams.engine.crashpoints import EXIT_CODE as CRASHED
from streams.engine.engine import EXIT_REFUSED
from streams.repair.skip import paused_partitions
from streams.state.codec import decode
from tests.engine.harness import Bench, Snapshot, WorkerProcess, environment, ids, moment, run_cli
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

CUSTOMERS = 20
VIEWS = 5
PATIENCE = 120.0


class Lost:
    """What a sound build wrote, and Redis as it was before most of it.

    anna looks at things, pays her first order, whose event's id begins with "unfoldable" and which issues
    the coupon for a second one, and looks again.
    """

    def __init__(self, bench: Bench, log: Path) -> None:
        self.bench = bench
        self.log = log
        self.home = partition_of(b"anna", bench.settings.partitions)
        worker = WorkerProcess(bench.settings, log)
        worker.wait_recovered()
        self.view("anna", "early")
        self.settle()
        numbers = range(bench.settings.partitions)
        wait_for(lambda: all(bench.store.stored(n).exists for n in numbers), 60, "a commit of each")
        bench.wait_published(PATIENCE)
        self.early = Snapshot(bench)
        for number in range(CUSTOMERS):
            self.view(f"c{number}", "1")
        for view in range(VIEWS - 2):
            self.view("anna", str(view))
        bench.send(
            "shop.orders", "anna",
            {"order_id": "o1", "status": "paid", "lines": [{"sku": "s1"}], "amount_paid": 990},
            id="unfoldable-order", time=moment(2),
        )  # fmt: skip
        self.settle()
        wait_for(bench.triggers, 60, "the coupon")
        self.view("anna", "last")
        self.settle()
        assert worker.stop() == 0
        self.triggers = ids(bench.triggers())
        self.place = (f"{bench.prefix}shop.orders", self.home)
        self.early.put_back()

    def view(self, customer: str, identity: str) -> None:
        self.bench.send(
            "shop.clicks", customer, {"action": "view", "sku": "s1"},
            id=f"{customer}-{identity}", time=moment(1),
        )  # fmt: skip

    def settle(self) -> None:
        self.bench.flush()
        self.bench.wait_processed(PATIENCE)
        self.bench.wait_published(PATIENCE)

    def worker(self, build: str, **overrides: str) -> WorkerProcess:
        return WorkerProcess(self.bench.settings, self.log, build=build, **overrides)

    def wait_paused(self, worker: WorkerProcess) -> dict[str, Any]:
        """The only paused partition, as `huitou skip` lists it."""

        def paused() -> bool:
            assert worker.process.poll() is None, worker.tail()
            return bool(paused_partitions(self.bench.settings))

        wait_for(paused, PATIENCE, "a paused partition")
        listed = run_cli(self.bench.settings, "skip", "--json")
        assert listed.returncode == 0, listed.stderr
        (only,) = json.loads(listed.stdout)
        assert only["partition"] == self.home
        assert f"{self.place[0]}[{self.home}]@0: ZeroDivisionError: planted" in only["error"]
        return dict(only)

    def skip(self, listed: dict[str, Any]) -> None:
        done = run_cli(self.bench.settings, *shlex.split(listed["command"])[1:])
        assert done.returncode == 0, done.stderr

    def wait_repeated(self, worker: WorkerProcess) -> None:
        """Recovered whole, and nothing was published for it."""
        adopted = 'shop_recoveries_total{case="adopted"}'
        wait_for(lambda: worker.metrics().get(adopted, 0) >= 1, PATIENCE, "the adoption")
        self.bench.wait_processed(PATIENCE)
        wait_for(lambda: not paused_partitions(self.bench.settings), 60, "nothing paused")
        self.bench.wait_published(PATIENCE)
        self.assert_kept()

    def assert_kept(self) -> None:
        """All that anna did but her order, whose coupon she has; every row is there once."""
        anna = self.anna()
        assert anna["orders"]["paid"] == 0
        assert anna["browsing"]["actions"]["view"] >= VIEWS
        assert [coupon["campaign"] for coupon in anna["coupons"]] == ["second-order"]
        assert ids(self.bench.triggers()) == self.triggers
        self.bench.journal()

    def anna(self) -> dict[str, Any]:
        return describe(decode(self.encoded()), ShopSettings("shop"))

    def encoded(self) -> bytes:
        base = self.bench.store.keys(self.home).state_base
        value: bytes = self.bench.redis.get(f"{base}shop/anna")
        return value


@pytest.fixture
def lost(bench: Bench, tmp_path: Path) -> Iterator[Lost]:
    return Lost(bench, tmp_path / "worker.log")


@pytest.mark.parametrize("build", ["other,failing", "failing"])
def test_the_partition_is_paused_and_goes_on_when_it_is_skipped(lost: Lost, build: str) -> None:
    """``failing`` alone calls itself the build that could fold it."""
    bench = lost.bench
    worker = lost.worker(build)
    listed = lost.wait_paused(worker)
    assert worker.ready()[0] == 503
    assert worker.metrics()['shop_partitions_paused{reason="fold"}'] == 1
    stands = bench.store.stored(lost.home).position.seq
    assert stands < bench.kafka_positions()[lost.home].seq
    # What comes meanwhile waits here, and goes on in every other partition.
    lost.view("anna", "later")
    numbers = bench.settings.partitions
    others = [
        name for name in map(str, range(40)) if partition_of(name.encode(), numbers) != lost.home
    ]
    for name in others:
        lost.view(name, "later")
    bench.flush()
    elsewhere = sum(count for (_, at), count in bench.published.items() if at != lost.home)

    def counted() -> int:
        return sum(sum(bench.store.counts(n).values()) for n in range(numbers) if n != lost.home)

    wait_for(lambda: counted() == elsewhere, PATIENCE, "the other partitions")
    assert bench.store.stored(lost.home).position.seq == stands

    lost.skip(listed)
    lost.wait_repeated(worker)
    wait_for(lambda: worker.ready()[0] == 200, 60, "the worker ready again")
    assert worker.logged("skipped in an adopted row") is not None
    assert lost.anna()["browsing"]["actions"]["view"] == VIEWS + 1
    assert worker.stop() == 0

    # Lost again it is repeated by the same word, without anybody.
    after = lost.encoded()
    lost.early.put_back()
    again = lost.worker(build)
    again.wait_recovered()
    lost.wait_repeated(again)
    assert again.stop() == 0
    assert lost.encoded() == after


def test_a_crash_at_any_row_loses_and_doubles_nothing(lost: Lost) -> None:
    worker = lost.worker("other,failing")
    listed = lost.wait_paused(worker)
    worker.kill()
    lost.skip(listed)
    # The other partitions were repeated before; of this one there is the order's row, and one after it.
    published, crashes = lost.bench.kafka_positions()[lost.home].seq, 0
    while lost.bench.store.stored(lost.home).position.seq < published:
        crashing = lost.worker("other,failing", HUITOU_CRASH="in-replay")
        assert crashing.wait(PATIENCE) == CRASHED, crashing.tail()
        crashes += 1
    assert crashes >= 2
    healthy = lost.worker("other,failing")
    lost.view("anna", "later")
    lost.settle()
    lost.assert_kept()
    assert healthy.stop() == 0
    # The state is not what the log says: that is told, and a build that can fold the order mends it.
    settings = lost.bench.settings
    differing = run_cli(settings, "verify")
    assert differing.returncode == 1
    assert "shop/anna" in differing.stdout
    rebuilt = run_cli(settings, "rebuild", "--yes", "--partition", str(lost.home))
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert lost.anna()["orders"]["paid"] == 1
    verified = run_cli(settings, "verify")
    assert verified.returncode == 0, verified.stdout
    assert ids(lost.bench.triggers()) == lost.triggers


def test_another_build_that_can_fold_it_needs_no_skip(lost: Lost) -> None:
    worker = lost.worker("other,failing")
    lost.wait_paused(worker)
    worker.kill()
    sound = lost.worker("")
    sound.wait_recovered()
    lost.bench.wait_processed(PATIENCE)
    assert sound.stop() == 0
    assert lost.anna()["orders"]["paid"] == 1
    verified = run_cli(lost.bench.settings, "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_rebuild_names_the_command_and_then_heeds_it(lost: Lost) -> None:
    bench = lost.bench
    refused = _rebuild(lost)
    assert refused.returncode == EXIT_REFUSED
    named = re.search(r"huitou (skip .* --force)", refused.stderr)
    assert named is not None, refused.stderr
    followed = run_cli(bench.settings, *shlex.split(named[1]))
    assert followed.returncode == 0, followed.stderr
    rebuilt = _rebuild(lost)
    assert rebuilt.returncode == 0, rebuilt.stderr
    lost.assert_kept()
    worker = lost.worker("other,failing")
    lost.view("anna", "later")
    lost.settle()
    lost.assert_kept()
    assert worker.stop() == 0


def _rebuild(lost: Lost) -> "subprocess.CompletedProcess[str]":
    """With the build that cannot fold it."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "tests.engine.odd_builds", "other,failing"),
            *("rebuild", "--yes", "--partition", str(lost.home)),
        ],
        env=environment(lost.bench.settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
