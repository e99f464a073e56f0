"""`huitou replay`, `simulate` and `clock` as processes, and what happens when they are killed."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from producers.clock import clock_holder
from producers.cluster import Cluster
from producers.delivered import Delivered
from producers.simulator.assortment import PRODUCTS as ASSORTMENT
from schemas.catalogue import PRODUCTS
from schemas.clock import Close, Rebase, decode_clock
from streams.settings import Settings
from tests.producers.commands import SECONDS, huitou, start_huitou
from tests.producers.conftest import PARTITIONS, read_topic
from tests.waiting import wait_for

BEHAVIOURS = ("pv", "fav", "cart", "buy")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """400 rows of 20 customers over 4,000 s, grouped by customer, and a cut line."""
    file = tmp_path / "rows.csv"
    lines = [
        f"{customer},{customer * 100 + number},7,{BEHAVIOURS[number % 4]},"
        f"{1_511_544_000 + number * 200 + customer}"
        for customer in range(1, 21)
        for number in range(20)
    ]
    file.write_text("\n".join([*lines, "21,5,7,p"]))
    return file


@contextmanager
def _started(settings: Settings, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = start_huitou(settings, *arguments)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _wait_until_held(cluster: Cluster, ticked: bool = False) -> None:
    def held() -> bool:
        holder = clock_holder(cluster)
        return holder is not None and (not ticked or holder.last_tick > holder.since)

    wait_for(held, timeout=SECONDS, message="the clock's takeover")


def test_replay_publishes_every_row_and_reports_the_cut_line(
    cluster: Cluster, settings: Settings, rows: Path, tmp_path: Path
) -> None:
    delivered = tmp_path / "delivered.json"
    result = huitou(
        settings, "replay", "taobao", str(rows), "--json", "--delivered", str(delivered)
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr.decode().splitlines() == ["line 401: 4 fields instead of 5"]
    summary = json.loads(result.stdout)
    assert (summary["published"], summary["delivered"], summary["refused"]) == (400, 400, 1)
    assert summary["by_topic"] == {"shop.clicks": 200, "shop.carts": 100, "shop.orders": 100}
    in_log = [
        (topic, message.partition(), message.offset())
        for topic in sorted(cluster.input_topics)
        for message in read_topic(cluster, topic)
    ]
    assert list(Delivered.from_json(delivered.read_bytes()).positions()) == in_log
    records = [
        decode_clock(message.value() or b"") for message in read_topic(cluster, cluster.clock_topic)
    ]
    rebases = [record for record in records if isinstance(record, Rebase)]
    closes = [record for record in records if isinstance(record, Close)]
    assert len(rebases) == len(closes) == PARTITIONS
    assert {(each.time, each.until) for each in rebases} == {(1_511_544_001_000, 1_511_547_820_000)}
    assert {each.time for each in closes} == {1_511_547_820_000}


def test_replay_options(cluster: Cluster, settings: Settings, rows: Path) -> None:
    before = time.time()
    arguments = ("--limit", "100", "--loop-to-events", "250", "--shuffle", "3", "--shift-to-now")
    result = huitou(settings, "replay", "taobao", str(rows), *arguments, "--shop", "s9", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["published"] == 250
    values = [
        json.loads(message.value() or b"")
        for topic in cluster.input_topics
        for message in read_topic(cluster, topic)
    ]
    assert {value["data"]["shop_id"] for value in values} == {"s9"}
    assert {value["subject"].partition("-")[2] for value in values} == {"", "1", "2"}
    closes = [
        record
        for message in read_topic(cluster, cluster.clock_topic)
        if isinstance(record := decode_clock(message.value() or b""), Close)
    ]
    assert before - 1 < closes[0].time / 1000 < time.time()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_replay_hands_the_clock_back(
    cluster: Cluster, settings: Settings, rows: Path, number: signal.Signals
) -> None:
    with _started(settings, "replay", "taobao", str(rows), "--speed", "20", "--json") as process:
        _wait_until_held(cluster, ticked=True)
        process.send_signal(number)
        output, problems = process.communicate(timeout=SECONDS)
        assert process.returncode == 130, problems
    summary = json.loads(output)
    assert summary["stopped"]
    assert 0 < summary["published"] == summary["delivered"] < 400
    assert clock_holder(cluster) is None


def test_a_killed_replay_keeps_the_clock_until_it_is_released(
    cluster: Cluster, settings: Settings, rows: Path
) -> None:
    with _started(settings, "replay", "taobao", str(rows), "--speed", "20") as process:
        _wait_until_held(cluster, ticked=True)
        refused = huitou(settings, "simulate", "--seconds", "1", "--json")
        assert refused.returncode == 1
        assert b"huitou clock release" in refused.stderr
        process.kill()
        process.wait()
    holder = clock_holder(cluster)
    assert holder is not None
    status = json.loads(huitou(settings, "clock", "status", "--json").stdout)
    assert status["clock"] == holder.clock
    assert status["since"] == "2017-11-24T17:20:01.000+00:00"
    assert huitou(settings, "clock", "release").returncode == 0
    assert json.loads(huitou(settings, "clock", "status", "--json").stdout) == {"clock": "wall"}
    again = huitou(settings, "clock", "release")
    assert again.returncode == 1
    assert b"no tool holds the clock" in again.stderr


def test_simulate_runs_ahead_by_its_factor_and_goes_on_from_there(
    cluster: Cluster, settings: Settings
) -> None:
    arguments = ("simulate", "--seconds", "3", "--factor", "600", "--rate", "200", "--json")
    before = time.time()
    first = huitou(settings, *arguments)
    assert first.returncode == 0, first.stderr
    summary = json.loads(first.stdout)
    assert summary["published"] == summary["delivered"] > 100
    assert summary["planted"]
    second = huitou(settings, *arguments)
    assert second.returncode == 0, second.stderr
    records = [
        decode_clock(message.value() or b"")
        for message in read_topic(cluster, cluster.clock_topic)
        if message.partition() == 0
    ]
    rebases = [record for record in records if isinstance(record, Rebase)]
    closes = [record for record in records if isinstance(record, Close)]
    assert before * 1000 - 1 <= rebases[0].time <= time.time() * 1000
    assert closes[0].time == rebases[0].time + 1_800_000
    assert rebases[1].time == closes[0].time
    listed = [
        json.loads(message.value() or b"")["data"]
        for message in read_topic(cluster, cluster.prefix + PRODUCTS)
    ]
    assert {(each["shop_id"], each["sku"], each["name"]) for each in listed} == {
        ("simulated", each.sku, each.name) for each in ASSORTMENT
    }
    assert len(listed) == 2 * len(ASSORTMENT)
    assert PRODUCTS not in summary["by_topic"]
    ids = [
        json.loads(message.value() or b"{}").get("id")
        for topic in cluster.input_topics
        for message in read_topic(cluster, topic)
        if (message.value() or b"").startswith(b"{") and (message.value() or b"").endswith(b"}")
    ]
    repeated = len(ids) - len(set(ids))
    assert repeated <= (
        summary["planted"].get("duplicate", 0)
        + json.loads(second.stdout)["planted"].get("duplicate", 0)
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", "taobao", "no-such-file"),
        ("replay", "taobao", __file__, "--speed", "0"),
        ("replay", "taobao", __file__, "--speed", "fast"),
        ("simulate", "--customers", "1", "--rate", "1000"),
    ],
    ids=["no file", "speed 0", "speed fast", "too few customers"],
)
def test_wrong_arguments_are_said(settings: Settings, arguments: tuple[str, ...]) -> None:
    result = huitou(settings, *arguments)
    assert result.returncode == 2
    assert b"Traceback" not in result.stderr
