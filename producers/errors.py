"""What can go wrong while sending events; every error says which event or clock, and what to do."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.deadletter import LetterReason
from schemas.envelope import Envelope


class ProducerError(Exception):
    """The base of all errors of this package."""


class InvalidEventError(ProducerError):
    """A worker would put this event among the dead letters, so it was not sent.

    ``reason`` is the dead letter's reason, ``field`` the path of what is wrong (``data.sku``; empty
    when it is the event as a whole), ``detail`` what was expected there.
    """

    def __init__(self, reason: LetterReason, field: str, detail: str, event: object = None) -> None:
        self.reason: LetterReason = reason
        self.field = field
        self.detail = detail
        self.event = event
        super().__init__(f"{reason} at {field or 'the event'}: {detail}")


class FailedDelivery(NamedTuple):
    """An event that Kafka did not acknowledge. It may be in the log all the same if only the answer
    was lost.
    """

    event: Envelope
    topic: str
    cause: BaseException


class DeliveryError(ProducerError):
    """Events accepted earlier were not acknowledged: ``failed`` holds each with its cause.

    Send them again once the cause is mended: an event that did arrive is a duplicate by its
    ``source`` and ``id``, and workers count it once.
    """

    def __init__(self, failed: Sequence[FailedDelivery]) -> None:
        self.failed = tuple(failed)
        event, topic, cause = self.failed[0]
        more = f" (and {len(self.failed) - 1} more)" if len(self.failed) > 1 else ""
        super().__init__(
            f"event {event.id!r} of {event.source!r} for customer {event.subject!r} "
            f"was not acknowledged by topic {topic}: {cause!r}{more}; "
            "send what is in .failed again once that is mended"
        )


class RecordDeliveryError(ProducerError):
    """A record of a bulk source was not acknowledged, so the source stopped there."""

    def __init__(self, topic: str, partition: int, label: str, cause: str) -> None:
        self.topic = topic
        self.partition = partition
        self.label = label
        where = f"{topic}[{partition}]" if partition >= 0 else topic
        super().__init__(
            f"{label or 'a record'} was not acknowledged by {where}: {cause}; "
            "publish again from there once that is mended (what arrived twice is counted once)"
        )


class BufferFullError(ProducerError):
    """The buffer stayed full for the whole time that ``send`` may block; the event was not
    accepted.
    """


class DeadlineError(ProducerError):
    """The deadline passed with ``pending`` events neither acknowledged nor failed."""

    def __init__(self, pending: int, seconds: float) -> None:
        self.pending = pending
        super().__init__(
            f"{pending} events were still waiting for Kafka's acknowledgement after {seconds:g} s; "
            "they stay in the buffer and are retried until the delivery time-out"
        )


class ClosedError(ProducerError):
    """The producer was closed before this call."""


class BrokerUnreachableError(ProducerError):
    """No broker answered."""

    def __init__(self, bootstrap: str, cause: object) -> None:
        super().__init__(f"no Kafka broker answers at {bootstrap} ({cause}); check KAFKA_BOOTSTRAP")


class TopicsMissingError(ProducerError):
    """Topics that must exist do not, or do not have one partition count."""


class ClockHeldError(ProducerError):
    """Another tool holds the clock; ``clock`` is its id."""

    def __init__(self, clock: str) -> None:
        self.clock = clock
        super().__init__(
            f"the clock is held by {clock!r}: let that tool end, or, if it is dead, "
            "run `huitou clock release` (`huitou clock status` shows it)"
        )


class ClockLostError(ProducerError):
    """Somebody released the clock of this tool while it ran, so its ticks no longer count."""

    def __init__(self, clock: str) -> None:
        self.clock = clock
        super().__init__(
            f"the clock {clock!r} was released by `huitou clock release` while this tool was "
            "running; it stopped sending, start it again"
        )


class NotHeldError(ProducerError):
    """Nobody holds the clock, so there is nothing to release."""
