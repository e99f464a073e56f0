"""Bought likes through a real worker: a phone with four likers, a visitor who is a customer, an own like; and
the order that a visitor and a customer both told, in the shop's day once.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import VERDICTS
from streams.domain.shop import day_of_date
from streams.state.aggregates import RedisAggregates
from tests.engine.harness import Bench, WorkerProcess, moment, run_cli
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_200)]

PAID_AT = 2_000


def test_verdicts_on_likes_cross_partitions_and_a_merge_corrects_sums(
    bench: Bench, tmp_path: Path
) -> None:
    bench.settings.query_store = f"sqlite:///{tmp_path / 'query.sqlite'}"
    file = tmp_path / "shop.json"
    file.write_text(json.dumps({"shop_id": "shop", "liking": {}}))
    assert run_cli(bench.settings, "settings", "apply", str(file)).returncode == 0
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    say(bench, "made", 1_000, "made")
    for number in range(4):
        say(bench, "liked", 1_100 + number, f"farm-{number}", f"l{number}", device_hash="phone")
    say(bench, "liked", 1_200, "friend", "friend", device_hash="own phone")
    say(bench, "liked", 1_300, "as visitor", "cookie")
    say(bench, "liked", 1_400, "as customer", "somebody")
    say(bench, "liked", 1_500, "own", "cookie-of-owner")
    for buyer in ("cookie", "somebody"):
        body = {"order_id": "o", "status": "paid", "amount_paid": 500}
        bench.send("shop.orders", buyer, body, id=f"paid-{buyer}", time=moment(PAID_AT))
    bench.flush()
    bench.wait_processed(120)
    wait_for(lambda: likes(bench) == (4, 4, 0), 120, "the verdict on four likes")
    wait_for(lambda: paid(bench) == (2, 1_000), 120, "both payments")
    worker.kill()

    again = WorkerProcess(bench.settings, tmp_path / "again.log")
    alias(bench, "cookie", "somebody")
    alias(bench, "cookie-of-owner", "owner")
    bench.flush()
    # The friend and somebody are left; the owner liked the own wish.
    wait_for(lambda: likes(bench) == (2, 4, 1), 120, "who the likers are")
    wait_for(lambda: paid(bench) == (1, 500), 120, "the order to count once")
    shown = customer(bench)["integrity"]["suspicious_likes"]
    assert {each["sign"] for like in shown for each in like["reasons"]} >= {"device"}
    bench.wait_processed(120)
    bench.wait_published(120)
    assert again.stop() == 0
    # The store knows likers by the names under which they liked: two visitors are still likers of their own.
    assert reported(bench) == {"wishes": 1, "likes": 4, "suspicious_likes": 4}
    verified = run_cli(bench.settings, "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    told = bench.read(VERDICTS)
    assert json.loads(verified.stdout)["verdicts"]["compared"] == len(told) > 0
    assert {event["type"] for event in told} == {"shop.wishverdict.v1"}
    numbers = [event["data"]["number"] for event in told]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


def reported(bench: Bench) -> dict[str, Any]:
    """What the report of wishes says, after the sink has read all that was published."""
    filled = run_cli(bench.settings, "sink", "--once")
    assert filled.returncode == 0, filled.stderr
    asked = run_cli(
        bench.settings, "report", "wishes", "--shop", "shop", "--from", "2026-01-01", "--to", "2026-01-02",
        "--json",
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    whole = json.loads(asked.stdout)["rows"][0]["figures"]
    return {name: whole[name] for name in ("wishes", "likes", "suspicious_likes")}


def say(bench: Bench, action: str, at: float, name: str, liker: str = "", **data: Any) -> None:
    body = {"wish_id": "w", "action": action, **data}
    if liker:
        body["liker_id"] = liker
    bench.send("shop.wishes", "owner", body, id=name, time=moment(at))


def alias(bench: Bench, visitor: str, who: str) -> None:
    body = {"action": "alias", "alias_of": who}
    bench.send("shop.profiles", visitor, body, id=f"alias-{visitor}", time=moment(3_000))


def customer(bench: Bench) -> dict[str, Any]:
    shown = run_cli(bench.settings, "customer", "owner", "--shop", "shop", "--json")
    assert shown.returncode == 0, shown.stderr
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


def likes(bench: Bench) -> tuple[int, int, int]:
    """Likes that count, suspicious ones, self-likes."""
    wishes = customer(bench)["wishes"]
    return wishes["likes"], wishes["suspicious_likes"], wishes["self_likes"]


def paid(bench: Bench) -> tuple[int, int]:
    """Paid orders and their amount on the day of the payments."""
    day = day_of_date(date(2026, 1, 1))
    counts = RedisAggregates(bench.redis, bench.settings).counts("shop", range(day, day + 1))
    fields = counts.get(day, {})
    return fields.get("paid_orders", 0), fields.get("paid_amount", 0)
