"""How far the store is behind the topics."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from confluent_kafka import KafkaException
from sqlalchemy import Connection

from producers.offsets import SILENT
from streams.engine.log import LogReader
from streams.engine.log_errors import LogError
from streams.query.log import names_of
from streams.query.store import stored_offsets
from streams.settings import Settings

#: Seconds in which Kafka must say where the topics end.
ANSWER_SECONDS: Final = 5.0


class Freshness(NamedTuple):
    """``behind``: offsets that the topics have and the store has not; None: Kafka did not say.

    ``appended_ms``: when the broker appended the newest record in the store; None: it has none.
    """

    behind: int | None
    appended_ms: int | None

    def sentence(self) -> str:
        """For people."""
        newest = "it holds no record yet"
        if self.appended_ms is not None:
            at = datetime.fromtimestamp(self.appended_ms // 1000, UTC)
            newest = f"its newest record is of {at:%Y-%m-%d %H:%M:%S} UTC"
        if self.behind is None:
            return f"Kafka does not answer, so how far the store is behind is unknown; {newest}."
        if self.behind == 0:
            return f"The store has all that the topics have; {newest}."
        return f"The store is {self.behind:,} records behind the topics; {newest}."


class Held(NamedTuple):
    """What the store has of the topics: ``next`` offset by (topic, partition), ``appended_ms`` as above."""

    next: dict[tuple[str, int], int]
    appended_ms: int | None


def held(connection: Connection, settings: Settings) -> Held:
    """What the store has of the topics of ``settings``, asked in the same transaction as its figures."""
    names = names_of(settings)
    parts = {place: part for place, part in stored_offsets(connection).items() if place[0] in names}
    appended = [part.appended_ms for part in parts.values() if part.appended_ms is not None]
    return Held({place: part.next for place, part in parts.items()}, max(appended, default=None))


def freshness(store: Held, settings: Settings) -> Freshness:
    """How far the store is behind the topics. Blocks for at most some seconds: in no transaction."""
    if not store.next:
        return Freshness(None, None)
    ends = _ends(settings, list(store.next))
    if ends is None:
        return Freshness(None, store.appended_ms)
    behind = sum(max(0, ends[place] - offset) for place, offset in store.next.items())
    return Freshness(behind, store.appended_ms)


def _ends(settings: Settings, places: list[tuple[str, int]]) -> dict[tuple[str, int], int] | None:
    try:
        with LogReader(
            settings.kafka_bootstrap, answer_within=ANSWER_SECONDS, extra={"log_level": SILENT}
        ) as log:
            return log.stable_ends(places)
    except (LogError, KafkaException):
        return None
