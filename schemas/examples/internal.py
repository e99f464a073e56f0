"""The records that only huitou's own processes read: the clock, the journal, what partitions tell others."""

from base64 import b64encode
from typing import Any, Final

import msgspec

from schemas.catalogue import CLICKS, CLOCK, EXCHANGE, JOURNAL, ORDERS, SETTINGS
from schemas.clock import WALL, Close, Rebase, RecordCause, Skip, Tick, encode_clock
from schemas.examples.example import Example, event
from schemas.journal import (
    GENESIS,
    JOURNAL_VERSION,
    ClockState,
    Fired,
    JournalRow,
    Slice,
    chain,
    encode_row,
)

_ROW: Final = JournalRow(
    version=JOURNAL_VERSION,
    seq=1,
    previous=GENESIS,
    epoch=1,
    slices=[Slice(CLICKS, 0, 40, 40, 3_735_928_559)],
    clock=ClockState(WALL, 1_779_264_000_000, 0, 1.0, 1_779_263_995_000, 1),
    latest=1_779_264_000_000,
    fired=None,
    skip=None,
    definitions={SETTINGS: 2},
    build="0.1.0",
    codec=1,
    config="5feceb66ffc86f38",
    code_key="1",
    rows=bytes(16),
    states=bytes(range(16)),
)


def _told(title: str, number: int, subject: str, body: dict[str, Any]) -> Example:
    return event(
        EXCHANGE, "shop.exchange.v1", title, subject, "2026-05-20T08:00:00Z",
        {"shop_id": "tea", "body": body}, id=f"3-17-{number}", source=EXCHANGE,
    )  # fmt: skip


INTERNAL_EXAMPLES: Final = (
    _told("minimal: a visitor is to forget a customer", 0, "cookie-7f3a", {"type": "forget"}),
    _told(
        "a visitor turned out to be a customer",
        1,
        "100001",
        {
            "type": "visitor",
            "visitor": "cookie-7f3a",
            "state": b64encode(msgspec.msgpack.encode([2, "tea", "cookie-7f3a"])).decode(),
        },
    ),
    _told(
        "a click of a visitor who was handed over",
        2,
        "100001",
        {
            "type": "event",
            "visitor": "cookie-7f3a",
            "hops": 1,
            "event": {
                "specversion": "1.0",
                "id": "k-17",
                "source": "storefront",
                "type": "shop.click.v1",
                "subject": "cookie-7f3a",
                "time": "2026-05-20T08:00:00Z",
                "data": {"shop_id": "tea", "action": "view", "sku": "longjing-50"},
            },
        },
    ),
    _told(
        "a customer ordered a product",
        3,
        "longjing-50",
        {
            "type": "order_of_product",
            "customer_id": "100001",
            "order_id": "o-9",
            "device_hash": "d-77",
            "address_hash": "a-12",
        },
    ),
    _told(
        "who shares a phone and an address with an order",
        4,
        "100001",
        {
            "type": "shared_order",
            "visitor": "100001",
            "order_id": "o-9",
            "sku": "longjing-50",
            "device_buyers": 2,
            "device_orders": 4,
            "address_buyers": 1,
            "address_orders": 3,
        },
    ),
    _told(
        "a customer liked a wish",
        5,
        "100002",
        {"type": "liked", "visitor": "cookie-7f3b", "owner_id": "100001", "wish_id": "w-3"},
    ),
    _told(
        "a like among those that a customer gave",
        6,
        "100002",
        {
            "type": "like_given",
            "liker_id": "cookie-7f3b",
            "owner_id": "100001",
            "wish_id": "w-3",
            "first_seen": 1_779_177_600_000,
        },
    ),
    _told("a liker was known earlier", 7, "100002", {"type": "liker_seen"}),
    _told(
        "the likes of a visitor are a customer's",
        8,
        "cookie-7f3b",
        {"type": "liker_moved", "customer_id": "100002"},
    ),
    _told("a liker was erased", 9, "100002", {"type": "liker_forgotten"}),
    _told(
        "what is known of a liker",
        10,
        "100001",
        {
            "type": "liker_told",
            "visitor": "100001",
            "wish_id": "w-3",
            "liker_id": "cookie-7f3b",
            "customer_id": "100002",
            "in_an_hour": 2,
            "in_a_day": 3,
            "age_s": 86_400,
        },
    ),
    Example(
        CLOCK,
        "a worker's tick",
        None,
        encode_clock(Tick(3, 1_779_264_000_000, WALL, 1, {CLICKS: 41, ORDERS: 7}, {SETTINGS: 2})),
    ),
    Example(
        CLOCK,
        "a replay takes the clock over",
        None,
        encode_clock(Rebase(3, 1_511_539_200_000, 1_512_316_800_000, "replay-1", 3600.0)),
    ),
    Example(
        CLOCK,
        "a replay hands the clock back",
        None,
        encode_clock(Close(3, 1_512_316_800_000, "replay-1", {CLICKS: 10_558})),
    ),
    Example(
        CLOCK,
        "an operator has an order left out",
        None,
        encode_clock(Skip(3, RecordCause(ORDERS, 7), "line quantities overflow, see the runbook")),
    ),
    Example(JOURNAL, "a commit of forty clicks", None, encode_row(_ROW)),
    Example(
        JOURNAL,
        "a commit of timers only",
        None,
        encode_row(
            msgspec.structs.replace(
                _ROW,
                seq=2,
                previous=chain(encode_row(_ROW)),
                slices=[],
                fired=Fired(1_779_265_870_000, "tea/100001", 1),
            )
        ),
    ),
)
