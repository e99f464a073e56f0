"""An event of the log, as a backtest takes it."""

from typing import NamedTuple

from schemas.events import CustomerEvent


class Recorded(NamedTuple):
    """``time`` is the event's and ``appended`` the broker's, ms since 1970; the rest says where it lies."""

    time: int
    event: CustomerEvent
    appended: int
    topic: str
    partition: int
    offset: int
