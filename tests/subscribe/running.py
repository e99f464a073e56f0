"""Subscribers in threads of the test's process and in processes of their own."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from streams.subscribe import (
    DeadLetterFile,
    Handler,
    ReceivedTrigger,
    Retry,
    SqliteStore,
    Summary,
    TriggerSubscriber,
)
from tests.subscribe.publishing import SECONDS, Triggers

#: Sessions short enough that a killed member is missed soon.
KAFKA = {"session.timeout.ms": 6_000, "heartbeat.interval.ms": 1_000}


class Running:
    """A subscriber in a thread with its own event loop; the end of ``with`` raises what it raised."""

    def __init__(
        self, triggers: Triggers, group: str, folder: Path, handler: Handler, **more: Any
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.store = more.pop("store", None) or SqliteStore(folder / "handled.sqlite", group)
        self.letters = folder / "dead.jsonl"
        self.subscriber = TriggerSubscriber(
            triggers.kafka,
            group,
            **{
                "store": self.store,
                "dead_letters": DeadLetterFile(self.letters),
                "topic": triggers.topic,
                "retry": Retry(attempts=3, first=0.01, most=0.02),
                "kafka": KAFKA,
                **more,
            },
        )
        self.summary = Summary()
        self.error: BaseException | None = None
        self._handler = handler
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.summary = asyncio.run(self.subscriber.run(self._handler))
        except Exception as error:  # noqa: BLE001
            self.error = error

    def join(self) -> None:
        """Until it ended by itself."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.subscriber.stop()
        self.join()
        self.store.close()
        if self.error is not None:
            raise self.error


class Handled:
    """A handler that keeps what it was given, and does ``then`` before."""

    def __init__(self, then: Callable[[ReceivedTrigger], None] = lambda _: None) -> None:
        self.ids: list[str] = []
        self.received: list[ReceivedTrigger] = []
        self._then = then

    async def __call__(self, received: ReceivedTrigger) -> None:
        self._then(received)
        self.ids.append(received.id)
        self.received.append(received)
