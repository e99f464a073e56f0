"""Taobao's rows as events: nothing left out, nothing made up."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from producers.checking import Checker
from producers.replay.shuffle import ShuffledFeed
from producers.replay.taobao import RefusedRow, Sample, TaobaoFeed, read_sample
from producers.source import Record
from tests.taobao import TWO_HOURS_FILE, sample_file

ROWS = b"""\
1,11,101,pv,1511544070
1,12,101,cart,1511544080
2,11,101,fav,1511544075
2,13,102,buy,1511544090
3,11,101,pv,1511544070
1,12,101,pv"""


def _read(tmp_path: Path, rows: bytes = ROWS, **options: int) -> tuple[Sample, list[RefusedRow]]:
    file = tmp_path / "rows.csv"
    file.write_bytes(rows)
    refused: list[RefusedRow] = []
    return read_sample(file, on_refused=refused.append, **options), refused


def _events(feed: TaobaoFeed | ShuffledFeed) -> list[dict[str, object]]:
    return [json.loads(record.value or b"") for record in feed.records()]


def test_rows_become_events_by_time_and_nothing_is_made_up(tmp_path: Path) -> None:
    sample, refused = _read(tmp_path)
    assert refused == [RefusedRow(6, "4 fields instead of 5")]
    envelope = {"specversion": "1.0", "source": "taobao"}

    def event(kind: str, row: str, customer: str, time: str, **data: object) -> dict[str, object]:
        return {
            "type": kind,
            **envelope,
            "id": row,
            "subject": customer,
            "time": f"2017-11-24T17:21:{time}Z",
            "data": {"shop_id": "s1", **data},
        }

    view = {"action": "view", "sku": "11", "category": "101"}
    line = {"sku": "13", "category": "102", "quantity": 1}
    assert _events(TaobaoFeed(sample, shop_id="s1")) == [
        event("shop.click.v1", "1", "1", "10", **view),
        event("shop.click.v1", "5", "3", "10", **view),
        event("shop.click.v1", "3", "2", "15", action="favorite", sku="11", category="101"),
        event("shop.cart.v1", "2", "1", "20", action="add", sku="12", category="101", quantity=1),
        event("shop.order.v1", "4", "2", "30", order_id="row-4", status="paid", lines=[line]),
    ]


def test_every_record_is_one_that_workers_accept(tmp_path: Path) -> None:
    sample, _ = _read(tmp_path)
    checker = Checker()
    for record in TaobaoFeed(sample, total=23, shift_to_ms=1_600_000_000_123).records():
        assert checker.line(record.value or b"") == record[1:4]


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        (b"", "1 fields instead of 5"),
        (b"1,2,3,pv", "4 fields instead of 5"),
        (b"1,2,3,pv,1,1", "6 fields instead of 5"),
        (b"1,2,3,like,1", "b'like' is none of pv, fav, cart, buy"),
        (b"1,2,3,pv,soon", "b'soon' is no time in seconds since 1970, 2001 to 2100"),
        (b"1,2,3,pv,-5", "b'-5' is no time in seconds since 1970, 2001 to 2100"),
        (b"1,2,3,pv,9999999999", "b'9999999999' is no time in seconds since 1970, 2001 to 2100"),
        (b"1,2,3,pv,15", "b'15' is no time in seconds since 1970, 2001 to 2100"),
        (b'1,"2,3,pv,1', "b'\"2' is no id"),
        (b"," + b"2,3,pv,1", "b'' is no id"),
    ],
)
def test_what_is_no_row_is_refused_by_number(tmp_path: Path, row: bytes, detail: str) -> None:
    sample, refused = _read(
        tmp_path, b"1,2,3,pv,1500000001\n" + row + b"\r\n1,2,3,pv,1500000002\r\n"
    )
    assert refused == [RefusedRow(2, detail)]
    assert list(sample.numbers) == [1, 3]


def test_limit_and_window(tmp_path: Path) -> None:
    sample, refused = _read(tmp_path, limit=3)
    assert sorted(sample.numbers) == [1, 2, 3]
    assert refused == []
    sample, _ = _read(tmp_path, since=1_511_544_075, before=1_511_544_090)
    assert sorted(sample.numbers) == [2, 3]


def test_rounds_are_other_customers_later(tmp_path: Path) -> None:
    sample, _ = _read(tmp_path)
    feed = TaobaoFeed(sample, total=12)
    records = list(feed.records())
    assert len(records) == 12
    assert [record.at_ms for record in records] == sorted(record.at_ms for record in records)
    assert (records[0].at_ms, records[-1].at_ms) == (feed.start_ms, feed.until_ms)
    events = _events(feed)
    assert len({event["id"] for event in events}) == 12
    assert {event["subject"] for event in events[5:10]} == {"1-1", "2-1", "3-1"}
    orders = [event["data"] for event in events if event["type"] == "shop.order.v1"]
    assert [order["order_id"] for order in orders] == ["row-4", "row-1-4"]  # type: ignore[index]


def test_times_can_be_moved(tmp_path: Path) -> None:
    sample, _ = _read(tmp_path)
    feed = TaobaoFeed(sample, shift_to_ms=1_700_000_000_000)
    assert feed.start_ms == 1_700_000_000_000
    assert feed.until_ms == 1_700_000_020_000
    assert _events(feed)[0]["time"] == "2023-11-14T22:13:20Z"


def _feed_of(tmp_path: Path, count: int) -> TaobaoFeed:
    behaviours = ("pv", "fav", "cart", "buy", "pv")
    rows = "\n".join(
        f"{number % 17},{number},1,{behaviours[number % 5]},{1_500_000_000 + number // 3}"
        for number in range(count)
    )
    return TaobaoFeed(_read(tmp_path, rows.encode())[0])


def test_shuffling_skews_the_topics_and_keeps_each_topics_order(tmp_path: Path) -> None:
    feed = _feed_of(tmp_path, 5_000)
    shuffled = ShuffledFeed(feed, 1, window=1_000, segment=300)
    records = list(shuffled.records())

    def by_topic(records: list[Record]) -> dict[str, list[bytes | None]]:
        topics: dict[str, list[bytes | None]] = {}
        for record in records:
            topics.setdefault(record.topic, []).append(record.value)
        return topics

    ordered = list(feed.records())
    assert by_topic(records) == by_topic(ordered)
    assert records != ordered
    assert records == list(ShuffledFeed(feed, 1, window=1_000, segment=300).records())
    assert records != list(ShuffledFeed(feed, 2, window=1_000, segment=300).records())


def test_shuffled_records_say_the_lowest_time_not_yet_sent(tmp_path: Path) -> None:
    feed = _feed_of(tmp_path, 3_000)
    records = list(ShuffledFeed(feed, 5, window=700, segment=200).records())
    times = {record.value: record.at_ms for record in feed.records()}
    lowest = feed.until_ms
    behind = 0
    for record in reversed(records):
        own = times[record.value]
        lowest = min(lowest, own)
        assert record.at_ms == lowest
        behind += own > record.at_ms
    assert behind > len(records) // 4


def test_the_sample_is_read_whole() -> None:
    refused: list[RefusedRow] = []
    sample = read_sample(sample_file(), on_refused=refused.append)
    assert len(sample) == 84_475
    assert [row.line for row in refused] == [84_476]
    topics = Counter(record.topic for record in TaobaoFeed(sample).records())
    assert topics == {"shop.clicks": 78_228, "shop.carts": 4_497, "shop.orders": 1_750}
    assert sum(topics.values()) == 84_475


def test_a_last_line_cut_inside_its_time_is_refused() -> None:
    refused: list[RefusedRow] = []
    sample = read_sample(sample_file(TWO_HOURS_FILE), on_refused=refused.append)
    assert len(sample) == 96_168
    assert [row.line for row in refused] == [96_169]
    feed = TaobaoFeed(sample, total=1_000_000)
    assert feed.until_ms - feed.start_ms < 24 * 3_600_000


def test_gzip(tmp_path: Path) -> None:
    sample, _ = _read(tmp_path, gzip.compress(ROWS))
    assert len(sample) == 5
