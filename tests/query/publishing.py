"""A shop's orders, reviews and triggers in real topics, with mistakes among them, and what became of each."""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import Message, Producer

from schemas.catalogue import DEADLETTERS
from schemas.deadletter import dead_letter, encode_dead_letter
from schemas.decoding import RawRecord
from schemas.partitioner import partition_of
from streams.engine.log import LogReader
from streams.settings import Settings
from streams.topics import create_topics
from tests.engine.harness import run_cli
from tests.query.events import event
from tests.query.expected import ORDERS, PRODUCTS, PROFILES, REVIEWS, TRIGGERS, Published

_DELIVERY_SECONDS = 60.0
STATUSES = ("placed", "paid", "shipped", "received", "refund_requested", "refunded", "cancelled")


def shop_of_tea(settings: Settings, folder: Path, **more: Any) -> "Shop":
    """Upstream of a stack of two partitions with a store of its own, whose shop tea is in Shanghai and
    takes yen, and has ``more`` settings; ``folder`` has the store's file."""
    settings.partitions = 2
    settings.query_store = f"sqlite:///{folder / 'query.sqlite'}"
    create_topics(settings)
    file = folder / "tea.json"
    tea = {"shop_id": "tea", "currency": "JPY", "time_zone": "Asia/Shanghai", **more}
    file.write_text(json.dumps(tea))
    assert run_cli(settings, "settings", "apply", str(file)).returncode == 0
    return Shop(settings, seed=1)


class Shop:
    """Publishes, and remembers the good records with their places. ``seed`` decides what happens."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self.settings = settings
        self.published: list[Published] = []
        #: Records that nobody can read.
        self.bad = 0
        self._random = random.Random(seed)
        self._erasing = random.Random(-seed)
        self._listing = random.Random(seed + 1_000)
        #: Begins the ids of its events: two shops are two sources.
        self._name = f"s{seed}"
        self._number = 0
        self._producer = Producer({"bootstrap.servers": settings.kafka_bootstrap, "linger.ms": 1})
        self._transactional = Producer(
            {
                "bootstrap.servers": settings.kafka_bootstrap,
                "transactional.id": f"{settings.topic_prefix}shop",
            }
        )
        self._transactional.init_transactions(_DELIVERY_SECONDS)

    def trade(self, events: int) -> None:
        """About so many events of 20 customers: in no order, some twice, a few unreadable, and some
        of them erased; triggers with aborted ones between them. All of it is in the topics afterwards."""
        draw = self._random
        for _ in range(events):
            topic, made = self._event()
            self.send(topic, made)
            if draw.random() < 0.1:
                self.send(topic, made)
            if self._erasing.random() < 0.04:
                self.send(PROFILES, self._erasure())
            if self._listing.random() < 0.1:
                self.send(PRODUCTS, self._product())
            if draw.random() < 0.05:
                key = made["subject"].encode()
                self._produce(self._producer, topic, key, b'{"specversion": "1.0", "type"')
                self.bad += 1
        self._issue(max(1, events // 20))
        self.flush()
        # A committed transaction is decided; its markers may still be on their way to the partitions.
        with LogReader(self.settings.kafka_bootstrap, patience=_DELIVERY_SECONDS) as log:
            for partition in range(self.settings.partitions):
                log.wait_stable(self.settings.topic_prefix + TRIGGERS, partition)

    def send(self, topic: str, made: Mapping[str, Any]) -> None:
        """Produce one event; call ``flush`` afterwards."""
        self._produce(
            self._producer, topic, made["subject"].encode(), json.dumps(made).encode(), made
        )

    def flush(self) -> None:
        """Blocks until all that was sent has its place."""
        assert self._producer.flush(_DELIVERY_SECONDS) == 0

    def leave_out(self, one: Published, reason: str) -> None:
        """Write the dead letter of a good record, as a worker does that is told to."""
        topic, partition, offset = one.place
        record = RawRecord(topic, partition, offset, 0, b"", b"")
        letter = encode_dead_letter(dead_letter(record, reason, ""), 0)  # type: ignore[arg-type]
        name = self.settings.topic_prefix + DEADLETTERS
        self._producer.produce(name, letter, key=b"position", partition=partition)
        self.flush()

    def _erasure(self) -> dict[str, Any]:
        self._number += 1
        customer, at = f"c{self._erasing.randrange(20)}", self._erasing.randrange(30_000) / 10
        return event(PROFILES, f"{self._name}-x{self._number}", at, customer, action="erase")

    def _product(self) -> dict[str, Any]:
        self._number += 1
        draw = self._listing
        sku, at = draw.choice("abc"), draw.randrange(1_000) / 10
        action = draw.choice(["listed", "listed", "price_changed", "stock_changed", "delisted"])
        return event(
            PRODUCTS, f"{self._name}-p{self._number}", at, sku, sku=sku, action=action,
            name=draw.choice([None, "明前龙井", "Kettle"]) if action == "listed" else None,
            category=draw.choice([None, "tea"]) if action == "listed" else None,
            price=draw.randrange(100) if action == "price_changed" else None,
            stock=draw.randrange(100) if action == "stock_changed" else None,
        )  # fmt: skip

    def _event(self) -> tuple[str, dict[str, Any]]:
        draw = self._random
        self._number += 1
        customer, at = f"c{draw.randrange(20)}", draw.randrange(100_000) / 10
        order_id = f"o-{customer}-{draw.randrange(4)}"
        if draw.random() < 0.15:
            action = draw.choice(["posted", "appended", "shown", "replied", "removed"])
            rating = draw.randint(1, 5) if action == "posted" else None
            return REVIEWS, event(
                REVIEWS, f"{self._name}-e{self._number}", at, customer, order_id=order_id,
                sku=draw.choice("ab"), action=action, rating=rating,
                text=draw.choice([None, "fine", "too small"]),
            )  # fmt: skip
        status = draw.choice(STATUSES)
        goods = status in ("placed", "paid")
        return ORDERS, event(
            ORDERS, f"{self._name}-e{self._number}", at, customer, order_id=order_id, status=status,
            lines=[{"sku": draw.choice("abc"), "unit_price": 100}] if goods else None,
            amount_paid=draw.choice([None, 0, 990, 12_345]) if goods else None,
            coupon_codes=draw.choice([None, ["TEN"], ["TEN", "FREE"]]) if goods else None,
            region=draw.choice([None, "north", "south"]), payment_method=draw.choice([None, "card"]),
            remark=draw.choice([None, "quick, please"]) if status == "placed" else None,
            tracking=f"t{self._number}" if status == "shipped" else None,
            refund_id=draw.choice(["r1", "r2"]) if status.startswith("refund") else None,
            amount=draw.choice([None, 500]) if status == "refunded" else None,
        )  # fmt: skip

    def _issue(self, count: int) -> None:
        """Triggers in transactions, each after one that is aborted."""
        for _ in range(count):
            self._number += 1
            customer, name = f"c{self._random.randrange(20)}", f"{self._name}-t{self._number}"
            made = event(
                TRIGGERS, name, self._number, customer, trigger_id=name, customer_id=customer,
                kind="coupon_issued", campaign="second-order", campaign_version="1",
                why=[{"rule": "orders", "value": 1, "threshold": 1}],
            )  # fmt: skip
            aborted = {**made, "id": f"x{name}", "data": {**made["data"], "trigger_id": f"x{name}"}}
            producer, key = self._transactional, customer.encode()
            producer.begin_transaction()
            self._produce(producer, TRIGGERS, key, json.dumps(aborted).encode())
            producer.flush(_DELIVERY_SECONDS)
            producer.abort_transaction(_DELIVERY_SECONDS)
            producer.begin_transaction()
            self._produce(producer, TRIGGERS, key, json.dumps(made).encode(), made)
            producer.commit_transaction(_DELIVERY_SECONDS)

    def _produce(
        self,
        producer: Producer,
        topic: str,
        key: bytes,
        value: bytes,
        made: Mapping[str, Any] | None = None,
    ) -> None:
        def delivered(error: object, message: Message) -> None:
            assert error is None, error
            if made is not None:
                place = (str(message.topic()), int(message.partition()), int(message.offset()))  # type: ignore[arg-type]
                self.published.append(Published(topic, place, made))

        name = self.settings.topic_prefix + topic
        partition = partition_of(key, self.settings.partitions)
        producer.produce(name, value, key=key, partition=partition, on_delivery=delivered)
        producer.poll(0)
