"""A build that reads more topics takes over from one that knows fewer, folds all of them and shows it."""

import json
from pathlib import Path

import pytest

from tests.engine.harness import Bench, WorkerProcess, moment, run_cli
from tests.engine.other_build import OtherBuild
from tests.engine.scenario import HALF_HOUR, ShopDay
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

FEWER_TOPICS = {
    "schemas/catalogue.py": {
        "CUSTOMER_TOPICS: Final = (CLICKS, CARTS, ORDERS, REVIEWS, SERVICE, WISHES, PROFILES)": (
            "CUSTOMER_TOPICS: Final = (CLICKS, CARTS, ORDERS, REVIEWS)"
        ),
    }
}
CUSTOMERS = 10


def test_three_more_topics_come_with_a_build(bench: Bench, tmp_path: Path) -> None:
    day, log = ShopDay(bench, customers=CUSTOMERS), tmp_path / "worker.log"
    fewer = OtherBuild(tmp_path / "fewer", FEWER_TOPICS)
    older = fewer.worker(bench.settings, log)
    # A cart that is left, by a customer who is erased before anything comes of it.
    bench.send(
        "shop.carts", "leaver", {"action": "add", "sku": "s1"}, id="leaver-cart", time=moment(5)
    )
    day.morning()
    bench.wait_processed()
    bench.wait_published()
    assert older.stop() == 0

    worker = WorkerProcess(bench.settings, log)
    _speak(bench)
    bench.wait_processed()
    day.evening()
    wait_for(lambda: len(bench.triggers()) >= len(day.expected), 120, "all triggers")
    bench.wait_processed()
    bench.wait_published()
    assert worker.stop() == 0
    # The leaver's cart earned no coupon: that would be one trigger too many.
    day.assert_exactly_once()
    _assert_shown(bench)

    # The new topics are read on from where they were left.
    again = WorkerProcess(bench.settings, log)
    bench.send(
        "shop.service", "c001", {"action": "resolved", "case_id": "k1"},
        id="later", time=moment(7_000),
    )  # fmt: skip
    bench.flush()
    bench.wait_processed()
    bench.wait_published()
    assert again.stop() == 0
    assert _customer(bench, "c001")["service"]["resolution_ms"] == (7_000 - 200) * 1_000


def test_both_builds_side_by_side_and_then_the_one_with_more(bench: Bench, tmp_path: Path) -> None:
    """A rolling deploy: what only one of them reads waits until a worker has a partition whole."""
    day, log = ShopDay(bench, customers=CUSTOMERS), tmp_path / "older.log"
    older = OtherBuild(tmp_path / "fewer", FEWER_TOPICS).worker(bench.settings, log)
    bench.send(
        "shop.carts", "leaver", {"action": "add", "sku": "s1"}, id="leaver-cart", time=moment(5)
    )
    bench.flush()
    bench.wait_processed()
    newer = WorkerProcess(bench.settings, tmp_path / "newer.log", HUITOU_SLOT="1")
    newer.wait_recovered(120)
    day.morning()
    _speak(bench)
    assert older.stop() == 0
    bench.wait_processed(120)
    day.evening()
    wait_for(lambda: len(bench.triggers()) >= len(day.expected), 120, "all triggers")
    bench.wait_processed()
    bench.wait_published()
    assert newer.stop() == 0
    day.assert_exactly_once()
    _assert_shown(bench)


def _speak(bench: Bench) -> None:
    """Before the evening, of two customers whom the older build knows already."""
    said: list[tuple[str, str, int, dict[str, object]]] = [
        ("service", "c001", 200, {"action": "complaint", "case_id": "k1", "topic": "late"}),
        ("service", "c001", 320, {"action": "replied", "case_id": "k1"}),
        ("wishes", "c001", 210, {"action": "made", "wish_id": "w1", "sku": "s7"}),
        ("wishes", "c001", 220, {"action": "liked", "wish_id": "w1", "liker_id": "c002"}),
        ("profiles", "c001", 230, {"action": "updated", "region": "CN-33", "tags": ["茶"]}),
        ("profiles", "c001", 240, {"action": "consent", "consent": {"sms": True}}),
        ("profiles", "leaver", HALF_HOUR - 60, {"action": "erase"}),
    ]
    for number, (topic, customer, at, data) in enumerate(said):
        bench.send(f"shop.{topic}", customer, data, id=f"said-{number}", time=moment(at))
    bench.flush()


def _assert_shown(bench: Bench) -> None:
    shown = _customer(bench, "c001")
    assert shown["service"]["reply_ms"] == 120_000
    (case,) = shown["service"]["open_cases"]
    assert (case["case_id"], case["complaint"]) == ("k1", True)
    (wish,) = shown["wishes"]["recent"]
    assert (wish["status"], wish["sku"], wish["likes"]) == ("open", "s7", 1)
    assert (shown["profile"]["region"], shown["profile"]["tags"]) == ("CN-33", ["茶"])
    assert shown["profile"]["consent"]["sms"]["given"] is True
    leaver = _customer(bench, "leaver")
    assert leaver["erased_at"] == "2026-01-01T00:29:00.000Z"
    assert (leaver["cart"]["adds"], leaver["timers"], leaver["first_seen"]) == (0, [], None)
    people = run_cli(bench.settings, "customer", "c001", "--shop", "shop", "--full")
    assert people.returncode == 0, people.stderr
    for words in ("service", "open_cases", "wishes", "profile", "region: CN-33"):
        assert words in people.stdout
    erased = run_cli(bench.settings, "customer", "leaver", "--shop", "shop", "--full")
    assert "erased: nothing until 2026-01-01T00:29:00.000Z" in erased.stdout


def _customer(bench: Bench, name: str) -> dict[str, dict[str, object]]:
    shown = run_cli(bench.settings, "customer", name, "--shop", "shop", "--json")
    assert shown.returncode == 0, shown.stderr
    found: dict[str, dict[str, object]] = json.loads(shown.stdout)
    return found
