"""The reader of definitions against real topics that hold bad records too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.decoding import RawRecord
from streams.definitions import Definitions, DefinitionsError
from streams.definitions_reader import DefinitionsReader
from streams.settings import Settings
from streams.topics import create_topics
from tests.campaigns.changes import RESUMED, WITHDRAWN, applied, change
from tests.contract.versions import JUNE, JUNE_MS, record, version, write
from tests.verify.kafka_log import make_topic
from tests.waiting import wait_for


@pytest.fixture
def topic(settings: Settings) -> str:
    create_topics(settings)
    return f"{settings.topic_prefix}shop.settings"


@pytest.fixture
def campaigns(settings: Settings, topic: str) -> str:
    return f"{settings.topic_prefix}shop.campaigns"


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


def test_reads_the_topic_whole_then_follows_it(
    settings: Settings, topic: str, campaigns: str
) -> None:
    write(settings, topic, (b"tea", record(version("tea", 1, currency="EUR"))))
    with reading(settings) as reader:
        first = reader.current()
        assert first.at("tea", 0).currency == "EUR"
        assert first.offsets == {topic: 1, campaigns: 0}

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
        assert reader.current().offsets[topic] == 6
        assert [v.version for v in reader.current().versions("tea")] == [1, 2]


def test_upto_shows_what_was_read_then(settings: Settings, topic: str) -> None:
    numbered = [
        (b"tea", record(version("tea", n, currency=f"AA{chr(64 + n)}"))) for n in range(1, 25)
    ]
    write(settings, topic, *numbered)
    with reading(settings) as reader:
        for offset in (*range(25), 3, 24):
            view = reader.upto({topic: offset})
            assert view.offsets[topic] == offset
            assert [v.version for v in view.versions("tea")] == list(range(1, offset + 1))
        assert reader.upto({}).digest() == Definitions().digest()
        with pytest.raises(DefinitionsError, match="not to offset 25"):
            reader.upto({topic: 25}, timeout=0.3)


def test_read_to_end_sees_what_was_written_before_it(settings: Settings, topic: str) -> None:
    with reading(settings) as reader:
        assert reader.current().offsets[topic] == 0
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


def _campaign(settings: Settings, *changes: RawRecord) -> None:
    topic = f"{settings.topic_prefix}shop.campaigns"
    write(settings, topic, *[(each.key, each.value) for each in changes])


#: By the broker's clock, which judges the times of what is applied here.
SOON = 4_000_000_000_000


def test_campaigns_are_followed_beside_the_settings(
    settings: Settings, topic: str, campaigns: str
) -> None:
    told: list[None] = []
    with reading(settings, lambda: told.append(None)) as reader:
        write(settings, topic, (b"tea", record(version("tea", 1))))
        _campaign(settings, change(0, applied()), change(1, applied("Hey", SOON)))
        view = reader.read_to_end()
        assert view.offsets == {topic: 1, campaigns: 2}
        assert [view.at("tea", 0).shop_id, *view.campaigns.campaigns("tea")] == ["tea", "hello"]
        found = [view.campaigns.judging("tea", "hello", time) for time in (0, SOON)]
        assert [each and each.offset for each in found] == [0, 1]

        _campaign(settings, change(2, WITHDRAWN), change(3, applied("Ho", 1)), change(4, RESUMED))
        assert reader.read_to_end().campaigns.offset == 5
        assert reader.bad_records == len(told) == 1
        # What a partition was told by an earlier tick stays what it was.
        assert view.campaigns.judging("tea", "hello", 0) == found[0]


def test_a_view_by_offsets_is_the_same_live_later_and_in_another_process(
    settings: Settings, topic: str, campaigns: str
) -> None:
    """Live the topics are read as they grow, in recovery and replay whole: what offsets name is equal."""
    live: dict[tuple[int, int], tuple[str, str]] = {}
    changes = [
        change(0, applied()), change(0, applied("Hey", SOON)), change(0, WITHDRAWN),
        change(0, applied("Ho", 1)), change(0, RESUMED), change(0, applied(name="bye"), "bye"),
    ]  # fmt: skip
    with reading(settings) as reader:
        for number, each in enumerate(changes, start=1):
            if number % 2:
                write(settings, topic, (b"tea", record(version("tea", number))))
            _campaign(settings, each)
            view = reader.read_to_end()
            offsets = (view.offsets[topic], view.offsets[campaigns])
            live[offsets] = (view.digest(), view.campaigns.digest())
    assert len(live) == len(set(live.values())) + 1, "only what does not count changed nothing"
    with reading(settings) as later:
        for offsets in (*live, *reversed(live)):
            again = later.upto(dict(zip((topic, campaigns), offsets, strict=True)))
            assert (again.digest(), again.campaigns.digest()) == live[offsets]
        # A row of the journal from before the topic was followed.
        older = later.upto({topic: 1})
        assert (len(older.versions("tea")), older.campaigns.shops()) == (1, [])
        with pytest.raises(DefinitionsError, match=r"shop\.campaigns at .* not to offset 7"):
            later.upto({topic: 1, campaigns: 7}, timeout=0.3)


def test_commands_that_need_settings_alone_do_without_the_other_topic(
    settings: Settings, prefix: str
) -> None:
    make_topic(settings.kafka_bootstrap, f"{prefix}shop.settings")
    reader = DefinitionsReader(settings, campaigns=False)
    try:
        reader.start()
        assert reader.read_to_end().offsets == {f"{prefix}shop.settings": 0}
        assert reader.current().campaigns.shops() == []
    finally:
        reader.stop()
    reader = DefinitionsReader(settings)
    with pytest.raises(DefinitionsError, match=r"shop\.campaigns .*`huitou topics create`"):
        reader.start(timeout=1.0)
    reader.stop()
