"""Waiting for a condition with a deadline, in place of sleeping."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_INTERVAL_SECONDS = 0.02


def wait_for(
    condition: Callable[[], T | None], timeout: float = 60.0, message: str = "the condition"
) -> T:
    """The first truthy value of ``condition()``; after ``timeout`` seconds an AssertionError."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while True:
        # Before the look: a machine that stood still for all that time gets one look after it.
        late = time.monotonic() > deadline
        value = condition()
        if value:
            return value
        if late:
            raise AssertionError(f"waited {timeout:g} s for {message}; last seen: {value!r}")
        pause.wait(_INTERVAL_SECONDS)
