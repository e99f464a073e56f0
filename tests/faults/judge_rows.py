"""Judges what the sinks have written: every row of every table, and every offset, against the topics.

The topics are read here by a plain consumer, and the rows computed by tests/query/expected.py, which has no
code of the sink. A table that is new is judged as soon as it has rows: what is not expected is too much.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, TopicPartition

from streams.query.connecting import Database
from streams.query.log import names_of
from streams.query.tables import metadata
from streams.settings import Settings
from tests.faults.sinks import Place, stored_offsets
from tests.faults.tally import Verdict
from tests.query.expected import Published, Row, expected
from tests.query.stored import content
from tests.waiting import wait_for

_DEADLETTERS = "shop.deadletters"
#: What a worker says of a record that reads well.
_LEFT_OUT = ("future_time", "skipped")
_READ_SECONDS = 300.0


class Topics(NamedTuple):
    """All that is committed in the topics of the store."""

    published: list[Published]
    #: Where a good record lies that a worker left out -> why.
    left_out: dict[tuple[str, int, int], str]
    #: Of each partition: the offsets and figures that the store must have.
    offsets: dict[Place, dict[str, Any]]


def judge_rows(settings: Settings, database: Database, verdict: Verdict) -> None:
    """Call it once the sinks have ended, at the topics' ends. Adds to ``verdict``."""
    topics = read_topics(settings)
    wanted = expected(topics.published, topics.left_out)
    found = content(database)
    for table in sorted(wanted.keys() | found.keys()):
        _compare(table, wanted.get(table, []), found.get(table, []), verdict)
    held = {
        place: {name: getattr(row, name) for name in topics.offsets[place]}
        for place, row in stored_offsets(database).items()
        if place in topics.offsets
    }
    _compare(
        "sink_offsets",
        [{"topic": t, "partition": n, **row} for (t, n), row in topics.offsets.items()],
        [{"topic": t, "partition": n, **row} for (t, n), row in held.items()],
        verdict,
    )


def _compare(table: str, wanted: list[Row], found: list[Row], verdict: Verdict) -> None:
    """By primary key: rows that are missing, that should not be there, and that say something else."""
    key = [column.name for column in metadata.tables[table].primary_key]
    want, have = _by_key(key, wanted), _by_key(key, found)
    verdict.rows += len(wanted)
    for name in want.keys() - have.keys():
        verdict.note("rows_lost", f"{table} lacks {want[name]}")
    for name in have.keys() - want.keys():
        verdict.note("rows_duplicates", f"{table} should not have {have[name]}")
    for name in want.keys() & have.keys():
        if want[name] != have[name]:
            words = f"{table} has {have[name]}, expected {want[name]}"
            verdict.note("rows_different", words)


def _by_key(key: Iterable[str], rows: Iterable[Row]) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[name] for name in key): row for row in rows}


def read_topics(settings: Settings) -> Topics:
    """Reads each from its beginning to the end that readers of committed records see now."""
    names = names_of(settings)
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "group.id": f"{settings.group}-judge",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
        }
    )
    places = [(topic, number) for topic in names for number in range(settings.partitions)]
    try:
        consumer.assign([TopicPartition(*place, 0) for place in places])
        return _read(consumer, names, set(places))
    finally:
        consumer.close()


def _read(consumer: Consumer, names: Mapping[str, str], open_places: set[Place]) -> Topics:
    topics = Topics([], {}, {})
    counts: Counter[Place] = Counter()
    unreadable: Counter[Place] = Counter()
    newest: dict[Place, int] = {}

    def ended() -> bool:
        for message in consumer.consume(10_000, 0.5):
            error, place = message.error(), (str(message.topic()), int(message.partition() or 0))
            if error is not None:
                assert error.code() == KafkaError._PARTITION_EOF, error
                open_places.discard(place)
                topics.offsets[place] = {
                    "first_offset": 0, "next_offset": message.offset(),
                    "records": counts[place], "passed_over": unreadable[place],
                    "appended_ms": newest.get(place),
                }  # fmt: skip
                continue
            counts[place] += 1
            newest[place] = message.timestamp()[1]
            at = (*place, int(message.offset() or 0))
            if not _take(topics, names[place[0]], at, message.value()):
                unreadable[place] += 1
        return not open_places

    wait_for(ended, _READ_SECONDS, "the topics to be read")
    return topics


def _take(topics: Topics, topic: str, place: tuple[str, int, int], value: bytes | None) -> bool:
    """Whether it could be read."""
    try:
        event = json.loads(value or b"")
    except json.JSONDecodeError:
        return False
    if topic != _DEADLETTERS:
        topics.published.append(Published(topic, place, event))
        return True
    letter = event["data"]
    if letter["reason"] in _LEFT_OUT:
        left_out = (letter["topic"], letter["partition"], letter["offset"])
        topics.left_out[left_out] = letter["reason"]
    return True
