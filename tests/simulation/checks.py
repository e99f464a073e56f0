"""What must hold when a schedule has come to rest."""

import json
from collections import Counter

from schemas.catalogue import DEADLETTERS, DECISIONS, TRIGGERS, VERDICTS
from schemas.clock import RecordCause, SkipCause, TimerCause
from schemas.journal import Skipped
from schemas.partitioner import partition_of
from streams.domain.state import state_key
from streams.state.codec import decode
from streams.state.days import Place, read_days, read_places
from tests.oracle.events import Published
from tests.oracle.expected import ExpectedTrigger, expect
from tests.simulation.definitions import DECLARED
from tests.simulation.memory_kafka import MemoryKafka
from tests.simulation.memory_redis import MemoryClient, MemoryRedis, MemoryStore
from tests.simulation.refold import Refolded, refold
from tests.simulation.source import HOME, LATE, VISITOR, Source
from tests.simulation.tally import (
    BRUSHED,
    BRUSHED_MERGED,
    EXPIRED,
    OFFERED,
    REFUSED,
    REVERSED,
)
from tests.simulation.worker import TOPICS


class Wrong(AssertionError):
    """A promise is broken."""


def check(kafka: MemoryKafka, redis: MemoryRedis, source: Source, partitions: int) -> Counter[str]:
    """Returns how often what the tally calls OUTCOMES came to be. Raises Wrong, or Broken of refold."""
    store = MemoryStore(MemoryClient(redis), "sim:")
    counts: Counter[tuple[str, str]] = Counter()
    left_out: set[tuple[int, SkipCause]] = set()
    refolded: list[Refolded] = []
    for number in range(partitions):
        again = refold(kafka, partitions, number)
        refolded.append(again)
        _same_as_stored(again, store, redis, number)
        _same_as_committed(again, kafka, number)
        _same_as_published(again, kafka, number)
        counts.update(store.counts(number))
        left_out |= _each_once(again.skipped, number)
    _same_as_told(kafka, refolded)
    published = _same_as_expected(kafka, source, partitions, counts, left_out)
    _handed_over_once(published, refolded, source.paired_shop)
    expired = Counter({EXPIRED: sum(again.expired for again in refolded)})
    return expired + _verdicts(kafka, partitions) + _declared(kafka, partitions)


def _declared(kafka: MemoryKafka, partitions: int) -> Counter[str]:
    """What the declared campaign made and was refused: refold has compared each of them."""
    said: Counter[str] = Counter()
    for topic, word in ((TRIGGERS, OFFERED), (DECISIONS, REFUSED)):
        for number in range(partitions):
            log = kafka.logs[topic, number]
            for _, entry in log.visible(0, log.stable_end):
                said[word] += json.loads(entry.value or b"")["data"]["campaign"] == DECLARED
    return said


def _verdicts(kafka: MemoryKafka, partitions: int) -> Counter[str]:
    """What became of orders, each change said once and by a number of its own."""
    said: Counter[str] = Counter()
    numbers: Counter[tuple[str, int]] = Counter()
    names: Counter[str] = Counter()
    for number in range(partitions):
        log = kafka.logs[VERDICTS, number]
        for _, entry in log.visible(0, log.stable_end):
            event = json.loads(entry.value or b"")
            data = event["data"]
            names[event["id"]] += 1
            numbers[data["customer_id"], data["number"]] += 1
            said[BRUSHED if data["brushed"] else REVERSED] += 1
            said[BRUSHED_MERGED] += bool(data.get("visitors")) and data["brushed"]
    _equal("verdicts told twice", [name for name, count in names.items() if count > 1], [])
    _equal("numbers of two verdicts", [each for each, count in numbers.items() if count > 1], [])
    return said


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
    _same_aggregates(again, store, redis, where, number)
    _equal(f"{where}: outbox", store.outbox(number, 0, 1), [])


def _same_aggregates(
    again: Refolded, store: MemoryStore, redis: MemoryRedis, where: str, number: int
) -> None:
    keys, client = store.keys(number), MemoryClient(redis)
    places = read_places(client, keys)
    days = again.aggregates.days
    _equal(f"{where}: days", sorted(places), sorted(Place(*place) for place in days))
    for place, found in zip(places, read_days(client, keys, places).days, strict=True):
        wanted = days[place]
        _equal(f"{where}: sums of {place}", found.sums, wanted.sums)
        sets = {name: seen.members() for name, seen in wanted.sets.items()}
        _equal(f"{where}: sets of {place}", found.sets, sets)
    kept = {name.decode(): int(day) for name, day in redis.hash(keys.kept).items()}
    _equal(f"{where}: days kept", kept, again.aggregates.kept_from)
    if again.position.seq:
        meta = redis.hash(keys.meta)
        _equal(f"{where}: aggregates from", meta[b"aggregated_from"], b"1")
        _equal(f"{where}: aggregates since", int(meta[b"aggregated_since"]), again.since)


def _same_as_committed(again: Refolded, kafka: MemoryKafka, number: int) -> None:
    position = f"{again.position.seq},{again.position.chain.hex()}"
    offsets = kafka.group.offsets
    found = {topic: offsets.get((topic, number), (0, ""))[0] for topic in again.vector}
    _equal(f"committed offsets, partition {number}", found, again.vector)
    if again.position.seq:
        newest = {metadata for (_, at), (_, metadata) in offsets.items() if at == number}
        _equal(f"committed position, partition {number}", position in newest, True)


def _same_as_published(again: Refolded, kafka: MemoryKafka, number: int) -> None:
    for topic in (TRIGGERS, VERDICTS, DECISIONS, DEADLETTERS):
        log = kafka.logs[topic, number]
        found = [(entry.key, entry.value) for _, entry in log.visible(0, log.stable_end)]
        wanted = [(row.key, row.value) for row in again.rows if row.topic == topic]
        if found != wanted:
            more, less = Counter(found) - Counter(wanted), Counter(wanted) - Counter(found)
            raise Wrong(f"{topic}[{number}]: doubled {list(more)}, lost {list(less)}, or reordered")


def _same_as_told(kafka: MemoryKafka, refolded: list[Refolded]) -> None:
    """What the partitions told each other, each fact once."""
    for number in range(len(refolded)):
        log = kafka.logs[TOPICS.exchange, number]
        found = Counter((entry.key, entry.value) for _, entry in log.visible(0, log.stable_end))
        wanted = Counter(
            (row.key, row.value)
            for again in refolded
            for row in again.rows
            if row.topic == TOPICS.exchange and row.partition == number
        )
        _equal(f"{TOPICS.exchange}[{number}]", found, wanted)


def _handed_over_once(
    published: list[Published], refolded: list[Refolded], shop_of_pairs: str
) -> None:
    """Each visitor whose alias was folded is a mark, and their customer has all of it once."""
    named = {
        event.key: event.value["data"]["alias_of"]
        for event in published
        if event.value["data"].get("action") == "alias"
    }
    of_one = [event._replace(key=named.get(event.key, event.key)) for event in published]
    found = {key: decode(value) for again in refolded for key, value in again.states.items()}
    for (shop, customer), figures in expect(of_one, 0).customers.items():
        if not customer.startswith((VISITOR, HOME)):
            continue
        state = found[state_key(shop, customer)]
        adds = state.cart.adds if state.cart is not None else 0
        wanted = (figures.views, figures.cart_adds)
        _equal(f"views and adds of {customer}", (state.browsing.actions.view, adds), wanted)
    for visitor, customer in named.items():
        mark = found[state_key(shop_of_pairs, visitor)]
        moved = mark.identity.moved_to if mark.identity is not None else ""
        _equal(f"the mark of {visitor}", (moved, mark.first_seen), (customer, None))


def _each_once(skipped: list[Skipped], number: int) -> set[tuple[int, SkipCause]]:
    causes = [(number, one.cause) for one in skipped]
    doubled = [cause for cause, count in Counter(causes).items() if count > 1]
    _equal("left out twice", doubled, [])
    return set(causes)


def _same_as_expected(
    kafka: MemoryKafka,
    source: Source,
    partitions: int,
    counts: Counter[tuple[str, str]],
    left_out: set[tuple[int, SkipCause]],
) -> list[Published]:
    """``left_out``: the records and timers, by partition, that the journal names as left out.

    Returns the good records that were not.
    """
    published: list[Published] = []
    bad: Counter[str] = Counter()
    for topic in TOPICS.customer:
        for number in range(partitions):
            log = kafka.logs[topic, number]
            for offset, entry in log.visible(0, log.stable_end):
                event = source.good.get(entry.value or b"")
                if event is None or (number, RecordCause(topic, offset)) in left_out:
                    bad[topic] += 1
                else:
                    published.append(event)
    # How many of a visitor's events count as repeats depends on when the visitor was handed over.
    visitors = Counter(event.topic for event in published if event.key.startswith(VISITOR))
    expected = expect([event for event in published if not event.key.startswith(VISITOR)])
    wanted = Counter({(topic, "applied"): count for topic, count in expected.events.items()})
    wanted.update({(topic, "duplicate"): n for topic, n in expected.duplicates.items()})
    wanted.update({(topic, "dead_letter"): n for topic, n in bad.items()})
    _equal("dead letters of exchanged facts", counts[TOPICS.exchange, "dead_letter"], 0)
    for topic in visitors:
        whole = sum(counts[topic, outcome] for outcome in ("applied", "duplicate"))
        known = sum(wanted[topic, outcome] for outcome in ("applied", "duplicate"))
        _equal(f"events of {topic}", whole, known + visitors[topic])
        for outcome in ("applied", "duplicate"):
            _equal(f"{topic} {outcome}", counts[topic, outcome] >= wanted[topic, outcome], True)
    compared = {
        cell: count
        for cell, count in counts.items()
        if cell[0] != TOPICS.exchange and (cell[0] not in visitors or cell[1] == "dead_letter")
    }
    rest = {
        cell: count
        for cell, count in wanted.items()
        if cell[0] not in visitors or cell[1] == "dead_letter"
    }
    _equal("events counted", compared, rest)
    found: Counter[str] = Counter()
    declared: set[str] = set()
    for number in range(partitions):
        log = kafka.logs[TRIGGERS, number]
        for _, entry in log.visible(0, log.stable_end):
            value = json.loads(entry.value or b"")
            found[value["id"]] += 1
            if value["data"]["campaign"] == DECLARED:
                # What it answers depends on when it was read; refold has compared that.
                declared.add(value["id"])
            if value["subject"].startswith(LATE):
                expected.triggers.pop(value["id"], None)
                found.pop(value["id"], None)
    doubled = [name for name, count in found.items() if count > 1]
    _equal("triggers published twice", doubled, [])
    for name in declared:
        found.pop(name, None)
    # What fires for late events depends on how late they were; refold has compared those.
    ids = {
        trigger.trigger_id
        for trigger in expected.triggers.values()
        if not trigger.customer_id.startswith(LATE) and _timer(trigger, partitions) not in left_out
    }
    if found.keys() != ids:
        lost = [expected.triggers[name] for name in sorted(ids - found.keys())]
        raise Wrong(f"triggers: lost {lost}, too many {sorted(found.keys() - ids)}")
    return published


def _timer(trigger: ExpectedTrigger, partitions: int) -> tuple[int, SkipCause] | None:
    """The partition and the timer that a trigger comes of, if it is one."""
    if trigger.due is None:
        return None
    number = partition_of(trigger.customer_id.encode(), partitions)
    key = state_key(trigger.shop_id, trigger.customer_id)
    return number, TimerCause(key, trigger.campaign, trigger.due)
