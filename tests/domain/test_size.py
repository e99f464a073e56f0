"""Every collection is bounded: a state stays below 32 KB whatever a customer does."""

from collections.abc import Callable
from datetime import date
from typing import Any, get_args

import pytest

from schemas.click import TrafficSource
from schemas.envelope import Line
from schemas.profile import TAGS
from schemas.trigger import CAMPAIGN_LENGTH
from streams.domain import browsing as browsing_domain
from streams.domain import orders as orders_domain
from streams.domain.agenda import CHANGE_BYTES, CHANGES, TIER, Agenda, Change, write_changes
from streams.domain.cart import LINES, LINES_BYTES, LOG_BYTES, LOG_BYTES_KEPT, LOG_FACTS
from streams.domain.duplicates import FULL, IDS
from streams.domain.fold import fold
from streams.domain.identity import ALIASES, ALIASES_BYTES, Alias, Identity, with_alias
from streams.domain.integrity import buyer
from streams.domain.interests import LEAST_LOG_BYTES as INTERESTS_LOG_BYTES
from streams.domain.interests import settled
from streams.domain.orders import OPEN_ORDERS, PAST_ORDERS, PAST_REFUNDS, REFUNDS
from streams.domain.paid_days import DAYS_BYTES
from streams.domain.profile import CHANNELS, CONSENT_BYTES, FIELDS, STAMP_BYTES, TAGS_BYTES
from streams.domain.reviews import KNOWN_BYTES, REVIEWS
from streams.domain.service import CASES, PAST_CASE_BYTES, PAST_CASES, REPLIES
from streams.domain.state import COUPONS, Coupon, CustomerState, new_state
from streams.domain.summary import (
    CATEGORIES,
    DEVICES,
    FAVORITES,
    KEYWORDS,
    PRICES,
    PRODUCTS,
    REGIONS,
    SHARED,
    SHARERS,
    STEPS,
)
from streams.domain.timers import next_due, take_due
from streams.domain.touches import TOUCH_BYTES, TOUCHES
from streams.domain.wishes import (
    LIKER_BYTES,
    LIKERS,
    PAST_WISH_BYTES,
    PAST_WISHES,
    WISHES,
    WISHES_BYTES,
)
from streams.state.codec import decode, encode
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
#: Bytes of a day's row at most: small integers, and two amounts of 9 bytes each.
LONGEST_ROW = 30
Name = Callable[[str, int], str]
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


@pytest.mark.parametrize(
    ("character", "size"),
    [("x", 31_738), ("é", 31_861), ("𠮷", 32_219)],
    ids=["1 byte", "2", "4"],
)
def test_every_part_full_at_once(character: str, size: int) -> None:
    state = full_state(character)
    _assert_full(state)
    # What docs/state.md says it is; numbers that nobody reaches would be a few hundred bytes more.
    assert len(encode(state)) == size < LIMIT - 512


def test_a_cart_of_version_1_is_brought_within_todays_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as older:
        older.setattr("streams.domain.cart.LINES_BYTES", 2_500)
        older.setattr("streams.domain.abandoned.LOG_BYTES", 7_000)
        older.setattr("streams.domain.abandoned.LOG_BYTES_KEPT", 6_200)
        state = new_state("s" * 64, "c1")
        _fill_cart(state, sku_bytes=50, event_id="𠮷" * 20)
    assert state.cart is not None
    assert (len(state.cart.lines), len(state.cart.base)) == (50, 3 + 50 * 68)
    assert len(state.cart.log) > 6_200
    state.version = 1
    read = decode(encode(state))
    assert read.cart is not None
    assert LOG_BYTES_KEPT - 200 < len(read.cart.log) <= LOG_BYTES_KEPT
    # Those longest without an ``add`` or ``set`` have left.
    assert read.cart.lines == state.cart.lines[-(LINES_BYTES // 50) :]
    assert len(read.cart.base) < 1_300 + 26 * 20
    # Redis has this due time, and will bring it.
    assert next_due(read) == next_due(state)
    take_due(read, START + 600 * DAY, SHOP)
    assert next_due(read) is None
    # Full of all else that it has since then, it is as small as any.
    full = full_state("𠮷")
    full.cart, full.version = state.cart, 1
    assert len(encode(full)) > LIMIT
    assert len(encode(decode(encode(full)))) < LIMIT


def full_state(character: str) -> CustomerState:
    """A state of which each part is as large as it gets, but for numbers that nobody reaches."""

    def name(kind: str, number: int) -> str:
        return _longest(kind, number, character)

    late = START + 400 * DAY
    state = new_state("s" * 64, name("c", 1))
    events = [
        click(name("k", number), late + number * DAY, session_id=name("s", number), dwell_ms=DAY)
        for number in range(browsing_domain.SESSIONS + 9)
    ]
    events += [
        review(name("v", number), late, "posted", name("o", number), "a", rating=1)
        for number in range(REVIEWS + 9)
    ]
    events += _contact(name, late)
    _fold(state, events)
    each = ALIASES_BYTES // ALIASES
    ids = [f"v{number}".ljust(each, "v") for number in range(ALIASES)]
    for number, visitor in enumerate(ids):
        known = state.identity.aliases if state.identity is not None else []
        state.identity = Identity(aliases=with_alias(known, Alias(late + number, visitor)))
    last = START + 520 * DAY
    _fill_interests(state, name, START - 200 * DAY)
    _fill_orders(state, name, late)
    _fill_cart(state, sku_bytes=26, event_id="e" * 10)
    assert state.cart is not None
    assert state.cart.compacted is not None
    state.cart.compacted = (*state.cart.compacted[:2], name("x", 1))
    clicks = [click(name("e", n), last + n, session_id=name("s", 99)) for n in range(IDS + 1)]
    _fold(state, clicks)
    _fill_log(state, name, last - DAY)
    state.coupons = [Coupon("f" * 32, "c" * CAMPAIGN_LENGTH, late, late, 127)] * COUPONS
    state.erased_at = START - 999 * DAY
    state.integrity = full_integrity()
    state.agenda = full_agenda()
    state.arrived = state.expires = 2**32 - 1
    return state


def full_agenda() -> Agenda:
    """As many changes as are kept, the last one taken in 2106."""
    agenda = Agenda(2**32 - 1, bytes(4))
    write_changes(agenda, [Change(2**32 - 1, 2**16 - 1 - n, TIER, 20, 19) for n in range(99)])
    return agenda


def full_integrity() -> buyer.BuyerIntegrity:
    """Of a buyer all of whose orders have every sign."""
    late = 2_000_000_000
    product = buyer.ProductMark(b"\xff" * buyer.SKU_BYTES, 7, late, 15, 15, 15, 15)
    mark = buyer.OrderMark(b"\xff" * 8, late, late, 23, 900, [product] * buyer.PRODUCTS)
    looks = b"\xff" * buyer.LOOKED_AT * buyer.LOOK_BYTES
    return buyer.BuyerIntegrity(looks, True, [mark] * buyer.MARKS)


def _fold(state: CustomerState, events: list[Timed]) -> None:
    for event, time in events:
        assert fold(state, event, time, SHOP) is not None


def _fill_orders(state: CustomerState, name: Name, late: int) -> None:
    """The orders that stay open, then older ones by day until no further day fits."""
    much = 10**12
    for number in range(PAST_ORDERS + OPEN_ORDERS + 9):
        at, order_id = late + number, name("o", number)
        paid, _ = order(name("q", number), at, order_id, "paid", amount_paid=much)
        paid.data.lines = [Line(sku=name("k", 1), quantity=1_000_000)]  # type: ignore[union-attr]
        refunds = [
            order(
                name(f"r{refund}-", number), at, order_id,
                "refunded" if refund < 2 else "refund_requested",
                refund_id=name("r", refund), amount=much // 99,
            )
            for refund in range(REFUNDS + 2)
        ]  # fmt: skip
        placed = order(name("p", number), at, order_id, "placed", amount_paid=much)
        _fold(state, [placed, (paid, at), *refunds])
    assert state.orders is not None
    for number in range(399):
        # Two orders a day, one of them refunded in part: the longest row.
        at = START + number * DAY
        first, second = name("d-", number), name("e-", number)
        _fold(
            state,
            [
                order(name("d", number), at, first, "paid", amount_paid=much),
                order(name("e", number), at, second, "paid", amount_paid=much),
                order(name("f", number), at, second, "refunded", refund_id="r", amount=much // 9),
            ],
        )
        if state.orders.forgotten and len(state.orders.days) > DAYS_BYTES - LONGEST_ROW:
            return
    raise AssertionError("the days are never full")


def _fill_interests(state: CustomerState, name: Name, last: int) -> None:
    """More of everything than is kept; the orders are cancelled, so that they leave before others."""
    sources = get_args(TrafficSource)
    seen: dict[str, Any] = {"channel": "store", "shared_by": name("c", 2)}
    events: list[Timed] = []
    for number in range(40):
        at = last + DAY + number * 40 * MINUTE
        common: dict[str, Any] = {
            "session_id": name("s", 99), "traffic_source": sources[number % len(sources)],
            "region": name("r", number), "device_hash": name("d", number), "sku": name("k", number),
            "category": name("t", number), "price": 10 ** (number % 13), "dwell_ms": DAY, **seen,
        }  # fmt: skip
        events += [
            click(name(f"h{kind}", number), at, kind, **common)
            for kind in ("view", "favorite", "share")
        ]
        events += [
            click(name("w", number), at, "search", keyword=name("q", number), **seen),
            click(name("y", number), at, shared_by=name("c", 50 - number)),
            click(name("z", number), at, session_id=name("s", number), traffic_source="live"),
        ]
    for number, source in enumerate(sources):
        at, order_id = last + 9 * DAY + number * 9 * DAY, name("o", 900 + number)
        events.append(click(name("a", number), at, traffic_source=source, session_id=name("s", 1)))
        paid, _ = order(name("b", number), at + 1, order_id, "paid", points_used=10**12)
        lines = [Line(sku=name("k", sku)) for sku in range(40 - PRODUCTS, 40)]
        paid.data.lines = lines  # type: ignore[union-attr]
        events += [(paid, at + 1), order(name("x", number), at + 2, order_id, "cancelled")]
    _fold(state, events)


def _fill_log(state: CustomerState, name: Name, at: int) -> None:
    """Late clicks of a visit with the longest names, until another one would have all worked in."""
    said = {"session_id": "v" * 64, "region": "r" * 64, "device_hash": "d" * 64}
    assert state.interests is not None
    for number in range(99):
        room = INTERESTS_LOG_BYTES - len(state.interests.log)
        sku = "k" * min(64, max(room - 20, 1))
        _fold(state, [click(name("j", number), at + number, "ask", sku=sku, **said)])
        if len(state.interests.log) > INTERESTS_LOG_BYTES - 10:
            return
    raise AssertionError("the log is never full")


def _fill_cart(state: CustomerState, *, sku_bytes: int, event_id: str) -> None:
    """As many lines as there may be, then facts that leave them as they are, 31 minutes apart."""
    lines = [
        cart(f"l{number}", START + 500 * DAY + number, "set", f"{number}".ljust(sku_bytes, "x"),
             quantity=1_000_000)
        for number in range(50)
    ]  # fmt: skip
    _fold(state, lines)
    assert state.cart is not None
    for number in range(400):
        at = START + 501 * DAY + number * 31 * MINUTE
        _fold(state, [cart(f"{event_id}{number}", at, "remove", "-")])
        # All lines are in the base by then, and the log is about to be shortened once more.
        if number > 300 and (state.cart.log_facts == LOG_FACTS or not event_id.isascii()):
            return
    raise AssertionError("the log is never full")


def _assert_full(state: CustomerState) -> None:
    """Each collection has as many entries, and as many bytes, as its bounds let it."""
    assert len(state.seen) == FULL
    browsing, cart_, orders = state.browsing, state.cart, state.orders
    assert browsing.session is not None
    assert len(browsing.session.id) == 64
    assert len(browsing.past) == (browsing_domain.SESSIONS - 1) * browsing_domain.PAST_BYTES
    assert cart_ is not None
    assert (len(cart_.lines), cart_.log_facts, len(cart_.waiting)) == (LINES, LOG_FACTS, LOG_FACTS)
    assert len(cart_.base) > LINES * 43
    assert LOG_BYTES - 100 < len(cart_.log) <= LOG_BYTES
    assert sum(len(line.sku) for line in cart_.lines) == LINES_BYTES
    assert cart_.compacted is not None
    assert len(cart_.compacted[2]) == 64
    assert orders is not None
    assert len(orders.open) == OPEN_ORDERS
    assert all(len(each.refunds) == REFUNDS for each in orders.open)
    assert all(len(each.order_id.encode()) in range(61, 65) for each in orders.open)
    assert len(orders.past) == PAST_ORDERS * orders_domain.PAST_BYTES
    assert len(orders.past_refunds) == PAST_REFUNDS * orders_domain.PAST_REFUND_BYTES
    assert DAYS_BYTES - LONGEST_ROW < len(orders.days) <= DAYS_BYTES
    assert orders.forgotten
    assert state.agenda is not None
    assert len(state.agenda.changes) == CHANGES * CHANGE_BYTES
    assert state.reviews is not None
    assert len(state.reviews.known) == REVIEWS * KNOWN_BYTES
    assert len(state.coupons) == COUPONS
    service_ = state.service
    assert service_ is not None
    assert (len(service_.cases), len(service_.past)) == (CASES, PAST_CASES * PAST_CASE_BYTES)
    assert all(len(case.replies) == REPLIES and case.resolved_at for case in service_.cases)
    assert all(len(case.case_id.encode()) in (63, 64) for case in service_.cases)
    wishes_ = state.wishes
    assert wishes_ is not None
    assert (len(wishes_.wishes), len(wishes_.past)) == (WISHES, PAST_WISHES * PAST_WISH_BYTES)
    assert sum(len(each.wish_id) + len(each.sku) for each in wishes_.wishes) == WISHES_BYTES
    assert sum(len(each.likers) for each in wishes_.wishes) == LIKERS * LIKER_BYTES
    assert all(each.decided_at for each in wishes_.wishes)
    assert state.interests is not None
    summary = settled(state.interests)
    assert len(state.interests.touches) == TOUCHES * TOUCH_BYTES
    kept = {
        "categories": CATEGORIES, "prices": PRICES, "keywords": KEYWORDS, "favorites": FAVORITES,
        "products": PRODUCTS, "path": STEPS, "regions": REGIONS,
        "last_touch": 9, "by_position": 9, "devices": DEVICES, "shared": SHARED,
        "sharers": SHARERS,
    }  # fmt: skip
    assert {part: len(getattr(summary, part)) for part in kept} == kept
    assert all(len(sku.encode()) in range(37, 41) for sku in summary.favorites)
    profile_ = state.profile
    assert profile_ is not None
    assert (len(profile_.tags), sum(map(len, profile_.tags))) == (TAGS, TAGS_BYTES)
    for text in (profile_.age_band, profile_.income_band, profile_.education, profile_.region):
        assert len(text.encode()) > 60
    assert len(profile_.stamps) == len(FIELDS) * STAMP_BYTES
    assert len(profile_.consents) == len(CHANNELS) * CONSENT_BYTES


def _contact(name: Name, late: int) -> list[Timed]:
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
            service(name("z", number), at + 1, "resolved", case_id),
        ]
    for number in range(PAST_WISHES + WISHES + 9):
        at = late + number * MINUTE
        # 64 bytes each, so that as many wishes as are kept have as many bytes as they may.
        wish_id, sku = f"w{number}".ljust(32, "w"), "k" * 32
        events += [
            wish(name("m", number), at, "made", wish_id, sku=sku),
            wish(name("g", number), at, "granted", wish_id),
            wish(name("u", number), at, "commented", wish_id),
        ]
        events += [
            wish(
                name(f"l{liker}-", number), at, "liked", wish_id,
                liker_id=name("c", liker), device_hash=name("d", liker),
            )
            for liker in range(2, LIKERS // WISHES + 9)
        ]  # fmt: skip
    tags = [f"{number:02}".ljust(13 if number < 16 else 12, "t") for number in range(TAGS)]
    channels = dict.fromkeys(["app_push", "sms", "email", "chat", "miniapp"], True)
    events += [
        profile(
            name("f", 1), late, "updated", birthday=date(1994, 2, 28), gender="female",
            age_band=name("a", 1), income_band=name("b", 1), education=name("e", 1),
            region=name("r", 1), tags=tags,
        ),
        profile(name("f", 2), late, "consent", consent=channels),
        profile(name("f", 3), late, "joined_membership"),
    ]  # fmt: skip
    return events
