"""What our transport rests on in Faust and aiokafka; an upgrade that changes one of these fails here."""

import importlib.metadata
import inspect
import subprocess
import sys
from types import SimpleNamespace

import aiokafka
import faust
import pytest
from aiokafka.consumer import fetcher, subscription_state
from faust.assignor.client_assignment import ClientAssignment
from faust.assignor.cluster_assignment import ClusterAssignment
from faust.assignor.copartitioned_assignor import CopartitionedAssignor
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as driver

from streams.app import make_app
from streams.engine import assignor, header_names, transport
from streams.engine.engine import EXIT_DOUBT
from streams.engine.topicnames import TopicNames
from streams.settings import Settings

OVERRIDDEN = {
    transport.Consumer: [
        "getmany",
        "perform_seek",
        "_add_gap",
        "_new_offset",
        "_commit_offsets",
        "_new_consumer_thread",
        "on_partitions_revoked",
        "verify_event_path",
    ],
    transport.ConsumerThread: ["_create_worker_consumer", "_fetch_records", "__post_init__"],
    assignor.Assignor: ["_get_copartitioned_groups"],
    transport.RebalanceListener: ["on_partitions_assigned"],
}


def test_versions_are_the_ones_that_were_read() -> None:
    assert importlib.metadata.version("faust-streaming") == "0.15.3"


@pytest.mark.parametrize(
    ("cls", "name"), [(cls, name) for cls, names in OVERRIDDEN.items() for name in names]
)
def test_an_override_replaces_something_with_the_same_arguments(cls: type, name: str) -> None:
    theirs = getattr(cls.__mro__[1], name)
    ours = cls.__dict__[name]
    if isinstance(ours, classmethod):
        theirs, ours = theirs.__func__, ours.__func__
    assert len(inspect.signature(ours).parameters) in (
        len(inspect.signature(theirs).parameters),
        3 if name == "_commit_offsets" else -1,
    )


def test_a_leader_that_knows_no_topics_ends_instead_of_assigning_nothing() -> None:
    """As it may be just after a broker restarted; Faust alone would leave the whole group idle."""
    script = (
        "from aiokafka.cluster import ClusterMetadata\n"
        "from streams.engine.assignor import Assignor\n"
        "Assignor._get_copartitioned_groups({'shop.clicks', 'shop.carts'}, ClusterMetadata(), {})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == EXIT_DOUBT, done.stderr
    assert "shop.carts, shop.clicks" in done.stdout + done.stderr


def test_a_partition_goes_whole_to_one_member_while_a_build_with_another_topic_is_rolled_out() -> (
    None
):
    """What every member reads and what the new build's alone read would go to members of their own."""
    shared, new, count = {"shop.clicks", "shop.clock"}, {"shop.service"}, 16
    members = {"a": shared, "b": shared | new, "c": shared | new}
    cluster = SimpleNamespace(partitions_for_topic=lambda _: set(range(count)))
    (groups,) = assignor.Assignor._get_copartitioned_groups(
        shared | new, cluster, {name: list(topics) for name, topics in members.items()}
    ).values()
    nothing = {name: ClientAssignment(actives={}, standbys={}) for name in members}
    held = ClusterAssignment(
        subscriptions={name: list(topics) for name, topics in members.items()}, assignments=nothing
    )
    owned: dict[str, dict[str, set[int]]] = {name: {} for name in members}
    for topics in groups:
        made = CopartitionedAssignor(
            topics=topics,
            cluster_asgn=held.copartitioned_assignments(topics),
            num_partitions=count,
            replicas=0,
        ).get_assignment()
        for name, given in made.items():
            owned[name].update({topic: set(given.actives) for topic in topics})
    whole = [
        number
        for name, topics in members.items()
        for number in range(count)
        if all(number in owned[name].get(topic, ()) for topic in topics)
    ]
    assert sorted(whole) == list(range(count))
    assert owned["a"] == {}
    # Members that no topic unites keep groups of their own.
    apart = {"a": ["shop.clicks"], "b": ["shop.clock"]}
    (groups,) = assignor.Assignor._get_copartitioned_groups(shared, cluster, apart).values()
    assert sorted(map(sorted, groups)) == [["shop.clicks"], ["shop.clock"]]


def test_the_entry_point_names_our_transport() -> None:
    found = importlib.metadata.entry_points(group="faust.transports", name="bundle")
    assert [point.load() for point in found] == [transport.Transport]


def test_messages_of_one_topic_partition_must_rise() -> None:
    source = inspect.getsource(faust_consumer.Consumer._drain_messages)
    assert "offset >= r_offset" in source


def test_the_rewind_hook_is_called_before_the_flow_resumes() -> None:
    from faust.tables.recovery import Recovery

    source = inspect.getsource(Recovery._resume_streams)
    assert source.index("perform_seek") < source.index("resume_flow()")


def test_positions_move_only_where_records_are_drained() -> None:
    source = inspect.getsource(fetcher.Fetcher.fetched_records)
    drained = source[source.index("getall(") : source.index("return drained")]
    assert "await" not in drained
    assert "_position" in inspect.getsource(subscription_state.TopicPartitionState)
    assert "_tp_state" in inspect.getsource(subscription_state.Assignment)


def test_the_fetcher_takes_our_record_classes() -> None:
    assert fetcher.PartitionRecords is header_names.PartitionRecords
    assert fetcher.MemoryRecords is header_names.KeptRecords
    source = inspect.getsource(fetcher.Fetcher._proc_fetch_request)
    assert "MemoryRecords(" in source
    assert "PartitionRecords(" in source


def test_fetch_settings_are_read_when_the_consumer_starts() -> None:
    source = inspect.getsource(aiokafka.AIOKafkaConsumer.start)
    for name in ("_isolation_level", "_fetch_max_wait_ms", "_fetch_min_bytes"):
        assert f"self.{name}" in source


def test_generation_and_member_are_set_before_the_listener_is_called() -> None:
    source = inspect.getsource(driver.ConsumerRebalanceListener.on_partitions_assigned)
    assert "_coordinator.generation" in source


def test_the_app_keeps_what_the_engine_needs(settings: Settings) -> None:
    engine = object()
    app = make_app(settings, "0", TopicNames.of(settings.topic_prefix), engine)  # type: ignore[arg-type]
    app.finalize()
    assert isinstance(app.transport, transport.Transport)
    assert app.conf.PartitionAssignor is assignor.Assignor
    assert app.conf.table_standby_replicas == 1  # co-partitioned assignment, not round-robin
    assert app.conf.processing_guarantee == faust.types.enums.ProcessingGuarantee.AT_LEAST_ONCE
    assert app.conf.stream_wait_empty is False
    assert app.conf.broker_request_timeout > 75.0
