"""What a source of events is: a feed of records in publishing order, and something that plays it."""

import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import msgspec

from producers.bulk import BulkPublisher
from producers.clock import ClockOwner
from producers.delivered import Delivered


class Record(NamedTuple):
    """One record, in the order in which it is published.

    ``at_ms`` is the source's time of publishing: a tick may say it once all records before were
    sent, since no later record has an earlier event time, unless ``planted`` says otherwise.
    ``topic`` is the catalogue's name. ``planted``: None, or what is wrong with it on purpose:
    "duplicate", "late" or "malformed:<reason>".
    """

    at_ms: int
    topic: str
    key: bytes | None
    value: bytes | None
    planted: str | None = None


class Feed(Protocol):
    """Records of a window of event time, from ``start_ms`` to ``until_ms``.

    ``total`` is how many records there will be, None where that is not known before.
    """

    @property
    def name(self) -> str: ...
    @property
    def start_ms(self) -> int: ...
    @property
    def until_ms(self) -> int: ...
    @property
    def total(self) -> int | None: ...

    def records(self) -> Iterator[Record]: ...


class Progress(msgspec.Struct, kw_only=True):
    """How far a source has come. ``time_ms`` is its own time."""

    published: int = 0
    total: int | None = None
    time_ms: int = 0
    by_topic: dict[str, int] = {}
    #: Records that are wrong on purpose, by what is wrong with them.
    planted: dict[str, int] = {}


class Source(Protocol):
    """What ``huitou demo`` and the commands run: a replay or a simulator."""

    @property
    def published(self) -> int:
        """Records handed to the publisher so far."""

    @property
    def delivered(self) -> Delivered:
        """Records that got delivery reports so far."""

    def run(
        self,
        publisher: BulkPublisher,
        clock: ClockOwner | None,
        deadline: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> Progress:
        """Publishes until the feed, ``deadline`` (of time.monotonic) or ``stop`` ends it."""
