"""How far the store is behind the topics."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from confluent_kafka import KafkaException
from sqlalchemy import Connection

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


def freshness(connection: Connection, settings: Settings) -> Freshness:
    """How far the store is behind the topics of ``settings``. Blocks for at most some seconds."""
    names = names_of(settings)
    held = {place: part for place, part in stored_offsets(connection).items() if place[0] in names}
    appended = [part.appended_ms for part in held.values() if part.appended_ms is not None]
    newest = max(appended, default=None)
    if not held:
        return Freshness(None, None)
    ends = _ends(settings, list(held))
    if ends is None:
        return Freshness(None, newest)
    return Freshness(sum(max(0, ends[place] - held[place].next) for place in held), newest)


def _ends(settings: Settings, places: list[tuple[str, int]]) -> dict[tuple[str, int], int] | None:
    try:
        with LogReader(settings.kafka_bootstrap, answer_within=ANSWER_SECONDS) as log:
            return log.stable_ends(places)
    except (LogError, KafkaException):
        return None
