"""Triggers for people: why one was issued, and what it promises."""

from schemas.trigger import Offer, Trigger

#: Campaign -> what a view calls it.
TITLES = {
    "abandoned-cart": "Abandoned cart",
    "second-order": "Second order",
    "bad-review": "Bad review",
}


def because(trigger: Trigger) -> str:
    """Why it was issued, in words.

    >>> from schemas.trigger import Why
    >>> why = [Why(rule="rating_at_most", value=1, threshold=2)]
    >>> because(Trigger(trigger_id="t", shop_id="s", customer_id="c", kind="coupon_issued",
    ...                 campaign="bad-review", campaign_version="1", why=why))
    'a review of 1 star'
    """
    found = {why.rule: why.value for why in trigger.why}
    match trigger.campaign:
        case "abandoned-cart" if {"cart_lines", "cart_idle_minutes"} <= found.keys():
            things = _counted(found["cart_lines"], "thing")
            return f"{things} left in the cart for {found['cart_idle_minutes']} min"
        case "second-order":
            return "the first order paid"
        case "bad-review" if "rating_at_most" in found:
            return f"a review of {_counted(found['rating_at_most'], 'star')}"
    return ", ".join(f"{why.rule} {why.value} (limit {why.threshold})" for why in trigger.why)


def promise(offer: Offer | None) -> str:
    """What the coupon is worth.

    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 1, 1, tzinfo=UTC)
    >>> promise(Offer(kind="percent", value=10, max_value=3000, min_spend=9900,
    ...               valid_from=day, valid_until=day))
    '10 % off from ¥99, at most ¥30'
    """
    if offer is None:
        return ""
    worth = f"{offer.value} % off" if offer.kind == "percent" else f"{_yuan(offer.value)} off"
    if offer.min_spend:
        worth += f" from {_yuan(offer.min_spend)}"
    if offer.max_value is not None:
        worth += f", at most {_yuan(offer.max_value)}"
    return worth


def _counted(count: str | int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _yuan(fen: int) -> str:
    """Minor units as people write them; the demo's shops sell in yuan."""
    return f"¥{fen // 100}" if fen % 100 == 0 else f"¥{fen / 100:.2f}"
