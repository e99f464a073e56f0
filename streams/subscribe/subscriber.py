"""Triggers for marketing: each handed to a handler at least once, in order per customer."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from streams.subscribe.assignment import LOGGER, Assigned, Fetched, Member
from streams.subscribe.dead_letters import DeadLetter, DeadLetters
from streams.subscribe.errors import RejectTrigger, RetryTrigger, StopSubscribing
from streams.subscribe.hooks import Hooks
from streams.subscribe.lanes import Lanes
from streams.subscribe.received import LetterReason, ReceivedTrigger, Record, Unreadable, read
from streams.subscribe.retry import Retry
from streams.subscribe.stores import DeduplicatingStore

Handler = Callable[[ReceivedTrigger], Awaitable[None]]
_Answer = TypeVar("_Answer")

_FETCH_SECONDS: Final = 0.1
#: A handler that asks to be tried later is tried within an hour, whatever it asked for.
MOST_WAIT_SECONDS: Final = 3_600.0


@dataclass(slots=True, eq=False)
class _Item:
    record: Record
    assigned: Assigned
    trigger: ReceivedTrigger | None
    unreadable: Unreadable | None = None
    #: The store knew it when it was fetched.
    known: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did: triggers handled, redeliveries not handled again, records put away."""

    handled: int = 0
    repeated: int = 0
    dead_letters: int = 0


class TriggerSubscriber:
    """Reads shop.triggers (read_committed) as a member of ``group`` and calls a handler with each trigger.

    - At least once: an offset is committed once everything before it was handled and is in ``store``, or
      was put into ``dead_letters``. What is in ``store`` is not handled again. A crash between the handler's
      return and the store's answer has it handled twice, with the same ``trigger.id``.
    - Triggers of one customer one after the other, in the order of the topic, also while one is retried;
      those of up to ``in_flight`` customers at the same time.
    - A handler that raises, or takes longer than ``handler_timeout`` seconds, is called again as
      ``retry`` says, then the trigger is a dead letter. RejectTrigger, RetryTrigger and StopSubscribing
      say more.
    - A trigger past its ``expires`` is a dead letter and is not handled, unless ``handle_expired``.
    - At most about ``buffered`` triggers wait in memory (and a batch of 500); then nothing is fetched. So
      many of one failing customer hold up the others until they are handled or dead letters.
    - When a partition is taken away, or at the end, running handlers have ``drain`` seconds; then they are
      cancelled, and what was not handled comes again, here or at its new owner.

    ``topic`` is Kafka's name, with the stack's prefix. A group that is new begins at the topic's first record
    (``kafka={"auto.offset.reset": "latest"}``: at its end). ``kafka`` are further settings of librdkafka.
    """

    def __init__(
        self,
        bootstrap: str,
        group: str,
        *,
        store: DeduplicatingStore,
        dead_letters: DeadLetters,
        topic: str = "shop.triggers",
        retry: Retry | None = None,
        in_flight: int = 16,
        buffered: int = 2_000,
        handler_timeout: float = 30.0,
        drain: float = 10.0,
        commit_every: float = 0.5,
        handle_expired: bool = False,
        hooks: Hooks | None = None,
        kafka: Mapping[str, Any] | None = None,
    ) -> None:
        self._bootstrap, self._group, self._topic = bootstrap, group, topic
        self._kafka = kafka
        self._store, self._dead_letters = store, dead_letters
        self._retry = retry or Retry()
        self._slots = asyncio.Semaphore(in_flight)
        self._buffered = buffered
        self._handler_timeout, self._drain = handler_timeout, drain
        self._commit_every = commit_every
        self._handle_expired = handle_expired
        self._hooks = hooks or Hooks()
        self._stopping = False
        self._lanes: Lanes[_Item] = Lanes(self._work)
        #: Handled or put away, and not yet in the store.
        self._settled: list[_Item] = []
        #: Ids that are waiting, worked on or not yet in the store: how often; and which of them were handled.
        self._pending: Counter[str] = Counter()
        self._handled_ids: set[str] = set()
        self._items = 0
        self._summary = Summary()
        #: What went wrong in a callback of librdkafka, which could not be told.
        self._failure: BaseException | None = None

    def stop(self) -> None:
        """Has ``run`` end in order. From any thread or signal handler; again does nothing."""
        self._stopping = True

    async def run(self, handler: Handler) -> Summary:
        """Calls ``handler`` until ``stop``, once only. Raises SubscribeError, nothing unhandled committed.

        Whoever made ``store`` and ``dead_letters`` closes them afterwards.
        """
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        # All of Kafka and of the store happens in this one thread, in which librdkafka's callbacks are, too.
        with ThreadPoolExecutor(1, thread_name_prefix="subscriber") as thread:

            async def there(work: Callable[..., _Answer], *given: Any) -> _Answer:
                return await self._loop.run_in_executor(thread, work, *given)

            self._member = await there(self._join)
            try:
                await self._follow(there)
            finally:
                # Also where the run was cancelled: the group learns of it at once, not by a time-out.
                await asyncio.shield(there(self._end))
        self._raise_failure()
        return self._summary

    def _join(self) -> Member:
        return Member(self._bootstrap, self._group, self._topic, self._leaving, self._kafka)

    async def _follow(self, there: Callable[..., Awaitable[Any]]) -> None:
        committed = time.monotonic()
        while not self._stopping:
            full = self._items >= self._buffered
            for item in await there(self._fetch, full):
                self._take(item)
            # In order: an id leaves ``_pending`` only after every fetch that could miss it in the store.
            settled = self._take_settled()
            if settled:
                await there(self._remember, settled)
                self._forget(settled)
            if time.monotonic() - committed >= self._commit_every:
                await there(self._commit)
                committed = time.monotonic()
            self._raise_failure()

    def _raise_failure(self) -> None:
        failure = self._failure or self._lanes.failure
        if failure is not None:
            raise failure

    # --- in the subscriber's thread ---

    def _fetch(self, full: bool) -> list[_Item]:
        items = [_item(one) for one in self._member.fetch(_FETCH_SECONDS, paused=full)]
        ids = [item.trigger.id for item in items if item.trigger is not None]
        known = self._store.known(ids) if ids else set()
        for item in items:
            item.known = item.trigger is not None and item.trigger.id in known
        return items

    def _remember(self, settled: list[_Item]) -> None:
        ids = {item.trigger.id for item in settled if item.trigger is not None and not item.known}
        if ids:
            self._store.remember(sorted(ids))
        for item in settled:
            if not item.assigned.left and item.assigned.progress.done(item.record.offset):
                item.assigned.dirty = True

    def _commit(self) -> None:
        self._member.commit(self._member.assigned())

    def _leaving(self, partitions: list[Assigned], lost: bool) -> None:
        """Partitions go: what runs is drained, remembered and, where it still may be, committed."""
        try:
            settled = asyncio.run_coroutine_threadsafe(
                self._drained(set(partitions)), self._loop
            ).result()
            self._remember(settled)
            if not lost:
                self._member.commit(partitions)
            self._loop.call_soon_threadsafe(self._forget, settled)
        # Raised here it would be lost in librdkafka's frames.
        except Exception as error:  # noqa: BLE001
            self._failure = self._failure or error

    def _end(self) -> None:
        try:
            self._leaving(self._member.assigned(), False)
        finally:
            self._member.close()

    # --- in the event loop ---

    async def _drained(self, partitions: set[Assigned]) -> list[_Item]:
        dropped = await self._lanes.leave(lambda item: item.assigned in partitions, self._drain)
        self._forget(dropped)
        return self._take_settled()

    def _take(self, item: _Item) -> None:
        if item.assigned.left:
            return
        item.assigned.progress.take(item.record.offset)
        self._items += 1
        if item.trigger is not None:
            self._pending[item.trigger.id] += 1
        self._lanes.put(item.record.key, item)

    def _take_settled(self) -> list[_Item]:
        settled, self._settled = self._settled, []
        return settled

    def _forget(self, items: list[_Item]) -> None:
        self._items -= len(items)
        for item in items:
            if item.trigger is None:
                continue
            name = item.trigger.id
            self._pending[name] -= 1
            if not self._pending[name]:
                del self._pending[name]
                self._handled_ids.discard(name)

    async def _work(self, item: _Item) -> None:
        """One item to its end; a cancellation leaves it as it was. Raises what ends the subscriber."""
        trigger = item.trigger
        done = False
        try:
            if trigger is None:
                assert item.unreadable is not None
                await self._put_away(item, item.unreadable.reason, str(item.unreadable), 0)
            elif item.known or trigger.id in self._handled_ids:
                self._count(repeated=1)
                self._hooks.repeated(trigger)
            else:
                await self._attempts(item, trigger)
                self._handled_ids.add(trigger.id)
            done = True
        finally:
            if done:
                self._settled.append(item)
            else:
                self._forget([item])

    async def _attempts(self, item: _Item, trigger: ReceivedTrigger) -> None:
        for attempt in range(1, self._retry.attempts + 1):
            if not self._handle_expired and trigger.expired(datetime.now(UTC)):
                await self._put_away(item, "expired", "its time was over", attempt - 1)
                return
            tried = replace(trigger, attempt=attempt)
            try:
                # Waiting for the next attempt takes no slot: others may go on.
                async with self._slots:
                    began = time.monotonic()
                    async with asyncio.timeout(self._handler_timeout):
                        await self._handler(tried)
            except StopSubscribing:
                raise
            except RejectTrigger as error:
                await self._put_away(item, "rejected", str(error), attempt)
                return
            # Whatever a handler raises is its trigger's failure, not the subscriber's.
            except Exception as error:  # noqa: BLE001
                if attempt == self._retry.attempts:
                    await self._put_away(item, "exhausted", _said(error), attempt)
                    return
                wait = self._retry.wait(attempt, random.random)
                if isinstance(error, RetryTrigger):
                    wait = min(max(wait, error.seconds), MOST_WAIT_SECONDS)
                LOGGER.info("%s: attempt %d failed: %s", trigger.id, attempt, type(error).__name__)
                self._hooks.failed(tried, error, wait)
                await asyncio.sleep(wait)
            else:
                self._count(handled=1)
                self._hooks.handled(tried, time.monotonic() - began)
                return

    async def _put_away(
        self, item: _Item, reason: LetterReason, detail: str, attempts: int
    ) -> None:
        letter = DeadLetter(item.record, reason, detail, attempts)
        await asyncio.to_thread(self._dead_letters.put, letter)
        LOGGER.warning("%s is a dead letter: %s", item.record.place, reason)
        self._count(dead_letters=1)
        self._hooks.dead_lettered(item.record, reason)

    def _count(self, handled: int = 0, repeated: int = 0, dead_letters: int = 0) -> None:
        was = self._summary
        self._summary = Summary(
            was.handled + handled, was.repeated + repeated, was.dead_letters + dead_letters
        )


def _item(fetched: Fetched) -> _Item:
    try:
        return _Item(fetched.record, fetched.assigned, read(fetched.record))
    except Unreadable as error:
        return _Item(fetched.record, fetched.assigned, None, error)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
