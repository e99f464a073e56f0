"""Whatever comes in: one dead letter a bad record, the rest of its bundle applied, the worker goes on."""

import base64
import json
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka import KafkaProducer

from schemas.catalogue import DEADLETTERS
from schemas.partitioner import partition_of
from tests.engine.harness import Bench, WorkerProcess, moment, run_cli
from tests.waiting import wait_for

GOOD = {
    "specversion": "1.0",
    "type": "shop.click.v1",
    "source": "test",
    "subject": "anna",
    "time": moment(0),
    "data": {"shop_id": "shop", "action": "view"},
}


def bad(**changes: object) -> bytes:
    event = {**GOOD, "id": "bad", **changes}
    return json.dumps({name: value for name, value in event.items() if value is not None}).encode()


def data(**changes: object) -> bytes:
    return bad(data={**GOOD["data"], **changes})  # type: ignore[dict-item]


#: reason -> (topic, key, value)
BAD: dict[str, tuple[str, bytes | None, bytes | None]] = {
    "not_json": ("shop.clicks", b"anna", b"{nonsense"),
    "wrong_type": ("shop.carts", b"anna", bad()),
    "missing_field": ("shop.clicks", b"anna", bad(time=None)),
    "invalid_value": ("shop.clicks", b"anna", data(action="stare")),
    "future_time": ("shop.clicks", b"anna", bad(time="2400-01-01T00:00:00Z")),
    "body_too_large": ("shop.clicks", b"anna", data(page="x" * 70_000)),
    "null_key": ("shop.clicks", None, bad()),
    "key_not_subject": ("shop.clicks", b"berta", bad()),
    "null_value": ("shop.clicks", b"anna", None),
}


def test_each_kind_becomes_one_dead_letter(bench: Bench, tmp_path: Path) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    sent: dict[str, bytes | None] = {}
    for number, (reason, (topic, key, value)) in enumerate(BAD.items()):
        good = json.dumps({**GOOD, "id": f"good-{number}"}).encode()
        bench.send_raw("shop.clicks", b"anna", good)
        bench.send_raw(topic, key, value)
        sent[reason] = value
    home = partition_of(b"anna", bench.settings.partitions)
    bench.send_raw("shop.clicks", b"anna", bad(), partition=(home + 1) % bench.settings.partitions)
    sent["wrong_partition"] = bad()
    bench.send_raw("shop.clicks", b"anna", json.dumps({**GOOD, "id": "good-last"}).encode())
    bench.flush()
    bench.wait_processed()
    wait_for(lambda: len(bench.read(DEADLETTERS)) >= len(sent), 60, f"{len(sent)} dead letters")
    letters = {letter["data"]["reason"]: letter["data"] for letter in bench.read(DEADLETTERS)}  # type: ignore[index]
    assert len(bench.read(DEADLETTERS)) == len(sent)
    assert letters.keys() == sent.keys()
    for reason, value in sent.items():
        letter = letters[reason]
        assert letter["topic"] in (bench.prefix + "shop.clicks", bench.prefix + "shop.carts")
        kept = base64.b64decode(letter.get("value") or "")
        if reason == "body_too_large":
            assert value is not None
            assert value.startswith(kept)
            assert letter["value_bytes"] == len(value)
        else:
            assert kept == (value or b"")
    assert bench.counted("applied") == len(BAD) + 1
    assert bench.counted("dead_letter") == len(sent)
    assert worker.stop() == 0


class NotUtf8(str):
    """A header name as a client in another language may send it; kafka-python would only encode text."""

    def encode(self, *arguments: object, **options: object) -> bytes:  # type: ignore[override]
        return b"\xff\xfe-trace"


def test_a_header_name_that_is_not_utf8(bench: Bench, tmp_path: Path) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    producer = KafkaProducer(bootstrap_servers=bench.settings.kafka_bootstrap)
    home = partition_of(b"anna", bench.settings.partitions)
    for number in range(9):
        headers = [(NotUtf8("name"), b"1")] if number % 3 == 1 else [("name", b"1")]
        value = json.dumps({**GOOD, "id": f"e{number}"}).encode()
        producer.send(
            f"{bench.prefix}shop.clicks", value, key=b"anna", partition=home, headers=headers
        )
    producer.flush(60)
    wait_for(lambda: bench.counted("applied") == 9, 60, "all nine applied")
    bench.wait_published()
    verified = run_cli(bench.settings, "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert worker.stop() == 0


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_compressed_topics_are_read(bench: Bench, tmp_path: Path, codec: str) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    producer = Producer(
        {
            "bootstrap.servers": bench.settings.kafka_bootstrap,
            "compression.type": codec,
            "linger.ms": 50,
        }
    )
    home = partition_of(b"anna", bench.settings.partitions)
    for number in range(500):
        value = json.dumps({**GOOD, "id": f"e{number}"}).encode()
        producer.produce(f"{bench.prefix}shop.clicks", value, key=b"anna", partition=home)
    assert producer.flush(60) == 0
    wait_for(lambda: bench.counted("applied") == 500, 60, "500 events applied")
    assert worker.stop() == 0


def test_a_poisoned_topic_is_paused_and_goes_on_when_told(bench: Bench, tmp_path: Path) -> None:
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log", HUITOU_POISON_RECORDS="100")
    worker.wait_recovered()
    bench.send("shop.carts", "anna", {"action": "add", "sku": "s1"}, id="c1", time=moment(0))
    bench.flush()
    bench.wait_processed()
    for number in range(300):
        bench.send_raw("shop.clicks", f"k{number}".encode(), b"rubbish")
    bench.flush()
    worker.wait_for_log("topic paused")
    assert worker.metrics()['shop_partitions_paused{reason="poison"}'] == bench.settings.partitions
    status, report = worker.ready()
    assert status == 503
    (reason,) = report["reasons"]  # type: ignore[misc]
    assert reason.startswith(f"paused topic {bench.prefix}shop.clicks: ")
    assert reason.endswith(f"then run: huitou resume {bench.prefix}shop.clicks")
    # Other topics go on, and the poisoned one is not eaten.
    bench.send("shop.carts", "anna", {"action": "add", "sku": "s2"}, id="c2", time=moment(1))
    bench.flush()
    wait_for(lambda: bench.counted("applied") == 2, 60, "the cart beside it")
    assert bench.counted("dead_letter") < 300
    result = run_cli(bench.settings, "resume", "shop.clicks")
    assert result.returncode == 0, result.stderr
    bench.wait_processed()
    assert bench.counted("dead_letter") == 300
    status, report = worker.ready()
    assert status == 200, report
    assert worker.stop() == 0
