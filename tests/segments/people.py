"""A shop's customers in a real Redis, as workers leave them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from schemas.clock import WALL
from schemas.journal import ClockState
from schemas.partitioner import partition_of
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from streams.settings import Settings
from streams.state.codec import encode
from streams.state.keys import PartitionKeys
from tests.domain.events import DAY, START, Timed, fold_all, order

SHOP = ShopSettings("shop", "Asia/Shanghai", "CNY")


def at(time: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time)


def customer(name: str, orders: list[tuple[int, int | None]], shop: str = "shop") -> CustomerState:
    """``orders``: day (from START) and amount in minor units (None: unknown) of each."""

    def paid(number: int, day: int, amount: int | None) -> Timed:
        more: dict[str, Any] = {} if amount is None else {"amount_paid": amount}
        name_of = f"{name}-{number}"
        return order(name_of, START + day * DAY, name_of, "paid", **more)

    events = [paid(number, day, amount) for number, (day, amount) in enumerate(orders)]
    state = fold_all(events, new_state(shop, name))
    if state.last_seen is None:
        state.first_seen = state.last_seen = START
    return state


#: ``store`` is a client of redis-py, of one server or of a cluster.
def put(store: Any, settings: Settings, state: CustomerState) -> None:
    keys = PartitionKeys(
        settings.redis_prefix, partition_of(state.customer_id.encode(), settings.partitions)
    )
    store.set(keys.state(f"{state.shop_id}/{state.customer_id}"), encode(state))


def set_clock(store: Any, settings: Settings, partition: int, watermark: int) -> None:
    keys = PartitionKeys(settings.redis_prefix, partition)
    clock = ClockState(WALL, 0, 0, 1.0, watermark)
    store.hset(keys.meta, "clock", msgspec.msgpack.encode(clock))
