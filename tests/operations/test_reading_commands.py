"""huitou customer, triggers and resume, as processes against a real Kafka and Redis."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import redis

from schemas.catalogue import SETTINGS, TRIGGERS
from schemas.clock import WALL
from schemas.journal import ClockState
from schemas.partitioner import partition_of
from streams.cli.endings import EXIT_USAGE
from streams.cli.triggers import describe
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from streams.settings import Settings
from streams.state.codec import encode
from streams.state.keys import PartitionKeys
from tests.domain.events import DAY, START
from tests.domain.events import order as paid_order
from tests.engine.harness import environment, run_cli
from tests.verify.kafka_log import LogWriter, make_topic
from tests.waiting import wait_for

#: An id that clears the screen, writes backwards and is markup and an emoji to rich; and how it is shown.
HOSTILE = "c\x1b[2J\x9b1m\u202e[red]:smile:"
SHOWN = r"c\x1b[2J\x9b1m\u202e[red]:smile:"


@pytest.fixture
def store(settings: Settings) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(settings.redis_url) as connection:
        yield connection


def put(store: "redis.Redis", settings: Settings, shop: str, customer: str) -> CustomerState:
    """A state as a worker leaves it."""
    state = new_state(shop, customer)
    state.first_seen = state.last_seen = 1_511_544_070_123
    keys = PartitionKeys(
        settings.redis_prefix, partition_of(customer.encode(), settings.partitions)
    )
    store.set(keys.state(f"{shop}/{customer}"), encode(state))
    store.hset(keys.meta, "seq", "7")
    return state


# --- customer


@pytest.fixture
def definitions(settings: Settings, tmp_path: Path) -> None:
    """Shop north has settings of its own, no other shop has."""
    make_topic(settings.kafka_bootstrap, settings.topic_prefix + SETTINGS)
    file = tmp_path / "north.json"
    file.write_text(json.dumps({"shop_id": "north", "currency": "EUR", "time_zone": "Asia/Tokyo"}))
    done = run_cli(settings, "settings", "apply", str(file))
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("definitions")
def test_a_customers_figures_are_in_the_currency_of_the_shop(
    store: "redis.Redis", settings: Settings
) -> None:
    for shop in ("north", "south"):
        put(store, settings, shop, "c1")
    done = run_cli(settings, "customer", "c1", "--json")
    assert done.returncode == 0, done.stderr
    shown = [json.loads(line)["orders"] for line in done.stdout.splitlines()]
    assert [(each["currency"], each["time_zone"]) for each in shown] == [
        ("EUR", "Asia/Tokyo"), ("CNY", "UTC"),
    ]  # fmt: skip
    assert done.stderr == ""


@pytest.mark.usefixtures("definitions")
def test_worth_is_by_the_settings_of_the_moment_that_the_state_is_of(
    store: "redis.Redis", settings: Settings, tmp_path: Path
) -> None:
    to_come = datetime.now(UTC) + timedelta(hours=2)
    file = tmp_path / "later.json"
    file.write_text(
        json.dumps({"shop_id": "north", "currency": "USD", "effective_from": to_come.isoformat()})
    )
    done = run_cli(settings, "settings", "apply", str(file))
    assert done.returncode == 0, done.stderr
    for customer, hours in (("c1", 1), ("c2", 3)):
        state = new_state("north", customer)
        state.first_seen = state.last_seen = int((to_come.timestamp() + (hours - 2) * 3600) * 1000)
        partition = partition_of(customer.encode(), settings.partitions)
        keys = PartitionKeys(settings.redis_prefix, partition)
        store.set(keys.state(f"north/{customer}"), encode(state))
    for customer, currency in (("c1", "EUR"), ("c2", "USD")):
        done = run_cli(settings, "customer", customer, "--shop", "north", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["orders"]["currency"] == currency


def test_without_the_shops_settings_no_currency_is_made_up(
    store: "redis.Redis", settings: Settings
) -> None:
    put(store, settings, "north", "c1")
    done = run_cli(settings, "customer", "c1", "--shop", "north", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["orders"]["currency"], shown["worth"]) == (None, None)
    assert "without currency and time zone" in done.stderr


@pytest.mark.usefixtures("definitions")
def test_a_customer_is_found_in_every_shop(store: "redis.Redis", settings: Settings) -> None:
    for shop in ("north", "south"):
        put(store, settings, shop, "c/1*")
    put(store, settings, "north", "c/1x")
    done = run_cli(settings, "customer", "c/1*", "--json")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["shop_id"], each["customer_id"]) for each in found] == [
        ("north", "c/1*"), ("south", "c/1*"),
    ]  # fmt: skip
    assert found[0]["seq"] == 7
    assert found[0]["first_seen"] == "2017-11-24T17:21:10.123Z"
    assert found[0]["timers"] == []
    assert found[0]["coupons"] == []


@pytest.mark.usefixtures("definitions")
def test_a_customer_of_one_shop_for_people(store: "redis.Redis", settings: Settings) -> None:
    state = put(store, settings, "north", "c1")
    event, time = paid_order("1", START, "A", "paid", amount_paid=1_990)
    fold(state, event, time, ShopSettings("north", "Asia/Tokyo"))
    keys = PartitionKeys(settings.redis_prefix, partition_of(b"c1", settings.partitions))
    store.set(keys.state("north/c1"), encode(state))
    clock = ClockState(WALL, 0, 0, 1.0, START + 40 * DAY)
    store.hset(keys.meta, "clock", msgspec.msgpack.encode(clock))
    put(store, settings, "south", "c1")
    done = run_cli(settings, "customer", "c1", "--shop", "north", "--full")
    assert done.returncode == 0, done.stderr
    assert "customer c1 in shop north" in done.stdout
    assert "pending timers" in done.stdout
    assert "lost:2024-11-29" in done.stdout
    assert "south" not in done.stdout
    # The shop has said its time zone, and nothing of thresholds and tiers.
    said = " ".join(done.stdout.split())
    for line in (
        "worth as of 2024-07-11T00:00:00.000Z (2024-07-11 in Asia/Tokyo)",
        "life-cycle: active, until 2024-08-30T15:00:00.000Z if nothing happens",
        "tier: none",
        "RFM: 4/1/1, segment new (days since the last order 40; in 365 days: orders 1, amount 1990)",
        "favourite hour: 9",
    ):
        assert line in said, line


@pytest.mark.usefixtures("definitions")
def test_the_portrait_is_shown_without_a_query_store_which_is_said_once(
    store: "redis.Redis", settings: Settings, tmp_path: Path
) -> None:
    for shop in ("north", "south"):
        put(store, settings, shop, "c1")
    nowhere = f"sqlite:///{tmp_path}/nowhere/query.sqlite"
    done = run_cli(settings, "customer", "c1", "--language", "zh", "--store", nowhere)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("客户画像 c1") == 2
    assert "2017-11-25 02:21" in done.stdout
    assert done.stderr.count("shown without product names") == 1
    assert "huitou sink" in done.stderr
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.usefixtures("definitions")
def test_what_a_customer_s_id_says_is_not_done_by_the_terminal(
    store: "redis.Redis", settings: Settings
) -> None:
    put(store, settings, "north", HOSTILE)
    for form in ("--full", "--language=en", "--language=zh"):
        done = run_cli(settings, "customer", HOSTILE, "--shop", "north", form)
        assert done.returncode == 0, done.stderr
        assert SHOWN in done.stdout
        assert "\x1b" not in done.stdout
    exact = run_cli(settings, "customer", HOSTILE, "--shop", "north", "--json")
    assert json.loads(exact.stdout)["customer_id"] == HOSTILE


def test_what_a_trigger_says_is_not_done_by_the_terminal() -> None:
    data = {
        "campaign": HOSTILE, "shop_id": "s", "customer_id": HOSTILE, "kind": "coupon_issued",
        "why": [{"rule": "r", "value": HOSTILE, "threshold": HOSTILE}], "offer": {"code": HOSTILE},
    }  # fmt: skip
    line = describe({"time": "2026-01-01T00:00:00Z", "data": data})
    assert line.isprintable()
    assert line.count(SHOWN) == 5


@pytest.mark.parametrize("arguments", [["nobody"], ["nobody", "--shop", "s"], ["nobody", "--json"]])
def test_an_unknown_customer_is_an_error_that_says_where_it_looked(
    settings: Settings, arguments: list[str]
) -> None:
    done = run_cli(settings, "customer", *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Customer nobody is unknown in" in done.stderr
    assert settings.redis_prefix in done.stderr


def test_an_id_that_is_not_utf_8_is_wrong_use(settings: Settings) -> None:
    done = run_cli(settings, "customer", "c\udcff")
    assert done.returncode == EXIT_USAGE, done.stderr
    assert done.stderr == "huitou customer: CUSTOMER_ID is not UTF-8\n"


def test_a_state_of_a_newer_build_is_refused(store: "redis.Redis", settings: Settings) -> None:
    state = put(store, settings, "north", "c1")
    state.version = 99
    keys = PartitionKeys(settings.redis_prefix, partition_of(b"c1", settings.partitions))
    store.set(keys.state("north/c1"), encode(state))
    done = run_cli(settings, "customer", "c1", "--shop", "north")
    assert done.returncode == 1
    assert "newer build" in done.stderr


# --- triggers


def trigger(number: int) -> bytes:
    return json.dumps(
        {
            "specversion": "1.0", "type": "shop.trigger.v1", "source": "huitou",
            "id": f"t{number:03d}", "subject": f"c{number}", "time": "2026-03-01T12:00:00.123Z",
            "data": {
                "trigger_id": f"t{number:03d}", "shop_id": "s", "customer_id": f"c{number}",
                "kind": "coupon_issued", "campaign": "bad-review", "campaign_version": "v",
                "offer": {"kind": "percent", "value": 10, "code": f"CODE{number:03d}"},
                "why": [{"rule": "rating", "value": 1, "threshold": 2}],
            },
        }
    ).encode()  # fmt: skip


@pytest.fixture
def writer(settings: Settings) -> LogWriter:
    make_topic(settings.kafka_bootstrap, settings.topic_prefix + TRIGGERS, settings.partitions)
    return LogWriter(settings.kafka_bootstrap, settings.topic_prefix + "writer")


def publish(writer: LogWriter, settings: Settings, *numbers: int) -> None:
    """Each in a transaction of its own, partition by partition in turn, with an aborted one between."""
    for number in numbers:
        partition = number % settings.partitions
        topic = settings.topic_prefix + TRIGGERS
        writer.aborted(topic, [trigger(900 + number)], partition)
        writer.committed(topic, [trigger(number)], partition)


def ids_of(text: str) -> list[str]:
    return [json.loads(line)["id"] for line in text.splitlines()]


def test_the_newest_triggers_in_order_of_publication(writer: LogWriter, settings: Settings) -> None:
    publish(writer, settings, *range(1, 26))
    done = run_cli(settings, "triggers", "--json")
    assert done.returncode == 0, done.stderr
    assert ids_of(done.stdout) == [f"t{number:03d}" for number in range(6, 26)]
    assert ids_of(run_cli(settings, "triggers", "--json", "--limit", "3").stdout) == [
        "t023", "t024", "t025",
    ]  # fmt: skip


def test_all_triggers_once_and_no_aborted_one(writer: LogWriter, settings: Settings) -> None:
    publish(writer, settings, *range(1, 26))
    done = run_cli(settings, "triggers", "--json", "--from-beginning")
    assert sorted(ids_of(done.stdout)) == [f"t{number:03d}" for number in range(1, 26)]


def test_a_table_for_people(writer: LogWriter, settings: Settings) -> None:
    publish(writer, settings, 1)
    done = run_cli(settings, "triggers")
    head, line = done.stdout.splitlines()
    assert head.split() == ["TIME", "CAMPAIGN", "CUSTOMER", "REASON", "CODE"]
    assert line.split("  ")[0] == "2026-03-01T12:00:00Z"
    for part in ("bad-review", "s/c1", "rating 1 (threshold 2)", "CODE001"):
        assert part in line


def test_following_shows_what_comes_later(writer: LogWriter, settings: Settings) -> None:
    publish(writer, settings, 1)
    command = [sys.executable, "-m", "streams.cli.main", "triggers", "--json", "--follow"]
    with subprocess.Popen(
        [*command, "--limit", "3"], env=environment(settings), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["id"] == "t001"
        publish(writer, settings, 2, 3)
        seen = [json.loads(process.stdout.readline())["id"] for _ in range(2)]
        assert sorted(seen) == ["t002", "t003"]
        assert process.wait(60) == 0


def test_no_triggers_is_said_and_no_error(writer: LogWriter, settings: Settings) -> None:
    done = run_cli(settings, "triggers")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "No triggers yet.\n")


def test_triggers_of_a_stack_without_topics_is_an_error(settings: Settings) -> None:
    done = run_cli(settings, "triggers")
    assert done.returncode == 1
    assert settings.kafka_bootstrap in done.stderr
    assert "Traceback" not in done.stderr


# --- resume


@pytest.mark.parametrize("prefixed", [True, False])
def test_resume_counts_its_orders_in_redis(
    store: "redis.Redis", settings: Settings, prefixed: bool
) -> None:
    kafka_name = f"{settings.topic_prefix}shop.clicks"
    for order in (1, 2):
        done = run_cli(settings, "resume", kafka_name if prefixed else "shop.clicks")
        assert done.returncode == 0, done.stderr
        assert f"Order {order} to resume {kafka_name}" in done.stdout
        control = wait_for(lambda: store.hgetall(f"{settings.redis_prefix}control"))
        assert control == {f"resume:{kafka_name}".encode(): str(order).encode()}


def test_an_unknown_topic_is_refused_by_name(store: "redis.Redis", settings: Settings) -> None:
    done = run_cli(settings, "resume", "shop.nothing")
    assert done.returncode == 1
    assert "shop.nothing is none of the topics that can pause: shop.clicks, " in done.stderr
    assert store.hgetall(f"{settings.redis_prefix}control") == {}
