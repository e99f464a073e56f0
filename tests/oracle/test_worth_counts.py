"""How many customers of a population have which frequency and stage: folded, and counted apart."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from producers.simulator import Mischief, Simulator
from streams.domain.describe import describe
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from tests.oracle import taobao
from tests.oracle.decoding import decoded
from tests.oracle.events import ORDERS, Published, distinct
from tests.oracle.orders import PaidOrder, paid_orders
from tests.oracle.worth import Shop, stage, worth
from tests.taobao import sample_file

DAY_MS = 86_400_000
ZONE = "Asia/Shanghai"
#: 2024-06-01T00:00:00Z
START_MS = 1_717_200_000_000

#: Of a moment: customers by score of frequency, and by stage.
Counts = dict[str, Counter[int | str | None]]


def folded(events: Iterable[Published]) -> list[CustomerState]:
    states: dict[str, CustomerState] = {}
    for item in decoded(list(events)):
        shop, customer = item.event.data.shop_id, item.event.subject
        state = states.setdefault(customer, new_state(shop, customer))
        fold(state, item.event, item.time_ms, ShopSettings(shop, ZONE))
    return list(states.values())


def counted(states: Sequence[CustomerState], as_of: int) -> Counts:
    shown = [describe(state, ShopSettings(state.shop_id, ZONE), as_of)["worth"] for state in states]
    return {
        "f": Counter(each["rfm"]["f"] for each in shown),
        "stage": Counter(each["lifecycle"]["stage"] for each in shown),
    }


def test_simulated_customers_in_some_moments_of_their_life() -> None:
    end = START_MS + 300 * DAY_MS
    simulator = Simulator(
        5, 80, START_MS, until_ms=end, activity=0.1, mischief=Mischief(0.05, 0.02, 0.0)
    )
    events = [
        Published(each.topic, (each.key or b"").decode(), json.loads(each.value))
        for each in simulator.records()
        if each.topic == ORDERS
    ]
    by_customer: dict[str, list[Published]] = {}
    for event in events:
        by_customer.setdefault(event.key, []).append(event)
    states = folded(events)
    assert len(states) == len(by_customer) > 40
    seen: Counter[int | str | None] = Counter()
    for later in (10, 45, 120, 200, 900):
        as_of = end + later * DAY_MS
        expected: Counts = {"f": Counter(), "stage": Counter()}
        for own in by_customer.values():
            paid = paid_orders(distinct(own)[0])
            of_one = worth(paid, as_of, Shop(ZONE))
            expected["f"][of_one["rfm"]["f"]] += 1
            expected["stage"][of_one["lifecycle"]["stage"]] += 1
        found = counted(states, as_of)
        assert found == expected
        seen += found["stage"]
    assert {"repeat", "active", "dormant", "lost", "won_back", "new"} <= seen.keys()


def test_the_taobao_sample() -> None:
    """Each row `buy` is a paid order of unknown amount: nothing else of the oracle is used."""
    rows = [row for row in taobao.rows(sample_file()) if taobao.FIRST <= row.second < taobao.AFTER]
    buys: dict[str, list[PaidOrder]] = {}
    for row in rows:
        if row.behaviour == "buy":
            order = PaidOrder(row.second * 1000, known=False, amount=0, net_amount=0, net=True)
            buys.setdefault(row.customer, []).append(order)
    states = folded(
        _bought(number, row) for number, row in enumerate(rows) if row.behaviour == "buy"
    )
    assert len(buys) == 559
    for later in (0, 10, 50, 150, 250):
        as_of = taobao.AFTER * 1000 - 1 + later * DAY_MS
        found = counted(states, as_of)
        scores = Counter(
            1 + sum(len(orders) >= limit for limit in (2, 3, 5, 10)) for orders in buys.values()
        )
        assert found["f"] == scores
        assert scores.total() - scores[1] == 373
        day = Shop(ZONE).day(as_of)
        assert found["stage"] == Counter(stage(orders, day, Shop(ZONE)) for orders in buys.values())


def _bought(number: int, row: taobao.Row) -> Published:
    data = {"shop_id": "taobao", "order_id": f"row-{number}", "status": "paid"}
    value = {
        "specversion": "1.0", "type": "shop.order.v1", "id": str(number), "source": "taobao",
        "subject": row.customer, "time": datetime.fromtimestamp(row.second, UTC).isoformat(),
        "data": data,
    }  # fmt: skip
    return Published(ORDERS, row.customer, value)
