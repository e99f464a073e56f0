"""What an upstream service may rely on: one suite for ShopEvents and for its recorder."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from producers.client import EventSender, ShopEvents
from producers.cluster import Cluster
from producers.errors import ClosedError, InvalidEventError
from producers.testing import RecordedShopEvents
from schemas.catalogue import UPSTREAM_TOPICS
from schemas.click import Click, ClickEvent
from schemas.envelope import BODY_BYTES, Line
from schemas.order import Order
from schemas.review import Review
from schemas.settings import Settings, SettingsEvent
from tests.producers.conftest import read_topic
from tests.producers.events import cart, click, order, product, profile, review, service, wish

Held = tuple[str, bytes | None, bytes | None]


@dataclass
class Backend:
    sender: EventSender
    #: (topic, key, value) of all that was acknowledged; a customer's in the order it was sent.
    held: Callable[[], list[Held]]


@pytest.fixture(params=["kafka", "recorder"])
def backend(request: pytest.FixtureRequest, prefix: str) -> Iterator[Backend]:
    if request.param == "recorder":
        recorder = RecordedShopEvents(prefix=prefix)
        yield Backend(recorder, lambda: [recorded[1:] for recorded in recorder.recorded])
        return
    cluster: Cluster = request.getfixturevalue("cluster")

    def held() -> list[Held]:
        return [
            (message.topic() or "", message.key(), message.value())
            for name in UPSTREAM_TOPICS
            for message in read_topic(cluster, prefix + name)
        ]

    sender = ShopEvents(cluster.bootstrap, prefix=prefix)
    yield Backend(sender, held)
    sender.close()


def test_each_event_type_goes_to_its_topic_under_its_customer(
    backend: Backend, prefix: str
) -> None:
    events = [
        click("c1"), cart("c2"), order("c3"), review("c4"), service("c5"), wish("c6"), profile("c7"),
        product("c8"),
    ]  # fmt: skip
    for event in events:
        backend.sender.send(event)
    backend.sender.flush()
    topics = [f"{prefix}{name}" for name in UPSTREAM_TOPICS]
    encoded = [msgspec.json.encode(event) for event in events]
    assert backend.held() == list(
        zip(topics, (f"c{number}".encode() for number in range(1, 9)), encoded, strict=True)
    )


def test_what_is_on_the_wire_reads_as_the_event_that_was_sent(backend: Backend) -> None:
    event = click("顾客-1", data=Click(shop_id="s1", action="search", keyword="连衣裙"))
    backend.sender.send(event)
    backend.sender.flush()
    [(_, key, value)] = backend.held()
    assert key == "顾客-1".encode()
    assert msgspec.json.decode(value or b"", type=ClickEvent) == event


def test_the_events_of_a_customer_keep_their_order(backend: Backend) -> None:
    events = [click(f"c{index % 3}", id=str(index)) for index in range(300)]
    for event in events:
        backend.sender.send(event)
    backend.sender.flush()
    held = [msgspec.json.decode(value or b"", type=ClickEvent) for _, _, value in backend.held()]
    for customer in ("c0", "c1", "c2"):
        assert [event.id for event in held if event.subject == customer] == [
            event.id for event in events if event.subject == customer
        ]


def test_times_are_written_in_utc(backend: Backend) -> None:
    shanghai = timezone(timedelta(hours=8))
    backend.sender.send(click(time=datetime(2024, 11, 11, 8, 30, tzinfo=shanghai)))
    backend.sender.flush()
    assert b'"time":"2024-11-11T00:30:00Z"' in (backend.held()[0][2] or b"")


REFUSED: dict[str, tuple[Any, str, str]] = {
    "no time zone": (click(time=datetime(2024, 1, 1)), "invalid_value", "time"),  # noqa: DTZ001
    "too far ahead": (
        click(time=datetime.now(tz=UTC) + timedelta(days=2)),
        "future_time",
        "time",
    ),
    "before 1970": (
        click(time=datetime(1969, 12, 31, tzinfo=UTC)),
        "invalid_value",
        "time",
    ),
    "empty customer": (click(""), "invalid_value", "subject"),
    "long id": (click(id="x" * 65), "invalid_value", "id"),
    "id of another type": (click(id=7), "invalid_value", "id"),
    "unknown action": (
        click(data=Click(shop_id="s1", action="gaze")),  # type: ignore[arg-type]
        "invalid_value",
        "data.action",
    ),
    "shop id with a slash": (
        click(data=Click(shop_id="a/b", action="view")),
        "invalid_value",
        "data.shop_id",
    ),
    "long text": (
        review(
            data=Review(
                shop_id="s1", action="posted", order_id="o", sku="p", rating=5, text="好" * 2001
            )
        ),
        "invalid_value",
        "data.text",
    ),
    "no sku": (
        cart(data=msgspec.structs.replace(cart().data, sku=None)),
        "missing_field",
        "data.sku",
    ),
    "no rating": (
        review(data=Review(shop_id="s1", action="posted", order_id="o", sku="p")),
        "missing_field",
        "data.rating",
    ),
    "no refund id": (
        order(data=Order(shop_id="s1", order_id="o", status="refunded")),
        "missing_field",
        "data.refund_id",
    ),
    "quantity 0 in the second line": (
        order(
            data=Order(
                shop_id="s1",
                order_id="o",
                status="paid",
                lines=[Line(sku="a"), Line(sku="b", quantity=0)],
            )
        ),
        "invalid_value",
        "data.lines[1].quantity",
    ),
    "large body": (
        order(
            data=Order(
                shop_id="s1",
                order_id="o",
                status="paid",
                lines=[
                    Line(sku="x" * 64, attributes={"颜" * 64: "红" * 64, "尺" * 64: "码" * 64})
                    for _ in range(200)
                ],
            )
        ),
        "body_too_large",
        "",
    ),
    "not a customer event": (
        SettingsEvent(
            specversion="1.0",
            id="1",
            source="tests",
            subject="s1",
            time=datetime(2024, 1, 1, tzinfo=UTC),
            data=Settings(
                shop_id="s1",
                version=1,
                effective_from=datetime(2024, 1, 1, tzinfo=UTC),
            ),
        ),
        "wrong_type",
        "type",
    ),
    "no JSON": (click(data=object()), "invalid_value", ""),
    "no text": (click(source="\ud800"), "invalid_value", ""),
}


@pytest.mark.parametrize(("event", "reason", "field"), REFUSED.values(), ids=REFUSED)
def test_what_a_worker_would_refuse_is_refused_naming_the_field(
    event: Any, reason: str, field: str
) -> None:
    sender = RecordedShopEvents()
    with pytest.raises(InvalidEventError) as raised:
        sender.send(event)
    assert (raised.value.reason, raised.value.field) == (reason, field)
    assert raised.value.event is event
    assert sender.recorded == []


def test_after_a_refused_event_the_sender_goes_on(backend: Backend) -> None:
    with pytest.raises(InvalidEventError):
        backend.sender.send(click(id="x" * 65))
    backend.sender.send(click("c1"))
    backend.sender.flush()
    assert len(backend.held()) == 1


def test_the_largest_body_that_is_read_may_be_sent(backend: Backend) -> None:
    line = Line(sku="x" * 64, attributes={"k" * 64: "v" * 64, "m" * 64: "v" * 64})
    event = order(data=Order(shop_id="s1", order_id="o", status="paid", remark="r"))
    while (size := len(msgspec.json.encode(event))) < BODY_BYTES - 1_000:
        event.data.lines.append(line)
    event.data.remark = "r" * (1 + BODY_BYTES - size)
    assert len(msgspec.json.encode(event)) == BODY_BYTES
    backend.sender.send(event)
    backend.sender.flush()
    assert len(backend.held()) == 1


def test_a_closed_sender_refuses_and_closes_again_quietly(backend: Backend) -> None:
    backend.sender.send(click())
    backend.sender.close()
    backend.sender.close()
    with pytest.raises(ClosedError):
        backend.sender.send(click())
    assert len(backend.held()) == 1
