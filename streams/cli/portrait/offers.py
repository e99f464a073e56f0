"""What a customer was offered, and what they did with it."""

from collections.abc import Callable, Iterator
from typing import Any

from streams.cli.portrait.words import Words
from streams.query.known import Known

#: Offers on the page, the newest ones.
SHOWN = 6


def offers(
    coupons: list[dict[str, Any]],
    known: Known | None,
    words: Words,
    moment: Callable[[str | None], str],
) -> Iterator[tuple[str, str]]:
    """A line for each of the newest ``coupons``; ``moment`` says a time for people."""
    if not coupons:
        yield "", words("no_offers")
    for coupon in reversed(coupons[-SHOWN:]):
        until = words("until", moment=moment(coupon["valid_until"]))
        response = _response(coupon["trigger_id"], known, words)
        yield moment(coupon["issued_at"]), f"{words.name(coupon['campaign'])}: {until}; {response}"
    if len(coupons) > SHOWN:
        yield "", words("earlier", count=len(coupons) - SHOWN)


def _response(trigger_id: str, known: Known | None, words: Words) -> str:
    found = known.responses.get(trigger_id) if known else None
    if found is None:
        return words("response_unknown")
    if found.redeemed_in:
        return words("redeemed", order=found.redeemed_in)
    if found.ordered:
        return words("ordered_after", order=found.ordered)
    return words("no_order_after")
