"""ShopEvents where Kafka is slow, refuses, or is not there."""

import threading
import time
from collections import Counter

import msgspec
import pytest

from producers.client import ShopEvents
from producers.cluster import Cluster
from producers.errors import (
    BrokerUnreachableError,
    BufferFullError,
    DeadlineError,
    DeliveryError,
)
from producers.testing import RecordedShopEvents
from schemas.partitioner import partition_of
from tests.producers.conftest import PARTITIONS, MakeCluster, read_topic
from tests.producers.events import click
from tests.producers.network import Network
from tests.waiting import wait_for


def test_customers_are_placed_as_the_contract_says(cluster: Cluster, prefix: str) -> None:
    with ShopEvents(cluster.bootstrap, prefix=prefix) as sender:
        for index in range(200):
            sender.send(click(f"customer-{index}"))
    places = {
        (message.key(), message.partition())
        for message in read_topic(cluster, prefix + "shop.clicks")
    }
    assert places == {(key, partition_of(key or b"", PARTITIONS)) for key, _ in places}
    assert len(places) == 200


def test_a_refused_record_is_raised_with_its_event(make_cluster: MakeCluster, prefix: str) -> None:
    cluster = make_cluster(max_message_bytes="600")
    sender = ShopEvents(cluster.bootstrap, prefix=prefix)
    good, large = click("c1"), click("c1", source="s" * 120)
    large.data.page, large.data.keyword = "页" * 128, "词" * 128
    sender.send(large)
    with pytest.raises(DeliveryError) as raised:
        sender.flush()
    [failed] = raised.value.failed
    assert failed.event is large
    assert failed.topic == f"{prefix}shop.clicks"
    assert large.id in str(raised.value)
    sender.send(good)
    sender.close()
    assert [message.key() for message in read_topic(cluster, prefix + "shop.clicks")] == [b"c1"]


def test_the_recorder_raises_a_planned_failure_the_same_way() -> None:
    sender = RecordedShopEvents(prefix="p.")
    event = click()
    sender.fail_next(ConnectionError("gone"))
    sender.send(event)
    with pytest.raises(DeliveryError) as raised:
        sender.flush()
    assert raised.value.failed[0][:2] == (event, "p.shop.clicks")
    sender.flush()
    assert sender.events == []


def test_a_full_buffer_blocks_until_there_is_room(
    cluster: Cluster, prefix: str, network: Network
) -> None:
    with ShopEvents(
        cluster.bootstrap, prefix=prefix, max_buffered_events=3, kafka=network.kafka
    ) as sender:
        sender.send(click())
        sender.flush()
        network.stall()
        for index in range(3):
            sender.send(click(f"c{index}"))
        fourth = threading.Thread(target=sender.send, args=(click("c3"),))
        fourth.start()
        fourth.join(0.3)
        assert fourth.is_alive()
        network.resume()
        fourth.join(60)
        assert not fourth.is_alive()
        sender.flush()
    assert len(read_topic(cluster, prefix + "shop.clicks")) == 5


def test_a_full_buffer_refuses_after_the_block_timeout_and_keeps_what_it_has(
    cluster: Cluster, prefix: str, network: Network
) -> None:
    sender = ShopEvents(
        cluster.bootstrap,
        prefix=prefix,
        max_buffered_bytes=1_000,
        block_timeout=1.0,
        # Of the buffer alone: a busy machine may take longer to connect.
        kafka={**network.kafka, "bootstrap_timeout_ms": 60_000, "max_block_ms": 60_000},
    )
    sender.send(click())
    sender.flush()
    network.stall()
    small = len(msgspec.json.encode(click())) + 2
    accepted = 1_000 // small
    for _ in range(accepted):
        sender.send(click())
    with pytest.raises(BufferFullError):
        sender.send(click())
    with pytest.raises(DeadlineError) as raised:
        sender.flush(0.1)
    assert raised.value.pending == accepted
    network.resume()
    sender.close()
    assert len(read_topic(cluster, prefix + "shop.clicks")) == 1 + accepted


def test_close_ends_at_its_deadline_and_raises_every_event_not_acknowledged(
    cluster: Cluster, prefix: str, network: Network
) -> None:
    sender = ShopEvents(cluster.bootstrap, prefix=prefix, kafka=network.kafka)
    sender.send(click())
    sender.flush()
    network.stall()
    events = [click(f"c{index}") for index in range(5)]
    for event in events:
        sender.send(event)
    started = time.monotonic()
    with pytest.raises(DeliveryError) as raised:
        sender.close(0.5)
    # Without the deadline it would wait for as long as Kafka has to take an event: two minutes.
    assert time.monotonic() - started < 60
    assert Counter(failed.event.id for failed in raised.value.failed) == Counter(
        event.id for event in events
    )


def test_an_event_not_taken_within_the_delivery_timeout_is_raised_by_a_later_send(
    cluster: Cluster, prefix: str, network: Network
) -> None:
    sender = ShopEvents(cluster.bootstrap, prefix=prefix, delivery_timeout=1.0, kafka=network.kafka)
    wait_for(lambda: _taken(sender, "before"), message="a connection")
    network.stall()
    event = click()
    sender.send(event)

    def raised_by_send() -> DeliveryError | None:
        try:
            sender.send(click("later"))
        except DeliveryError as error:
            return error
        return None

    error = wait_for(raised_by_send, message="the delivery time-out")
    assert any(failed.event is event for failed in error.failed)
    network.resume()
    wait_for(lambda: _taken(sender, "later"), message="a send that is accepted")
    sender.close()
    assert b"later" in {message.key() for message in read_topic(cluster, prefix + "shop.clicks")}


def _taken(sender: ShopEvents, customer: str) -> bool:
    """Whether Kafka takes an event within the delivery time-out, which is short for a busy machine."""
    try:
        sender.send(click(customer))
        sender.flush()
    except DeliveryError:
        return False
    return True


def test_threads_share_a_sender_and_a_small_buffer(cluster: Cluster, prefix: str) -> None:
    with ShopEvents(cluster.bootstrap, prefix=prefix, max_buffered_events=10) as sender:

        def send_all(customer: str) -> None:
            for index in range(100):
                sender.send(click(customer, id=f"{customer}-{index:03}"))

        threads = [threading.Thread(target=send_all, args=(f"c{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    held = read_topic(cluster, prefix + "shop.clicks")
    assert len(held) == 400


def test_no_broker_is_said_with_its_address() -> None:
    with pytest.raises(BrokerUnreachableError, match=r"127\.0\.0\.1:1\b"):
        ShopEvents("127.0.0.1:1", block_timeout=0.5)
