"""Work of one key in order, of several keys at the same time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Lanes(Generic[Item]):
    """A lane a key, for as long as the key has items; of one event loop.

    ``work`` is called with one item of a key at a time, in the order of ``put``. The first exception that it
    raises is kept in ``failure``; the lane stops there, the others go on until ``stop``.
    """

    def __init__(self, work: Callable[[Item], Awaitable[None]]) -> None:
        self._work = work
        self._waiting: dict[bytes | None, deque[Item]] = {}
        self._running: dict[bytes | None, tuple[Item, asyncio.Task[None]]] = {}
        self.failure: BaseException | None = None

    def put(self, key: bytes | None, item: Item) -> None:
        """Appends an item to the lane of its key."""
        self._waiting.setdefault(key, deque()).append(item)
        if key not in self._running:
            self._start(key)

    async def leave(self, chosen: Callable[[Item], bool], timeout: float) -> list[Item]:
        """Takes out the waiting items that are ``chosen``, which it returns; those that are worked on get
        ``timeout`` seconds, then they are cancelled.
        """
        dropped = []
        for key, items in self._waiting.items():
            dropped += [item for item in items if chosen(item)]
            self._waiting[key] = deque(item for item in items if not chosen(item))
        tasks = {task for item, task in self._running.values() if chosen(item)}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=timeout)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        return dropped

    def _start(self, key: bytes | None) -> None:
        item = self._waiting[key].popleft()
        task = asyncio.ensure_future(self._work(item))
        self._running[key] = (item, task)
        task.add_done_callback(lambda ended: self._ended(key, ended))

    def _ended(self, key: bytes | None, task: "asyncio.Future[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failure = self.failure or error
            return
        del self._running[key]
        if self._waiting.get(key):
            self._start(key)
        else:
            self._waiting.pop(key, None)
