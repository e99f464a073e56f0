"""Typed events from an upstream service into a shop's topics, by kafka-python."""

import threading
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol, Self

from kafka import KafkaProducer
from kafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

from producers.checking import CheckedRecord, Checker
from producers.errors import (
    BrokerUnreachableError,
    BufferFullError,
    ClosedError,
    DeadlineError,
    DeliveryError,
    FailedDelivery,
)
from schemas.events import UpstreamEvent

#: Seconds that ``flush`` and ``close`` wait unless told otherwise.
FLUSH_SECONDS: Final = 30.0
#: Seconds for the sending thread to end once it was told to give up.
_ABORT_SECONDS: Final = 5.0


class EventSender(Protocol):
    """What ``ShopEvents`` and its recorder for tests (producers.testing) both are.

    Code of an upstream service that takes an EventSender can be tested without a broker.
    """

    def send(self, event: UpstreamEvent) -> None:
        """Accepts an event for delivery, or raises."""

    def flush(self, timeout: float = FLUSH_SECONDS) -> None:
        """Blocks until every accepted event is acknowledged, or raises."""

    def close(self, timeout: float = FLUSH_SECONDS) -> None:
        """Flushes, then lets go of the connection."""


class ShopEvents:
    """Sends events: idempotent, acks=all, key = the subject (customer id or sku), placed by murmur2.

    >>> with ShopEvents("localhost:9092") as events:  # doctest: +SKIP
    ...     events.send(ClickEvent(specversion="1.0", id="1", source="web", subject="c1",
    ...                            time=datetime.now(UTC), data=Click(shop_id="s1", action="view")))

    - An event that its reader would refuse raises InvalidEventError from ``send``, naming the field.
    - ``send`` returns before the event is acknowledged; an event is safe once a later ``flush`` or
      ``close`` returned. Events of one customer arrive in the order of the calls, unless one fails.
    - At most ``max_buffered_events`` and ``max_buffered_bytes`` (keys and values) wait for their
      acknowledgement. While the buffer is full ``send`` blocks, ``block_timeout`` seconds at most.
    - An event that Kafka did not take within ``delivery_timeout`` seconds, or refused, is raised
      with its cause as DeliveryError by the next ``send``, ``flush`` or ``close``. Others that were
      waiting may fail with it; the next ``send`` after that begins anew.

    Thread-safe. Kafka's topics are ``prefix`` + shop.clicks and so on. ``kafka`` are further
    settings of kafka-python's KafkaProducer, as of SASL and TLS. The constructor blocks until a
    broker answers and raises BrokerUnreachableError after ``block_timeout``.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        prefix: str = "",
        client_id: str = "shop-events",
        max_buffered_events: int = 10_000,
        max_buffered_bytes: int = 32 * 1024 * 1024,
        block_timeout: float = 60.0,
        delivery_timeout: float = 120.0,
        linger: float = 0.005,
        kafka: Mapping[str, Any] | None = None,
    ) -> None:
        self._prefix = prefix
        self._bootstrap = bootstrap
        self._settings = {
            "client_id": client_id,
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": int(linger * 1000),
            "delivery_timeout_ms": int(delivery_timeout * 1000),
            # kafka-python wants a request to end before the delivery does.
            "request_timeout_ms": int(min(30.0, delivery_timeout / 2) * 1000),
            "max_block_ms": int(block_timeout * 1000),
            "bootstrap_timeout_ms": int(block_timeout * 1000),
            "allow_auto_create_topics": False,
            **(kafka or {}),
        }
        self._checker = Checker()
        self._max_events = max_buffered_events
        self._max_bytes = max_buffered_bytes
        self._block_timeout = block_timeout
        self._closed = False
        #: An event failed: kafka-python's idempotent producer may refuse all that follow.
        self._broken = False
        #: Accepted and not yet settled, by number; their keys and values are ``_bytes`` long.
        self._waiting: dict[int, _Waiting] = {}
        self._accepted = 0
        self._bytes = 0
        self._failed: list[FailedDelivery] = []
        self._changed = threading.Condition()
        # One call of kafka-python at a time, so that two threads cannot swap a customer's events
        # between the check and the queue.
        self._sending = threading.Lock()
        self._producer = self._connect()

    def send(self, event: UpstreamEvent) -> None:
        """Accepts ``event`` for delivery; blocks while the buffer is full.

        Raises InvalidEventError, ClosedError, BufferFullError, BrokerUnreachableError, or
        DeliveryError for events accepted earlier. In each case this event was not accepted, unless
        it is among the ``failed`` of the DeliveryError.
        """
        with self._sending:
            record = self._checker.event(event)
            if self._broken:
                self._begin_anew()
            waiting = _Waiting(event, self._prefix + record.topic, len(record.key + record.value))
            self._produce(self._take_room(waiting), record)

    def flush(self, timeout: float = FLUSH_SECONDS) -> None:
        """Blocks until every accepted event is acknowledged or failed, ``timeout`` seconds at most.

        Raises DeliveryError for the failed ones, else DeadlineError when some are still waiting.
        """
        with self._changed:
            settled = self._changed.wait_for(lambda: not self._waiting, timeout)
            self._raise_failed()
            if not settled:
                raise DeadlineError(len(self._waiting), timeout)

    def close(self, timeout: float = FLUSH_SECONDS) -> None:
        """Waits for the acknowledgements, ``timeout`` seconds at most, and closes the connection.

        Raises DeliveryError with every event that was not acknowledged by then. Calls after the
        first do nothing.
        """
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting, timeout)
        self._disconnect()
        with self._changed:
            self._raise_failed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self) -> KafkaProducer:
        try:
            return KafkaProducer(bootstrap_servers=self._bootstrap, **self._settings)
        except KafkaError as error:
            raise BrokerUnreachableError(self._bootstrap, error) from error

    def _disconnect(self) -> None:
        """Closes the connection; all that still waits fails, whatever kafka-python says of it."""
        try:
            self._producer.close(timeout=0)
        except KafkaTimeoutError:
            # With records waiting kafka-python's close gives up, and its thread would go on.
            sender = self._producer._sender
            sender.force_close()
            sender.join(_ABORT_SECONDS)
        for number in tuple(self._waiting):
            self._settle(number, KafkaConnectionError("the connection was closed"))

    def _begin_anew(self) -> None:
        """Replaces the connection, but first raises what failed with the old one."""
        self._disconnect()
        with self._changed:
            self._raise_failed()
        self._producer = self._connect()
        self._broken = False

    def _take_room(self, waiting: "_Waiting") -> int:
        """Counts the event in once there is room, and returns its number."""
        deadline = time.monotonic() + self._block_timeout
        with self._changed:
            while True:
                if self._closed:
                    raise ClosedError("this producer was closed; make a new one to send more")
                self._raise_failed()
                if (
                    len(self._waiting) < self._max_events
                    and self._bytes + waiting.size <= self._max_bytes
                ):
                    self._accepted += 1
                    self._bytes += waiting.size
                    self._waiting[self._accepted] = waiting
                    return self._accepted
                if not self._changed.wait(deadline - time.monotonic()):
                    raise BufferFullError(
                        f"{len(self._waiting)} events ({self._bytes} bytes) wait for Kafka's "
                        f"acknowledgement, and none got it in {self._block_timeout:g} s: Kafka is "
                        "down or slower than the events come; try again, or send less"
                    )

    def _produce(self, number: int, record: CheckedRecord) -> None:
        topic = self._prefix + record.topic
        try:
            sent = self._producer.send(topic, value=record.value, key=record.key)
        except KafkaError as error:
            self._settle(number, error)
            with self._changed:
                self._raise_failed()
        except BaseException as error:
            self._settle(number, error)
            raise
        else:
            sent.add_callback(lambda _: self._settle(number, None))
            sent.add_errback(lambda cause: self._settle(number, cause))

    def _settle(self, number: int, cause: BaseException | None) -> None:
        """Ends the waiting of an event: acknowledged, or failed for ``cause``."""
        with self._changed:
            waiting = self._waiting.pop(number, None)
            if waiting is None:
                return
            self._bytes -= waiting.size
            if cause is not None:
                self._failed.append(FailedDelivery(waiting.event, waiting.topic, cause))
                self._broken = True
            self._changed.notify_all()

    def _raise_failed(self) -> None:
        if self._failed:
            failed, self._failed = self._failed, []
            raise DeliveryError(failed)


class _Waiting(NamedTuple):
    event: UpstreamEvent
    topic: str
    #: Bytes of key and value.
    size: int
