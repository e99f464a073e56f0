"""The simulator: the same for a seed, good records good, bad records bad as they say."""

import json
from collections import Counter
from itertools import pairwise
from typing import get_args

import msgspec
import pytest

from producers.simulator import Mischief, Simulator
from producers.simulator.calibration import ShopHours
from producers.simulator.simulator import activity_for, customers_for
from producers.source import Record
from schemas.catalogue import CUSTOMER_TOPICS
from schemas.deadletter import DeadLetter, Reason
from schemas.decoding import Decoded, Decoder, RawRecord
from schemas.partitioner import partition_of

START = 1_700_000_000_000
HOUR = 3_600_000
PARTITIONS = 4
MANY_BAD = Mischief(duplicates=0.05, late=0.05, malformed=0.1)


def _simulator(seed: int = 7, mischief: Mischief = MANY_BAD, hours: int = 3) -> Simulator:
    until = START + hours * HOUR
    return Simulator(
        seed, 2_000, START, until_ms=until, by_hour=False, activity=8.0, mischief=mischief
    )


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return list(_simulator().records())


def test_a_seed_gives_the_same_bytes_and_another_gives_others(records: list[Record]) -> None:
    assert list(_simulator().records()) == records
    assert list(_simulator(seed=8).records())[:100] != records[:100]


def test_records_come_in_the_order_of_publishing_within_the_window(records: list[Record]) -> None:
    assert all(before.at_ms <= after.at_ms for before, after in pairwise(records))
    assert records[0].at_ms > START
    assert records[-1].at_ms <= START + 3 * HOUR


def test_each_record_is_what_it_says_to_the_workers_decoder(records: list[Record]) -> None:
    decoder = Decoder(PARTITIONS, {name: name for name in CUSTOMER_TOPICS})
    seen: Counter[str] = Counter()
    for offset, record in enumerate(records):
        partition = partition_of(record.key or b"", PARTITIONS)
        if record.planted == "malformed:wrong_partition":
            partition = (partition + 1) % PARTITIONS
        raw = RawRecord(record.topic, partition, offset, START, record.key, record.value)
        result = decoder.decode(raw, START + 3 * HOUR)
        if isinstance(result, DeadLetter):
            assert record.planted == f"malformed:{result.reason}", result
            seen[result.reason] += 1
            continue
        assert isinstance(result, Decoded)
        assert record.planted in (None, "late", "duplicate"), record
        seen[record.planted or "good"] += 1
        if record.planted is None:
            assert result.time_ms == record.at_ms
        else:
            assert result.time_ms <= record.at_ms
            assert record.at_ms - result.time_ms >= (
                min(10_000, START + 3 * HOUR - result.time_ms) if record.planted == "late" else 0
            )
    assert set(seen) == {"good", "late", "duplicate", *get_args(Reason)}
    good = seen["good"]
    assert 0.04 < seen["late"] / good < 0.07
    assert 0.04 < seen["duplicate"] / good < 0.07
    assert 0.09 < sum(seen[reason] for reason in get_args(Reason)) / good < 0.13


def test_only_planted_records_repeat_an_id_or_come_after_their_time(records: list[Record]) -> None:
    ids: set[str] = set()
    for record in records:
        if record.planted is None or record.planted == "late":
            event = json.loads(record.value or b"")
            assert event["id"] not in ids
            ids.add(event["id"])
        elif record.planted == "duplicate":
            assert json.loads(record.value or b"")["id"] in ids


def test_mischief_changes_nothing_else(records: list[Record]) -> None:
    late = {record.value for record in records if record.planted == "late"}
    assert [record for record in records if record.planted is None] == [
        record
        for record in _simulator(mischief=Mischief(0, 0, 0)).records()
        if record.value not in late
    ]


def test_the_life_of_orders_and_carts_is_whole() -> None:
    orders: dict[str, list[dict[str, object]]] = {}
    actions: Counter[str] = Counter()
    ratings: Counter[int] = Counter()
    for record in _simulator(mischief=Mischief(0, 0, 0), hours=6).records():
        data = json.loads(record.value or b"")["data"]
        if record.topic == "shop.orders":
            orders.setdefault(data["order_id"], []).append(data)
        elif record.topic == "shop.reviews" and data["action"] == "posted":
            ratings[data["rating"]] += 1
        else:
            actions[data["action"]] += 1
    lives = Counter(tuple(each["status"] for each in life) for life in orders.values())
    assert {life[0] for life in lives} == {"placed", "paid"}
    assert {life[-1] for life in lives} >= {"cancelled", "received", "refunded", "refund_withdrawn"}
    for life in orders.values():
        assert life[0]["lines"]
        paid = [each for each in life if each["status"] == "paid"]
        assert all(isinstance(each["amount_paid"], int) for each in paid)
        refunds = [each for each in life if "refund_id" in each]
        assert all(each["amount"] == paid[0]["amount_paid"] for each in refunds)
    assert set(actions) >= {"view", "search", "favorite", "add", "remove", "set", "clear"}
    assert set(ratings) == {1, 2, 3, 4, 5}
    assert ratings[5] > ratings[1] > 0


def test_triggers_can_be_seen_in_the_first_20_seconds_of_a_demo() -> None:
    factor = 120.0
    simulator = Simulator(
        1,
        customers_for(300, factor),
        START,
        until_ms=START + int(60 * factor * 1000),
        by_hour=False,
    )
    seconds: Counter[int] = Counter()
    first: dict[str, float] = {}
    added: dict[bytes, int] = {}
    for record in simulator.records():
        at = (record.at_ms - START) / 1000 / factor
        seconds[int(at)] += 1
        if record.planted is not None:
            continue
        data = json.loads(record.value or b"")["data"]
        if data.get("status") == "paid":
            first.setdefault("paid order", at)
        if data.get("rating", 5) < 3:
            first.setdefault("bad review", at)
        if record.topic == "shop.carts" and record.key is not None:
            added.setdefault(record.key, record.at_ms)
    assert first["paid order"] < 10
    # The coupon of an abandoned cart comes 30 minutes after it, 15 s here.
    assert (min(added.values()) - START) / 1000 / factor < 4
    assert first["bad review"] < 40
    steady = [seconds[second] for second in range(10, 60)]
    assert 240 < sum(steady) / len(steady) < 360


def test_fewer_customers_come_more_often_for_the_same_rate() -> None:
    assert customers_for(300, 120) == pytest.approx(16_600, rel=0.1)
    activity = activity_for(300, 120, 1_000)
    until = START + 2 * HOUR
    simulator = Simulator(3, 1_000, START, until_ms=until, activity=activity, by_hour=False)
    records = sum(1 for record in simulator.records() if record.at_ms > START + HOUR)
    assert 240 < records / (HOUR / 1000 / 120) < 360
    with pytest.raises(ValueError, match="more customers"):
        activity_for(300, 120, 100)


def test_names_and_words_are_chinese(records: list[Record]) -> None:
    pages = {
        msgspec.json.decode(record.value)["data"].get("page")
        for record in records
        if record.topic == "shop.clicks" and record.planted is None and record.value
    }
    assert any(page and "连衣裙" in page for page in pages)


def test_hours_of_the_shop() -> None:
    flat = ShopHours(flat=True)
    assert flat.later(START, 1.5) == pytest.approx(START + 1.5 * HOUR, abs=2)
    assert flat.later(START, 50) == pytest.approx(START + 50 * HOUR, abs=2)
    felt = ShopHours()
    day = 24 * HOUR
    assert felt.later(START, 24) == pytest.approx(START + day, abs=2)
    evening = START - (START + 8 * HOUR) % day + 20 * HOUR
    night = evening + 7 * HOUR
    assert felt.later(evening, 1) - evening < HOUR < felt.later(night, 1) - night
