"""docs/contract.md says what the code says."""

import hashlib
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from schemas.campaign import Applied, CampaignChange, Resumed, Withdrawn
from schemas.cart import Cart, CartAction
from schemas.catalogue import TOPICS, Topic
from schemas.click import Channel, Click, ClickAction, TrafficSource
from schemas.deadletter import DeadLetter, Reason
from schemas.decision import Check, Decision
from schemas.envelope import Line
from schemas.exchange import Exchange, Forget, Resent, Visitor
from schemas.order import Order, OrderStatus, Promotion, RefundKind
from schemas.partitioner import partition_of
from schemas.profile import ContactChannel, Gender, Profile, ProfileAction
from schemas.review import Review, ReviewAction
from schemas.service import Service, ServiceAction
from schemas.settings import RfmThresholds, Settings, Tier
from schemas.trigger import Offer, Trigger, TriggerKind, Why
from schemas.verdict import Sign, Verdict, VerdictReason, WishVerdict
from schemas.wish import Wish, WishAction
from streams.domain.names import name_hash
from streams.domain.orders import order_hash

TEXT = (Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")
DAY_MS = 86_400_000

#: Type on the wire -> its structs and enumerations.
TYPES: dict[str, tuple[list[type[msgspec.Struct]], list[object]]] = {
    "shop.click.v1": ([Click], [ClickAction, TrafficSource, Channel]),
    "shop.cart.v1": ([Cart], [CartAction]),
    "shop.order.v1": ([Order, Line, Promotion], [OrderStatus, RefundKind]),
    "shop.review.v1": ([Review], [ReviewAction]),
    "shop.service.v1": ([Service], [ServiceAction]),
    "shop.wish.v1": ([Wish], [WishAction]),
    "shop.profile.v1": ([Profile], [ProfileAction, Gender, ContactChannel]),
    "shop.settings.v1": ([Settings, RfmThresholds, Tier], []),
    "shop.campaign.v1": ([CampaignChange, Applied, Withdrawn, Resumed], []),
    "shop.exchange.v1": ([Exchange, Visitor, Resent, Forget], []),
    "shop.trigger.v1": ([Trigger, Offer, Why], [TriggerKind]),
    "shop.verdict.v1": ([Verdict, VerdictReason], [Sign]),
    "shop.wishverdict.v1": ([WishVerdict], []),
    "shop.decision.v1": ([Decision, Check], []),
    "shop.deadletter.v1": ([DeadLetter], []),
}
ELSEWHERE = {"shop_id", "headers_omitted"}


def fields_of(kind: str) -> str:
    """The paragraph of the document that lists a type's fields."""
    (paragraph,) = re.findall(
        rf"^\*\*{re.escape(kind)}\*\* .*?(?=\n\n)", TEXT, re.DOTALL | re.MULTILINE
    )
    return str(paragraph)


@pytest.mark.parametrize("kind", TYPES)
def test_every_field_and_choice_is_in_the_document(kind: str) -> None:
    said = set(re.findall(r"\w+", fields_of(kind)))
    structs, choices = TYPES[kind]
    wanted = {field for struct in structs for field in struct.__struct_fields__} - ELSEWHERE
    assert wanted - said == set()
    assert {value for choice in choices for value in get_args(choice)} - said == set()


@pytest.mark.parametrize("kind", TYPES)
def test_required_fields_are_bold(kind: str) -> None:
    bold = set(re.findall(r"\*\*(\w+)\*\*", fields_of(kind)))
    for struct in TYPES[kind][0]:
        required = {f.name for f in msgspec.structs.fields(struct) if f.required} - {"shop_id"}
        assert required - bold == set()


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_the_table_of_topics(topic: Topic) -> None:
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| {topic.name} |")]
    _, kind, key, partitions, kept = (cell.strip() for cell in row.strip("|").split("|")[:5])
    if topic.events:
        assert kind.split(", ") == [event.__struct_config__.tag for event in topic.events]
    else:
        assert kind.startswith("internal")
    assert partitions == ("P" if topic.partitioned else "1")
    days = topic.retention_ms // DAY_MS
    assert kept == ("for ever" if topic.retention_ms < 0 else f"{days} day{'s' * (days > 1)}")
    if topic.name in ("shop.clock", "shop.journal"):
        assert key == "none"


def test_the_vectors() -> None:
    rows = re.findall(r"^\| `(\S+)`(?: \(UTF-8\))? \| (\d+) \| (\d+) \|$", TEXT, re.MULTILINE)
    assert len(rows) >= 5
    for key, of_8, of_64 in rows:
        found = (partition_of(key.encode(), 8), partition_of(key.encode(), 64))
        assert found == (int(of_8), int(of_64)), key


def test_the_reasons() -> None:
    told = re.findall(
        r"^\| (\w+) \| ", TEXT.split("## What is refused")[1].split("## ")[0], re.MULTILINE
    )
    assert set(told) - {"reason"} == set(get_args(Reason))


def test_the_hash_of_a_wish() -> None:
    """By what a reader without huitou is told."""
    ((wish, digest),) = re.findall(r"the wish id, `([\w-]+)`:\s+`([0-9a-f]{16})`\)", TEXT)
    assert hashlib.blake2b(wish.encode(), digest_size=8).hexdigest() == digest
    assert name_hash(wish).hex() == digest


def test_the_hash_of_an_order() -> None:
    """By what a reader without huitou is told."""
    (order, digest), *_ = re.findall(r"the order id\s+\(`(\w+)`: `([0-9a-f]{16})`\)", TEXT)
    assert hashlib.blake2b(b"\0" + order.encode(), digest_size=8).hexdigest() == digest
    assert order_hash(order).hex() == digest
    long = "x" * 65
    cut = "x" * 48 + hashlib.blake2b(long.encode(), digest_size=8).hexdigest()
    assert order_hash(long) == hashlib.blake2b(b"\0" + cut.encode(), digest_size=8).digest()
