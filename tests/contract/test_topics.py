"""`huitou topics`: makes what is missing, makes nothing twice, refuses what differs and names it."""

import json

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
)
from typer.testing import CliRunner

from schemas.catalogue import MAX_MESSAGE_BYTES, TOPICS
from streams.cli.topics import topics_app
from streams.settings import Settings
from streams.topics import Difference, TopicsError, check_topics, create_topics
from tests.topics import wait_served
from tests.waiting import wait_for

PARTITIONS = 3


@pytest.fixture
def stack_settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"partitions": PARTITIONS})


@pytest.fixture
def admin(kafka: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka})


def make(kafka: str, name: str, partitions: int) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.create_topics([NewTopic(name, partitions, 1)]).values():
        future.result(60)
    wait_served(kafka, {name: partitions})


def alter(admin: AdminClient, name: str, setting: str, value: str) -> None:
    entry = ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[entry])
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(60)
    # The controller has it; the broker that describes it learns of it a little later.
    asked = ConfigResource(ConfigResource.Type.TOPIC, name)

    def known() -> bool:
        (future,) = admin.describe_configs([asked]).values()
        return future.result(60)[setting].value == value

    wait_for(known, message=f"{setting} of {name}")


def test_makes_every_topic_and_nothing_the_second_time(
    stack_settings: Settings, admin: AdminClient, prefix: str
) -> None:
    absent = check_topics(stack_settings)
    assert [d.setting for d in absent] == ["exists"] * len(TOPICS)
    assert "run `huitou topics create`" in str(absent[0])

    done = create_topics(stack_settings)
    assert done.created == [prefix + name for name in TOPICS]
    assert (done.existing, done.differences) == ([], [])
    made = admin.list_topics(timeout=60).topics
    assert {name: len(made[prefix + name].partitions) for name in TOPICS} == {
        name: 1 if name in ("shop.settings", "shop.campaigns") else PARTITIONS for name in TOPICS
    }

    again = create_topics(stack_settings)
    assert (again.created, again.differences) == ([], [])
    assert again.existing == [prefix + name for name in TOPICS]
    assert check_topics(stack_settings) == []


@pytest.mark.parametrize(
    ("setting", "other"),
    [
        ("retention.ms", "604800000"),
        ("retention.bytes", "1000000"),
        ("message.timestamp.type", "CreateTime"),
        ("cleanup.policy", "compact"),
        ("min.insync.replicas", "2"),
        ("max.message.bytes", "100000"),
    ],
)
def test_names_a_setting_that_differs(
    stack_settings: Settings, admin: AdminClient, prefix: str, setting: str, other: str
) -> None:
    create_topics(stack_settings)
    name = f"{prefix}shop.orders"
    alter(admin, name, setting, other)
    wanted = TOPICS["shop.orders"].configuration(1)[setting]
    if setting == "max.message.bytes":
        wanted = f"at least {wanted}"
    expected = [Difference(name, setting, wanted, other)]
    assert check_topics(stack_settings) == expected
    assert create_topics(stack_settings).differences == expected
    assert str(expected[0]) == f"{name}: {setting} is {other}, must be {wanted}"


def test_a_topic_may_admit_larger_records(
    stack_settings: Settings, admin: AdminClient, prefix: str
) -> None:
    create_topics(stack_settings)
    alter(admin, f"{prefix}shop.orders", "max.message.bytes", str(2 * MAX_MESSAGE_BYTES))
    assert check_topics(stack_settings) == []


def test_refuses_before_it_makes_anything(
    stack_settings: Settings, admin: AdminClient, prefix: str
) -> None:
    """A wrong partition count cannot be put right later: the other topics must not be made beside it."""
    make(stack_settings.kafka_bootstrap, f"{prefix}shop.clicks", PARTITIONS + 1)
    done = create_topics(stack_settings)
    assert done.created == []
    assert Difference(f"{prefix}shop.clicks", "partitions", "3", "4") in done.differences
    assert {d.setting for d in done.differences} == {
        "partitions", "retention.ms", "message.timestamp.type", "max.message.bytes",
    }  # fmt: skip
    known = admin.list_topics(timeout=60).topics
    assert [name for name in known if name.startswith(prefix)] == [f"{prefix}shop.clicks"]


def test_too_few_replicas_are_a_difference(stack_settings: Settings, prefix: str) -> None:
    create_topics(stack_settings)
    three = stack_settings.model_copy(update={"replication": 3})
    assert check_topics(three) == [
        Difference(prefix + name, "replication", "at least 3", "1") for name in TOPICS
    ]


def test_a_replication_that_the_cluster_cannot_give_is_explained(stack_settings: Settings) -> None:
    with pytest.raises(TopicsError, match="HUITOU_REPLICATION=3"):
        create_topics(stack_settings.model_copy(update={"replication": 3}))


@pytest.fixture
def brief_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second for a broker that is not there. The constant is patched, since no caller of the
    two functions has a reason to wait for less: an argument would go through six of theirs unused.
    """
    monkeypatch.setattr("streams.topics.ANSWER_SECONDS", 0.5)


@pytest.mark.usefixtures("brief_wait")
def test_no_broker(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:9"})
    with pytest.raises(TopicsError, match=r"no answer from Kafka at 127\.0\.0\.1:9 "):
        check_topics(nowhere)


def test_the_command(
    stack_settings: Settings, admin: AdminClient, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", stack_settings.kafka_bootstrap)
    monkeypatch.setenv("HUITOU_TOPIC_PREFIX", prefix)
    monkeypatch.setenv("HUITOU_PARTITIONS", str(PARTITIONS))
    run = CliRunner().invoke

    assert run(topics_app, ["check"]).exit_code == 1
    created = run(topics_app, ["create", "--json"])
    assert created.exit_code == 0
    assert json.loads(created.stdout)["created"] == [prefix + name for name in TOPICS]
    again = run(topics_app, ["create"])
    assert (again.exit_code, again.stdout) == (0, f"0 created, {len(TOPICS)} existed\n")
    assert run(topics_app, ["check"]).exit_code == 0

    alter(admin, f"{prefix}shop.clock", "retention.ms", "5000")
    refused = run(topics_app, ["create"])
    assert refused.exit_code == 1
    assert f"{prefix}shop.clock: retention.ms is 5000, must be 86400000" in refused.stderr
    shown = json.loads(run(topics_app, ["check", "--json"]).stdout)["differences"]
    assert shown == [
        {
            "topic": f"{prefix}shop.clock",
            "setting": "retention.ms",
            "wanted": "86400000",
            "found": "5000",
        }
    ]


@pytest.mark.usefixtures("brief_wait")
def test_the_command_without_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:9")
    done = CliRunner().invoke(topics_app, ["check"])
    assert done.exit_code == 2
    assert "no answer from Kafka at 127.0.0.1:9 " in done.stderr
