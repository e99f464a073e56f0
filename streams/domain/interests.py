"""What a customer is interested in, and by what they came: what an event adds to it.

A click or a cart event is only noted: appended, as bytes, to a log of some twenty of them. When the log
is full, or somebody asks, it is worked into the summary (streams.domain.summary), which is bytes too. So
a click costs little more than writing it down, and a state is not read and written as hundreds of small
objects more with every event. The summary does not depend on the order of the events, so it does not
matter either when they are worked in.
"""

from collections.abc import Sequence

import msgspec

from schemas.cart import Cart
from schemas.click import Click
from schemas.order import Order
from streams.domain.attribution import attribute
from streams.domain.browsing import SESSION_GAP
from streams.domain.facts import BroughtBy, Fact, OrderAttributed
from streams.domain.names import NAME_BYTES, short
from streams.domain.summary import (
    ACTION_NUMBERS,
    AS_BEFORE,
    BY_POSITION,
    CART_ADD,
    CHANNEL_BITS,
    LAST_TOUCH,
    POINTS_USED,
    SEEN,
    VISIT,
    Entry,
    Summary,
    add_entries,
    bring,
    order_entries,
    session_hash,
)
from streams.domain.touches import NUMBERS, Touch, add_touch, read_touches

#: Characters that are never more than NAME_BYTES, at 4 bytes each.
_SHORT = NAME_BYTES // 4
#: Bytes of the log; beyond it the log is worked into the summary. Working it in costs much the same
#: however little there is of it, so the log may be longer where the summary is not: a state of the longest
#: names has LEAST_LOG_BYTES of it, any other nearly always LOG_BYTES.
LOG_BYTES, LEAST_LOG_BYTES = 1_024, 640
#: Bytes of both together, where the log is longer than the least.
BYTES = 3_600


class Visit(msgspec.Struct, array_like=True, gc=False):
    """What the newest clicks have in common; texts of at most 64 bytes."""

    session: str | None
    source: str | None
    region: str | None
    device: str | None
    #: Its earliest and latest click, ms.
    first: int
    last: int


class Interests(msgspec.Struct, array_like=True, gc=False):
    """``settled`` says what is in these bytes."""

    #: Msgpack of a Summary; empty: nothing yet.
    summary: bytes = b""
    #: Events since, msgpack arrays (Entry) joined, in the order of arrival.
    log: bytes = b""
    log_entries: int = 0
    #: That of the newest click, and of the next one that the log says nothing else of; None: no click yet.
    visit: Visit | None = None
    #: Bits of CHANNELS.
    channels: int = 0
    #: Packed: streams.domain.touches; without that of ``visit``.
    touches: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_decode_summary = msgspec.msgpack.Decoder(Summary).decode
_decode_log = msgspec.msgpack.Decoder(list[Entry]).decode
#: First byte of a msgpack array with a 32-bit length.
_ARRAY_32 = b"\xdd"


def fold_interest(interests: Interests, click: Click, time: int, owner: str) -> tuple[Fact, ...]:
    """Fold one click of ``owner`` at ``time`` (ms); a fact where it came by somebody not known before."""
    session, source, region = click.session_id, click.traffic_source, click.region
    device, visit = click.device_hash, interests.visit
    if (
        visit is not None
        and visit.session == session
        and visit.source == source
        and visit.region == region
        and visit.device == device
        and (session is not None or visit.first - SESSION_GAP < time < visit.last + SESSION_GAP)
    ):
        if time > visit.last:
            visit.last = time
        elif time < visit.first:
            visit.first = time
    else:
        interests.touches = packed_touches(interests)
        _begin_visit(interests, session, source, region, device, time)
    action, sku, channel = click.action, click.sku, click.channel
    # What the click is of, where it is of no product.
    word = click.page if sku is None else None
    if action == "search":
        word = click.keyword
    number = ACTION_NUMBERS[action]
    entry = (number, time, sku, click.category, click.price, click.dwell_ms, word)
    interests.log = log = interests.log + _encode(entry)
    interests.log_entries += 1
    if channel is not None:
        interests.channels |= CHANNEL_BITS[channel]
    if len(log) > LEAST_LOG_BYTES:
        _bound_log(interests, log)
    sharer = click.shared_by
    if sharer is None or sharer == owner:
        return ()
    summary = settled(interests)
    is_new = bring(summary, sharer, time)
    keep_summary(interests, summary)
    return (BroughtBy(sharer, sku or ""),) if is_new else ()


def fold_cart_interest(interests: Interests, data: Cart, time: int) -> None:
    """Fold one cart event that is no repeat."""
    if data.channel is not None:
        interests.channels |= CHANNEL_BITS[data.channel]
    if data.action == "add" and (data.category is not None or data.unit_price is not None):
        _note(interests, [(CART_ADD, time, None, data.category, data.unit_price, None, None)])


def fold_order_interest(interests: Interests, data: Order, time: int) -> OrderAttributed | None:
    """Fold a status that its order did not have; what a payment is owed to, where it is known.

    That is judged by the clicks folded before it: a later one changes nothing.
    """
    if data.channel is not None:
        interests.channels |= CHANNEL_BITS[data.channel]
    status = data.status
    if status not in ("placed", "paid"):
        return None
    entries = order_entries(data.lines, time)
    if data.region is not None or data.device_hash is not None:
        entries.append((SEEN, time, None, data.region, None, None, data.device_hash))
    found = None
    if status == "paid":
        if data.points_used is not None:
            entries.append((POINTS_USED, time, None, None, data.points_used, None, None))
        found = attribute(packed_touches(interests), time)
    if found is not None:
        entries.append((LAST_TOUCH, time, found.last, None, 1, None, None))
        entries += [
            (BY_POSITION, time, name, None, parts, None, None) for name, parts in found.shares
        ]
    _note(interests, entries)
    return None if found is None else OrderAttributed(data.order_id, found.last, found.shares)


def settled(interests: Interests) -> Summary:
    """The summary of all that was folded; ``interests`` stay as they are."""
    summary = _decode_summary(interests.summary) if interests.summary else Summary()
    if interests.log:
        header = _ARRAY_32 + interests.log_entries.to_bytes(4, "big")
        add_entries(summary, _decode_log(header + interests.log))
    return summary


def touches_of(interests: Interests) -> list[Touch]:
    """By what the customer came, by the beginning of the touches."""
    return read_touches(packed_touches(interests))


def packed_touches(interests: Interests) -> bytes:
    """The touches, packed, with that of the visit which is still going on."""
    visit = interests.visit
    if visit is None or visit.source is None:
        return interests.touches
    session, source = session_hash(visit.session), NUMBERS[visit.source]
    return add_touch(interests.touches, source, session, visit.first, visit.last)


def _note(interests: Interests, entries: Sequence[Entry]) -> None:
    """Append to the log, and work it in where it is full."""
    if entries:
        interests.log += b"".join(map(_encode, entries))
        interests.log_entries += len(entries)
        _bound_log(interests, interests.log)


def _bound_log(interests: Interests, log: bytes) -> None:
    """Work ``log``, which ``interests`` have, in where it is full."""
    size = len(log)
    if size > LEAST_LOG_BYTES and (size > LOG_BYTES or size + len(interests.summary) > BYTES):
        keep_summary(interests, settled(interests))


def keep_summary(interests: Interests, summary: Summary) -> None:
    """Take ``summary``, which has all that was noted, for what ``interests`` say."""
    interests.summary = _encode(summary)
    interests.log, interests.log_entries = b"", 0
    if interests.visit is not None:
        _note_visit(interests, interests.visit)


def _begin_visit(
    interests: Interests,
    session: str | None,
    source: str | None,
    region: str | None,
    device: str | None,
    time: int,
) -> None:
    """Note that the next clicks have something else in common."""
    # Most names are so short that they are kept whole in any script.
    if session is not None and len(session) > _SHORT:
        session = short(session, NAME_BYTES)
    if region is not None and len(region) > _SHORT:
        region = short(region, NAME_BYTES)
    if device is not None and len(device) > _SHORT:
        device = short(device, NAME_BYTES)
    before = interests.visit
    interests.visit = visit = Visit(session, source, region, device, time, time)
    if before is not None and before.region == region and before.device == device:
        # The visit before is in the log, which says these of it: most customers come from one place.
        _append(interests, (VISIT, time, session, None, AS_BEFORE, None, None))
    else:
        _note_visit(interests, visit)


def _note_visit(interests: Interests, visit: Visit) -> None:
    """Say in the log what the clicks after it have in common."""
    _append(interests, (VISIT, visit.first, visit.session, visit.region, None, None, visit.device))


def _append(interests: Interests, entry: Entry) -> None:
    interests.log += _encode(entry)
    interests.log_entries += 1
