"""Playing a feed: nothing overtakes a tick, the clock is handed back, the end is the window's."""

import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from producers.bulk import BulkPublisher
from producers.clock import ClockOwner, clock_holder, release_clock
from producers.cluster import Cluster
from producers.delivered import Delivered
from producers.errors import ClockLostError, RecordDeliveryError
from producers.playback import Playback
from producers.replay.shuffle import ShuffledFeed
from producers.simulator import Mischief, Simulator
from producers.source import Feed, Progress, Record
from schemas.clock import Close, Rebase, Tick, decode_clock
from schemas.partitioner import partition_of
from tests.producers.conftest import PARTITIONS, MakeCluster, read_topic

START = 1_700_000_000_000


class ListFeed:
    """Records given as a list; the window ends at the last."""

    name = "list"

    def __init__(self, records: list[Record]) -> None:
        self._records = records
        self.start_ms = records[0].at_ms
        self.until_ms = records[-1].at_ms
        self.total: int | None = len(records)

    def records(self) -> Iterator[Record]:
        return iter(self._records)


def _records(count: int, apart_ms: int) -> list[Record]:
    topics = ("shop.clicks", "shop.carts", "shop.orders")
    return [
        Record(
            START + number * apart_ms,
            topics[number % 3],
            b"c%d" % (number % 50),
            b"%d" % (START + number * apart_ms),
        )
        for number in range(count)
    ]


def _owner(cluster: Cluster, feed: Feed, rate: float = 0.0) -> ClockOwner:
    return ClockOwner(
        cluster, tool="test", start_ms=feed.start_ms, until_ms=feed.until_ms, rate=rate
    )


def _play(cluster: Cluster, feed: Feed, rate: float = 0.0) -> Playback:
    playback = Playback(feed, rate=rate)
    with _owner(cluster, feed, rate) as clock:
        playback.run(BulkPublisher(cluster, client_id="test"), clock)
    return playback


def _assert_ticks_hold(cluster: Cluster, times: dict[tuple[str, int], list[int]]) -> list[int]:
    """No tick is overtaken: all records from its ends on have its time or a later one.

    ``times``: event times of (topic, partition) by offset. Returns the times of partition 0's ticks.
    """
    messages = read_topic(cluster, cluster.clock_topic)
    ticks: list[int] = []
    for message in messages:
        record = decode_clock(message.value() or b"")
        if isinstance(record, Rebase):
            continue
        if message.partition() == 0:
            ticks.append(record.time)
        assert set(record.ends) == set(cluster.input_topics)
        for topic, end in record.ends.items():
            later = times.get((topic, record.partition), [])[end:]
            assert all(time_ms >= record.time for time_ms in later)
    return ticks


def _times(cluster: Cluster) -> dict[tuple[str, int], list[int]]:
    """Of records whose value is their event time."""
    times: dict[tuple[str, int], list[int]] = {}
    for topic in cluster.input_topics:
        for message in read_topic(cluster, topic):
            place = (topic, message.partition() or 0)
            times.setdefault(place, []).append(int(message.value() or b""))
    return times


def test_at_full_speed_ticks_come_along_the_way_and_none_is_overtaken(cluster: Cluster) -> None:
    feed = ListFeed(_records(20_000, 1_000))
    playback = _play(cluster, feed)
    assert playback.published == len(playback.delivered) == 20_000
    ticks = _assert_ticks_hold(cluster, _times(cluster))
    assert len(ticks) > 20
    assert ticks == sorted(ticks)
    assert ticks[-1] == feed.until_ms
    assert clock_holder(cluster) is None


def test_shuffled_topics_do_not_overtake_ticks_either(cluster: Cluster) -> None:
    feed = ListFeed(_records(20_000, 1_000))
    _play(cluster, ShuffledFeed(feed, 3, window=5_000, segment=2_000))
    times = _times(cluster)
    # They are skewed: ends of a tick hold later events of a topic that runs ahead.
    ticks = _assert_ticks_hold(cluster, times)
    assert ticks[-1] == feed.until_ms
    assert len(set(ticks)) > 5


def test_a_paced_clock_runs_on_between_records(cluster: Cluster) -> None:
    # Two records 200 s apart, at 100 times the wall's pace: two seconds, so about ten ticks where
    # nothing holds the machine up.
    feed = ListFeed(_records(2, 200_000))
    started = time.monotonic()
    _play(cluster, feed, rate=100.0)
    assert time.monotonic() - started >= 2.0
    ticks = _assert_ticks_hold(cluster, _times(cluster))
    between = [tick for tick in ticks if START < tick < feed.until_ms]
    assert between
    records = [
        decode_clock(each.value() or b"") for each in read_topic(cluster, cluster.clock_topic)
    ]
    assert {record.rate for record in records if isinstance(record, Tick | Rebase)} == {100.0}


def test_delivered_is_what_is_in_the_log(cluster: Cluster) -> None:
    playback = _play(cluster, ListFeed(_records(3_000, 10)))
    in_log = [
        (topic, message.partition(), message.offset())
        for topic in sorted(cluster.input_topics)
        for message in read_topic(cluster, topic)
    ]
    assert list(playback.delivered.positions()) == in_log
    copy = Delivered.from_json(playback.delivered.to_json())
    assert list(copy.positions()) == in_log
    assert copy.counts() == playback.delivered.counts()


def test_a_stopped_source_closes_at_what_it_did_not_send(cluster: Cluster) -> None:
    # 50 s at that pace: however late it is told to stop, there is more.
    feed = ListFeed(_records(100_000, 1_000))
    stop = threading.Event()
    playback = Playback(feed, rate=2_000.0)

    def stop_at_1000(progress: Progress) -> None:
        if progress.published >= 1_000:
            stop.set()

    with _owner(cluster, feed, 2_000.0) as clock:
        publisher = BulkPublisher(cluster, client_id="test")
        progress = playback.run(publisher, clock, None, stop_at_1000, stop)
    assert 1_000 <= progress.published < 100_000
    assert len(playback.delivered) == progress.published
    ticks = _assert_ticks_hold(cluster, _times(cluster))
    next_time = START + progress.published * 1_000
    assert next_time - 1_000 <= ticks[-1] <= next_time
    assert clock_holder(cluster) is None


def test_a_deadline_ends_a_source(cluster: Cluster) -> None:
    # More than a quarter of an hour apart: however late the deadline is noticed, the next is not due.
    feed = ListFeed(_records(10_000, 1_000_000))
    playback = Playback(feed, rate=1.0)
    with _owner(cluster, feed, 1.0) as clock:
        publisher = BulkPublisher(cluster, client_id="test")
        playback.run(publisher, clock, time.monotonic() + 0.5)
    assert playback.published <= 1
    assert clock_holder(cluster) is None


def test_without_a_clock_nothing_is_written_to_it(cluster: Cluster) -> None:
    playback = Playback(ListFeed(_records(100, 10)))
    playback.run(BulkPublisher(cluster, client_id="test"), None)
    assert len(playback.delivered) == 100
    assert read_topic(cluster, cluster.clock_topic) == []


def test_a_record_that_kafka_refuses_ends_the_source_before_the_next_tick(
    make_cluster: MakeCluster,
) -> None:
    cluster = make_cluster(max_message_bytes="2000")
    records = _records(2_000, 1_000)
    records[1_000] = records[1_000]._replace(value=bytes(range(256)) * 40)
    feed = ListFeed(records)
    playback = Playback(feed)
    publisher = BulkPublisher(cluster, client_id="test", compression="none")
    with pytest.raises(RecordDeliveryError), _owner(cluster, feed) as clock:
        playback.run(publisher, clock)
    closes = [
        record
        for message in read_topic(cluster, cluster.clock_topic)
        if isinstance(record := decode_clock(message.value() or b""), Close)
    ]
    assert len(closes) == PARTITIONS
    assert all(close.time <= START + 1_000 * 1_000 for close in closes)


def test_a_released_clock_ends_the_source(cluster: Cluster) -> None:
    feed = ListFeed(_records(100_000, 1_000))
    clock = _owner(cluster, feed, 1.0)
    playback = Playback(feed, rate=1.0)
    publisher = BulkPublisher(cluster, client_id="test")
    with clock:
        release_clock(cluster)
        with pytest.raises(ClockLostError):
            playback.run(publisher, clock)


def test_the_simulator_plays_with_all_its_bad_input(cluster: Cluster) -> None:
    simulator = Simulator(
        5,
        3_000,
        START,
        until_ms=START + 3_600_000,
        by_hour=False,
        activity=4.0,
        mischief=Mischief.of(0.05, 0.05, 0.1, PARTITIONS),
    )
    playback = _play(cluster, simulator)
    held = [message for topic in cluster.input_topics for message in read_topic(cluster, topic)]
    assert len(held) == playback.published == len(playback.delivered)
    wanted = Counter(
        (cluster.prefix + record.topic, record.key, record.value) for record in simulator.records()
    )
    assert Counter((each.topic(), each.key(), each.value()) for each in held) == wanted
    misplaced = sum(
        each.partition() != partition_of(each.key() or b"", PARTITIONS)
        for each in held
        if each.key() is not None
    )
    planted = Counter(record.planted for record in simulator.records())
    assert misplaced == planted["malformed:wrong_partition"] > 0
