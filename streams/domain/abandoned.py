"""When is a cart abandoned? The occasions of docs/decisions/0002, from a cart's log of facts.

A change with a non-empty content is due 30 minutes later. Of those not settled yet
- one followed by a cart event before it is due is dropped for good, since cart events are always
  changes;
- one followed only by orders that took lines out is dropped too, but stands again should a late
  fact show that the order took nothing; its due time is waited for, so that it settles on time;
- the others stand, and fire when due.
"""

from typing import NamedTuple

from streams.domain.cart import (
    LOG_AGE,
    Cart,
    CartFact,
    Line,
    apply,
    compact,
    copy_lines,
    insert,
    replay,
    withdraw,
)

#: From a change to its occasion, ms (30 minutes).
WAIT = 30 * 60_000
#: A line whose last ``add`` or ``set`` is this long ago is in no content, ms (3 days).
CONTENT_AGE = 3 * 86_400_000


class Candidate(NamedTuple):
    """An unsettled change with content: its place in the log, and whether its occasion stands."""

    position: int
    due: int
    stands: bool


class Abandonment(NamedTuple):
    """A standing occasion: due time in ms, its text (0002) and how many lines it has."""

    due: int
    text: str
    lines: int


def place(cart: Cart, fact: CartFact) -> None:
    """Bring a new fact to its place, and lines, due times and bounds up to date."""
    last = not cart.log or fact > cart.log[-1]
    if not insert(cart, fact):
        return
    if last:
        _append(cart, fact)
    else:
        _recompute(cart)
    _bound(cart)


def move(cart: Cart, old: CartFact, new: CartFact) -> None:
    """An order of the log turns out to have been earlier: ``new`` takes the place of ``old``."""
    withdraw(cart, old)
    insert(cart, new)
    _recompute(cart)
    _bound(cart)


def take(cart: Cart, until: int) -> list[Abandonment]:
    """Remove and return, by due time, what stands and is due at ``until`` (ms) or before.

    Every change due by then is settled, whether it stood or not: later facts never bring it back.
    """
    due = [candidate for candidate in _candidates(cart) if candidate.due <= until]
    taken = _describe(cart, [candidate for candidate in due if candidate.stands])
    for index, _, _ in due:
        cart.log[index] = cart.log[index]._replace(settled=1)
    waiting = cart.waiting
    while waiting and waiting[0] <= until:
        del waiting[0]
    compact(cart, older_than=until - LOG_AGE)
    return taken


def standing(cart: Cart) -> list[Abandonment]:
    """The occasions that stand now, by due time, without taking them."""
    return _describe(cart, [candidate for candidate in _candidates(cart) if candidate.stands])


def _append(cart: Cart, fact: CartFact) -> None:
    waiting = cart.waiting
    if not fact.is_order:
        # Dropped for good: it comes after all changes, and before these are due.
        while waiting and waiting[-1] > fact.time:
            waiting.pop()
    if apply(cart.lines, fact) and _content(cart.lines, fact.time):
        waiting.append(fact.time + WAIT)


def _recompute(cart: Cart) -> None:
    cart.lines = replay(cart)
    cart.waiting = [candidate.due for candidate in _candidates(cart)]


def _bound(cart: Cart) -> None:
    moved = compact(cart)
    # An occasion whose change has left the log can no longer be told, so it is given up. That takes
    # 128 further changes before the clock passes its due time.
    if moved is not None and cart.waiting and cart.waiting[0] <= moved + WAIT:
        cart.waiting = [candidate.due for candidate in _candidates(cart)]


def _candidates(cart: Cart) -> list[Candidate]:
    """The unsettled changes with content that are not dropped for good, by due time."""
    lines = copy_lines(cart.base)
    found: list[Candidate] = []
    for index, fact in enumerate(cart.log):
        if apply(lines, fact):
            at = len(found)
            while at and found[at - 1].due > fact.time:
                at -= 1
            if fact.is_order:
                found[at:] = [candidate._replace(stands=False) for candidate in found[at:]]
            else:
                del found[at:]
            if not fact.settled and _content(lines, fact.time):
                found.append(Candidate(index, fact.time + WAIT, True))
    return found


def _describe(cart: Cart, candidates: list[Candidate]) -> list[Abandonment]:
    """The candidates with their contents, by applying the log once more."""
    if not candidates:
        return []
    due_of = {candidate.position: candidate.due for candidate in candidates}
    lines = copy_lines(cart.base)
    described = []
    for index in range(candidates[-1].position + 1):
        fact = cart.log[index]
        apply(lines, fact)
        if index in due_of:
            content = _content(lines, fact.time)
            described.append(Abandonment(due_of[index], occasion_text(content), len(content)))
    return described


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
