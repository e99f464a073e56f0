"""A customer's cart: its lines now, and the log of what changed it, from which lines follow.

The rules are docs/decisions/0002: facts apply in the order (time, cart events before orders, event
id), whatever the order of their arrival. So the newest facts are kept as a log in that order. Most
facts arrive last in it: they are applied to the lines and appended, as bytes, without reading the
log. Any other is inserted and the log applied again from its ``base`` (streams.domain.abandoned).

Facts that leave the log are applied to ``base`` for good: one that is later still no longer moves
the lines (it is counted all the same).
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from streams.domain.duplicates import find
from streams.domain.names import name_hash

ADD, REMOVE, SET, CLEAR, ORDER = range(5)
ACTION_NUMBERS = {"add": ADD, "remove": REMOVE, "set": SET, "clear": CLEAR}

#: Facts and bytes of the log (forty-seven facts with UUIDs for ids). Beyond either ...
LOG_FACTS = 64
LOG_BYTES = 2_150
#: ... the oldest leave until it has these, so that it is not read again for each of the next facts.
LOG_FACTS_KEPT = 56
LOG_BYTES_KEPT = 1_850
#: Facts this far behind the clock leave the log when timers fire, ms: later ones are not placed.
LOG_AGE = 7 * 86_400_000
#: Lines of a cart, and the UTF-8 bytes of their strings; the one longest without an ``add`` or
#: ``set`` leaves first (and after three days it is in no occasion any more).
LINES = 50
LINES_BYTES = 1_300
#: A line's attributes longer than this together (UTF-8) are replaced by their SHA-256.
ATTRIBUTES_BYTES = 512

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
    #: 1: its occasion has fired, or its due time has passed, so it is never armed again.
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
    #: Due times (ms, sorted) of the changes that are not settled and not dropped for good.
    waiting: list[int] = []
    #: Time of the newest fact, ms.
    newest: int | None = None
    #: The newest facts in order, each a msgpack array, joined.
    log: bytes = b""
    log_facts: int = 0
    #: The lines before the log's first fact, as a msgpack array; empty: none.
    base: bytes = b""
    #: The newest fact that is in ``base``: (time, is_order, event id).
    compacted: tuple[int, int, str] | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode_facts = msgspec.msgpack.Decoder(list[CartFact]).decode
_decode_lines = msgspec.msgpack.Decoder(list[Line]).decode
#: First byte of a msgpack array with a 32-bit length.
_ARRAY_32 = b"\xdd"


def read_log(cart: Cart) -> list[CartFact]:
    """The facts of the log, in order."""
    return _decode_facts(_ARRAY_32 + cart.log_facts.to_bytes(4, "big") + cart.log)


def write_log(cart: Cart, facts: list[CartFact]) -> None:
    """Replace the log by ``facts``."""
    cart.log = b"".join(map(_encode, facts))
    cart.log_facts = len(facts)


def fact_sizes(facts: list[CartFact]) -> list[int]:
    """The bytes that each of ``facts`` takes in the log."""
    return [len(_encode(fact)) for fact in facts]


def append_to_log(cart: Cart, fact: CartFact) -> None:
    """Add a fact that comes after all others."""
    cart.log += _encode(fact)
    cart.log_facts += 1


def read_base(cart: Cart) -> list[Line]:
    """The lines before the log's first fact; the caller's to change."""
    return _decode_lines(cart.base) if cart.base else []


def write_base(cart: Cart, lines: list[Line]) -> None:
    """Replace the lines before the log's first fact."""
    cart.base = _encode(lines) if lines else b""


def line_attributes(attributes: dict[str, str], most: int = ATTRIBUTES_BYTES) -> Attributes:
    """The attributes of a line, sorted by name; those of more than ``most`` bytes together as
    ``("sha256", hex digest)``.
    """
    if not attributes:
        return ()
    flat = tuple(part for name in sorted(attributes) for part in (name, attributes[name]))
    encoded = "\0".join(flat).encode()
    if len(encoded) <= most:
        return flat
    return ("sha256", sha256(encoded).hexdigest())


def sku_hash(sku: str) -> bytes:
    """The 8 bytes by which an order's fact knows a sku."""
    return name_hash(sku, SKU_HASH_BYTES)


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
        drop_oldest(lines)
    return True


def drop_oldest(lines: list[Line]) -> int:
    """Bring ``lines``, in place, within the bounds; how many had to leave."""
    before, weight = len(lines), _weight(lines)
    while len(lines) > LINES or weight > LINES_BYTES:
        index = min(range(len(lines)), key=lambda at: (lines[at].since, at))
        weight -= _weight(lines[index : index + 1])
        del lines[index]
    return before - len(lines)


def _weight(lines: Sequence[Line]) -> int:
    """The bytes that the strings of ``lines`` take; two more for each of an attribute."""
    # Joined first, since this is asked for with every line that is added.
    parts = [part for line in lines for part in line.attributes]
    skus = [line.sku for line in lines]
    return len("".join(skus + parts).encode()) + 2 * len(parts)
