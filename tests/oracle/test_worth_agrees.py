"""What a customer is worth, folded in any order and twice over, is what the oracle expects: on random lives.

The two share nothing but docs/worth.md, that both are described by.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from schemas.settings import RfmThresholds, Tier
from streams.domain.describe import describe
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from streams.state.codec import decode, encode
from tests.oracle import contact
from tests.oracle.decoding import decoded
from tests.oracle.events import ORDERS, PROFILES, Published, distinct, milliseconds
from tests.oracle.orders import paid_orders
from tests.oracle.worth import Shop, changes_at, worth

#: Sixteen years later is not yet too far ahead for the decoder.
START = datetime(2012, 1, 31, tzinfo=UTC)
ZONES = ("UTC", "Asia/Shanghai", "America/New_York")
#: Lower than the defaults, so that a dozen orders reach all of it.
RFM = RfmThresholds(
    recency_days=(7, 30, 100, 400), orders=(2, 3, 4, 6), amount=(100, 300, 900, 1_500)
)
TIERS = (
    Tier(name="silver", orders=2), Tier(name="gold", orders=2, amount=300),
    Tier(name="black", orders=3, amount=1_000),
)  # fmt: skip

#: From one order to the next, days: at limits and beside them, and any.
STEPS = st.one_of(
    st.integers(0, 15),
    st.sampled_from([0, 0, 1, 29, 30, 31, 89, 90, 91, 180, 181, 364, 365, 366]),
    st.integers(0, 40),
    st.integers(0, 500),
)
#: Of a day, minutes: around the midnights of the zones.
MINUTES = st.one_of(st.sampled_from([0, 1439, 959, 960, 239, 240, 299, 300]), st.integers(0, 1439))
#: At and beside the limits of RFM and TIERS, and of the defaults: of one order, or of a few.
AMOUNTS = st.none() | st.sampled_from(
    [0, 1, 100, 300, 1_000, 9_999, 10_000, 25_000, 30_000, 49_999, 100_000, 300_000, 1_000_000]
)
#: Of customers in the upper tiers of the defaults.
LARGE = st.sampled_from([25_000, 83_333, 83_334, 100_000, 300_000])
STATUSES = st.sampled_from([{"placed"}, {"placed"}, set(), {"placed", "shipped"}, {"cancelled"}])
#: Id, statuses, amount, kind.
REFUNDS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["refund_requested", "refund_withdrawn", "refunded"]), min_size=1,
                 unique=True),
        AMOUNTS,
        AMOUNTS,
        st.sampled_from([None, "return", "exchange"]),
    ),
    max_size=2,
)  # fmt: skip
LIVES = st.lists(
    st.tuples(
        STEPS,
        MINUTES,
        AMOUNTS,
        AMOUNTS,
        STATUSES,
        st.one_of(st.just([]), st.just([]), REFUNDS),
        st.sampled_from([True, True, True, False]),
    ),
    min_size=1,
    max_size=12,
) | st.lists(
    st.tuples(
        st.integers(0, 40), MINUTES, LARGE, LARGE, st.just({"placed"}),
        st.one_of(st.just([]), st.just([]), st.just([]), REFUNDS), st.just(True),
    ),
    min_size=4,
    max_size=16,
)  # fmt: skip


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[Published], datetime, str]:
    """A customer's orders as they were published, in any order, some twice; a later moment; a zone."""
    events: list[Published] = []
    at = START
    for number, (step, minute, *rest) in enumerate(draw(LIVES)):
        at += timedelta(days=step)
        events += _order(f"o{number}", at + timedelta(minutes=minute), *rest)
    events += draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    newest = max((datetime.fromisoformat(e.value["time"]) for e in events), default=START)
    as_of = newest + timedelta(days=draw(STEPS), minutes=draw(MINUTES))
    return draw(st.permutations(events)), as_of, draw(st.sampled_from(ZONES))


def _order(
    order_id: str,
    at: datetime,
    placed_amount: int | None,
    paid_amount: int | None,
    statuses: set[str],
    refunds: Sequence[tuple[list[str], int | None, int | None, str | None]],
    paid: bool,
) -> Iterator[Published]:
    for status in sorted(statuses | ({"paid"} if paid else set())):
        amount = {"placed": placed_amount, "paid": paid_amount}.get(status)
        time = at if status in ("placed", "paid") else at + timedelta(days=9)
        yield _published(time, order_id=order_id, status=status, amount_paid=amount)
    for number, (said, requested, refunded, kind) in enumerate(refunds):
        for status in said:
            amount = {"refund_requested": requested, "refunded": refunded}.get(status)
            yield _published(
                at + timedelta(days=20), order_id=order_id, status=status,
                refund_id=f"r{number}", amount=amount, kind=kind,
            )  # fmt: skip


def _published(time: datetime, **data: Any) -> Published:
    said = {name: value for name, value in data.items() if value is not None}
    value = {
        "specversion": "1.0", "type": "shop.order.v1", "source": "test", "subject": "c",
        "id": "-".join(str(data.get(name)) for name in ("order_id", "status", "refund_id")),
        "time": time.isoformat(), "data": {"shop_id": "s", **said},
    }  # fmt: skip
    return Published(ORDERS, "c", value)


def _erase(time: datetime) -> Published:
    value = {
        "specversion": "1.0", "type": "shop.profile.v1", "source": "test", "subject": "c",
        "id": "erase", "time": time.isoformat(), "data": {"shop_id": "s", "action": "erase"},
    }  # fmt: skip
    return Published(PROFILES, "c", value)


def _folded(events: Sequence[Published], shop: ShopSettings) -> CustomerState:
    state = new_state("s", "c")
    for number, item in enumerate(decoded(events)):
        if number % 5 == 4:
            state = decode(encode(state))
        fold(state, item.event, item.time_ms, shop)
    return state


@settings(max_examples=200, deadline=None, phases=set(Phase) - {Phase.explain})
@given(lives(), st.booleans(), st.none() | st.none() | st.integers(-1, 500))
def test_worth(
    life: tuple[list[Published], datetime, str], own: bool, erased_after: int | None
) -> None:
    """``erased_after``: days after START; the erase comes first, as one that is processed in time."""
    events, moment, zone = life
    if erased_after is not None:
        events = [_erase(START + timedelta(days=erased_after, minutes=959)), *events]
    as_of = milliseconds(moment.isoformat())
    ours, theirs = ShopSettings("s", zone), Shop(zone)
    if own:
        ours = ShopSettings("s", zone, rfm=RFM, tiers=TIERS)
        theirs = Shop(
            zone, RFM.recency_days, RFM.orders[::-1], RFM.amount[::-1],
            [(tier.name, tier.orders, tier.amount) for tier in reversed(TIERS)],
        )  # fmt: skip
    found = describe(_folded(events, ours), ours, as_of)["worth"]
    found["lifecycle"].pop("changes_at")
    counting, erased = contact.since_erasure(distinct(events)[0])
    assert found == worth(paid_orders(counting), as_of, theirs, erased)


def test_the_lives_reach_every_tier_and_score_of_the_defaults() -> None:
    tiers: set[str] = set()
    scores: set[int] = set()

    @settings(
        max_examples=60, deadline=None, derandomize=True, database=None, phases=[Phase.generate]
    )
    @given(lives())
    def run(life: tuple[list[Published], datetime, str]) -> None:
        events, moment, zone = life
        as_of = milliseconds(moment.isoformat())
        expected = worth(paid_orders(distinct(events)[0]), as_of, Shop(zone))
        tiers.add(expected["tier"])
        scores.add(expected["rfm"]["m"])

    run()
    assert tiers == {"none", "silver", "gold", "platinum"}
    assert scores >= {1, 2, 3, 4, 5}


@settings(max_examples=40, deadline=None, phases=set(Phase) - {Phase.explain})
@given(lives())
def test_when_the_stage_changes_by_itself(life: tuple[list[Published], datetime, str]) -> None:
    events, moment, zone = life
    as_of = milliseconds(moment.isoformat())
    shop = ShopSettings("s", zone)
    found = describe(_folded(events, shop), shop, as_of)["worth"]["lifecycle"]["changes_at"]
    assert found == changes_at(paid_orders(distinct(events)[0]), as_of, Shop(zone))
