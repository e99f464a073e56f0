"""Follows the topics of definitions, each of one partition: shop.settings, and shop.campaigns for workers.

A view is everything up to one offset of each topic, so that whoever knows these offsets, from a tick or a row
of the journal, has the same view.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

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
from schemas.catalogue import CAMPAIGNS, SETTINGS
from schemas.decoding import RawRecord
from schemas.settings import Settings as Version
from streams.campaigns.applied.log import CampaignLog, RefusedChange
from streams.campaigns.applied.view import Campaigns
from streams.campaigns.listening.in_force import InForce, Judging
from streams.definition_checks import BadDefinitionError
from streams.definitions import Definitions, DefinitionsError, accept
from streams.engine.log import raw_record
from streams.settings import Settings

#: Seconds to wait for the topics to be read as far as somebody needs.
PATIENCE_SECONDS: Final = 30.0
#: Messages taken from the client at a time, and seconds that it may wait for the first.
_BATCH: Final = 1_000
_POLL_SECONDS: Final = 0.2
#: Former views remembered for replays, which go along the journal and ask for the same ones often.
_REMEMBERED_VIEWS: Final = 16

_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]

log = structlog.get_logger(__name__)
_kafka_log = logging.getLogger(__name__)


class AllDefinitions(Definitions):
    """Shops' settings, and their campaigns as they stood at the same moment."""

    def __init__(
        self, versions: Iterable[Version], offsets: Mapping[str, int], campaigns: Campaigns
    ) -> None:
        super().__init__(versions, offsets)
        self._campaigns = campaigns
        self._in_force = InForce(campaigns)

    def judging(self, shop_id: str, time: int, /) -> Judging | None:
        """The shop's campaigns that judge an event of ``time`` (ms); None: it has applied none."""
        return self._in_force.at(shop_id, time)

    @property
    def campaigns(self) -> Campaigns:
        """No shop has any where the reader does not follow them."""
        return self._campaigns


class DefinitionsReader:
    """Reads the topics from their beginning, outside any group, and follows them in a thread.

    ``current`` and ``upto`` may be called from any thread. A bad record is logged and counted, and
    ``on_bad_record`` is called in the reader's thread.
    """

    def __init__(
        self,
        settings: Settings,
        on_bad_record: Callable[[], None] = lambda: None,
        *,
        patient: bool = True,
        campaigns: bool = True,
    ) -> None:
        """Not ``patient``: a command's, which does without where Kafka is away and says so once itself.

        Without ``campaigns`` only shop.settings is followed.
        """
        self._on_bad_record = on_bad_record
        self._settings_topic = settings.topic_prefix + SETTINGS
        self._campaigns_topic = settings.topic_prefix + CAMPAIGNS
        self._topics = (self._settings_topic, *([self._campaigns_topic] if campaigns else []))
        self._bootstrap = settings.kafka_bootstrap
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
        self._campaigns = CampaignLog()
        self._offsets = dict.fromkeys(self._topics, 0)
        #: Topics that were read to their end once.
        self._whole: frozenset[str] = frozenset()
        self._bad = 0
        self._failure: BaseException | None = None
        self._current = self._view(self._offsets)
        self._views: dict[tuple[int, ...], AllDefinitions] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="definitions", daemon=True)

    def start(self, timeout: float = PATIENCE_SECONDS) -> None:
        """Start the thread; block until the topics were read to their ends. Raises DefinitionsError."""
        self._consumer.assign([TopicPartition(topic, 0, 0) for topic in self._topics])
        self._thread.start()
        self._wait(lambda topic: topic in self._whole, timeout, lambda _: "its end")

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

    def current(self) -> AllDefinitions:
        """What is read by now; never blocks. Raises DefinitionsError when reading has failed."""
        if self._failure is not None:
            raise self._failed()
        return self._current

    def upto(self, offsets: Mapping[str, int], timeout: float = PATIENCE_SECONDS) -> AllDefinitions:
        """What was read when the topics stood at ``offsets``, for a replay; its ``offsets`` are those.

        A topic that is not named had not been read: a row of the journal from before it was there.
        Blocks until that much is read. Raises DefinitionsError.
        """
        wanted = {topic: offsets.get(topic, 0) for topic in self._topics}
        self._wait_for(wanted, timeout)
        with self._changed:
            key = tuple(wanted.values())
            view = self._views.get(key)
            if view is None:
                if len(self._views) >= _REMEMBERED_VIEWS:
                    self._views.pop(next(iter(self._views)))
                self._views[key] = view = self._view(wanted)
            return view

    def read_to_end(self, timeout: float = PATIENCE_SECONDS) -> AllDefinitions:
        """Block until all that is in the topics now is read, and return it. Raises DefinitionsError."""
        deadline = time.monotonic() + timeout
        # By a client of its own: a call on a consumer while another thread loops over its consume()
        # did not come back (confluent-kafka 2.16).
        admin = AdminClient({"bootstrap.servers": self._bootstrap}, logger=_kafka_log)
        asked = {TopicPartition(topic, 0): _LATEST for topic in self._topics}
        try:
            found = list_offsets(admin, asked, IsolationLevel.READ_COMMITTED, timeout)
        except OffsetsError as error:
            raise DefinitionsError(
                f"the end of {self._where(error.topic)} is not known: {error}"
            ) from error
        ends = {topic: end for (topic, _), end in found.items()}
        self._wait_for(ends, deadline - time.monotonic())
        return self.current()

    def _view(self, offsets: Mapping[str, int]) -> AllDefinitions:
        end = offsets[self._settings_topic]
        versions = [version for offset, version in self._log if offset < end]
        campaigns = self._campaigns.upto(offsets.get(self._campaigns_topic, 0))
        return AllDefinitions(versions, offsets, campaigns)

    def _where(self, topic: str) -> str:
        return f"{topic} at {self._bootstrap}"

    def _failed(self) -> DefinitionsError:
        return DefinitionsError(
            f"{self._where(' and '.join(self._topics))} is not read any more: {self._failure}"
        )

    def _wait_for(self, ends: Mapping[str, int], timeout: float) -> None:
        self._wait(
            lambda topic: self._offsets[topic] >= ends[topic],
            timeout,
            lambda topic: f"offset {ends[topic]}",
        )

    def _wait(
        self, reached: Callable[[str], bool], timeout: float, goal: Callable[[str], str]
    ) -> None:
        def behind() -> list[str]:
            return [topic for topic in self._topics if not reached(topic)]

        with self._changed:
            self._changed.wait_for(lambda: not behind() or self._failure is not None, timeout)
            if self._failure is not None:
                raise self._failed() from self._failure
            for topic in behind():
                raise DefinitionsError(
                    f"{self._where(topic)} was read up to offset {self._offsets[topic]} in {timeout:g} s, "
                    f"not to {goal(topic)}: is Kafka up, and was `huitou topics create` run?"
                )

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._take(self._consumer.consume(_BATCH, _POLL_SECONDS))
        except BaseException as error:
            # Told to every caller from now on: a thread that ended silently would be worse.
            log.exception("definitions are not read any more", topics=self._topics)
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _take(self, messages: Sequence[Message]) -> None:
        """Add a batch, then show all of it at once. Raises KafkaException where a log is lost."""
        if not messages:
            return
        offsets, whole, counted = dict(self._offsets), self._whole, False
        for message in messages:
            error, topic = message.error(), message.topic() or ""
            if error is None:
                counted |= self._add(raw_record(message))
                offsets[topic] = _offset(message) + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                # Past transaction markers and aborted records too, which are no messages.
                offsets[topic] = max(offsets[topic], _offset(message))
                whole |= {topic}
            elif error.fatal() or error.code() == KafkaError._AUTO_OFFSET_RESET:
                raise KafkaException(error)
            else:
                log.warning("definitions cannot be read just now", error=error.str())
        if (offsets, whole) != (self._offsets, self._whole):
            current = self._view(offsets)
            with self._changed:
                self._current, self._offsets, self._whole = current, offsets, whole
                self._changed.notify_all()
        if counted:
            log.info(
                "definitions read",
                offsets=offsets,
                digest=self._current.digest(),
                campaigns=self._current.campaigns.digest(),
            )

    def _add(self, record: RawRecord) -> bool:
        """Whether the record changed anything."""
        try:
            if record.topic == self._campaigns_topic:
                return self._campaigns.add(record)
            version = accept(record.key, record.value, self._newest)
        except (BadDefinitionError, RefusedChange) as error:
            self._bad += 1
            self._on_bad_record()
            log.error(
                "bad definition ignored",
                topic=record.topic, partition=0, offset=record.offset, reason=str(error),
            )  # fmt: skip
            return False
        if version is None:
            return False
        self._newest[version.shop_id] = version
        self._log.append((record.offset, version))
        return True


def _offset(message: Message) -> int:
    offset = message.offset()
    return 0 if offset is None else offset
