"""Keys land where every other Kafka client of the contract puts them."""

import pytest
from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_python_murmur2

from schemas.partitioner import murmur2, partition_of
from tests.topics import wait_served

#: Of Apache Kafka's own UtilsTest.testMurmur2, as the signed numbers that Java prints.
JAVA_VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}

#: docs/contract.md prints these for upstream teams: key -> (partition of 8, partition of 64).
CONTRACT_VECTORS = {
    "1": (7, 15),
    "100001": (1, 49),
    "anonymous-5f0c": (0, 24),
    "tea": (2, 34),
    "回头客": (7, 55),
}


@pytest.mark.parametrize(("key", "signed"), JAVA_VECTORS.items())
def test_murmur2_gives_javas_hashes(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed & 0xFFFFFFFF


@pytest.mark.parametrize(("key", "partitions"), CONTRACT_VECTORS.items())
def test_the_vectors_of_the_contract(key: str, partitions: tuple[int, int]) -> None:
    assert (partition_of(key.encode(), 8), partition_of(key.encode(), 64)) == partitions


@given(st.binary(max_size=300))
def test_murmur2_agrees_with_kafka_python(key: bytes) -> None:
    assert murmur2(key) == kafka_python_murmur2(key)


@given(st.binary(max_size=100), st.integers(1, 1000))
def test_the_sign_bit_is_cleared_before_the_remainder(key: bytes, partitions: int) -> None:
    expected = (kafka_python_murmur2(key) & 0x7FFFFFFF) % partitions
    assert partition_of(key, partitions) == expected


def test_librdkafka_delivers_where_partition_of_says(kafka: str, prefix: str) -> None:
    """Against the real broker: librdkafka with the partitioner that the contract names."""
    topic, partitions = f"{prefix}placed", 8
    admin = AdminClient({"bootstrap.servers": kafka})
    for created in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
        created.result(60)
    wait_served(kafka, {topic: partitions})
    delivered: dict[bytes, int] = {}
    failed: list[object] = []

    def note(error: object, message: Message) -> None:
        if error is not None:
            failed.append(error)
        else:
            key, partition = message.key(), message.partition()
            assert isinstance(key, bytes)
            assert partition is not None
            delivered[key] = partition

    producer = Producer({"bootstrap.servers": kafka, "partitioner": "murmur2_random"})
    keys = [f"{n * n}".encode() for n in range(500)] + list(JAVA_VECTORS)
    for key in keys:
        producer.produce(topic, key=key, value=b"", on_delivery=note)
    assert producer.flush(60) == 0
    assert not failed
    assert delivered == {key: partition_of(key, partitions) for key in keys}
