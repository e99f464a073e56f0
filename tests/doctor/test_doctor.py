"""huitou doctor against a real Kafka and Redis: what is well, what is wrong, and what to do about it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)

from streams.settings import Settings
from streams.state.keys import PartitionKeys
from streams.topics import create_topics
from tests.engine.harness import environment, run_cli

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture
def made(settings: Settings, tmp_path: Path) -> Settings:
    settings.query_store = f"sqlite:///{tmp_path / 'query.sqlite'}"
    create_topics(settings)
    return settings


@pytest.fixture
def store(made: Settings) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(made.redis_url) as connection:
        yield connection


def looked(settings: Settings, code: int) -> dict[str, list[dict[str, Any]]]:
    """The findings by what was looked at."""
    done = run_cli(settings, "doctor", "--json")
    assert done.returncode == code, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["healthy"] == (code == 0)
    found: dict[str, list[dict[str, Any]]] = {}
    for each in said["findings"]:
        found.setdefault(each["check"], []).append(each)
        # Whatever is not well says what to do.
        assert bool(each["todo"]) == (each["status"] in ("warning", "failure")), each
    return found


def only(found: dict[str, list[dict[str, Any]]], check: str, status: str) -> dict[str, Any]:
    (one,) = found[check]
    assert one["status"] == status, one
    return one


def test_a_new_stack_is_well(made: Settings) -> None:
    found = looked(made, 0)
    for check in (
        "settings", "kafka", "kafka.topics", "kafka.permissions", "redis", "redis.files", "redis.clock",
        "stack.states", "stack.paused",
    ):  # fmt: skip
        only(found, check, "ok")
    assert "no partition has begun" in only(found, "stack.states", "ok")["said"]
    # Of one broker, and a store that nobody made yet, it warns.
    only(found, "settings.replication", "warning")
    assert "huitou sink" in only(found, "store", "warning")["todo"]
    shown = run_cli(made, "doctor")
    assert "0 failing" in shown.stdout
    assert run_cli(made, "sink", "--once").returncode == 0
    found = looked(made, 0)
    only(found, "store", "ok")
    assert "has all that the topics have" in only(found, "store.freshness", "ok")["said"]


def test_topics_that_differ_or_are_not_there(made: Settings) -> None:
    admin = AdminClient({"bootstrap.servers": made.kafka_bootstrap})
    name = made.topic_prefix + "shop.wishes"
    changed = ConfigResource("TOPIC", name)
    changed.incremental_configs = [
        ConfigEntry("retention.ms", "60000", incremental_operation=AlterConfigOpType.SET)
    ]
    for future in admin.incremental_alter_configs([changed]).values():
        future.result()
    gone = made.topic_prefix + "shop.reviews"
    for future in admin.delete_topics([gone]).values():
        future.result()
    findings = looked(made, 1)["kafka.topics"]
    assert {each["status"] for each in findings} == {"failure"}
    absent, differs = findings
    assert gone in absent["said"]
    assert absent["todo"] == "huitou topics create"
    assert differs["said"].startswith(f"{name}: retention.ms is 60000, must be ")


def test_a_redis_that_may_forget(made: Settings, store: "redis.Redis") -> None:
    before = store.config_get("maxmemory-policy")["maxmemory-policy"]
    store.config_set("maxmemory-policy", "allkeys-lru")
    try:
        one = only(looked(made, 1), "redis", "failure")
    finally:
        store.config_set("maxmemory-policy", before)
    assert "allkeys-lru" in one["said"]
    assert "maxmemory-policy noeviction" in one["todo"]


def test_a_redis_that_is_nearly_full(made: Settings, store: "redis.Redis") -> None:
    used = int(store.info("memory")["used_memory"])
    store.config_set("maxmemory", used * 20)
    try:
        assert "MiB of" in only(looked(made, 0), "redis.memory", "ok")["said"]
        store.config_set("maxmemory", used + used // 10)
        one = only(looked(made, 0), "redis.memory", "warning")
    finally:
        store.config_set("maxmemory", 0)
    assert "docs/capacity.md" in one["todo"]


def test_what_redis_holds_that_this_build_cannot_go_on_with(
    made: Settings, store: "redis.Redis"
) -> None:
    keys = PartitionKeys(made.redis_prefix, 0)
    store.hset(keys.meta, mapping={"seq": 1, "codec_min": 1})
    found = looked(made, 0)
    assert "1 of 8 partitions have begun" in only(found, "stack.states", "ok")["said"]
    store.hset(keys.meta, "codec_min", 99)
    one = only(looked(made, 1), "stack.states", "failure")
    assert "encoding 99" in one["said"]
    store.hset(keys.meta, "codec_min", 1)
    store.hset(PartitionKeys(made.redis_prefix, made.partitions).meta, "seq", 1)
    assert "HUITOU_PARTITIONS" in only(looked(made, 1), "stack.states", "failure")["todo"]


def test_servers_that_are_away_are_one_failure_each_and_the_rest_is_not_known(
    made: Settings,
) -> None:
    made.kafka_bootstrap, made.redis_url = "127.0.0.1:1", "redis://127.0.0.1:1/0"
    found = looked(made, 1)
    assert "KAFKA_BOOTSTRAP" in only(found, "kafka", "failure")["todo"]
    assert "REDIS_URL" in only(found, "redis", "failure")["todo"]
    for check in ("kafka.topics", "kafka.permissions", "redis.memory", "stack.paused"):
        only(found, check, "unknown")


def test_settings_that_cannot_be(made: Settings) -> None:
    made.min_insync_replicas = 3
    found = looked(made, 1)
    assert "nothing could ever be written" in only(found, "settings.replication", "failure")["said"]


def test_a_variable_that_cannot_be_read_is_named_before_any_server_is_asked(made: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli.main", "doctor"],
        env=environment(made) | {"HUITOU_PARTITIONS": "many"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "HUITOU_PARTITIONS" in done.stdout
    assert "1 failing, 0 to look at, 0 not known, 0 as they should be" in done.stdout
