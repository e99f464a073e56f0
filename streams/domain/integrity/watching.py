"""Where the folds meet the detector of brushed orders: what a buyer's state watches, tells and hears.

Only of shops whose settings judge orders (``brushing``). A state that is there already when its shop begins
to does not know what was looked at before, and says so (``BuyerIntegrity.looks_left``).
"""

from schemas.click import ClickEvent
from schemas.events import CustomerEvent
from schemas.exchange import OrderOfProduct, SharedOrder
from schemas.order import OrderEvent
from schemas.review import ReviewEvent
from streams.domain.facts import Fact, Forward
from streams.domain.integrity.buyer import (
    BuyerIntegrity,
    see_order,
    see_review,
    see_view,
    take_shared,
)
from streams.domain.integrity.product import ProductIntegrity, fold_order_of_product
from streams.domain.integrity.verdicts import judge_orders
from streams.domain.orders import order_hash
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState

_NOTHING: tuple[Fact, ...] = ()


def watch(
    state: CustomerState, event: CustomerEvent, time: int, settings: ShopSettings
) -> tuple[Fact, ...]:
    """Fold what ``event`` of ``time`` (ms) says of orders, and judge them; what products are to hear, and
    which verdicts changed.

    To be called once an order is in ``state.orders``, and before the event is in ``first_seen``.
    """
    buyer = state.integrity
    if buyer is None:
        buyer = state.integrity = BuyerIntegrity(looks_left=state.first_seen is not None)
    told: tuple[Fact, ...] = _NOTHING
    if isinstance(event, ClickEvent):
        click = event.data
        if click.action != "view" or not click.sku:
            return _NOTHING
        touched = see_view(buyer, click.sku, time, click.dwell_ms)
    elif isinstance(event, OrderEvent):
        data = event.data
        skus = see_order(buyer, order_hash(data.order_id), data, time, settings.time_zone)
        if data.device_hash or data.address_hash:
            body = OrderOfProduct(
                customer_id=state.customer_id,
                order_id=data.order_id,
                device_hash=data.device_hash,
                address_hash=data.address_hash,
            )
            told = tuple(Forward(sku, time, body) for sku in skus)
        touched = True
    elif isinstance(event, ReviewEvent):
        key = order_hash(event.data.order_id)
        touched = see_review(buyer, key, event.data, time)
    else:
        return _NOTHING
    return (*told, *judge_orders(state, time, settings)) if touched else told


def tell(state: CustomerState, body: OrderOfProduct, time: int) -> tuple[Fact, ...]:
    """Fold an order into the state of its product; what its buyers, and others', are to hear."""
    product = state.product_integrity
    if product is None:
        product = state.product_integrity = ProductIntegrity()
    sku = state.customer_id
    return tuple(
        Forward(told.visitor, time, told)
        for told in fold_order_of_product(product, sku, body, time)
    )


def hear(
    state: CustomerState, body: SharedOrder, time: int, settings: ShopSettings
) -> tuple[Fact, ...]:
    """Fold what a product told at ``time`` (ms) of an order; which verdicts changed. Nothing is left of an
    order of before an erasure.
    """
    buyer = state.integrity
    if buyer is not None and take_shared(buyer, order_hash(body.order_id), body):
        return judge_orders(state, time, settings)
    return _NOTHING
