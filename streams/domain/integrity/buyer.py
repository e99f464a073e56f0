"""What a buyer's state knows that tells a brushed order: looks, the newest orders, praise.

All of it is folded by minima, maxima, sums and marks that are only ever set, so neither the order of
arrival nor a repeat makes a difference, within the bounds.
"""

from struct import Struct

import msgspec

from schemas.exchange import SHARED, SharedOrder
from schemas.order import Order
from schemas.review import Review
from streams.domain.duplicates import find
from streams.domain.names import name_hash
from streams.domain.shop import hour_of_day

#: Products whose looks are known; the one first looked at leaves first. From then on nobody knows what
#: was never looked at, so no order that is folded later has that sign.
LOOKED_AT = 24
#: Orders whose signs are known; those without a verdict leave first, then the one first paid. A verdict
#: stays with its order (streams.domain.order BRUSHED), but nothing changes it any more.
MARKS = 12
#: Products of one order that are looked into: those with the lesser hashes. Brushers order one.
PRODUCTS = 2
SKU_BYTES = 4

#: hash of the sku, first look (s since 1970), seconds of all looks (_LONG: that many, or not known)
_LOOK = Struct("<4sIH")
LOOK_BYTES = _LOOK.size
_LONG = 65_535
_LATEST_S = 2**32 - 1

#: Flags of a product in an order: looked at before the order; nobody knows whether it was; its five
#: stars came with words or a photo, or were taken back.
VIEWED, VIEW_UNKNOWN, WORDED = 1, 2, 4


class ProductMark(msgspec.Struct, array_like=True, gc=False):
    """A product of an order. ``praised_at``: five stars without words, s; 0: none."""

    #: 4-byte hash
    sku: bytes
    flags: int = 0
    praised_at: int = 0
    #: Buyers and orders of the product from the same phone and address: schemas.exchange.SharedOrder.
    device_buyers: int = 0
    device_orders: int = 0
    address_buyers: int = 0
    address_orders: int = 0


class OrderMark(msgspec.Struct, array_like=True, gc=False):
    """An order as far as its signs need it. Times are s since 1970; 0: not yet."""

    #: streams.domain.orders.order_hash
    key: bytes
    paid_at: int = 0
    received_at: int = 0
    #: The hour (0-23) of the payment on the clock that the shop had then.
    hour: int = 0
    #: Points of the verdict that stands; 0: none does.
    verdict: int = 0
    products: list[ProductMark] = []


class BuyerIntegrity(msgspec.Struct, array_like=True, gc=False):
    """A buyer's looks, packed, sorted by hash, and marks."""

    looks: bytes = b""
    #: Whether a product's looks had to leave.
    looks_left: bool = False
    marks: list[OrderMark] = []
    #: Changes of verdicts so far: the number of the newest one.
    changes: int = 0


def see_view(buyer: BuyerIntegrity, sku: str, time: int, dwell_ms: int | None) -> bool:
    """Fold a look at ``sku`` at ``time`` (ms); whether an order's signs may be others now."""
    key, second = sku_key(sku), seconds(time)
    spent = _LONG if dwell_ms is None else min(round(dwell_ms / 1000), _LONG)
    _look(buyer, key, second, spent)
    touched = False
    for mark in buyer.marks:
        for product in mark.products:
            if product.sku == key:
                touched = True
                if mark.paid_at and second <= mark.paid_at:
                    product.flags |= VIEWED
    return touched


def see_order(
    buyer: BuyerIntegrity, key: bytes, data: Order, time: int, time_zone: str
) -> list[str]:
    """Fold a status of ``time`` (ms) of the order with hash ``key``; the products that it names."""
    second = seconds(time)
    if data.status == "received":
        mark = _mark(buyer, key)
        mark.received_at = min(mark.received_at or second, second)
        _keep(buyer, mark)
        return []
    if data.status not in ("placed", "paid"):
        return []
    mark = _mark(buyer, key)
    if data.status == "paid" and not mark.paid_at:
        mark.paid_at, mark.hour = second, hour_of_day(time, time_zone)
    skus = sorted({line.sku for line in data.lines}, key=sku_key)[:PRODUCTS]
    for sku in skus:
        _product(mark, sku_key(sku))
    if mark.paid_at:
        for product in mark.products:
            _recall_look(buyer, mark, product)
    _keep(buyer, mark)
    return skus


def see_review(buyer: BuyerIntegrity, key: bytes, data: Review, time: int) -> bool:
    """Fold what is said in a review of ``time`` (ms); whether an order's signs may be others now."""
    worded = bool(data.text) or data.photos > 0
    if data.action == "posted" and (data.rating != 5 or worded):
        return False
    if data.action not in ("posted", "removed", "shown") and not (
        data.action == "appended" and worded
    ):
        return False
    mark = _mark(buyer, key)
    product = _product(mark, sku_key(data.sku))
    if product is None:
        return False
    if data.action == "posted":
        product.praised_at = seconds(time)
    else:
        product.flags |= WORDED
    _keep(buyer, mark)
    return True


def take_shared(buyer: BuyerIntegrity, key: bytes, told: SharedOrder) -> bool:
    """Fold what a product told of the order with hash ``key``; whether anything is new."""
    sku = sku_key(told.sku)
    for mark in buyer.marks:
        for product in mark.products:
            if mark.key == key and product.sku == sku:
                before = (
                    product.device_buyers, product.device_orders, product.address_buyers,
                    product.address_orders,
                )  # fmt: skip
                heard = (
                    told.device_buyers, told.device_orders, told.address_buyers, told.address_orders,
                )  # fmt: skip
                after = tuple(min(max(pair), SHARED) for pair in zip(before, heard, strict=True))
                product.device_buyers, product.device_orders = after[:2]
                product.address_buyers, product.address_orders = after[2:]
                return after != before
    return False


def merge_buyers(buyer: BuyerIntegrity, other: BuyerIntegrity) -> None:
    """Bring what ``other`` knows into ``buyer``, in place: of two lives of one customer.

    All marks of both stay until ``bound_marks``: which of them leave goes by the verdicts on both lives.
    """
    buyer.looks_left = buyer.looks_left or other.looks_left
    buyer.changes = max(buyer.changes, other.changes)
    for key, first, spent in _LOOK.iter_unpack(other.looks):
        _look(buyer, key, first, spent)
    for theirs in other.marks:
        mark = _mark(buyer, theirs.key)
        if theirs.paid_at and (not mark.paid_at or theirs.paid_at < mark.paid_at):
            mark.paid_at, mark.hour = theirs.paid_at, theirs.hour
        received = [each for each in (mark.received_at, theirs.received_at) if each]
        mark.received_at = min(received, default=0)
        for their in theirs.products:
            product = _product(mark, their.sku)
            if product is not None:
                _merge_product(product, their)
        if not any(known is mark for known in buyer.marks):
            buyer.marks.append(mark)
    for mark in buyer.marks:
        for product in mark.products:
            look = look_at(buyer, product.sku)
            if mark.paid_at and look is not None and look[0] <= mark.paid_at:
                product.flags |= VIEWED


def _merge_product(product: ProductMark, other: ProductMark) -> None:
    product.flags |= other.flags
    product.praised_at = product.praised_at or other.praised_at
    product.device_buyers = max(product.device_buyers, other.device_buyers)
    product.device_orders = max(product.device_orders, other.device_orders)
    product.address_buyers = max(product.address_buyers, other.address_buyers)
    product.address_orders = max(product.address_orders, other.address_orders)


def look_at(buyer: BuyerIntegrity, sku: bytes) -> tuple[int, int] | None:
    """When a product was first looked at (s), and for how many seconds in all; None: not known."""
    at = find(buyer.looks, sku, LOOK_BYTES)
    if at < 0:
        return None
    _, first, spent = _LOOK.unpack_from(buyer.looks, at)
    return first, spent


def sku_key(sku: str) -> bytes:
    """The 4 bytes by which a buyer's state knows a product."""
    return name_hash(sku, SKU_BYTES)


def seconds(time: int) -> int:
    """``time`` (ms) as s since 1970, at least 1, so that 0 can stand for none."""
    return min(max(time // 1000, 1), _LATEST_S)


def _mark(buyer: BuyerIntegrity, key: bytes) -> OrderMark:
    """The order's mark, or a new one, which joins the others in ``_keep``."""
    return next((mark for mark in buyer.marks if mark.key == key), None) or OrderMark(key)


def _product(mark: OrderMark, sku: bytes) -> ProductMark | None:
    """The product in an order, put in where it is new; None: the order has too many others."""
    known = next((product for product in mark.products if product.sku == sku), None)
    if known is None:
        known = ProductMark(sku)
        mark.products = sorted([*mark.products, known], key=lambda each: each.sku)[:PRODUCTS]
        if not any(product is known for product in mark.products):
            return None
    return known


def _look(buyer: BuyerIntegrity, key: bytes, second: int, spent: int) -> None:
    looks = buyer.looks
    at = find(looks, key, LOOK_BYTES)
    if at >= 0:
        _, first, before = _LOOK.unpack_from(looks, at)
        packed = _LOOK.pack(key, min(first, second), min(before + spent, _LONG))
        buyer.looks = looks[:at] + packed + looks[at + LOOK_BYTES :]
        return
    buyer.looks = looks + _LOOK.pack(key, second, spent)
    if len(buyer.looks) > LOOKED_AT * LOOK_BYTES:
        _drop_look(buyer)


def _recall_look(buyer: BuyerIntegrity, mark: OrderMark, product: ProductMark) -> None:
    look = look_at(buyer, product.sku)
    if look is not None and look[0] <= mark.paid_at:
        product.flags |= VIEWED
    elif look is None and buyer.looks_left:
        product.flags |= VIEW_UNKNOWN


def _drop_look(buyer: BuyerIntegrity) -> None:
    entries = [(first, key, spent) for key, first, spent in _LOOK.iter_unpack(buyer.looks)]
    entries.remove(min(entries))
    buyer.looks = b"".join(_LOOK.pack(key, first, spent) for first, key, spent in entries)
    buyer.looks_left = True


def _keep(buyer: BuyerIntegrity, mark: OrderMark) -> None:
    if not any(known is mark for known in buyer.marks):
        buyer.marks.append(mark)
    bound_marks(buyer)


def bound_marks(buyer: BuyerIntegrity) -> None:
    """Let the marks beyond ``MARKS`` leave."""
    while len(buyer.marks) > MARKS:
        buyer.marks.remove(
            min(buyer.marks, key=lambda each: (each.verdict > 0, each.paid_at, each.key))
        )
