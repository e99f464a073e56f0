"""The catalogue, the examples and the generated documents say the same as the structs."""

import json
from typing import Any, Union, get_args

import msgspec
import pytest

from schemas.cart import CartAction
from schemas.catalogue import (
    CARTS,
    CUSTOMER_TOPICS,
    FOR_EVER,
    MAX_MESSAGE_BYTES,
    ORDERS,
    PRODUCTS,
    PROFILES,
    REVIEWS,
    SERVICE,
    SETTINGS,
    TOPICS,
    WISHES,
    Placement,
    Topic,
    kafka_names,
)
from schemas.clock import decode_clock, encode_clock
from schemas.decoding import Decoded, Decoder, RawRecord
from schemas.envelope import Envelope
from schemas.examples import EXAMPLES, Example, examples_of
from schemas.export import FOLDER, documents, export
from schemas.export.json_schema import CONDITIONS, INTERNAL_TYPES, Condition
from schemas.journal import GENESIS, chain, decode_row, encode_row
from schemas.order import OrderStatus
from schemas.partitioner import partition_of
from schemas.product import ProductAction
from schemas.profile import ProfileAction
from schemas.requirements import LACKS
from schemas.review import ReviewAction
from schemas.service import ServiceAction
from schemas.wish import WishAction

EVENT_TYPES = [(topic, event) for topic in TOPICS.values() for event in topic.events]
EVENT_EXAMPLES = [example for example in EXAMPLES if TOPICS[example.topic].event]


def test_the_topics_of_the_contract() -> None:
    assert list(TOPICS) == [
        "shop.clicks", "shop.carts", "shop.orders", "shop.reviews", "shop.service",
        "shop.wishes", "shop.profiles", "shop.products", "shop.clock", "shop.settings", "shop.campaigns",
        "shop.exchange", "shop.journal", "shop.origin", "shop.triggers", "shop.verdicts", "shop.decisions",
        "shop.deadletters",
    ]  # fmt: skip
    # Appended to, never reordered: it is the order in which a bundle is folded.
    assert CUSTOMER_TOPICS == (
        "shop.clicks", "shop.carts", "shop.orders", "shop.reviews", "shop.service", "shop.wishes",
        "shop.profiles",
    )  # fmt: skip
    assert kafka_names("t.")["t.shop.clicks"] == "shop.clicks"


def test_what_is_kept_and_for_how_long() -> None:
    days = {name: topic.retention_ms / 86_400_000 for name, topic in TOPICS.items()}
    assert days.pop("shop.clock") == 1
    for name in ("shop.settings", "shop.campaigns"):
        assert TOPICS[name].retention_ms == FOR_EVER
        days.pop(name)
    assert set(days.values()) == {400}


def test_all_topics_have_the_stacks_partitions_but_definitions() -> None:
    counts = {name: topic.partitions(64) for name, topic in TOPICS.items()}
    assert counts.pop("shop.settings") == counts.pop("shop.campaigns") == 1
    assert set(counts.values()) == {64}


def test_every_topic_says_all_its_configuration() -> None:
    for topic in TOPICS.values():
        assert topic.configuration(2) == {
            "cleanup.policy": "delete",
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": "2",
            "retention.bytes": "-1",
            "retention.ms": str(topic.retention_ms),
        }


@pytest.mark.parametrize(("topic", "kind"), EVENT_TYPES)
def test_every_type_has_two_examples_and_a_minimal_one(topic: Topic, kind: type[Envelope]) -> None:
    """Minimal: whatever field is taken away, it no longer decodes."""
    shown = examples_of(topic, kind)
    assert len(shown) >= 3
    minimal = json.loads(shown[0].value)
    assert shown[0].title.startswith("minimal")
    for part, name in [
        *((minimal, n) for n in minimal),
        *((minimal["data"], n) for n in minimal["data"]),
    ]:
        # These are required by the decoder, not by the struct: test_refusals.
        if name == "type" or (topic.name, name) in ((CARTS, "sku"), (SERVICE, "score")):
            continue
        value = part.pop(name)
        with pytest.raises(msgspec.ValidationError, match="missing required field"):
            msgspec.convert(minimal, kind)
        part[name] = value


@pytest.mark.parametrize("example", EVENT_EXAMPLES, ids=lambda example: example.title)
def test_every_example_decodes_and_encodes_back(example: Example) -> None:
    event = Union[TOPICS[example.topic].events]  # noqa: UP007
    read = msgspec.json.decode(example.value, type=event)
    assert example.key == read.subject.encode()
    encoded = msgspec.json.encode(read)
    assert json.loads(encoded)["specversion"] == "1.0"
    assert msgspec.json.decode(encoded, type=event) == read


@pytest.mark.parametrize("example", EVENT_EXAMPLES, ids=lambda example: example.title)
def test_examples_name_no_field_that_the_struct_does_not_know(example: Example) -> None:
    def known(shown: Any, read: Any) -> None:
        if isinstance(read, msgspec.Struct):
            assert set(shown) - {"type"} <= set(read.__struct_fields__)
            for name in set(shown) - {"type"}:
                known(shown[name], getattr(read, name))
        elif isinstance(read, list):
            for inner_shown, inner_read in zip(shown, read, strict=True):
                known(inner_shown, inner_read)

    event = Union[TOPICS[example.topic].events]  # noqa: UP007
    known(json.loads(example.value), msgspec.json.decode(example.value, type=event))


@pytest.mark.parametrize("topic", CUSTOMER_TOPICS)
def test_the_examples_of_a_customer_topic_are_read_by_the_decoder(topic: str) -> None:
    decoder = Decoder(8)
    for example in EXAMPLES:
        if example.topic == topic:
            assert example.key is not None
            home = partition_of(example.key, 8)
            record = RawRecord(topic, home, 0, 1_790_000_000_000, example.key, example.value)
            assert isinstance(decoder.decode(record, 0), Decoded), example.title


def test_the_internal_examples_decode_and_encode_back() -> None:
    ticks = [decode_clock(e.value) for e in EXAMPLES if e.topic == "shop.clock"]
    assert [type(tick).__name__ for tick in ticks] == ["Tick", "Rebase", "Close", "Skip"]
    assert [encode_clock(tick) for tick in ticks] == [
        e.value for e in EXAMPLES if e.topic == "shop.clock"
    ]
    first, second = (e.value for e in EXAMPLES if e.topic == "shop.journal")
    assert decode_row(first).previous == GENESIS
    assert decode_row(second).previous == chain(first)
    assert encode_row(decode_row(second)) == second


def test_keys_are_described_where_there_are_keys() -> None:
    for topic in TOPICS.values():
        assert (topic.key is None) == (topic.name in INTERNAL_TYPES)
        assert topic.placement is Placement.BY_KEY or topic.producers[0] == "worker"


def test_the_committed_documents_are_those_generated_now() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    stale = {name for name, text in documents().items() if committed.get(name) != text}
    assert not stale, "run python -m schemas.export"
    assert committed.keys() == documents().keys()


def test_export_removes_the_documents_of_types_that_are_gone(tmp_path: Any) -> None:
    (tmp_path / "shop.gone.v1.schema.json").write_text("{}")
    assert {path.name for path in export(tmp_path)} == {path.name for path in tmp_path.iterdir()}


def test_every_type_has_a_schema_that_requires_the_envelope() -> None:
    for _, kind in EVENT_TYPES:
        name = kind.__struct_config__.tag
        schema = json.loads(documents()[f"{name}.schema.json"])
        event = schema["$defs"][kind.__name__]
        assert event["properties"]["type"] == {"enum": [name]}
        assert set(event["required"]) == {
            "specversion", "id", "source", "type", "subject", "time", "data",
        }  # fmt: skip


#: Of each struct with conditions: an event that has all that they ask for, but the deciding field.
CONDITIONED: dict[str, tuple[str, type[Envelope] | None, Any, dict[str, Any]]] = {
    "Cart": (CARTS, TOPICS[CARTS].event, CartAction, {"sku": "s"}),
    "Order": (ORDERS, TOPICS[ORDERS].event, OrderStatus, {"order_id": "o", "refund_id": "r"}),
    "Review": (
        REVIEWS, TOPICS[REVIEWS].event, ReviewAction, {"order_id": "o", "sku": "s", "rating": 5},
    ),
    "Service": (
        SERVICE, TOPICS[SERVICE].event, ServiceAction, {"case_id": "k", "score": 7},
    ),
    "Wish": (WISHES, TOPICS[WISHES].event, WishAction, {"wish_id": "w", "liker_id": "c2"}),
    "Profile": (
        PROFILES, TOPICS[PROFILES].event, ProfileAction,
        {"consent": {"sms": True}, "alias_of": "c2"},
    ),
    "Product": (
        PRODUCTS, TOPICS[PRODUCTS].event, ProductAction, {"sku": "s", "price": 1, "stock": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "condition", CONDITIONS, ids=lambda condition: f"{condition.struct}.{condition.field}"
)
def test_the_conditions_of_the_schemas_are_those_of_the_decoder(condition: Condition) -> None:
    topic, event, deciding, whole = CONDITIONED[condition.struct]
    assert event is not None
    data = {name: value for name, value in whole.items() if name != condition.field}
    refusing = set()
    for value in get_args(deciding):
        text = msgspec.json.encode(
            {
                "specversion": "1.0",
                "id": "e",
                "source": "s",
                "type": event.__struct_config__.tag,
                "subject": "c",
                "time": "2026-01-01T00:00:00Z",
                "data": {"shop_id": "tea", condition.deciding: value, **data},
            }
        )
        if topic not in CUSTOMER_TOPICS:
            # The decoder reads what is folded; of others there is what it would ask, too.
            decoded: Any = msgspec.json.decode(text, type=event)
            refused = LACKS[event](decoded.data) is not None
        else:
            record = RawRecord(topic, partition_of(b"c", 8), 0, 1_790_000_000_000, b"c", text)
            refused = not isinstance(Decoder(8).decode(record, 0), Decoded)
        if refused:
            refusing.add(value)
    assert refusing == set(condition.values)


def test_the_asyncapi_document_has_every_topic_and_resolves() -> None:
    document = json.loads(documents()["asyncapi.json"])
    assert list(document["channels"]) == list(TOPICS)
    assert document["channels"][SETTINGS]["bindings"]["kafka"]["partitions"] == 1

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [found for inner in part.values() for found in references(inner)]
        if isinstance(part, list):
            return [found for inner in part for found in references(inner)]
        return []

    for reference in references(document):
        target = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
    shown = [e for m in document["components"]["messages"].values() for e in m.get("examples", [])]
    assert len(shown) == len(EVENT_EXAMPLES)
