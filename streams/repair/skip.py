"""Has a paused partition go on without the record or timer that it is paused for.

The word is a record in the partition's shop.clock, which its owner reads although it is paused. What is
left out is then named by the journal, so that every replay leaves it out too.
"""

from typing import Literal

from confluent_kafka import KafkaError, Message, Producer

from schemas.clock import RecordCause, Skip, SkipCause, encode_clock
from schemas.deadletter import DETAIL_LENGTH
from streams.engine.log import LOGGER, LogReader
from streams.engine.pausing import Paused, decode_paused
from streams.engine.topicnames import TopicNames
from streams.settings import Settings
from streams.state.redis_store import RedisStore

#: ``written``: workers are told. ``done``: the partition is past it, there is nothing left to skip.
Outcome = Literal["written", "done"]
DELIVERY_SECONDS = 30.0
#: More timers than one partition ever has due at one moment.
_TIMERS = 1_000_000


class SkipRefused(Exception):
    """The partition is not paused for what was named; says for what it is, if at all."""


class SkipNotWritten(Exception):
    """Kafka did not confirm the record: it may be there or not, and writing it again does no harm."""


def paused_partitions(settings: Settings) -> dict[int, Paused]:
    """The paused partitions of the stack and why, as their owners last said, at most a second ago.

    Raises redis.RedisError.
    """
    store = RedisStore(settings.redis_url, settings.redis_prefix)
    try:
        found = {number: decode_paused(why) for number, why in store.paused().items()}
    finally:
        store.close()
    return dict(sorted(found.items()))


def skip(
    settings: Settings, partition: int, cause: SkipCause, reason: str, *, force: bool = False
) -> Outcome:
    """Leave ``cause`` out, for ``reason`` (at most 200 characters are kept). May be called again.

    With ``force`` also where the partition is not paused for it: a record that lies ahead is then left
    out when it comes. Blocks until Kafka has the word. Raises SkipRefused, SkipNotWritten, a LogError or
    redis.RedisError.
    """
    paused = paused_partitions(settings).get(partition)
    if paused is None or paused.cause != cause:
        if _is_past(settings, partition, cause):
            return "done"
        if not force:
            raise SkipRefused(_not_paused_for(partition, paused))
        _require_in_log(settings, partition, cause)
    _write(settings, Skip(partition, cause, reason[:DETAIL_LENGTH]))
    return "written"


def _not_paused_for(partition: int, paused: Paused | None) -> str:
    if paused is None:
        return (
            f"partition {partition} is not paused; look at `huitou skip`, which lists those that are, or "
            "insist with --force"
        )
    return (
        f"partition {partition} is paused for something else: {paused.error}; "
        "`huitou skip` prints the command that skips it, --force skips what you named as well"
    )


def _is_past(settings: Settings, partition: int, cause: SkipCause) -> bool:
    store = RedisStore(settings.redis_url, settings.redis_prefix)
    try:
        stored = store.stored(partition)
        if isinstance(cause, RecordCause):
            return stored.vector.get(cause.topic, 0) > cause.offset
        return cause.key not in dict(store.due(partition, cause.due, _TIMERS))
    finally:
        store.close()


def _require_in_log(settings: Settings, partition: int, cause: SkipCause) -> None:
    if not isinstance(cause, RecordCause):
        return
    place = (cause.topic, partition)
    with LogReader(settings.kafka_bootstrap) as log:
        start, end = log.log_starts([place])[place], log.high_watermarks([place])[place]
    if not start <= cause.offset < end:
        raise SkipRefused(
            f"{cause.topic}[{partition}] holds offsets {start} to {end - 1}, not {cause.offset}"
        )


def _write(settings: Settings, word: Skip) -> None:
    failures: list[KafkaError] = []

    def report(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "enable.idempotence": True,
            "linger.ms": 0,
            "delivery.timeout.ms": int(DELIVERY_SECONDS * 1_000),
            "allow.auto.create.topics": False,
        },
        logger=LOGGER,
    )
    topic = TopicNames.of(settings.topic_prefix).clock
    producer.produce(topic, encode_clock(word), partition=word.partition, on_delivery=report)
    left = producer.flush(DELIVERY_SECONDS + 1)
    if failures or left:
        what = str(failures[0]) if failures else f"no answer within {DELIVERY_SECONDS:g} s"
        raise SkipNotWritten(f"{topic}[{word.partition}]: {what}; run the same command again")
