"""For services that send events to a shop's topics, and our own sources of events."""

from producers.client import EventSender, ShopEvents
from producers.errors import (
    BrokerUnreachableError,
    BufferFullError,
    ClosedError,
    DeadlineError,
    DeliveryError,
    FailedDelivery,
    InvalidEventError,
    ProducerError,
)

__all__ = [
    "BrokerUnreachableError",
    "BufferFullError",
    "ClosedError",
    "DeadlineError",
    "DeliveryError",
    "EventSender",
    "FailedDelivery",
    "InvalidEventError",
    "ProducerError",
    "ShopEvents",
]
