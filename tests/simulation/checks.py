"""What must hold when a schedule has come to rest."""

import json
from collections import Counter

from schemas.catalogue import DEADLETTERS, TRIGGERS
from tests.oracle.events import Published
from tests.oracle.expected import expect
from tests.simulation.memory_kafka import MemoryKafka
from tests.simulation.memory_redis import MemoryClient, MemoryRedis, MemoryStore
from tests.simulation.refold import Refolded, refold
from tests.simulation.source import LATE, Source
from tests.simulation.worker import TOPICS


class Wrong(AssertionError):
    """A promise is broken."""


def check(kafka: MemoryKafka, redis: MemoryRedis, source: Source, partitions: int) -> None:
    """Raises Wrong, or Broken of refold."""
    store = MemoryStore(MemoryClient(redis), "sim:")
    counts: Counter[tuple[str, str]] = Counter()
    for number in range(partitions):
        again = refold(kafka, partitions, number)
        _same_as_stored(again, store, redis, number)
        _same_as_committed(again, kafka, number)
        _same_as_published(again, kafka, number)
        counts.update(store.counts(number))
    _same_as_expected(kafka, source, partitions, counts)


def _equal(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise Wrong(f"{what}: {found!r}, must be {wanted!r}")


def _same_as_stored(again: Refolded, store: MemoryStore, redis: MemoryRedis, number: int) -> None:
    where = f"Redis, partition {number}"
    stored = store.stored(number)
    _equal(f"{where}: position", stored.position, again.position)
    _equal(f"{where}: offsets", stored.vector, again.vector)
    _equal(f"{where}: clock", stored.clock, again.clock if again.position.seq else None)
    _equal(f"{where}: counts", store.counts(number), dict(again.counts))
    base = store.keys(number).state_base.encode()
    states = {
        key[len(base) :].decode(): value
        for key, value in redis.data.items()
        if key.startswith(base)
    }
    _equal(f"{where}: states", states, again.states)
    timers = {k.decode(): int(due) for k, due in redis.hash(store.keys(number).timers).items()}
    _equal(f"{where}: timers", timers, again.timers)
    _equal(f"{where}: outbox", store.outbox(number, 0, 1), [])


def _same_as_committed(again: Refolded, kafka: MemoryKafka, number: int) -> None:
    position = f"{again.position.seq},{again.position.chain.hex()}"
    offsets = kafka.group.offsets
    found = {topic: offsets.get((topic, number), (0, ""))[0] for topic in again.vector}
    _equal(f"committed offsets, partition {number}", found, again.vector)
    if again.position.seq:
        newest = {metadata for (_, at), (_, metadata) in offsets.items() if at == number}
        _equal(f"committed position, partition {number}", position in newest, True)


def _same_as_published(again: Refolded, kafka: MemoryKafka, number: int) -> None:
    for topic in (TRIGGERS, DEADLETTERS):
        log = kafka.logs[topic, number]
        found = [(entry.key, entry.value) for _, entry in log.visible(0, log.stable_end)]
        wanted = [(row.key, row.value) for row in again.rows if row.topic == topic]
        if found != wanted:
            more, less = Counter(found) - Counter(wanted), Counter(wanted) - Counter(found)
            raise Wrong(f"{topic}[{number}]: doubled {list(more)}, lost {list(less)}, or reordered")


def _same_as_expected(
    kafka: MemoryKafka, source: Source, partitions: int, counts: Counter[tuple[str, str]]
) -> None:
    published: list[Published] = []
    bad: Counter[str] = Counter()
    for topic in TOPICS.customer:
        for number in range(partitions):
            log = kafka.logs[topic, number]
            for _, entry in log.visible(0, log.stable_end):
                event = source.good.get(entry.value or b"")
                if event is None:
                    bad[topic] += 1
                else:
                    published.append(event)
    expected = expect(published)
    wanted = Counter({(topic, "applied"): count for topic, count in expected.events.items()})
    wanted.update({(topic, "duplicate"): n for topic, n in expected.duplicates.items()})
    wanted.update({(topic, "dead_letter"): n for topic, n in bad.items()})
    _equal("events counted", dict(counts), dict(wanted))
    found: Counter[str] = Counter()
    for number in range(partitions):
        log = kafka.logs[TRIGGERS, number]
        for _, entry in log.visible(0, log.stable_end):
            value = json.loads(entry.value or b"")
            found[value["id"]] += 1
            if value["subject"].startswith(LATE):
                expected.triggers.pop(value["id"], None)
                found.pop(value["id"], None)
    doubled = [name for name, count in found.items() if count > 1]
    _equal("triggers published twice", doubled, [])
    # What fires for late events depends on how late they were; refold has compared those.
    ids = {t.trigger_id for t in expected.triggers.values() if not t.customer_id.startswith(LATE)}
    if found.keys() != ids:
        lost = [expected.triggers[name] for name in sorted(ids - found.keys())]
        raise Wrong(f"triggers: lost {lost}, too many {sorted(found.keys() - ids)}")
