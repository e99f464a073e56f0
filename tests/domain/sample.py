"""A state with something in every field, and a long life of varied events; the same in every process."""

import random
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from schemas.envelope import Line
from streams.campaigns.campaign import record
from streams.campaigns.decide import decide, decide_timer
from streams.domain.fold import fold
from streams.domain.identity import Alias, Identity
from streams.domain.offered import MESSAGE, how
from streams.domain.state import Coupon, CustomerState, new_state
from streams.domain.timers import next_due, take_due
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


def golden_state() -> CustomerState:
    """Every field, packed binary and list of the encoding holds something."""
    state = new_state("shop", "c1")
    events: list[Timed] = [
        click("k1", START, session_id="s1", dwell_ms=1500, sku="a"),
        click("k2", START + 5 * MINUTE, "search", session_id="s1"),
        click("k3", START + 2 * DAY, "favorite"),
        cart("c1", START, "add", "a", quantity=2, attributes={"colour": "red"}),
        cart("c2", START + 8 * DAY, "add", "b"),
        cart("c3", START + 8 * DAY + MINUTE, "set", "c", quantity=3),
        cart("c4", START + 8 * DAY + 2 * MINUTE, "remove", "c"),
        order("o1", START + 8 * DAY + 3 * MINUTE, "A", "placed", "a"),
        order("o2", START + 8 * DAY + 4 * MINUTE, "A", "paid", "a", amount_paid=1990),
        order("o3", START + 9 * DAY, "A", "refund_requested", refund_id="r1", amount=500),
        order("o4", START + 10 * DAY, "A", "refunded", refund_id="r1", amount=400),
        review("r1", START + 9 * DAY, "posted", "A", "a", rating=1),
        review("r2", START + 9 * DAY, "appended", "A", "a"),
        *_interest(),
        *_contact(),
    ]
    for number in range(17):
        at = START + 10 * DAY + number * MINUTE
        events += [
            order(f"p{number}", at, f"P{number}", "paid", amount_paid=100),
            order(f"q{number}", at, f"P{number}", "refunded", refund_id="r", amount=30),
            order(f"t{number}", at, f"P{number}", "received"),
        ]
    # Of the first life nothing is left but the mark and the coupon of its order.
    erased, at = profile("x", START - DAY, "erase")
    for event, time in (order("x0", START - 2 * DAY, "X", "paid"), (erased, at)):
        facts = fold(state, event, time, SHOP)
        assert facts is not None
        decide(state, facts, event, time, SHOP)
    for number, (event, time) in enumerate(events):
        facts = fold(state, event, time, SHOP)
        assert facts is not None
        decide(state, facts, event, time, SHOP)
        if number == 5:
            for occasion in take_due(state, START + 8 * DAY, SHOP):
                decide_timer(state, occasion, SHOP)
    record(state, Coupon("ab" * 16, "hello", at, at, how(MESSAGE, ["sms", "email"])))
    # One who was handed over since, and who would be to somebody else by now.
    state.identity = Identity("c9", START + 11 * DAY, [Alias(START + 10 * DAY, "anonymous")], 1)
    return state


def _interest() -> list[Timed]:
    """Clicks that say more of themselves: worked in by the payments after them, but for the last."""
    at = START + 9 * DAY
    came: dict[str, Any] = {
        "session_id": "s2", "traffic_source": "live", "region": "CN-33", "device_hash": "d1",
        "channel": "app",
    }  # fmt: skip
    tea: dict[str, Any] = {"sku": "t1", "category": "tea", "price": 1990}
    return [
        click("n1", at, "search", keyword="jade", **came),
        click("n2", at + MINUTE, dwell_ms=70_000, page="tea", **tea, **came),
        click("n3", at + 2 * MINUTE, "favorite", **tea, **came),
        click("n4", at + 3 * MINUTE, "share", **tea, **came),
        click("n5", at + DAY, shared_by="c5", traffic_source="share", **tea),
        order("n6", at + DAY + MINUTE, "N", "paid", "a", amount_paid=100, points_used=50),
        click("n7", at + DAY + 9 * MINUTE, page="home", traffic_source="search", channel="web"),
    ]


def _contact() -> list[Timed]:
    """Service cases, wishes and a profile, beyond the bounds of those that are kept whole."""
    at = START + 9 * DAY
    events: list[Timed] = [
        service("s1", at, "complaint", "K1", topic="late"),
        service("s2", at + MINUTE, "replied", "K1"),
        service("s3", at + 9 * MINUTE, "resolved", "K1"),
        service("s4", at + DAY, "survey_answered", "K1", score=7),
        wish("w1", at, "made", "W1", sku="a", attributes={"colour": "jade"}),
        wish("w2", at, "liked", "W1", liker_id="c2", device_hash="d1"),
        wish("w3", at, "liked", "W1", liker_id="c1"),
        wish("w4", at + DAY, "granted", "W1"),
        wish("w5", at, "commented", "W1", liker_id="c2"),
        wish("w6", at, "story", "W1"),
        profile(
            "f1", at, "updated", birthday=date(1994, 2, 28), gender="female", age_band="30-34",
            income_band="10k-15k", education="bachelor", region="CN-33", tags=["tea", "gifts"],
        ),
        profile("f2", at, "consent", consent={"sms": True, "email": False}),
        profile("f3", at, "joined_membership"),
    ]  # fmt: skip
    for number in range(10):
        events += [
            service(f"i{number}", at + DAY + number, "inquiry", f"I{number}"),
            service(f"j{number}", at + DAY + number, "replied", f"I{number}"),
            wish(f"m{number}", at + DAY + number, "made", f"M{number}", sku="b"),
            *(
                wish(f"l{number}-{liker}", at + liker, "liked", f"M{number}", liker_id=f"L{liker}")
                for liker in range(6)
            ),
        ]
    return events


def golden_states() -> dict[str, CustomerState]:
    """The recorded examples of an encoding: everything filled, nothing yet, and a long life's end."""
    clicks = new_state("shop", "c1")
    for number in range(3):
        event, time = click(f"k{number}", START + number * MINUTE, session_id="s1")
        assert fold(clicks, event, time, SHOP) is not None
    *_, (_, busy) = life(1_500, customers=1)
    return {
        "full": golden_state(),
        "new": new_state("shop", "c1"),
        "clicks": clicks,
        "busy": busy,
    }


def life(
    count: int,
    *,
    reload: bool = False,
    text: str = "",
    length: int = 6,
    customers: int = 5,
    seed: int = 7,
) -> Iterator[tuple[str, CustomerState]]:
    """``count`` events of all kinds, some late, some repeated, timers fired as time goes by.

    Yields customer and state after each event. ``text`` fills all names up to ``length``
    characters; ``reload``: fold into a state read from its bytes each time.
    """
    drawing = random.Random(seed)
    states = {f"c{number}".ljust(length, text or "-"): number for number in range(customers)}
    live = {name: new_state("shop".ljust(length, "s"), name) for name in states}
    now = START
    recent: list[Timed] = []
    for number in range(count):
        now += drawing.choice([0, 1, 500, MINUTE, 20 * MINUTE, 45 * MINUTE])
        at = now - drawing.choice([0, 0, 0, 1, 90 * MINUTE])
        customer = drawing.choice(list(live))
        if recent and drawing.random() < 0.05:
            event, at = drawing.choice(recent)
        else:
            event, at = _any_event(drawing, f"e{number}", at, text, length)
            recent = [*recent[-20:], (event, at)]
        state = live[customer]
        if reload:
            state = live[customer] = decode(encode(state))
        facts = fold(state, event, at, SHOP)
        if facts:
            decide(state, facts, event, at, SHOP)
        due = next_due(state)
        if due is not None and due < now - 5000:
            for occasion in take_due(state, now - 5000, SHOP):
                decide_timer(state, occasion, SHOP)
        yield customer, state


def _any_event(drawing: random.Random, event_id: str, at: int, text: str, length: int) -> Timed:
    def name(kind: str, most: int) -> str:
        word = f"{kind}{drawing.randrange(most)}"
        return word + (text or "x") * (length - len(word))

    event_id += (text or "x") * (length - len(event_id))
    draw = drawing.random()
    if draw < 0.3:
        action = drawing.choice(["view", "search", "favorite", "share", "live_enter"])
        session = drawing.choice([None, name("s", 50)])
        said: dict[str, Any] = {
            "sku": name("k", 500), "category": name("g", 30), "price": drawing.randrange(10**9),
            "keyword": name("q", 30), "page": name("p", 30), "region": name("r", 9),
            "device_hash": name("d", 5), "channel": drawing.choice(["app", "web"]),
            "traffic_source": drawing.choice(["search", "live", "share"]),
            "shared_by": name("c", 90),
        }  # fmt: skip
        kept = {field: value for field, value in said.items() if drawing.random() < 0.5}
        return click(
            event_id, at, action, session_id=session, dwell_ms=drawing.randrange(10**5), **kept
        )
    if draw < 0.6:
        action = drawing.choice(["add", "add", "add", "set", "remove", "clear"])
        if action == "clear" and drawing.random() < 0.9:
            action = "add"
        attributes = {name("n", 3): name("v", 3) for _ in range(drawing.randrange(4))}
        data: dict[str, Any] = {"quantity": drawing.randrange(1, 1000), "attributes": attributes}
        return cart(event_id, at, action, None if action == "clear" else name("k", 500), **data)
    order_id = name("o", 2000)
    if draw < 0.82:
        status = drawing.choice(
            ["placed", "paid", "paid", "shipped", "received", "cancelled", "refund_requested",
             "refund_withdrawn", "refunded", "refunded"]
        )  # fmt: skip
        if status.startswith("refund"):
            amount = drawing.choice([None, drawing.randrange(10**12)])
            refund_id = name("r", 9)
            return order(event_id, at, order_id, status, refund_id=refund_id, amount=amount)
        event, _ = order(event_id, at, order_id, status, amount_paid=drawing.randrange(10**12))
        lines = [Line(sku=name("k", 500)) for _ in range(drawing.choice([1, 2, 5, 200]))]
        event.data.lines = lines  # type: ignore[union-attr]
        return event, at
    if draw > 0.88:
        return _any_contact(drawing, event_id, at, name)
    action = drawing.choice(["posted", "appended", "shown", "removed", "replied"])
    rating = drawing.randrange(1, 6) if action == "posted" else None
    return review(event_id, at, action, order_id, name("k", 500), rating=rating)


def _any_contact(
    drawing: random.Random, event_id: str, at: int, name: Callable[[str, int], str]
) -> Timed:
    draw = drawing.random()
    if draw < 0.4:
        action = drawing.choice(["inquiry", "replied", "complaint", "resolved", "survey_answered"])
        return service(event_id, at, action, name("t", 60), score=drawing.randrange(11))
    if draw < 0.8:
        action = drawing.choice(
            ["made", "made", "liked", "liked", "liked", "unliked", "commented", "story",
             "withdrawn", "granted", "declined"]
        )  # fmt: skip
        attributes = {name("n", 3): name("v", 3) for _ in range(drawing.randrange(3))}
        return wish(
            event_id, at, action, name("w", 40), sku=name("k", 500), attributes=attributes,
            liker_id=name("c", 90), device_hash=name("d", 20),
        )  # fmt: skip
    action = drawing.choice(["updated", "updated", "consent", "joined_membership"])
    channels = drawing.sample(["app_push", "sms", "email", "chat", "miniapp"], 2)
    return profile(
        event_id, at, action, age_band=name("a", 9), income_band=name("i", 9),
        education=name("e", 9), region=name("r", 9), tags=[name("t", 30) for _ in range(9)],
        consent={channel: drawing.random() < 0.5 for channel in channels},
    )  # fmt: skip
