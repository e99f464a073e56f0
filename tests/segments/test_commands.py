"""huitou segments, as processes against a real Redis and Kafka."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from schemas.catalogue import SETTINGS
from streams.cli.endings import EXIT_REFUSED, EXIT_USAGE
from streams.domain.quintiles import thresholds
from streams.domain.rfm import rfm
from streams.domain.shop import day_of
from streams.domain.worth import purchases_of
from streams.segments.export import COLUMNS
from streams.settings import Settings
from tests.domain.events import DAY, START
from tests.engine.harness import run_cli
from tests.segments.people import SHOP, customer, put, set_clock
from tests.segments.test_quintiles import plain_ends
from tests.verify.kafka_log import make_topic

pytestmark = pytest.mark.long

NOW = START + 200 * DAY
#: An id that clears the screen, and would be a formula and two cells.
HOSTILE = "=c\x1b[2J,\u202e龙"
PEOPLE = [
    customer("none", []),
    customer("once", [(199, 5_000)]),
    customer("often", [(20 * n, 30_000) for n in range(10)]),
    customer("long-ago", [(0, 100)]),
    customer("tea-lover", [(180, 9_900), (195, 9_900), (198, 1)]),
    customer("unknown", [(150, None), (190, 700)]),
    customer(HOSTILE, [(100, 40_000), (110, 1)]),
]


@pytest.fixture
def store(settings: Settings) -> Iterator["redis.Redis"]:
    """A shop of seven, one of whom buys elsewhere, too; a settings topic."""
    make_topic(settings.kafka_bootstrap, settings.topic_prefix + SETTINGS)
    with redis.Redis.from_url(settings.redis_url) as connection:
        for state in PEOPLE:
            put(connection, settings, state)
        put(connection, settings, customer("once", [(1, 1)], "shop2"))
        set_clock(connection, settings, 0, NOW - DAY)
        set_clock(connection, settings, 1, NOW)
        yield connection


def exported(settings: Settings, *arguments: str) -> list[dict[str, Any]]:
    done = run_cli(settings, "segments", "export", "--shop", "shop", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.usefixtures("store")
def test_customers_are_exported_by_their_ids_with_what_they_are_worth(settings: Settings) -> None:
    rows = exported(settings)
    ids = [state.customer_id for state in PEOPLE]
    assert [row["customer_id"] for row in rows] == sorted(ids, key=str.encode)
    by_id = {row["customer_id"]: row for row in rows}
    for state in PEOPLE:
        row = by_id[state.customer_id]
        today = day_of(NOW, "UTC")
        scores = rfm(purchases_of(state.orders, "UTC"), today, SHOP.rfm)
        assert (row["r"], row["f"], row["m"]) == (scores.r, scores.f, scores.m)
        assert row["recency_days"] == scores.recency_days
        assert row["segment"] == (scores.segment or ("unknown" if scores.scored else "unscored"))
        assert (row["as_of"], row["currency"]) == ("2024-12-18T00:00:00.000Z", "CNY")
    assert by_id["none"]["lifecycle"] == "visitor"
    assert by_id["long-ago"]["lifecycle"] == "lost"
    assert by_id["often"]["net_amount"] == 300_000
    assert by_id["often"]["tier"] == "gold"
    # What lacks an amount is not known, not less.
    assert (by_id["unknown"]["amount"], by_id["unknown"]["net_amount"]) == (None, None)
    assert by_id["unknown"]["net_orders"] == 2
    as_csv = run_cli(settings, "segments", "export", "--shop", "shop")
    table = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert tuple(table[0]) == COLUMNS
    assert [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in rows
    ] == table
    assert "7 of 7 customers as of 2024-12-18" in as_csv.stderr
    assert "unscored 1" in as_csv.stderr


@pytest.mark.usefixtures("store")
def test_only_those_who_are_wanted(settings: Settings) -> None:
    def ids(*arguments: str) -> set[str]:
        return {row["customer_id"] for row in exported(settings, *arguments)}

    assert ids("--segment", "unscored") == {"none"}
    assert ids("--lifecycle", "lost", "--lifecycle", "visitor") == {"none", "long-ago"}
    assert ids("--tier", "gold") == {"often"}
    assert ids("--tier", "none", "--lifecycle", "visitor") == {"none"}
    assert ids("--tier", "gold", "--lifecycle", "visitor") == set()
    for option, wrong in (("--segment", "champion"), ("--lifecycle", "gone")):
        done = run_cli(settings, "segments", "export", "--shop", "shop", option, wrong)
        assert done.returncode == EXIT_USAGE
        assert "there are" in done.stderr


@pytest.mark.usefixtures("store")
def test_a_file_is_whole_or_what_it_was(settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "customers.csv"
    out.write_text("what it was")
    # No worker writes such a state: the export fails after customers that it could read.
    with redis.Redis.from_url(settings.redis_url) as connection:
        keys = list(connection.scan_iter(f"{settings.redis_prefix}*state:shop/often"))
        good = connection.get(keys[0])
        connection.set(keys[0], b"\xff")
        done = run_cli(settings, "segments", "export", "--shop", "shop", "--out", str(out))
        assert done.returncode == EXIT_REFUSED, done.stderr
        assert out.read_text() == "what it was"
        assert list(tmp_path.iterdir()) == [out]
        connection.set(keys[0], good)
    done = run_cli(settings, "segments", "export", "--shop", "shop", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert len(list(csv.reader(io.StringIO(out.read_text())))) == 8
    assert list(tmp_path.iterdir()) == [out]
    missing = str(tmp_path / "no" / "folder.csv")
    done = run_cli(settings, "segments", "export", "--shop", "shop", "--out", missing)
    assert done.returncode != 0
    assert "No such file" in done.stderr


def recalibrated(settings: Settings, *arguments: str) -> dict[str, Any]:
    done = run_cli(settings, "segments", "recalibrate", "--shop", "shop", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def versions(settings: Settings) -> list[dict[str, Any]]:
    done = run_cli(settings, "settings", "show", "--json")
    assert done.returncode == 0, done.stderr
    shops = json.loads(done.stdout)["shops"]
    found: list[dict[str, Any]] = shops["shop"]["versions"] if "shop" in shops else []
    return found


@pytest.mark.usefixtures("store")
def test_thresholds_are_shown_and_written_once(settings: Settings) -> None:
    rows = [row for row in exported(settings) if row["segment"] != "unscored"]
    ends = [
        plain_ends([row[name] for row in rows if row[name] is not None])
        for name in ("recency_days", "orders", "amount")
    ]
    new = msgspec.to_builtins(thresholds(*ends))
    shown = recalibrated(settings)
    assert shown["new"] == {name: list(limits) for name, limits in new.items()}
    assert shown["old"]["recency_days"] == [30, 60, 90, 180]
    assert (shown["customers"], shown["scored"], shown["written"]) == (7, 6, [])
    assert shown["segments"]["unscored"] == {"before": 1, "after": 1}
    assert sum(each["after"] for each in shown["segments"].values()) == 7
    assert versions(settings) == []
    # The first version of a shop holds since ever: one that says nothing keeps the past what it was.
    written = recalibrated(settings, "--apply")["written"]
    assert [each["version"] for each in written] == [1, 2]
    first, second = versions(settings)
    assert set(first) == {"shop_id", "version", "effective_from"}
    assert second["rfm"] == shown["new"]
    assert datetime.fromisoformat(second["effective_from"]) > datetime.now(UTC)
    assert recalibrated(settings, "--apply")["written"] == []
    for_people = run_cli(settings, "segments", "recalibrate", "--shop", "shop", "--apply")
    assert "nothing was written" in for_people.stdout
    assert versions(settings) == [first, second]


def test_what_else_was_settled_stays_and_what_is_to_come_is_not_ended(
    store: "redis.Redis", settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "shop.json"
    tiers = [{"name": "one", "orders": 1}]
    file.write_text(json.dumps({"shop_id": "shop", "currency": "EUR", "tiers": tiers}))
    assert run_cli(settings, "settings", "apply", str(file)).returncode == 0
    early = ("--apply", "--effective-from", soon(-1))
    done = run_cli(settings, "segments", "recalibrate", "--shop", "shop", *early)
    assert (done.returncode, len(versions(settings))) == (1, 1), done.stderr
    assert "must be at least" in done.stderr
    later = soon(2)
    recalibrated(settings, "--apply", "--effective-from", later)
    second = versions(settings)[-1]
    assert (second["currency"], second["tiers"][0]["name"]) == ("EUR", "one")
    assert datetime.fromisoformat(second["effective_from"]) == datetime.fromisoformat(later)
    # Other customers, other thresholds; a version before the one that waits would end it.
    for number in range(20):
        put(store, settings, customer(f"more-{number}", [(number, 900 * number)]))
    done = run_cli(settings, "segments", "recalibrate", "--shop", "shop", "--apply")
    assert done.returncode == EXIT_REFUSED, done.stdout
    assert "version 2 of shop takes effect at" in done.stderr
    assert len(versions(settings)) == 2
    recalibrated(settings, "--apply", "--effective-from", soon(3))
    assert len(versions(settings)) == 3


@pytest.mark.usefixtures("store")
def test_a_shop_too_small_is_refused(settings: Settings) -> None:
    done = run_cli(settings, "segments", "recalibrate", "--shop", "shop2", "--apply")
    assert done.returncode == EXIT_REFUSED
    assert "1 customers with orders have a known recency days" in done.stderr
    assert versions(settings) == []


def soon(hours: int) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="milliseconds")
