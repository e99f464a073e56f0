"""A customer's cart: its lines now, and the log of what changed it, from which lines follow.

The rules are docs/decisions/0002: facts apply in the order (time, cart events before orders, event
id), whatever the order of their arrival. So the newest facts are kept as a sorted log; a fact that
arrives last in that order is applied to the lines at once, any other is inserted and the log
applied again. Facts that leave the log are applied to ``base`` for good: one that is later still no
longer moves the lines (it is counted all the same).
"""

from bisect import bisect_left, insort
from hashlib import blake2b, sha256
from typing import NamedTuple

import msgspec

from streams.domain.duplicates import find

ADD, REMOVE, SET, CLEAR, ORDER = range(5)
ACTION_NUMBERS = {"add": ADD, "remove": REMOVE, "set": SET, "clear": CLEAR}

#: Facts of the log, and the UTF-8 bytes of their strings (8 KB: a hundred facts with UUIDs for
#: ids).
LOG_FACTS = 128
LOG_BYTES = 8_000
#: Lines of a cart, and the UTF-8 bytes of their strings; the one longest without an ``add`` or
#: ``set`` leaves first (and after three days it is in no occasion any more).
LINES = 60
LINES_BYTES = 4_000
#: A line's attributes longer than this together (UTF-8) are replaced by their SHA-256.
ATTRIBUTES_BYTES = 512
#: Facts this far behind the clock leave the log when timers fire, ms: later than that nothing is
#: placed.
LOG_AGE = 7 * 86_400_000

SKU_HASH_BYTES = 8
#: Sorted by name, flat: name, value, name, value, ...
Attributes = tuple[str, ...]


class CartFact(NamedTuple):
    """One thing that happened to the cart; compares in the order of 0002."""

    time: int
    #: 0 for a cart event, 1 for an order.
    is_order: int
    event_id: str
    #: ADD, REMOVE, SET, CLEAR or ORDER.
    action: int
    #: Of an order: its order id.
    sku: str
    attributes: Attributes
    quantity: int
    #: Of an order: the 8-byte hashes of its skus, joined.
    goods: bytes
    #: Its occasion has fired, or its due time has passed: it is never armed again.
    settled: int


class Line(msgspec.Struct, array_like=True, gc=False):
    """``since`` (ms) is the time of the last ``add`` or ``set``."""

    sku: str
    attributes: Attributes
    quantity: int
    since: int


class Cart(msgspec.Struct, array_like=True, gc=False):
    """The counts are of cart events ever folded."""

    adds: int = 0
    removes: int = 0
    sets: int = 0
    clears: int = 0
    #: The lines after all facts.
    lines: list[Line] = []
    #: The newest facts, sorted.
    log: list[CartFact] = []
    #: UTF-8 bytes of the log's strings.
    log_bytes: int = 0
    #: The lines before the log's first fact.
    base: list[Line] = []
    #: The newest fact that is in ``base``: (time, is_order, event id).
    compacted: tuple[int, int, str] | None = None
    #: Due times (ms, sorted) at which an occasion stands, or could again if an order turned out
    #: otherwise.
    waiting: list[int] = []


def line_attributes(attributes: dict[str, str]) -> Attributes:
    """The attributes of a line, sorted by name; overlong ones as ``("sha256", hex digest)``."""
    if not attributes:
        return ()
    flat = tuple(part for name in sorted(attributes) for part in (name, attributes[name]))
    encoded = "\0".join(flat).encode()
    if len(encoded) <= ATTRIBUTES_BYTES:
        return flat
    return ("sha256", sha256(encoded).hexdigest())


def sku_hash(sku: str) -> bytes:
    """The 8 bytes by which an order's fact knows a sku."""
    return blake2b(sku.encode(), digest_size=SKU_HASH_BYTES).digest()


def is_repeat(cart: Cart, time: int, action: int, sku: str, attributes: Attributes) -> bool:
    """Whether the log has this line's action at this time: the natural key of a cart event."""
    log = cart.log
    if not log or time > log[-1].time:
        return False
    at = bisect_left(log, (time,))
    while at < len(log) and log[at].time == time:
        fact = log[at]
        if fact.action == action and fact.sku == sku and fact.attributes == attributes:
            return True
        at += 1
    return False


def find_order(cart: Cart, order_id: str) -> CartFact | None:
    """The fact of an order, while it is in the log."""
    for fact in cart.log:
        if fact.action == ORDER and fact.sku == order_id:
            return fact
    return None


def apply(lines: list[Line], fact: CartFact) -> bool:
    """Apply one fact to ``lines``, in place; whether it is a change (0002)."""
    action = fact.action
    if action == ORDER:
        goods = fact.goods
        kept = [line for line in lines if find(goods, sku_hash(line.sku), SKU_HASH_BYTES) < 0]
        if len(kept) == len(lines):
            return False
        lines[:] = kept
        return True
    if action == CLEAR:
        lines.clear()
        return True
    sku, attributes = fact.sku, fact.attributes
    for index, line in enumerate(lines):
        if line.sku == sku and line.attributes == attributes:
            if action == REMOVE:
                line.quantity -= fact.quantity
                if line.quantity <= 0:
                    del lines[index]
            else:
                line.quantity = fact.quantity + (line.quantity if action == ADD else 0)
                line.since = fact.time
            return True
    if action != REMOVE:
        lines.append(Line(sku, attributes, fact.quantity, fact.time))
        _bound(lines)
    return True


def _bound(lines: list[Line]) -> None:
    size = sum(_weight(line.sku, line.attributes) for line in lines)
    while len(lines) > LINES or size > LINES_BYTES:
        oldest = min(lines, key=_since)
        size -= _weight(oldest.sku, oldest.attributes)
        lines.remove(oldest)


def _since(line: Line) -> int:
    return line.since


def insert(cart: Cart, fact: CartFact) -> bool:
    """Put a fact into the log, at its place; False where that place has left the log.

    The caller brings ``lines`` and ``waiting`` up to date and then calls ``compact``.
    """
    if cart.compacted is not None and fact[:3] <= cart.compacted:
        return False
    log = cart.log
    if log and fact < log[-1]:
        insort(log, fact)
    else:
        log.append(fact)
    cart.log_bytes += _fact_weight(fact)
    return True


def withdraw(cart: Cart, fact: CartFact) -> None:
    """Take a fact out of the log again: an order that turns out to have been earlier."""
    cart.log.remove(fact)
    cart.log_bytes -= _fact_weight(fact)


def compact(cart: Cart, older_than: int | None = None) -> int | None:
    """Move the oldest facts into ``base``: those beyond the bounds, or before ``older_than`` (ms).

    Returns the time of the newest fact that was moved, None where none was.
    """
    log = cart.log
    count = 0
    size = cart.log_bytes
    while count < len(log) and (
        len(log) - count > LOG_FACTS
        or size > LOG_BYTES
        or (older_than is not None and log[count].time < older_than)
    ):
        size -= _fact_weight(log[count])
        apply(cart.base, log[count])
        count += 1
    if not count:
        return None
    newest = log[count - 1]
    cart.compacted = newest[:3]
    cart.log_bytes = size
    del log[:count]
    return newest.time


def copy_lines(lines: list[Line]) -> list[Line]:
    return [Line(line.sku, line.attributes, line.quantity, line.since) for line in lines]


def replay(cart: Cart) -> list[Line]:
    """The lines after all facts of the log."""
    lines = copy_lines(cart.base)
    for fact in cart.log:
        apply(lines, fact)
    return lines


def _fact_weight(fact: CartFact) -> int:
    return _utf8(fact.event_id) + len(fact.goods) + _weight(fact.sku, fact.attributes)


def _weight(sku: str, attributes: Attributes) -> int:
    weight = _utf8(sku)
    for part in attributes:
        weight += _utf8(part) + 2
    return weight


def _utf8(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
