"""Taking the clock over, holding it alone, handing it back: on the real log."""

import itertools
import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from producers.bulk import BulkPublisher
from producers.clock import ClockOwner, clock_holder, newest_time, release_clock
from producers.clock_log import ClockHistory, ClockLog
from producers.cluster import Cluster
from producers.errors import ClockHeldError, ClockLostError, NotHeldError
from schemas.clock import WALL, ClockRecord, Close, Rebase, Tick, decode_clock, encode_clock
from tests.producers.conftest import PARTITIONS, read_topic
from tests.waiting import wait_for

START, UNTIL = 1_700_000_000_000, 1_700_000_600_000


def _owner(cluster: Cluster, tool: str = "replay") -> ClockOwner:
    return ClockOwner(cluster, tool=tool, start_ms=START, until_ms=UNTIL, rate=2.0)


def _records(cluster: Cluster) -> Iterator[list[ClockRecord]]:
    """The clock's records of each partition."""
    messages = read_topic(cluster, cluster.clock_topic)
    for partition in range(PARTITIONS):
        held = [message for message in messages if message.partition() == partition]
        assert all(message.key() is None for message in held)
        yield [decode_clock(message.value() or b"") for message in held]


def test_every_partition_gets_rebase_ticks_and_close_with_ends_of_all_input_topics(
    cluster: Cluster,
) -> None:
    publisher = BulkPublisher(cluster, client_id="test")
    with _owner(cluster) as owner:
        for index in range(100):
            publisher.send("shop.carts", b"c%d" % index, b"{}")
        publisher.flush()
        owner.tick(START + 1_000)
        owner.close(UNTIL)
    held = publisher.delivered.counts()
    for partition, records in enumerate(_records(cluster)):
        ends = dict.fromkeys(cluster.input_topics, 0)
        carts = cluster.prefix + "shop.carts"
        ends[carts] = held.get((carts, partition), 0)
        assert records == [
            Rebase(partition, START, UNTIL, owner.clock, 2.0),
            Tick(partition, START + 1_000, owner.clock, 0, ends, rate=2.0),
            Close(partition, UNTIL, owner.clock, ends),
        ]
    assert sum(held.values()) == 100


def test_ends_count_records_of_an_open_transaction(cluster: Cluster) -> None:
    upstream = Producer(
        {"bootstrap.servers": cluster.bootstrap, "transactional.id": cluster.prefix + "upstream"}
    )
    upstream.init_transactions(60)
    upstream.begin_transaction()
    upstream.produce(cluster.prefix + "shop.orders", b"{}", b"c", partition=2)
    assert upstream.flush(60) == 0
    with _owner(cluster) as owner:
        owner.tick(START)
    upstream.abort_transaction(60)
    tick = list(_records(cluster))[2][1]
    assert isinstance(tick, Tick)
    assert tick.ends[cluster.prefix + "shop.orders"] == 1


def test_a_second_tool_is_refused_and_writes_nothing(cluster: Cluster) -> None:
    with _owner(cluster) as first:
        second = _owner(cluster, "simulator")
        with pytest.raises(ClockHeldError) as raised:
            second.acquire()
        assert raised.value.clock == first.clock
        assert "huitou clock release" in str(raised.value)
        first.tick(START + 1)
    clocks = {record.clock for records in _records(cluster) for record in records}
    assert clocks == {first.clock}


def test_of_tools_that_start_at_once_one_holds(cluster: Cluster) -> None:
    owners = [_owner(cluster, f"tool{index}") for index in range(6)]
    refused: list[str] = []
    start = threading.Barrier(len(owners))

    def run(owner: ClockOwner) -> None:
        start.wait()
        try:
            owner.acquire()
        except ClockHeldError as error:
            refused.append(error.clock)

    threads = [threading.Thread(target=run, args=(owner,)) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    holder = clock_holder(cluster)
    assert holder is not None
    assert refused == [holder.clock] * 5
    # The other partitions were told of the holder alone.
    others = list(_records(cluster))[1:]
    assert [[record.clock for record in records] for records in others] == [[holder.clock]] * 3
    [winner] = [owner for owner in owners if owner.clock == holder.clock]
    winner.close()
    assert clock_holder(cluster) is None


def test_the_clock_of_a_dead_tool_stays_held_until_it_is_released(cluster: Cluster) -> None:
    dead = _owner(cluster)
    dead.acquire()
    dead.tick(START + 5_000)
    holder = clock_holder(cluster)
    assert holder is not None
    assert (holder.clock, holder.since, holder.until, holder.last_tick) == (
        dead.clock,
        START,
        UNTIL,
        START + 5_000,
    )
    assert release_clock(cluster) == holder
    assert clock_holder(cluster) is None
    for partition, records in enumerate(_records(cluster)):
        ends = dict.fromkeys(cluster.input_topics, 0)
        assert records[-1] == Close(partition, START + 5_000, dead.clock, ends)
    with _owner(cluster) as next_tool:
        next_tool.tick(START)


def test_a_tool_whose_clock_was_released_stops_at_its_next_tick(cluster: Cluster) -> None:
    with _owner(cluster) as owner:
        owner.tick(START + 1)
        release_clock(cluster)
        times = itertools.count(START + 2)

        def lost() -> bool:
            """The release reaches the tool's reader a moment after it was written."""
            try:
                owner.tick(next(times))
            except ClockLostError:
                return True
            return False

        wait_for(lost, message="a tick that is refused")
    with _owner(cluster, "next") as other:
        other.tick(START)


def test_nothing_to_release(cluster: Cluster) -> None:
    with pytest.raises(NotHeldError):
        release_clock(cluster)


def test_an_error_in_the_tool_closes_at_its_last_tick(cluster: Cluster) -> None:
    def fail() -> None:
        with _owner(cluster) as owner:
            owner.tick(START + 7)
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        fail()
    for records in _records(cluster):
        assert isinstance(records[-1], Close)
        assert records[-1].time == START + 7
    assert newest_time(cluster) == START + 7


def test_ticks_stay_in_the_window_and_do_not_go_back(cluster: Cluster) -> None:
    with _owner(cluster) as owner:
        owner.tick(START + 10)
        for outside in (START + 9, UNTIL + 1):
            with pytest.raises(ValueError, match="is outside of"):
                owner.tick(outside)


def test_a_log_that_lost_its_rebase_to_retention_still_names_its_holder(cluster: Cluster) -> None:
    producer = Producer({"bootstrap.servers": cluster.bootstrap})
    producer.produce(
        cluster.clock_topic, encode_clock(Tick(0, START, "replay-1", 0, {})), partition=0
    )
    assert producer.flush(60) == 0
    log = ClockLog(cluster)
    holder = log.read().holder
    log.close()
    assert holder is not None
    assert (holder.clock, holder.last_tick) == ("replay-1", START)


def _history(*records: ClockRecord) -> ClockHistory:
    history = ClockHistory()
    for record in records:
        history.apply(record)
    return history


def _rebase(clock: str) -> Rebase:
    return Rebase(0, START, UNTIL, clock)


@pytest.mark.parametrize(
    ("records", "holder"),
    [
        ([], None),
        ([Tick(0, 1, WALL, 3, {})], None),
        ([_rebase("a"), _rebase("b")], "a"),
        ([_rebase("a"), _rebase("b"), Close(0, 1, "a", {})], None),
        ([_rebase("a"), Close(0, 1, "b", {})], "a"),
        ([_rebase("a"), Close(0, 1, "a", {}), Tick(0, 2, "a", 0, {})], None),
        ([_rebase("a"), Close(0, 1, "a", {}), _rebase("b"), Tick(0, 2, "a", 0, {})], "b"),
        ([_rebase("a"), Tick(0, 2, WALL, 1, {})], "a"),
    ],
    ids=[
        "nothing",
        "the wall ticks",
        "the first of two",
        "the second of two never held",
        "another's close",
        "a tick after the release",
        "the same with a successor",
        "an owner's last tick after the rebase",
    ],
)
def test_who_holds(records: list[ClockRecord], holder: str | None) -> None:
    held = _history(*records).holder
    assert (held and held.clock) == holder
