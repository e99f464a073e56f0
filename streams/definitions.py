"""Shops' definitions (shop.settings): the versions of each, and the reader that follows the topic.

A shop's first version holds since ever, a later one from its ``effective_from``. What a version does
not say comes from the stack's own record (shop id ``_stack``), then from ShopSettings' defaults.
"""

import hashlib
import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec
import structlog
from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from producers.offsets import SILENT, OffsetsError, list_offsets
from schemas.catalogue import SETTINGS
from schemas.decoding import UNREADABLE, refusal
from schemas.envelope import BODY_BYTES
from schemas.settings import STACK, ReviewTheme, SettingsEvent
from schemas.settings import Settings as Version
from streams.definition_checks import BadDefinitionError, check_version
from streams.domain.shop import ShopSettings
from streams.settings import Settings

#: Seconds to wait for the topic to be read as far as somebody needs.
PATIENCE_SECONDS: Final = 30.0
#: Messages taken from the client at a time, and seconds that it may wait for the first.
_BATCH: Final = 1_000
_POLL_SECONDS: Final = 0.2
#: Shops whose timeline is remembered; ids come from events, so there may be any number.
_REMEMBERED_SHOPS: Final = 10_000
#: Former views remembered for replays, which go along the journal and ask for the same ones often.
_REMEMBERED_VIEWS: Final = 16

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NO_OFFSETS: Final[Mapping[str, int]] = MappingProxyType({})
_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_Timeline = tuple[list[int], list[ShopSettings]]

log = structlog.get_logger(__name__)
_kafka_log = logging.getLogger(__name__)


class DefinitionsError(Exception):
    """The definitions cannot be read as far as needed; the message says from where and what to do."""


def _moment(version: Version) -> int:
    """``effective_from`` in ms since 1970."""
    since = version.effective_from - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


class Definitions:
    """One consistent view of all shops' versions; never changes.

    ``versions`` are accepted versions (see ``accept``) in any order between shops, rising within one.
    ``offsets`` maps the definition topic's Kafka name to the offset up to which it was read.
    """

    def __init__(
        self, versions: Iterable[Version] = (), offsets: Mapping[str, int] = _NO_OFFSETS
    ) -> None:
        self._offsets = MappingProxyType(dict(offsets))
        self._versions: dict[str, list[Version]] = {}
        for version in versions:
            self._versions.setdefault(version.shop_id, []).append(version)
        self._timelines: dict[str, _Timeline] = {}

    @property
    def offsets(self) -> Mapping[str, int]:
        """Kafka topic -> offset up to which it was read."""
        return self._offsets

    @property
    def lateness_ms(self) -> int | None:
        """How far the watermark stays behind the ticks, ms; None where the stack does not say.

        The newest version's, from when it is read whatever its ``effective_from``: the watermarks
        that come of it are in the journal.
        """
        stack = self._versions.get(STACK)
        seconds = stack[-1].lateness_s if stack else None
        return None if seconds is None else round(seconds * 1000)

    def at(self, shop_id: str, time: int, /) -> ShopSettings:
        """What holds for the shop at ``time`` (ms since 1970); defaults for a shop never heard of."""
        timeline = self._timelines.get(shop_id)
        if timeline is None:
            timeline = self._learn(shop_id)
        moments, settings = timeline
        return settings[bisect_right(moments, time)] if moments else settings[0]

    def versions(self, shop_id: str) -> Sequence[Version]:
        """The shop's versions, oldest first."""
        return tuple(self._versions.get(shop_id, ()))

    def review_themes(self, shop_id: str) -> tuple[ReviewTheme, ...] | None:
        """The newest list of the shop's own, else of the stack's; None: neither has one.

        Of all versions, whenever they take effect: no fold reads it, and all reviews are judged by one list.
        """
        for one in (shop_id, STACK):
            for version in reversed(self._versions.get(one, ())):
                if version.review_themes is not None:
                    return version.review_themes
        return None

    def shops(self) -> Sequence[str]:
        """The shops that have versions, in order, ``_stack`` among them."""
        return sorted(self._versions)

    def digest(self) -> str:
        """Names the content: equal for equal versions, in every process."""
        digest = hashlib.blake2b(digest_size=8)
        for shop_id in self.shops():
            for one in self._versions[shop_id]:
                fields = (shop_id, one.version, _moment(one), *_values(one), one.lateness_s)
                digest.update(msgspec.msgpack.encode(fields))
                if one.review_themes is not None:
                    digest.update(msgspec.msgpack.encode(one.review_themes))
        return digest.hexdigest()

    def _learn(self, shop_id: str) -> _Timeline:
        own, stack = self._versions.get(shop_id, []), self._versions.get(STACK, [])
        # The first versions hold since ever, so their own moments change nothing.
        moments = sorted({_moment(version) for version in (*own[1:], *stack[1:])})
        # One settings object before the first moment, and one from each on.
        settings = [
            _settings(shop_id, _in_force(own, moment), _in_force(stack, moment))
            for moment in (None, *moments)
        ]
        if len(self._timelines) >= _REMEMBERED_SHOPS:
            self._timelines.clear()
        self._timelines[shop_id] = timeline = (moments, settings)
        return timeline


#: What ShopSettings has of a version, in the order of the digest.
_OF_SHOPS: Final = ("time_zone", "currency", "rfm", "tiers", "brushing", "category", "liking")


def _values(version: Version) -> tuple[object, ...]:
    return tuple(getattr(version, name) for name in _OF_SHOPS)


def _in_force(versions: Sequence[Version], moment: int | None) -> Version | None:
    """The newest version that holds at ``moment`` (None: before all moments); None of none."""
    for version in reversed(versions[1:]):
        if moment is not None and _moment(version) <= moment:
            return version
    return versions[0] if versions else None


def _settings(shop_id: str, own: Version | None, stack: Version | None) -> ShopSettings:
    said: dict[str, Any] = {}
    for version in (stack, own):
        if version is not None:
            named = zip(_OF_SHOPS, _values(version), strict=True)
            said.update({name: value for name, value in named if value is not None})
    return ShopSettings(shop_id=shop_id, **said)


_decode_event: Final = msgspec.json.Decoder(SettingsEvent).decode


def accept(key: bytes | None, value: bytes | None, newest: Mapping[str, Version]) -> Version | None:
    """The version in a record of shop.settings; None for one that repeats the shop's newest.

    ``newest`` is each shop's newest accepted version. Raises BadDefinitionError.
    """
    if key is None or value is None:
        raise BadDefinitionError("the record has no key or no value: definitions are not deleted")
    if len(value) > BODY_BYTES:
        raise BadDefinitionError(f"{len(value)} bytes, at most {BODY_BYTES} are read")
    try:
        event = _decode_event(value)
    except UNREADABLE as error:
        raise BadDefinitionError(": ".join(refusal(error))) from None
    version = event.data
    if not key == event.subject.encode() == version.shop_id.encode():
        raise BadDefinitionError("key, subject and data.shop_id must be the same shop id")
    before = newest.get(version.shop_id)
    if version == before:
        return None
    check_version(version, before)
    return version


class DefinitionsReader:
    """Reads shop.settings from its beginning, outside any group, and follows it in a thread.

    ``current`` and ``upto`` may be called from any thread. A bad record is logged and counted, and
    ``on_bad_record`` is called in the reader's thread.
    """

    def __init__(
        self,
        settings: Settings,
        on_bad_record: Callable[[], None] = lambda: None,
        *,
        patient: bool = True,
    ) -> None:
        """Not ``patient``: a command's, which does without where Kafka is away and says so once itself."""
        self._on_bad_record = on_bad_record
        self._topic = settings.topic_prefix + SETTINGS
        self._bootstrap = settings.kafka_bootstrap
        self._partition = TopicPartition(self._topic, 0, 0)
        self._consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                # librdkafka wants a name; nothing is committed and no group is joined.
                "group.id": f"{settings.group}-definitions",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                **({} if patient else {"log_level": SILENT}),
            },
            logger=_kafka_log,
        )
        self._changed = threading.Condition()
        self._log: list[tuple[int, Version]] = []
        self._newest: dict[str, Version] = {}
        self._offset = 0
        self._whole = False
        self._bad = 0
        self._failure: BaseException | None = None
        self._current = Definitions(offsets={self._topic: 0})
        self._views: dict[int, Definitions] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="definitions", daemon=True)

    def start(self, timeout: float = PATIENCE_SECONDS) -> None:
        """Start the thread; block until the topic was read to its end. Raises DefinitionsError."""
        self._consumer.assign([self._partition])
        self._thread.start()
        self._wait(lambda: self._whole, timeout, "its end")

    def stop(self) -> None:
        """End the thread; ``current`` goes on answering."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        self._consumer.close()

    @property
    def bad_records(self) -> int:
        """Records that did not count, since the start."""
        return self._bad

    def current(self) -> Definitions:
        """What is read by now; never blocks. Raises DefinitionsError when reading has failed."""
        if self._failure is not None:
            raise self._failed()
        return self._current

    def upto(self, offsets: Mapping[str, int], timeout: float = PATIENCE_SECONDS) -> Definitions:
        """What was read when the topic stood at ``offsets``, for a replay; its ``offsets`` are those.

        Blocks until that much is read. Raises DefinitionsError.
        """
        wanted = offsets.get(self._topic, 0)
        self._wait(lambda: self._offset >= wanted, timeout, f"offset {wanted}")
        with self._changed:
            view = self._views.get(wanted)
            if view is None:
                if len(self._views) >= _REMEMBERED_VIEWS:
                    self._views.pop(next(iter(self._views)))
                then = [version for offset, version in self._log if offset < wanted]
                self._views[wanted] = view = Definitions(then, {self._topic: wanted})
            return view

    def read_to_end(self, timeout: float = PATIENCE_SECONDS) -> Definitions:
        """Block until all that is in the topic now is read, and return it. Raises DefinitionsError."""
        deadline = time.monotonic() + timeout
        # By a client of its own: a call on a consumer while another thread loops over its consume()
        # did not come back (confluent-kafka 2.16).
        admin = AdminClient({"bootstrap.servers": self._bootstrap}, logger=_kafka_log)
        asked = {TopicPartition(self._topic, 0): _LATEST}
        try:
            (end,) = list_offsets(admin, asked, IsolationLevel.READ_COMMITTED, timeout).values()
        except OffsetsError as error:
            raise DefinitionsError(f"the end of {self._where()} is not known: {error}") from error
        left = deadline - time.monotonic()
        self._wait(lambda: self._offset >= end, left, f"offset {end}")
        return self.current()

    def _where(self) -> str:
        return f"{self._topic} at {self._bootstrap}"

    def _failed(self) -> DefinitionsError:
        return DefinitionsError(f"{self._where()} is not read any more: {self._failure}")

    def _wait(self, reached: Callable[[], bool], timeout: float, goal: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: reached() or self._failure is not None, timeout)
            if self._failure is not None:
                raise self._failed() from self._failure
            if not reached():
                raise DefinitionsError(
                    f"{self._where()} was read up to offset {self._offset} in {timeout:g} s, not to "
                    f"{goal}: is Kafka up, and was `huitou topics create` run?"
                )

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._take(self._consumer.consume(_BATCH, _POLL_SECONDS))
        except BaseException as error:
            # Told to every caller from now on: a thread that ended silently would be worse.
            log.exception("definitions are not read any more", topic=self._topic)
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _take(self, messages: Sequence[Message]) -> None:
        """Add a batch, then show all of it at once. Raises KafkaException where the log is lost."""
        if not messages:
            return
        offset, whole, before = self._offset, self._whole, len(self._log)
        for message in messages:
            error = message.error()
            if error is None:
                self._add(message)
                offset = _offset(message) + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                # Past transaction markers and aborted records too, which are no messages.
                offset, whole = max(offset, _offset(message)), True
            elif error.fatal() or error.code() == KafkaError._AUTO_OFFSET_RESET:
                raise KafkaException(error)
            else:
                log.warning("definitions cannot be read just now", error=error.str())
        if (offset, whole) != (self._offset, self._whole):
            versions = [version for _, version in self._log]
            current = Definitions(versions, {self._topic: offset})
            with self._changed:
                self._current, self._offset, self._whole = current, offset, whole
                self._changed.notify_all()
        if len(self._log) > before:
            log.info("definitions read", offset=offset, digest=self._current.digest())

    def _add(self, message: Message) -> None:
        offset = _offset(message)
        key, value = message.key(), message.value()
        try:
            version = accept(_bytes(key), _bytes(value), self._newest)
        except BadDefinitionError as error:
            self._bad += 1
            self._on_bad_record()
            log.error(
                "bad definition ignored",
                topic=self._topic, partition=0, offset=offset, reason=str(error),
            )  # fmt: skip
            return
        if version is not None:
            self._newest[version.shop_id] = version
            self._log.append((offset, version))


def _offset(message: Message) -> int:
    offset = message.offset()
    return 0 if offset is None else offset


def _bytes(part: str | bytes | None) -> bytes | None:
    # The client's stubs allow text, which only a deserializing consumer returns.
    return part.encode() if isinstance(part, str) else part
