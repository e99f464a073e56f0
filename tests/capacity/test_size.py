"""Sizes follow from the figures, the figures from the pages they name, and docs/capacity.md from both."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from streams.capacity.figures import FIGURES, values
from streams.capacity.sizing import Load, Size, size
from streams.cli.main import app
from streams.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
SMALL = Load(3_000, 200_000, 30)
loads = st.builds(Load, st.floats(1, 10_000_000), st.integers(1, 1_000_000_000), st.floats(1, 400))


def of(load: Load, **changed: float) -> Size:
    return size(load, values({name.replace("_", "-"): value for name, value in changed.items()}))


@pytest.mark.parametrize("figure", [one for one in FIGURES if one.source], ids=lambda one: one.name)
def test_a_measured_figure_stands_where_it_says(figure) -> None:  # type: ignore[no-untyped-def]
    page, _, words = figure.source.partition(" ")
    assert words in (DOCS / page).read_text(encoding="utf-8")


def test_the_page_has_every_figure_and_says_which_nobody_measured() -> None:
    page = (DOCS / "capacity.md").read_text(encoding="utf-8")
    for figure in FIGURES:
        source = f"[measured]({figure.source.split()[0]})" if figure.source else "assumption"
        unit = f" {figure.unit}" if figure.unit else ""
        assert (
            f"| `{figure.name}` | {figure.value:,g}{unit} | {figure.meaning} | {source} |" in page
        )
    named = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)
    assert named == [figure.name for figure in FIGURES]


def test_the_examples_of_the_page_are_what_the_command_says() -> None:
    page = (DOCS / "capacity.md").read_text(encoding="utf-8")
    examples = re.findall(r"```\n\$ huitou (size .+)\n((?:.+\n|\n)+?)```", page)
    assert len(examples) >= 2
    for line, shown in examples:
        done = CliRunner().invoke(app, line.split())
        assert done.exit_code == 0
        assert done.output.startswith(shown)


def test_defaults_are_those_of_the_settings() -> None:
    assert values({})["cached-states"] == Settings().cache_states
    assert of(Load(1, 1, 1)).partitions == Settings().partitions


def test_a_worker_carries_what_its_core_gives() -> None:
    # (0.6 - 0.1) / 40 us = 12,500 events/s
    assert of(Load(12_500, 1, 1), worker_us=40).workers == 1
    assert of(Load(12_501, 1, 1), worker_us=40).workers == 2
    assert of(Load(125_000, 1, 1), worker_us=40).partitions == 20
    assert of(Load(125_000, 1, 1), worker_us=40, partition_skew=3).partitions == 30


def test_redis_by_hand() -> None:
    # 10 M customers x (2,800 + 200) bytes x 1.5 = 45 GB: two shards of 24, and a copy of each
    found = of(Load(1_000, 10_000_000, 1), state_bytes=2_800)
    assert (found.redis_shards.count, found.redis_shards.decided_by) == (2, "memory")
    assert found.redis_memory_bytes == pytest.approx(90e9)
    # 1 M/s x 2,800 bytes x (read and write) = 5.6 GB/s: twelve of 500 MB/s
    busy = of(Load(1_000_000, 1_000, 1), state_bytes=2_800)
    assert (busy.redis_shards.count, busy.redis_shards.decided_by) == (12, "bandwidth")


def test_kafka_by_hand() -> None:
    # 1,000/s x 0.4 x 86,400 s x 10 days x 500 bytes x 3 = 518.4 GB
    found = of(Load(1_000, 1, 10), event_bytes=500)
    assert found.kafka_disk_bytes == pytest.approx(518.4e9)
    # 3 written, 2 sent to copies, 3 to readers
    assert found.kafka_bytes_per_second == pytest.approx(1_000 * 500 * 8)
    assert (found.brokers.count, found.brokers.decided_by) == (3, "copies")
    assert of(Load(1_000, 1, 400), broker_tb=1).brokers.decided_by == "disk"


@given(loads)
def test_what_is_sized_fits_and_shards_have_partitions_to_hold(load: Load) -> None:
    found = of(load, hot_customer=1e-9)
    assert found.limits[0].used <= 1 + 1e-9
    assert found.workers <= found.partitions
    assert found.redis_shards.count <= found.partitions
    assert [one.used for one in found.limits] == sorted(
        (one.used for one in found.limits), reverse=True
    )


@given(loads, st.floats(1, 10))
def test_more_load_never_needs_less(load: Load, times: float) -> None:
    less = of(load)
    more = of(Load(load.events_per_second * times, load.customers * times, load.days))
    assert more.workers >= less.workers
    assert more.partitions >= less.partitions
    assert more.redis_shards.count >= less.redis_shards.count
    assert more.brokers.count >= less.brokers.count
    assert more.kafka_disk_bytes >= less.kafka_disk_bytes


def test_a_hot_customer_is_a_limit_that_nothing_added_lifts() -> None:
    for rate in (100_000, 10_000_000):
        found = of(Load(rate, 1, 1), hot_customer=0.5)
        assert (found.limits[0].name, found.limits[0].used > 1) == ("hot customer", True)


def test_the_command_in_json_names_each_figure_s_source() -> None:
    arguments = "size --events-per-second 10000000 --customers 1000000000 --json --set worker-us=40"
    done = CliRunner().invoke(app, arguments.split())
    assert done.exit_code == 0
    found = json.loads(done.output)
    assert found["workers"] == 800
    assert found["figures"]["worker-us"] == {"value": 40.0, "unit": "us", "source": "given"}
    assert found["figures"]["redis-us"]["source"].startswith("performance.md")
    assert found["figures"]["broker-tb"]["source"] == "assumption"


def test_an_exceeded_limit_is_exit_code_1() -> None:
    arguments = "size --events-per-second 1000000 --customers 10 --set hot-customer=0.5"
    assert CliRunner().invoke(app, arguments.split()).exit_code == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("--set speed=3", "no figure 'speed'"),
        ("--set worker-us=x", "NAME=VALUE"),
        ("--set worker-us=0", "above 0"),
        ("--set worker-us=nan", "above 0"),
        ("--set utilisation=0.05", "worker-idle"),
        ("--days 0", "--days"),
    ],
)
def test_wrong_use(more: str, said: str) -> None:
    arguments = f"size --events-per-second 10 --customers 10 {more}"
    done = CliRunner().invoke(app, arguments.split())
    assert done.exit_code == 2
    assert said in done.output
