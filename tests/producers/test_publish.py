"""`huitou publish`: lines in, records out, each refused line by its number."""

import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from producers.bulk import BulkPublisher
from producers.clock import ClockOwner
from producers.cluster import Cluster
from producers.errors import RecordDeliveryError
from producers.publish import Line, PublishReport, Refused, publish_lines, read_lines
from schemas.catalogue import PRODUCTS
from schemas.envelope import BODY_BYTES
from schemas.partitioner import partition_of
from streams.settings import Settings
from tests.producers.commands import huitou
from tests.producers.conftest import PARTITIONS, MakeCluster, read_topic
from tests.producers.events import cart, click, order, product, profile, review, service, wish

encode = msgspec.json.encode


def _ignore(_: object) -> None:
    """A report that this test does not look at."""


def _lines(*texts: bytes) -> bytes:
    return b"".join(text + b"\n" for text in texts)


def test_lines_go_to_the_topics_of_their_types_as_they_are(
    cluster: Cluster, settings: Settings
) -> None:
    # Spaces, field order and unknown fields stay as the file has them.
    odd = json.dumps({"later": 1, **json.loads(encode(click("c9")))}, indent=None).encode()
    texts = [
        encode(click("c1")),
        encode(cart("c2")),
        encode(order("c3")),
        encode(review("c4")),
        encode(service("c5")),
        encode(wish("c6")),
        encode(profile("c7")),
        encode(product("c8")),
        odd,
    ]
    result = huitou(settings, "publish", "-", "--json", stdin=_lines(*texts))
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["accepted"] == 9
    assert report["by_topic"] == {
        "shop.clicks": 2,
        "shop.carts": 1,
        "shop.orders": 1,
        "shop.reviews": 1,
        "shop.service": 1,
        "shop.wishes": 1,
        "shop.profiles": 1,
        "shop.products": 1,
    }
    held = [
        (message.key(), message.value(), message.partition())
        for topic in (*cluster.input_topics, cluster.prefix + PRODUCTS)
        for message in read_topic(cluster, topic)
    ]
    keys = [b"c1", b"c2", b"c3", b"c4", b"c5", b"c6", b"c7", b"c8", b"c9"]
    assert sorted(held) == [
        (key, text, partition_of(key, PARTITIONS)) for key, text in zip(keys, texts, strict=True)
    ]


def test_refused_lines_are_reported_by_number_and_the_others_are_sent(
    cluster: Cluster, settings: Settings, tmp_path: Path
) -> None:
    future = click(time=datetime.now(UTC) + timedelta(days=3))
    texts = [
        encode(click("good")),
        b"",
        b"{",
        b"[1]",
        b'{"type":"shop.unheard-of.v1"}',
        b'{"subject":"c1"}',
        encode(cart()).replace(b'"sku":"p1"', b'"sku":7'),
        encode(review()).replace(b'"rating":5,', b"").replace(b',"rating":5', b""),
        encode(future),
        b'"' + b"x" * (3 * BODY_BYTES) + b'"',
        encode(click("good")).replace(b'"good"', b"7"),
        encode(click("good")) + b"\r",
        encode(product("a")).replace(b'"subject":"a"', b'"subject":"b"'),
        encode(product("a")).replace(b'"listed"', b'"price_changed"'),
    ]
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(texts))
    result = huitou(settings, "publish", str(file))
    assert result.returncode == 1
    refusals = [line.split(": ")[:2] for line in result.stderr.decode().splitlines()]
    assert refusals == [
        ["line 3", "not_json"],
        ["line 4", "invalid_value"],
        ["line 5", "wrong_type at type"],
        ["line 6", "missing_field at type"],
        ["line 7", "invalid_value at data.sku"],
        ["line 8", "missing_field at data.rating"],
        ["line 9", "future_time at time"],
        ["line 10", "body_too_large"],
        ["line 11", "invalid_value at subject"],
        ["line 13", "key_not_subject"],
        ["line 14", "missing_field at data.price"],
    ]
    held = read_topic(cluster, cluster.prefix + "shop.clicks")
    assert [message.value() for message in held] == [texts[0], texts[11].rstrip(b"\r")]
    table = result.stdout.decode()
    assert "accepted by shop.clicks" in table
    assert "refused: future_time" in table
    (early,) = [line for line in result.stderr.decode().splitlines() if line.startswith("line 9:")]
    # Whose clock: after a simulation the shop's own has gone on for days, and is over.
    assert "ahead of this machine's clock, 20" in early
    assert early.endswith("; at most a day is allowed")


def test_gzip_is_read_whatever_the_name(
    cluster: Cluster, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "events"
    file.write_bytes(gzip.compress(_lines(*(encode(click(f"c{index}")) for index in range(50)))))
    result = huitou(settings, "publish", str(file), "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["accepted"] == 50
    assert len(read_topic(cluster, cluster.prefix + "shop.clicks")) == 50


def test_the_order_of_the_file_is_the_order_of_each_partition(cluster: Cluster) -> None:
    lines = [
        Line(number, encode(click(f"c{number % 7}", id=f"{number}")), False)
        for number in range(1, 5_001)
    ]
    # A small buffer, so that back-pressure sets in.
    publisher = BulkPublisher(cluster, client_id="test", max_buffered=500)
    report = publish_lines(iter(lines), publisher, on_refused=_ignore, on_progress=_ignore)
    assert report.accepted == len(publisher.delivered) == 5_000
    held: dict[int | None, list[int]] = {}
    for message in read_topic(cluster, cluster.prefix + "shop.clicks"):
        number = int(json.loads(message.value() or b"")["id"])
        held.setdefault(message.partition(), []).append(number)
    assert sum(map(len, held.values())) == 5_000
    for numbers in held.values():
        assert numbers == sorted(numbers)


def test_lines_that_are_not_valid_are_sent_when_asked(cluster: Cluster, settings: Settings) -> None:
    texts = [b"nonsense", b'{"subject":"c5"}', encode(click("c1"))]
    arguments = ("publish", "-", "--allow-invalid", "--topic", "shop.carts", "--json")
    result = huitou(settings, *arguments, stdin=_lines(*texts))
    assert result.returncode == 0, result.stderr
    held = read_topic(cluster, cluster.prefix + "shop.carts")
    assert sorted((message.key() or b"", message.value()) for message in held) == sorted(
        zip([b"", b"c5", b"c1"], texts, strict=True)
    )


def test_a_line_that_kafka_does_not_take_is_named(make_cluster: MakeCluster) -> None:
    cluster = make_cluster(max_message_bytes="700")
    large = review("c1")
    large.data.text = "好" * 600
    lines = [Line(1, encode(click("c1")), False), Line(2, encode(large), False)]
    publisher = BulkPublisher(cluster, client_id="test", compression="none")
    with pytest.raises(RecordDeliveryError, match="line 2") as raised:
        publish_lines(iter(lines), publisher, on_refused=_ignore, on_progress=_ignore)
    assert raised.value.topic == cluster.prefix + "shop.reviews"


def test_under_a_held_clock_events_are_judged_by_the_end_of_its_window(
    cluster: Cluster, settings: Settings
) -> None:
    now = int(datetime.now(UTC).timestamp() * 1000)
    ahead = encode(click(time=datetime.now(UTC) + timedelta(days=3)))
    assert huitou(settings, "publish", stdin=_lines(ahead)).returncode == 1
    until = now + 3 * 86_400_000
    with ClockOwner(cluster, tool="test", start_ms=now, until_ms=until):
        assert huitou(settings, "publish", stdin=_lines(ahead)).returncode == 0


def test_missing_topics_and_files_are_said(settings: Settings, tmp_path: Path) -> None:
    result = huitou(settings, "publish", stdin=_lines(encode(click())))
    assert result.returncode == 1
    assert b"huitou topics create" in result.stderr
    assert b"Traceback" not in result.stderr
    assert huitou(settings, "publish", str(tmp_path / "none")).returncode == 2


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"a", [(1, b"a", False)]),
        (b"a\nb\r\n\nc", [(1, b"a", False), (2, b"b", False), (3, b"", False), (4, b"c", False)]),
        (b"12345678\n9", [(1, b"12345678", False), (2, b"9", False)]),
        (b"12345678", [(1, b"12345678", False)]),
        (b"123456789\nx\n", [(1, b"123456789", False), (2, b"x", False)]),
        (b"1234567890\nx\n", [(1, b"1234567890", True), (2, b"x", False)]),
        (b"1" * 100 + b"\nx", [(1, b"1" * 10, True), (2, b"x", False)]),
        (b"1" * 100, [(1, b"1" * 10, True)]),
    ],
)
def test_reading_lines_with_a_limit_of_8(text: bytes, lines: list[Line]) -> None:
    assert list(read_lines(io.BytesIO(text), limit=8)) == lines


def test_a_report_counts_refusals_by_reason(cluster: Cluster) -> None:
    seen: list[Refused] = []
    publisher = BulkPublisher(cluster, client_id="test")
    lines = [Line(1, b"{", False), Line(2, b"[", False), Line(3, b"{}", True)]
    report = publish_lines(iter(lines), publisher, on_refused=seen.append, on_progress=_ignore)
    assert report == PublishReport(
        lines=3, refused=3, by_reason={"not_json": 1, "invalid_value": 1, "body_too_large": 1}
    )
    assert [refused.line for refused in seen] == [1, 2, 3]
