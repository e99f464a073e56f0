"""The events of the customer topics, as one type, and of all that upstream services write."""

from schemas.cart import CartEvent
from schemas.click import ClickEvent
from schemas.order import OrderEvent
from schemas.product import ProductEvent
from schemas.profile import ProfileEvent
from schemas.review import ReviewEvent
from schemas.service import ServiceEvent
from schemas.wish import WishEvent

CustomerEvent = (
    ClickEvent | CartEvent | OrderEvent | ReviewEvent | ServiceEvent | WishEvent | ProfileEvent
)
UpstreamEvent = CustomerEvent | ProductEvent
