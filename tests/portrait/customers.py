"""Customers to look at, folded from their events."""

from typing import Any

from streams.domain.describe import describe
from streams.domain.shop import ShopSettings
from streams.domain.state import Coupon, CustomerState, new_state
from tests.domain.events import (
    DAY,
    START,
    cart,
    click,
    fold_all,
    order,
    profile,
    review,
    service,
    wish,
)

SHOP = ShopSettings("shop", "Asia/Shanghai", "CNY")
HOUR = 3_600_000
#: An id that clears the screen, writes backwards and is markup and an emoji to rich; and how it is shown.
HOSTILE = "c\x1b[2J\x9b1m\u202e[red]:smile:"
SHOWN = r"c\x1b[2J\x9b1m\u202e[red]:smile:"


def regular() -> CustomerState:
    """Somebody with something of everything, who has not ordered for a while."""
    state = fold_all(
        [
            profile("p1", START, "joined_membership"),
            profile(
                "p2", START, "updated", gender="female", age_band="25-34", region="浙江",
                tags=["龙井", "gift"],
            ),
            profile("p3", START, "consent", consent={"sms": True, "email": False}),
            *(click(f"c{n}", START + n * HOUR, "view", sku="lj-50") for n in range(30)),
            click("s1", START + 40 * HOUR, "search", keyword="明前龙井"),
            click("s2", START + 69 * DAY, "view", sku="lj-50", category="绿茶", price=12_900,
                  traffic_source="search", channel="app", dwell_ms=90_000),
            click("s3", START + 69 * DAY + 1, "view", sku="cup", category="茶具", price=4_900,
                  traffic_source="search", channel="app"),
            click("s4", START + 69 * DAY + 2, "favorite", sku="lj-50"),
            click("s5", START + 69 * DAY + 3, "share", sku="lj-50", shared_by="c7", region="上海"),
            click("s6", START + 69 * DAY + 4, "search", keyword="cups"),
            *(
                order(
                    f"o{n}", START + n * 20 * DAY + 12 * HOUR, f"A{n}", "paid", "x",
                    amount_paid=12_900 + n,
                )
                for n in range(4)
            ),
            order("r1", START + 62 * DAY, "A3", "refunded", refund_id="R1", amount=2_000),
            review("v1", START + 63 * DAY, "posted", "A3", "x", rating=1, text="bad"),
            service("q1", START + 64 * DAY, "complaint", "case-1"),
            service("q2", START + 65 * DAY, "inquiry", "case-2"),
            wish("w1", START + 66 * DAY, "made", "W1"),
            cart("k1", START + 70 * DAY, "add", "lj-50", quantity=2),
            cart("k2", START + 70 * DAY + 1, "add", "cup", quantity=1),
        ]
    )  # fmt: skip
    for number in range(8):
        issued = START + (62 + number) * DAY
        state.coupons.append(
            Coupon(f"t{number}", "abandoned-cart", issued, issued + DAY)
            if number % 2
            else Coupon(f"t{number}", "harvest-2024", issued, issued + 30 * DAY)
        )
    return state


def stranger() -> CustomerState:
    """Somebody of whom nothing but a click is known."""
    return fold_all([click("c1", START, "view")])


def described(
    state: CustomerState, days: int = 110, shop: ShopSettings | None = SHOP
) -> dict[str, Any]:
    """``state`` as the page gets it, ``days`` after the first event."""
    return {"partition": 3, "seq": 7, **describe(state, shop, START + days * DAY)}


def hostile() -> CustomerState:
    """Somebody who writes to terminals wherever text is theirs."""
    state = new_state("shop", HOSTILE)
    events = [
        profile("p", START, "updated", region=HOSTILE, tags=[HOSTILE]),
        cart("k", START, "add", HOSTILE),
        order("o", START, HOSTILE, "paid", amount_paid=1),
        service("q", START, "complaint", HOSTILE),
    ]
    return fold_all(events, state)
