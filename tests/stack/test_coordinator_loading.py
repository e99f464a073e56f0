"""A group coordinator that comes back mixed up is seen in the broker's log, and started anew."""

from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.local.coordinator_loading import CoordinatorLoading
from streams.local.kafka import KafkaProcess
from streams.local.ports import pick

_HEAD = (
    "2026-11-23T07:48:51,943 INFO org.apache.kafka.coordinator.common.runtime.CoordinatorRuntime "
)
_GROUPS = "[GroupCoordinator id=1] "
_SHARES = "[ShareCoordinator id=1] "


def _scheduled(epoch: int, partition: int = 3) -> str:
    return f"Scheduling loading of metadata from __consumer_offsets-{partition} with epoch {epoch}"


def _unloaded(epoch: int, partition: int = 3) -> str:
    return (
        f"Scheduling unloading of metadata for __consumer_offsets-{partition} "
        f"with epoch OptionalInt[{epoch}]"
    )


def _finished(epoch: int, partition: int = 3) -> str:
    return (
        f"Finished loading of metadata from __consumer_offsets-{partition} with epoch {epoch} in 1908ms "
        "where 1ms was spent in the scheduler. Loaded 34838 records which total to 3945250 bytes."
    )


def _ignored(state: str) -> str:
    return f"Ignored load completion from __consumer_offsets-3 because context is in {state} state."


def _read(*words: str) -> CoordinatorLoading:
    loading = CoordinatorLoading()
    for line in words:
        loading.read([(_HEAD + _GROUPS + line).encode()])
    return loading


def test_each_load_ended_before_the_next_election() -> None:
    loading = _read(_scheduled(0), _finished(0), _unloaded(1))
    assert loading.ended == 0, "it is no coordinator now"
    loading = _read(_scheduled(0), _finished(0), _unloaded(1), _scheduled(2))
    assert loading.ended == 0, "it is loading again"
    loading = _read(_scheduled(0), _finished(0), _unloaded(1), _scheduled(2), _finished(2))
    assert (loading.ended, loading.mixed) == (1, [])


def test_the_first_load_s_end_taken_for_the_second_s() -> None:
    begun = (_scheduled(0), _unloaded(1), _unloaded(1), _scheduled(2), _finished(0))
    assert _read(*begun).ended == 0, "what ended was not the load of this election"
    loading = _read(*begun, _ignored("ACTIVE"))
    assert (loading.ended, loading.mixed) == (1, ["__consumer_offsets-3"])


def test_an_end_that_came_between_the_elections_is_harmless() -> None:
    loading = _read(_scheduled(0), _unloaded(1), _scheduled(2), _ignored("INITIAL"), _finished(2))
    assert (loading.ended, loading.mixed) == (1, [])


def test_partitions_are_told_apart_and_other_coordinators_left_out() -> None:
    loading = _read(_scheduled(0, 1), _scheduled(0, 2), _finished(0, 2), _scheduled(0, 11))
    assert loading.ended == 1
    loading.read(
        [(_HEAD + _SHARES + _finished(0).replace("__consumer_offsets", "__share")).encode()]
    )
    loading.read([b"no such line", b""])
    assert loading.ended == 1


_PARTITIONS = 100
#: Commits before the first kill; after each kill that mixed nothing up, as many again as there are. A first
#: load ends too late where it takes longer than the second election, some 2.5 s: 300,000 records took 3.7 s.
_COMMITS = 2500
_KILLS = 5
_CALL_SECONDS = 60.0
#: Every record it loads is a line in its log, with the place in the source, which takes a walk through the
#: stack: loading takes seconds.
_SLOWLY = """
appender.slow.type = File
appender.slow.name = SLOW
appender.slow.fileName = {file}
appender.slow.layout.type = PatternLayout
appender.slow.layout.pattern = %.1l
logger.loader.name = org.apache.kafka.coordinator.common.runtime.CoordinatorLoaderImpl
logger.loader.level = trace
logger.loader.additivity = false
logger.loader.appenderRef.slow.ref = SLOW
logger.core.name = kafka.coordinator.group.CoordinatorLoaderImpl
logger.core.level = trace
logger.core.additivity = false
logger.core.appenderRef.slow.ref = SLOW
"""


class _SlowLoader(KafkaProcess):
    """Reads all that it stored at once, as it does with less than 5 MB, and slowly."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "kafka", *pick(2))
        self.log4j = folder / "log4j2.properties"
        self.log4j.write_text(KafkaProcess.log4j.read_text() + _SLOWLY.format(file=folder / "slow"))
        #: What was mixed up in each start.
        self.starts: list[list[str]] = []

    def run_once(self, command: list[str]) -> list[str]:
        self.starts.append(super().run_once(command))
        return self.starts[-1]

    def properties(self) -> str:
        return super().properties() + (
            "\noffsets.load.buffer.size=104857600\noffsets.topic.num.partitions=1\n"
        )

    def consumer(self) -> Consumer:
        own = {"bootstrap.servers": self.bootstrap, "group.id": "kept", "log_level": 0}
        return Consumer({**own, "enable.auto.commit": False})


def _commit(kafka: _SlowLoader, places: list[TopicPartition], offsets: range) -> None:
    consumer = kafka.consumer()
    for offset in offsets:
        wanted = [TopicPartition(place.topic, place.partition, offset) for place in places]
        consumer.commit(offsets=wanted, asynchronous=False)
    consumer.close()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_offsets_are_those_of_the_last_commit_after_a_kill(tmp_path: Path) -> None:
    kafka = _SlowLoader(tmp_path)
    kafka.start()
    places = [TopicPartition("any", number) for number in range(_PARTITIONS)]
    last = 0
    try:
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 0})
        admin.create_topics([NewTopic("any", _PARTITIONS, 1)])["any"].result(_CALL_SECONDS)
        for _ in range(_KILLS):
            more = max(last, _COMMITS)
            _commit(kafka, places, range(last + 1, last + more + 1))
            last += more
            kafka.kill9()
            kafka.start()
            consumer = kafka.consumer()
            found = {each.offset for each in consumer.committed(places, timeout=_CALL_SECONDS)}
            consumer.close()
            assert found == {last}
            assert not kafka.starts[-1], "it was left mixed up"
            if any(kafka.starts):
                return
    finally:
        kafka.stop()
    pytest.fail(f"nothing was mixed up in {_KILLS} kills, so that nothing was shown")
