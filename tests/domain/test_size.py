"""Every collection is bounded: a state stays below 32 KB whatever a customer does."""

from collections.abc import Callable
from datetime import date

import pytest

from streams.domain.fold import fold
from streams.domain.orders import OPEN_ORDERS, PAST_ORDERS, REFUNDS
from streams.domain.paid_days import DAYS_BYTES_KEPT
from streams.domain.reviews import REVIEWS
from streams.domain.service import CASES, PAST_CASES, REPLIES
from streams.domain.state import COUPONS, Coupon, new_state
from streams.domain.wishes import LIKERS, PAST_WISHES, WISHES
from streams.state.codec import encode
from tests.domain.events import (
    DAY,
    MINUTE,
    SHOP,
    START,
    Timed,
    cart,
    click,
    order,
    profile,
    review,
    service,
    wish,
)
from tests.domain.sample import life

LIMIT = 32 * 1024
CHARACTERS = pytest.mark.parametrize("character", ["x", "é", "𠮷"], ids=["1 byte", "2", "4"])


def _longest(kind: str, number: int, character: str) -> str:
    return f"{kind}{number}".ljust(64, character)


@CHARACTERS
def test_a_customer_of_many_varied_events_with_the_longest_names(character: str) -> None:
    _assert_bounded(4_000, character)


@pytest.mark.long
@pytest.mark.timeout(600)
@CHARACTERS
def test_a_customer_of_very_many_varied_events(character: str) -> None:
    _assert_bounded(50_000, character)


def _assert_bounded(count: int, character: str) -> None:
    largest = 0
    lived = life(count, text=character, length=64, customers=1, seed=1)
    for number, (_, state) in enumerate(lived):
        if number % 20 == 0:
            largest = max(largest, len(encode(state)))
    assert LIMIT // 2 < largest < LIMIT


@CHARACTERS
def test_every_collection_full_at_once(character: str) -> None:
    def name(kind: str, number: int) -> str:
        return _longest(kind, number, character)

    late, much = START + 400 * DAY, 10**12
    events: list[Timed] = []
    for number in range(40):
        at = late + number * DAY
        events.append(click(name("k", number), at, session_id=name("s", number), dwell_ms=DAY))
    for number in range(300):
        # Two orders a day, one of them refunded in part: the longest rows of paid days.
        at = START + number * DAY
        for which in ("d", "e"):
            event_id, order_id = name(which, number), name(f"{which}-", number)
            events.append(order(event_id, at, order_id, "paid", amount_paid=much))
        events.append(
            order(name("f", number), at, order_id, "refunded", refund_id="r", amount=much // 9)
        )
    for number in range(PAST_ORDERS + OPEN_ORDERS + 9):
        at, order_id = late + number * MINUTE, name("o", number)
        events.append(order(name("p", number), at, order_id, "placed", amount_paid=much))
        events.append(order(name("q", number), at, order_id, "paid", "ab", amount_paid=much))
        events += [
            order(
                name(f"r{refund}-", number), at, order_id,
                "refunded" if refund % 2 else "refund_requested",
                refund_id=name("r", refund), amount=much // 9,
            )
            for refund in range(REFUNDS + 1)
        ]  # fmt: skip
    events += [
        review(name("v", number), late, "posted", name("o", number), "a", rating=1)
        for number in range(REVIEWS + 9)
    ]
    events += _contact(name, late)
    # Short facts, half an hour apart so that each waits, then the longest lines.
    events += [
        cart(f"c{number}", late + number * 31 * MINUTE, "add", f"{number}") for number in range(300)
    ]
    for number in range(60):
        attributes = {name("n", number): name("v", number)} if number % 2 else {}
        at = late + 7 * DAY + number * 31 * MINUTE
        events.append(cart(name("l", number), at, "add", name("k", number), attributes=attributes))
    state = new_state("s" * 64, name("c", 1))
    largest = 0
    for event, time in events:
        assert fold(state, event, time, SHOP) is not None
        del state.coupons[:]
        state.coupons += [Coupon("f" * 32, "abandoned-cart", late, late)] * COUPONS
        largest = max(largest, len(encode(state)))
    assert state.orders is not None
    assert len(state.orders.open) == OPEN_ORDERS
    assert state.orders.forgotten
    assert len(state.orders.days) > DAYS_BYTES_KEPT
    assert state.service is not None
    assert len(state.service.cases) == CASES
    assert state.wishes is not None
    assert len(state.wishes.past) == PAST_WISHES * 9
    assert 20 * 1024 < largest < LIMIT


def _contact(name: Callable[[str, int], str], late: int) -> list[Timed]:
    """More cases, replies, wishes and likers than are kept, a profile with everything."""
    events: list[Timed] = []
    for number in range(PAST_CASES + CASES + 9):
        at, case_id = late + number * MINUTE, name("t", number)
        events += [
            service(name("i", number), at, "inquiry", case_id),
            service(name("j", number), at, "complaint", case_id),
            *(
                service(name(f"a{reply}-", number), at - reply, "replied", case_id)
                for reply in range(REPLIES + 1)
            ),
            service(name("y", number), late, "survey_answered", case_id, score=10),
        ]
    for number in range(PAST_WISHES + WISHES + 9):
        at, wish_id = late + number * MINUTE, name("w", number)
        attributes = {name("n", number): name("v", number)} if number % 3 else {"size": "L" * 50}
        made = wish(name("m", number), at, "made", wish_id, sku=name("k", 1), attributes=attributes)
        events += [made] if number % 2 else [wish(name("m", number), at, "made", f"{number}")]
        events += [
            wish(
                name(f"l{liker}-", number), at, "liked", wish_id if number % 2 else f"{number}",
                liker_id=name("c", liker), device_hash=name("d", liker),
            )
            for liker in range(LIKERS // WISHES + 9)
        ]  # fmt: skip
    channels = dict.fromkeys(["app_push", "sms", "email", "chat", "miniapp"], True)
    events += [
        profile(
            name("f", 1), late, "updated", birthday=date(1994, 2, 28), gender="female",
            age_band=name("a", 1), income_band=name("b", 1), education=name("e", 1),
            region=name("r", 1), tags=[name("t", number) for number in range(20)],
        ),
        profile(name("f", 2), late, "consent", consent=channels),
        profile(name("f", 3), late, "joined_membership"),
        profile(name("f", 4), late, "alias", alias_of=name("c", 2)),
    ]  # fmt: skip
    return events
