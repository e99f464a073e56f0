"""The reader of shop.settings against a real topic that holds bad records too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.definitions import Definitions, DefinitionsError, DefinitionsReader
from streams.settings import Settings
from streams.topics import create_topics
from tests.contract.versions import JUNE, JUNE_MS, record, version, write
from tests.waiting import wait_for


@pytest.fixture
def topic(settings: Settings) -> str:
    create_topics(settings)
    return f"{settings.topic_prefix}shop.settings"


@contextmanager
def reading(
    settings: Settings, on_bad_record: Callable[[], None] = lambda: None
) -> Iterator[DefinitionsReader]:
    reader = DefinitionsReader(settings, on_bad_record)
    try:
        reader.start()
        yield reader
    finally:
        reader.stop()


def test_reads_the_topic_whole_then_follows_it(settings: Settings, topic: str) -> None:
    write(settings, topic, (b"tea", record(version("tea", 1, currency="EUR"))))
    with reading(settings) as reader:
        first = reader.current()
        assert first.at("tea", 0).currency == "EUR"
        assert first.offsets == {topic: 1}

        write(settings, topic, (b"tea", record(version("tea", 2, JUNE, currency="USD"))))
        wait_for(lambda: reader.current().offsets[topic] == 2)
        assert reader.current().at("tea", JUNE_MS).currency == "USD"
        # A view is one moment's, whatever is read later.
        assert first.at("tea", JUNE_MS).currency == "EUR"


def test_bad_records_are_counted_and_kill_nothing(settings: Settings, topic: str) -> None:
    good, worse = record(version("tea", 1)), record(version("tea", 1, currency="EUR"))
    write(settings, topic, (b"x", b"\xff"), (b"tea", good), (b"tea", None), (b"tea", good))
    write(settings, topic, (b"tea", worse), (b"tea", record(version("tea", 2, currency="EUR"))))
    told: list[None] = []
    with reading(settings, lambda: told.append(None)) as reader:
        assert reader.bad_records == len(told) == 3
        assert reader.current().offsets == {topic: 6}
        assert [v.version for v in reader.current().versions("tea")] == [1, 2]


def test_upto_shows_what_was_read_then(settings: Settings, topic: str) -> None:
    numbered = [
        (b"tea", record(version("tea", n, currency=f"AA{chr(64 + n)}"))) for n in range(1, 25)
    ]
    write(settings, topic, *numbered)
    with reading(settings) as reader:
        for offset in (*range(25), 3, 24):
            view = reader.upto({topic: offset})
            assert view.offsets == {topic: offset}
            assert [v.version for v in view.versions("tea")] == list(range(1, offset + 1))
        assert reader.upto({}).digest() == Definitions().digest()
        with pytest.raises(DefinitionsError, match="not to offset 25"):
            reader.upto({topic: 25}, timeout=0.3)


def test_read_to_end_sees_what_was_written_before_it(settings: Settings, topic: str) -> None:
    with reading(settings) as reader:
        assert reader.current().offsets == {topic: 0}
        for number in range(1, 6):
            write(settings, topic, (b"tea", record(version("tea", number))))
            assert len(reader.read_to_end().versions("tea")) == number


def test_aborted_records_are_not_read_and_markers_are_passed(
    settings: Settings, topic: str
) -> None:
    producer = Producer(
        {"bootstrap.servers": settings.kafka_bootstrap, "transactional.id": f"{topic}-writer"}
    )
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(
        topic, key=b"tea", value=record(version("tea", 1, currency="XXX")), partition=0
    )
    producer.flush(60)
    producer.abort_transaction(60)
    producer.begin_transaction()
    producer.produce(
        topic, key=b"tea", value=record(version("tea", 1, currency="EUR")), partition=0
    )
    producer.commit_transaction(60)
    with reading(settings) as reader:
        wait_for(lambda: reader.current().offsets[topic] == 4)
        assert reader.current().at("tea", 0).currency == "EUR"
        assert reader.bad_records == 0


def test_no_topic(settings: Settings) -> None:
    reader = DefinitionsReader(settings)
    with pytest.raises(DefinitionsError, match="huitou topics create"):
        reader.start(timeout=1.0)
    reader.stop()


def test_a_log_that_lost_its_beginning_is_not_taken_for_whole(
    settings: Settings, topic: str
) -> None:
    """The definitions before it are gone: every caller is told, none gets what is left."""
    write(settings, topic, *[(b"tea", record(version("tea", n))) for n in (1, 2, 3)])
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    for future in admin.delete_records([TopicPartition(topic, 0, 2)]).values():
        future.result(60)
    reader = DefinitionsReader(settings)
    try:
        with pytest.raises(DefinitionsError, match="is not read any more"):
            reader.start()
        for ask in (reader.current, reader.read_to_end, lambda: reader.upto({})):
            with pytest.raises(DefinitionsError, match="is not read any more"):
                ask()
    finally:
        reader.stop()
