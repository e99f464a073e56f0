"""Shops' versions over time, and the reader against a real topic that holds bad records too."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from schemas.settings import STACK, SettingsEvent
from schemas.settings import Settings as Version
from streams.cli.settings import given_in, planned, settings_app
from streams.definitions import (
    BadDefinitionError,
    Definitions,
    DefinitionsError,
    DefinitionsReader,
    accept,
)
from streams.domain.shop import ShopSettings
from streams.settings import Settings
from streams.topics import create_topics
from tests.waiting import wait_for

JANUARY, JUNE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
JUNE_MS = int(JUNE.timestamp() * 1000)


def version(shop: str, number: int, since: datetime = JANUARY, **said: Any) -> Version:
    return Version(shop_id=shop, version=number, effective_from=since, **said)


def record(one: Version, **envelope: Any) -> bytes:
    whole: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"{one.shop_id}-{one.version}",
        "source": "test",
        "subject": one.shop_id,
        "time": JANUARY,
    }
    return msgspec.json.encode(SettingsEvent(**{**whole, **envelope}, data=one))


# The registry.


def test_a_shop_never_heard_of_has_the_defaults() -> None:
    assert Definitions().at("tea", 0) == ShopSettings("tea", "UTC", "CNY")
    assert Definitions().lateness_ms is None


def test_the_first_version_holds_since_ever_and_later_ones_from_their_moment() -> None:
    read = Definitions(
        [
            version("tea", 1, JUNE, time_zone="Asia/Shanghai"),
            version("tea", 2, JUNE, time_zone="Asia/Tokyo", currency="JPY"),
        ]
    )
    assert read.at("tea", 0) == ShopSettings("tea", "Asia/Shanghai", "CNY")
    assert read.at("tea", JUNE_MS - 1) == ShopSettings("tea", "Asia/Shanghai", "CNY")
    assert read.at("tea", JUNE_MS) == ShopSettings("tea", "Asia/Tokyo", "JPY")


def test_a_newer_version_may_hold_from_before_an_older_one() -> None:
    read = Definitions(
        [
            version("tea", 1, currency="AAA"),
            version("tea", 2, JUNE, currency="BBB"),
            version("tea", 3, JUNE - timedelta(days=1), currency="CCC"),
        ]
    )
    assert read.at("tea", JUNE_MS - 86_400_001).currency == "AAA"
    assert read.at("tea", JUNE_MS - 86_400_000).currency == "CCC"
    assert read.at("tea", JUNE_MS).currency == "CCC"


def test_the_stacks_record_is_every_shops_default_at_its_own_moments() -> None:
    read = Definitions(
        [
            version(STACK, 1, time_zone="Asia/Shanghai", currency="CNY", lateness_s=2.5),
            version("tea", 1, currency="EUR"),
            version(STACK, 2, JUNE, time_zone="Europe/Berlin", lateness_s=0),
        ]
    )
    assert read.at("tea", 0) == ShopSettings("tea", "Asia/Shanghai", "EUR")
    assert read.at("tea", JUNE_MS) == ShopSettings("tea", "Europe/Berlin", "EUR")
    assert read.at("other", JUNE_MS) == ShopSettings("other", "Europe/Berlin", "CNY")
    assert read.lateness_ms == 0
    assert read.shops() == [STACK, "tea"]


VERSIONS = st.lists(
    st.tuples(
        st.sampled_from([STACK, "tea", "coffee"]),
        st.integers(0, 5),
        st.sampled_from([None, "Asia/Tokyo", "UTC"]),
        st.sampled_from([None, "EUR", "USD"]),
    ),
    max_size=12,
)


@given(VERSIONS, st.integers(-1, 6))
def test_at_agrees_with_the_definition_spelled_out(
    plan: list[tuple[str, int, str | None, str | None]], day: int
) -> None:
    versions: list[Version] = []
    for shop, since, zone, currency in plan:
        number = 1 + sum(1 for v in versions if v.shop_id == shop)
        moment = JANUARY + timedelta(days=since)
        versions.append(version(shop, number, moment, time_zone=zone, currency=currency))
    at = JANUARY + timedelta(days=day)

    def in_force(shop: str) -> Version | None:
        own = [v for v in versions if v.shop_id == shop]
        holding = [v for v in own if v.version == 1 or v.effective_from <= at]
        return max(holding, key=lambda v: v.version, default=None)

    expected = {"time_zone": "UTC", "currency": "CNY"}
    for holder in (in_force(STACK), in_force("tea")):
        for name in expected:
            if holder is not None and getattr(holder, name) is not None:
                expected[name] = getattr(holder, name)
    found = Definitions(versions).at("tea", int(at.timestamp() * 1000))
    assert found == ShopSettings("tea", **expected)


def test_the_digest_names_the_content_in_every_process() -> None:
    versions = [version(STACK, 1, lateness_s=2.5), version("tea", 1, time_zone="Asia/Tokyo")]
    digest = Definitions(versions).digest()
    assert digest == Definitions(reversed(versions), {"shop.settings": 9}).digest()
    assert digest != Definitions(versions[:1]).digest()
    assert digest != Definitions([versions[0], version("tea", 1, time_zone="UTC")]).digest()
    assert (
        digest
        != Definitions([versions[0], version("tea", 1, JUNE, time_zone="Asia/Tokyo")]).digest()
    )
    code = (
        "from tests.contract.test_definitions import *;"
        "print(Definitions([version(STACK, 1, lateness_s=2.5),"
        " version('tea', 1, time_zone='Asia/Tokyo')]).digest())"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        assert done.stdout.strip() == digest


TEA_1 = version("tea", 1, time_zone="Asia/Tokyo")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"tea", None, "no value"),
        (None, record(TEA_1), "no key"),
        (b"tea", b"{", "not_json"),
        (b"tea", b"[" * 60_000, "invalid_value"),
        (b"tea", b" " * 65_537, "at most 65536"),
        (b"tea", record(TEA_1).replace(b"shop.settings.v1", b"shop.click.v1"), "wrong_type"),
        (b"tea", record(TEA_1).replace(b'"version":1', b'"version":0'), "invalid_value"),
        (b"coffee", record(TEA_1), "must be the same shop id"),
        (b"coffee", record(TEA_1, subject="coffee"), "must be the same shop id"),
        (b"tea", record(version("tea", 1, time_zone="Asia/Nowhere")), "no time zone"),
        (b"tea", record(version("tea", 1, time_zone="../../etc/passwd")), "no time zone"),
        (b"tea", record(version("tea", 1, time_zone="")), "no time zone"),
        (b"tea", record(version("tea", 1, time_zone="America")), "no time zone"),
        (b"tea", record(version("tea", 1, time_zone="\0")), "no time zone"),
        (b"tea", record(version("tea", 1, lateness_s=1.0)), "only _stack"),
    ],
)
def test_a_bad_definition_is_refused(key: bytes | None, value: bytes | None, reason: str) -> None:
    with pytest.raises(BadDefinitionError, match=reason):
        accept(key, value, {})


def test_versions_rise_and_a_repeated_record_is_nothing_new() -> None:
    newest = {"tea": version("tea", 3, currency="EUR")}
    assert accept(b"tea", record(newest["tea"]), newest) is None
    assert accept(b"tea", record(version("tea", 4)), newest) == version("tea", 4)
    for stale in (version("tea", 3, currency="USD"), version("tea", 2)):
        with pytest.raises(BadDefinitionError, match="does not follow 3"):
            accept(b"tea", record(stale), newest)


# The reader.


@pytest.fixture
def topic(settings: Settings) -> str:
    create_topics(settings)
    return f"{settings.topic_prefix}shop.settings"


def write(settings: Settings, topic: str, *values: tuple[bytes | None, bytes | None]) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap, "acks": "all"})
    for key, value in values:
        producer.produce(topic, key=key, value=value, partition=0)
    assert producer.flush(20) == 0


@contextmanager
def reading(settings: Settings) -> Iterator[DefinitionsReader]:
    reader = DefinitionsReader(settings)
    try:
        reader.start()
        yield reader
    finally:
        reader.stop()


def test_reads_the_topic_whole_then_follows_it(settings: Settings, topic: str) -> None:
    write(settings, topic, (b"tea", record(version("tea", 1, currency="EUR"))))
    with reading(settings) as reader:
        first = reader.current()
        assert first.at("tea", 0).currency == "EUR"
        assert first.offsets == {topic: 1}

        write(settings, topic, (b"tea", record(version("tea", 2, JUNE, currency="USD"))))
        wait_for(lambda: reader.current().offsets[topic] == 2)
        assert reader.current().at("tea", JUNE_MS).currency == "USD"
        # A view is one moment's, whatever is read later.
        assert first.at("tea", JUNE_MS).currency == "EUR"


def test_bad_records_are_counted_and_kill_nothing(settings: Settings, topic: str) -> None:
    good, worse = record(version("tea", 1)), record(version("tea", 1, currency="EUR"))
    write(settings, topic, (b"x", b"\xff"), (b"tea", good), (b"tea", None), (b"tea", good))
    write(settings, topic, (b"tea", worse), (b"tea", record(version("tea", 2, currency="EUR"))))
    with reading(settings) as reader:
        assert reader.bad_records == 3
        assert reader.current().offsets == {topic: 6}
        assert [v.version for v in reader.current().versions("tea")] == [1, 2]


def test_upto_shows_what_was_read_then(settings: Settings, topic: str) -> None:
    numbered = [
        (b"tea", record(version("tea", n, currency=f"AA{chr(64 + n)}"))) for n in range(1, 25)
    ]
    write(settings, topic, *numbered)
    with reading(settings) as reader:
        for offset in (*range(25), 3, 24):
            view = reader.upto({topic: offset})
            assert view.offsets == {topic: offset}
            assert [v.version for v in view.versions("tea")] == list(range(1, offset + 1))
        assert reader.upto({}).digest() == Definitions().digest()
        with pytest.raises(DefinitionsError, match="not to offset 25"):
            reader.upto({topic: 25}, timeout=0.3)


def test_read_to_end_sees_what_was_written_before_it(settings: Settings, topic: str) -> None:
    with reading(settings) as reader:
        assert reader.current().offsets == {topic: 0}
        for number in range(1, 6):
            write(settings, topic, (b"tea", record(version("tea", number))))
            assert len(reader.read_to_end().versions("tea")) == number


def test_aborted_records_are_not_read_and_markers_are_passed(
    settings: Settings, topic: str
) -> None:
    producer = Producer(
        {"bootstrap.servers": settings.kafka_bootstrap, "transactional.id": f"{topic}-writer"}
    )
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(
        topic, key=b"tea", value=record(version("tea", 1, currency="XXX")), partition=0
    )
    producer.flush(20)
    producer.abort_transaction(20)
    producer.begin_transaction()
    producer.produce(
        topic, key=b"tea", value=record(version("tea", 1, currency="EUR")), partition=0
    )
    producer.commit_transaction(20)
    with reading(settings) as reader:
        wait_for(lambda: reader.current().offsets[topic] == 4)
        assert reader.current().at("tea", 0).currency == "EUR"
        assert reader.bad_records == 0


def test_no_topic(settings: Settings) -> None:
    reader = DefinitionsReader(settings)
    with pytest.raises(DefinitionsError, match="huitou topics create"):
        reader.start(timeout=1.0)
    reader.stop()


def test_a_log_that_lost_its_beginning_is_not_taken_for_whole(
    settings: Settings, topic: str
) -> None:
    """The definitions before it are gone: every caller is told, none gets what is left."""
    write(settings, topic, *[(b"tea", record(version("tea", n))) for n in (1, 2, 3)])
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    for future in admin.delete_records([TopicPartition(topic, 0, 2)]).values():
        future.result(20)
    reader = DefinitionsReader(settings)
    try:
        with pytest.raises(DefinitionsError, match="is not read any more"):
            reader.start()
        for ask in (reader.current, reader.read_to_end, lambda: reader.upto({})):
            with pytest.raises(DefinitionsError, match="is not read any more"):
                ask()
    finally:
        reader.stop()


# The command.


@pytest.fixture
def command(settings: Settings, topic: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", settings.kafka_bootstrap)
    monkeypatch.setenv("HUITOU_TOPIC_PREFIX", settings.topic_prefix)
    handlers = list(logging.root.handlers)
    yield CliRunner()
    # The command sets up its process's logging, which here is the tests'.
    logging.root.handlers[:] = handlers
    structlog.reset_defaults()


def apply(command: CliRunner, given: object) -> tuple[int, str]:
    done = command.invoke(settings_app, ["apply", "-"], input=json.dumps(given))
    return done.exit_code, done.stdout + done.stderr


def shown(command: CliRunner) -> dict[str, Any]:
    done = command.invoke(settings_app, ["show", "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_apply_and_show(command: CliRunner, tmp_path: Path) -> None:
    assert "No definitions" in command.invoke(settings_app, ["show"]).stdout
    file = tmp_path / "shops.json"
    first = [{"shop_id": STACK, "lateness_s": 2}, {"shop_id": "tea", "time_zone": "Asia/Shanghai"}]
    file.write_text(json.dumps(first))
    done = command.invoke(settings_app, ["apply", str(file)])
    assert done.exit_code == 0, done.output
    assert "tea: version 1 from " in done.stdout
    report = shown(command)
    assert report["bad_records"] == 0
    tea = report["shops"]["tea"]
    assert tea["now"] == {"shop_id": "tea", "time_zone": "Asia/Shanghai", "currency": "CNY"}
    assert report["shops"][STACK]["versions"][0]["lateness_s"] == 2.0

    assert apply(command, {"shop_id": "tea", "currency": "EUR"})[0] == 0
    assert [v["version"] for v in shown(command)["shops"]["tea"]["versions"]] == [1, 2]
    assert shown(command)["shops"]["tea"]["now"]["currency"] == "CNY"
    text = command.invoke(settings_app, ["show", "--shop", "tea"]).stdout
    assert text.startswith("tea: time_zone Asia/Shanghai, currency CNY\n  {")


def test_apply_writes_nothing_where_a_part_is_wrong(command: CliRunner) -> None:
    code, said = apply(command, [{"shop_id": "tea"}, {"shop_id": "tea", "version": 1}])
    assert code == 1
    assert "version 1 of tea does not follow 1; nothing was written" in said
    assert shown(command)["shops"] == {}


NOW = datetime(2026, 5, 1, tzinfo=UTC)
KNOWN = Definitions([version("tea", 1)])


def soon(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([{"shop_id": "tea", "effective_from": soon(-5)}], "at least 60 s from now"),
        ([{"shop_id": "tea", "effective_from": soon(59.9)}], "at least 60 s from now"),
        ([{"shop_id": "tea", "effective_from": "2027-01-01T00:00:00"}], "timezone"),
        ([{"shop_id": "tea", "version": 1}], "does not follow 1"),
        ([{"shop_id": "tea", "time_zone": "Mars/Olympus"}], "no time zone"),
        ([{"shop_id": "tea", "lateness_s": 1}], "only _stack"),
        ([{"shop_id": "tea", "currency": "yuan"}], "currency"),
        ([{"shop_id": "tea", "currency": "EUR\n"}], "currency"),
        ([{"currency": "EUR"}], "shop_id"),
        ([{"shop_id": ["tea"]}], "shop_id"),
        ([{"shop_id": "coffee"}, {"shop_id": "tea", "version": 0}], "version"),
        (
            [{"shop_id": "coffee"}, {"shop_id": "coffee", "effective_from": soon(0)}],
            "at least 60 s from now",
        ),
    ],
)
def test_what_apply_refuses(given: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(BadDefinitionError, match=reason):
        planned(given, KNOWN, NOW, 60.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting"),
        ("[]", "not an object or a list"),
        ('["tea"]', "not an object or a list"),
        ('{"shop_id": "tea", "curency": "EUR"}', "unknown fields curency"),
    ],
)
def test_files_that_apply_refuses(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "given.json"
    file.write_text(text)
    with pytest.raises(BadDefinitionError, match=reason):
        given_in(file)
    with pytest.raises(BadDefinitionError, match="No such file"):
        given_in(tmp_path / "absent.json")


def test_what_apply_fills_in() -> None:
    first, second, third = planned(
        [
            {"shop_id": "coffee"},
            {"shop_id": "tea"},
            {"shop_id": "tea", "effective_from": soon(120)},
        ],
        KNOWN,
        NOW,
        60.0,
    )
    assert (first.version, first.effective_from) == (1, NOW)
    assert (second.version, second.effective_from) == (2, NOW + timedelta(seconds=60))
    assert (third.version, third.effective_from) == (3, NOW + timedelta(seconds=120))
