"""When is a cart abandoned? The occasions of docs/decisions/0002, from a cart's log of facts.

A change is due 30 minutes later; with a non-empty content it is an occasion. Of those not settled

- one followed by a cart event before it is due is dropped for good: cart events are always changes;
- one followed by an order that took lines out is dropped too, but stands again should a late fact
  show that the order took nothing;
- one without content is no occasion, but becomes one should a late fact add to the cart before it;
- the others stand, and fire when due.

The due times of all but the first kind are waited for: what has passed its due time is settled, and
nothing later arms it again.
"""

from bisect import bisect_left, insort
from typing import NamedTuple

from streams.domain.cart import (
    LOG_AGE,
    LOG_BYTES,
    LOG_BYTES_KEPT,
    LOG_FACTS,
    LOG_FACTS_KEPT,
    ORDER,
    Cart,
    CartFact,
    Line,
    append_to_log,
    apply,
    drop_oldest,
    fact_sizes,
    read_base,
    read_log,
    write_base,
    write_log,
)

#: From a change to its occasion, ms (30 minutes).
WAIT = 30 * 60_000
#: A line whose last ``add`` or ``set`` is this long ago is in no content, ms (3 days).
CONTENT_AGE = 3 * 86_400_000


class Abandonment(NamedTuple):
    """A standing occasion: due time in ms, its text (0002) and how many lines it has."""

    due: int
    text: str
    lines: int


class _Candidate(NamedTuple):
    """An unsettled change: its place in the log, and whether an occasion stands."""

    position: int
    due: int
    stands: bool


def place(cart: Cart, fact: CartFact) -> bool:
    """Bring a new fact to its place, and lines, due times and bounds up to date.

    False for a cart event whose natural key (time, action, line) the log has: nothing is changed.
    """
    if cart.newest is None or fact.time > cart.newest:
        _append(cart, fact)
        return True
    if cart.compacted is not None and fact[:3] <= cart.compacted:
        return True
    facts = read_log(cart)
    if not fact.is_order and _has_key(facts, fact):
        return False
    insort(facts, fact)
    rebuild(cart, facts)
    return True


def place_earlier(cart: Cart, fact: CartFact) -> None:
    """Another event of an order of which a fact was placed already: the earliest one counts."""
    facts = read_log(cart)
    for at, known in enumerate(facts):
        if known.action == ORDER and known.sku == fact.sku:
            if fact[:3] < known[:3]:
                del facts[at]
                if cart.compacted is None or fact[:3] > cart.compacted:
                    insort(facts, fact._replace(settled=known.settled))
                rebuild(cart, facts)
            return


def take(cart: Cart, until: int) -> list[Abandonment]:
    """Remove and return, by due time, what stands and is due at ``until`` (ms) or before.

    Every change due by then is settled, whether it stood or not: nothing later brings it back.
    """
    facts = read_log(cart)
    base = read_base(cart)
    due = [candidate for candidate in _candidates(cart, facts) if candidate.due <= until]
    taken = _contents(cart, facts, [candidate for candidate in due if candidate.stands])
    for position, _, _ in due:
        facts[position] = facts[position]._replace(settled=1)
    old = bisect_left(facts, (until - LOG_AGE,))
    move_to_base(cart, base, facts, old)
    write_log(cart, facts)
    cart.waiting = [moment for moment in cart.waiting if moment > until]
    return taken


def standing(cart: Cart) -> list[Abandonment]:
    """The occasions that stand now, by due time, without taking them."""
    facts = read_log(cart)
    candidates = _candidates(cart, facts)
    return _contents(cart, facts, [candidate for candidate in candidates if candidate.stands])


def _has_key(facts: list[CartFact], fact: CartFact) -> bool:
    at = bisect_left(facts, (fact.time,))
    while at < len(facts) and facts[at].time == fact.time:
        known = facts[at]
        if (known.action, known.sku, known.attributes) == (fact.action, fact.sku, fact.attributes):
            return True
        at += 1
    return False


def _append(cart: Cart, fact: CartFact) -> None:
    """The usual case: a fact after all others."""
    cart.newest = fact.time
    waiting = cart.waiting
    if not fact.is_order:
        # Dropped for good: it comes after all changes, and before these are due.
        while waiting and waiting[-1] > fact.time:
            waiting.pop()
    if apply(cart.lines, fact):
        waiting.append(fact.time + WAIT)
    append_to_log(cart, fact)
    if cart.log_facts > LOG_FACTS or len(cart.log) > LOG_BYTES:
        _bound(cart)


def rebuild(cart: Cart, facts: list[CartFact]) -> None:
    """The general case: the log has changed somewhere; ``facts`` are it now, in order."""
    lines = read_base(cart)
    for fact in facts:
        apply(lines, fact)
    cart.lines = lines
    cart.waiting = [candidate.due for candidate in _candidates(cart, facts)]
    write_log(cart, facts)
    if cart.log_facts > LOG_FACTS or len(cart.log) > LOG_BYTES:
        _bound(cart)


def bound_anew(cart: Cart) -> None:
    """Bring a cart of version 1 or 2 within today's bounds: it may have more than twice as much.

    The earliest due time stays, since Redis has it, and the latest; one may pass without an occasion.
    """
    base = read_base(cart)
    too_many = drop_oldest(base) + drop_oldest(list(cart.lines))
    if not too_many and len(cart.log) <= LOG_BYTES and cart.log_facts <= LOG_FACTS:
        return
    facts = read_log(cart)
    waiting = cart.waiting
    write_base(cart, base)
    rebuild(cart, facts)
    cart.waiting = [*waiting[:1], *waiting[1:][-LOG_FACTS + 1 :]]


def _bound(cart: Cart) -> None:
    facts = read_log(cart)
    sizes = fact_sizes(facts)
    leaving, size = 0, sum(sizes)
    while len(facts) - leaving > LOG_FACTS_KEPT or size > LOG_BYTES_KEPT:
        size -= sizes[leaving]
        leaving += 1
    move_to_base(cart, read_base(cart), facts, leaving)
    write_log(cart, facts)
    # An occasion whose change has left the log can no longer be told, so it is given up. That takes
    # some fifty further changes, or orders of some 400 skus, before the clock passes its due time.
    cart.waiting = [candidate.due for candidate in _candidates(cart, facts)]


def move_to_base(cart: Cart, base: list[Line], facts: list[CartFact], count: int) -> None:
    """Apply the first ``count`` facts to the base for good and remove them from ``facts``."""
    if not count:
        return
    for fact in facts[:count]:
        apply(base, fact)
    cart.compacted = facts[count - 1][:3]
    del facts[:count]
    write_base(cart, base)


def _candidates(cart: Cart, facts: list[CartFact]) -> list[_Candidate]:
    """The unsettled changes that are not dropped for good, by due time."""
    lines = read_base(cart)
    found: list[_Candidate] = []
    for position, fact in enumerate(facts):
        if not apply(lines, fact):
            continue
        # The changes before this one that are not due yet at its time.
        at = len(found)
        while at and found[at - 1].due > fact.time:
            at -= 1
        if fact.is_order:
            found[at:] = [candidate._replace(stands=False) for candidate in found[at:]]
        else:
            del found[at:]
        if not fact.settled:
            oldest = fact.time - CONTENT_AGE
            stands = any(line.since > oldest for line in lines)
            found.append(_Candidate(position, fact.time + WAIT, stands))
    return found


def _contents(cart: Cart, facts: list[CartFact], candidates: list[_Candidate]) -> list[Abandonment]:
    """The candidates with their contents, by applying the log once more."""
    if not candidates:
        return []
    due_of = {candidate.position: candidate.due for candidate in candidates}
    lines = read_base(cart)
    found = []
    for position in range(candidates[-1].position + 1):
        fact = facts[position]
        apply(lines, fact)
        if position in due_of:
            content = _content(lines, fact.time)
            found.append(Abandonment(due_of[position], occasion_text(content), len(content)))
    return found


def _content(lines: list[Line], time: int) -> list[Line]:
    oldest = time - CONTENT_AGE
    return [line for line in lines if line.since > oldest]


def occasion_text(content: list[Line]) -> str:
    """``sku;name=value,name=value;quantity;since_ms`` of each line, sorted, joined by ``|``."""
    return "|".join(sorted(_line_text(line) for line in content))


def _line_text(line: Line) -> str:
    parts = line.attributes
    pairs = ",".join(f"{parts[at]}={parts[at + 1]}" for at in range(0, len(parts), 2))
    return f"{line.sku};{pairs};{line.quantity};{line.since}"
