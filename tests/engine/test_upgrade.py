"""An encoding of states with one more field is deployed, taken back, and deployed again."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.engine.engine import EXIT_REFUSED
from streams.state.codec import CODEC_VERSION
from tests.engine.harness import Bench, WorkerProcess, ids, moment, run_cli
from tests.engine.other_build import NEXT_ENCODING, OtherBuild
from tests.engine.scenario import ShopDay
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

CUSTOMERS = 20
OLDER, NEWER = CODEC_VERSION, CODEC_VERSION + 1
#: Of the morning only: nothing touches it after the upgrade.
UNTOUCHED = "untouched"


class Upgraded:
    """A day whose morning this build has processed, and whose evening the next one."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.log = folder / "worker.log"
        self.newer = OtherBuild(folder / "newer", NEXT_ENCODING)
        self.day = ShopDay(bench, customers=CUSTOMERS)
        older = WorkerProcess(bench.settings, self.log)
        bench.send("shop.clicks", UNTOUCHED, {"action": "view"}, id="first", time=moment(0))
        self.day.morning()
        self.settle()
        assert set(self.encodings().values()) == {OLDER}
        assert older.stop() == 0
        newer = self.newer.worker(bench.settings, self.log)
        self.day.evening()
        wait_for(lambda: len(bench.triggers()) >= len(self.day.expected), 120, "all triggers")
        self.settle()
        assert newer.stop() == 0

    def settle(self) -> None:
        self.bench.wait_processed(120)
        self.bench.wait_published(120)

    def states(self) -> dict[str, list[Any]]:
        """Customer -> the elements of the encoded state."""
        found = {}
        pattern = f"{self.bench.settings.redis_prefix}*:state:*"
        for key in self.bench.redis.scan_iter(match=pattern, count=1_000):
            encoded = self.bench.redis.get(key)
            assert isinstance(encoded, bytes)
            found[key.decode().rpartition("/")[2]] = msgspec.msgpack.decode(encoded)
        return found

    def encodings(self) -> dict[str, int]:
        return {customer: elements[0] for customer, elements in self.states().items()}

    def values(self) -> dict[bytes, bytes]:
        """Every key of the stack as it is, but for whom a partition was last claimed by."""
        redis = self.bench.redis
        for number in range(self.bench.settings.partitions):
            self.bench.store.forget_epoch(number)
        pattern = f"{self.bench.settings.redis_prefix}*"
        return {key: redis.dump(key) for key in redis.scan_iter(match=pattern, count=1_000)}  # type: ignore[misc]


def test_an_upgrade_reads_what_the_older_build_wrote_and_a_downgrade_refuses(
    bench: Bench, tmp_path: Path
) -> None:
    upgraded = Upgraded(bench, tmp_path)
    # Nothing was lost, doubled or decided anew, and each state is rewritten by its next event.
    assert ids(bench.triggers()) == sorted(upgraded.day.expected)
    assert bench.counted("applied") == sum(bench.published.values())
    encodings = upgraded.encodings()
    assert encodings.pop(UNTOUCHED) == OLDER
    assert set(encodings.values()) == {NEWER}
    assert len(encodings) == CUSTOMERS
    states = upgraded.states()
    assert states["c000"][-1] == "none"
    touched = {number for number in range(8) if bench.store.stored(number).codec_min == NEWER}
    assert touched

    # Back to the older build, while events wait: it refuses, and changes nothing.
    bench.send("shop.clicks", "c001", {"action": "view"}, id="later", time=moment(7_000))
    bench.flush()
    before, kafka = upgraded.values(), bench.kafka_positions()
    older = WorkerProcess(bench.settings, upgraded.log)
    assert older.wait(120) == EXIT_REFUSED
    line = older.logged("refused")
    assert line is not None
    assert line["case"] == "newer"
    for words in (
        f"in encoding {NEWER}", f"writes encoding {OLDER}", "huitou rebuild --partition",
    ):  # fmt: skip
        assert words in str(line["error"])
    assert upgraded.values() == before
    assert bench.kafka_positions() == kafka
    assert ids(bench.triggers()) == sorted(upgraded.day.expected)
    shown = run_cli(bench.settings, "customer", "c001", "--shop", "shop")
    assert shown.returncode == 1
    assert f"encoding {NEWER}" in shown.stderr
    assert "Deploy readers first" in shown.stderr

    # The newer build goes on where it stood.
    newer = upgraded.newer.worker(bench.settings, upgraded.log)
    upgraded.settle()
    assert newer.stop() == 0
    customer = upgraded.newer.run_cli(
        bench.settings, "customer", "c001", "--shop", "shop", "--json"
    )
    assert json.loads(customer.stdout)["browsing"]["actions"]["view"] == 4
    assert ids(bench.triggers()) == sorted(upgraded.day.expected)


def test_going_back_for_good_by_a_rebuild(bench: Bench, tmp_path: Path) -> None:
    upgraded = Upgraded(bench, tmp_path)
    rebuilt = run_cli(bench.settings, "rebuild", "--yes", "--json")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert set(upgraded.encodings().values()) == {OLDER}
    older = WorkerProcess(bench.settings, upgraded.log)
    bench.send("shop.clicks", "c001", {"action": "view"}, id="later", time=moment(7_000))
    bench.flush()
    upgraded.settle()
    assert older.stop() == 0
    assert bench.counted("applied") == sum(bench.published.values())
    assert ids(bench.triggers()) == sorted(upgraded.day.expected)
