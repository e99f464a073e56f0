"""Carts of a visitor and a customer as one's: the facts of both in one log, applied again.

Where facts have left a log, what they made of the lines is added up, and facts of the other log from before
are applied to that: in the order in which they came they might have given other lines.
"""

from streams.domain.abandoned import move_to_base, rebuild
from streams.domain.cart import (
    ADD,
    CLEAR,
    ORDER,
    REMOVE,
    SET,
    Cart,
    CartFact,
    Line,
    drop_oldest,
    read_base,
    read_log,
    write_base,
)

_COUNTERS = {ADD: "adds", REMOVE: "removes", SET: "sets", CLEAR: "clears"}


def merge_cart(cart: Cart, other: Cart) -> Cart:
    """``cart`` with what ``other`` has, in place."""
    for counter in _COUNTERS.values():
        setattr(cart, counter, getattr(cart, counter) + getattr(other, counter))
    facts = _facts(cart, [*read_log(cart), *read_log(other)])
    base = _lines([*read_base(cart), *read_base(other)])
    write_base(cart, base)
    newest = [time for time in (cart.newest, other.newest) if time is not None]
    cart.newest = max(newest, default=None)
    compacted = [known for known in (cart.compacted, other.compacted) if known is not None]
    if compacted:
        last = max(compacted)
        move_to_base(cart, base, facts, sum(fact[:3] <= last for fact in facts))
        cart.compacted = last
    rebuild(cart, facts)
    return cart


def _facts(cart: Cart, facts: list[CartFact]) -> list[CartFact]:
    """In order, each natural key once: of a cart event its time, action and line, of an order its id."""
    kept: dict[object, CartFact] = {}
    for fact in sorted(facts):
        key: object = (fact.time, fact.action, fact.sku, fact.attributes)
        if fact.action == ORDER:
            key = fact.sku
        known = kept.get(key)
        if known is None:
            kept[key] = fact
            continue
        if fact.action != ORDER:
            counter = _COUNTERS[fact.action]
            setattr(cart, counter, getattr(cart, counter) - 1)
        if fact.settled:
            kept[key] = known._replace(settled=1)
    return sorted(kept.values())


def _lines(lines: list[Line]) -> list[Line]:
    merged: dict[object, Line] = {}
    for line in lines:
        known = merged.setdefault((line.sku, line.attributes), line)
        if known is not line:
            known.quantity += line.quantity
            known.since = max(known.since, line.since)
    together = list(merged.values())
    drop_oldest(together)
    return together
