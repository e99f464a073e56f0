"""For the tests of upstream services: an EventSender that records in memory what it is sent.

It refuses what ShopEvents refuses and writes the same bytes, without a broker. One contract suite
(tests/producers/test_client_contract.py) runs against both.
"""

from typing import NamedTuple, Self

from producers.checking import Checker
from producers.client import FLUSH_SECONDS
from producers.errors import ClosedError, DeliveryError, FailedDelivery
from schemas.events import UpstreamEvent


class RecordedEvent(NamedTuple):
    """An acknowledged event, and what Kafka would hold of it."""

    event: UpstreamEvent
    topic: str
    key: bytes
    value: bytes


class RecordedShopEvents:
    """Records events as ``ShopEvents`` would send them; an event is acknowledged at once.

    >>> sender = RecordedShopEvents()
    >>> sender.recorded
    []
    """

    def __init__(self, *, prefix: str = "") -> None:
        #: Acknowledged events, in the order of the calls.
        self.recorded: list[RecordedEvent] = []
        self._prefix = prefix
        self._checker = Checker()
        self._closed = False
        self._failed: list[FailedDelivery] = []
        self._cause: BaseException | None = None

    @property
    def events(self) -> list[UpstreamEvent]:
        """The acknowledged events alone."""
        return [recorded.event for recorded in self.recorded]

    def fail_next(self, cause: BaseException) -> None:
        """Makes the delivery of the next event fail with ``cause``, as Kafka's refusal would."""
        self._cause = cause

    def send(self, event: UpstreamEvent) -> None:
        """As ``ShopEvents.send``: raises InvalidEventError, ClosedError and DeliveryError."""
        record = self._checker.event(event)
        if self._closed:
            raise ClosedError("this producer was closed; make a new one to send more")
        self._raise_failed()
        topic = self._prefix + record.topic
        if self._cause is not None:
            self._failed.append(FailedDelivery(event, topic, self._cause))
            self._cause = None
        else:
            self.recorded.append(RecordedEvent(event, topic, record.key, record.value))

    def flush(self, timeout: float = FLUSH_SECONDS) -> None:  # nothing waits
        """As ``ShopEvents.flush``: raises DeliveryError for events that were made to fail."""
        self._raise_failed()

    def close(self, timeout: float = FLUSH_SECONDS) -> None:  # nothing waits
        """As ``ShopEvents.close``; calls after the first do nothing."""
        if not self._closed:
            self._closed = True
            self._raise_failed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _raise_failed(self) -> None:
        if self._failed:
            failed, self._failed = self._failed, []
            raise DeliveryError(failed)
