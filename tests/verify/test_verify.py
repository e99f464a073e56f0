"""Verify agrees with what a worker did, and finds each single thing that is not as the log says."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import redis
from confluent_kafka import Producer

from schemas.catalogue import JOURNAL, TRIGGERS
from schemas.journal import JournalRow, chain, decode_row, encode_row
from schemas.partitioner import partition_of
from streams.domain.state import CustomerState
from streams.engine.log import LogReader
from streams.settings import Settings
from streams.state.codec import decode, encode
from streams.state.keys import PartitionKeys
from streams.verify.report import Report
from streams.verify.verify import verify
from tests.engine.harness import run_cli
from tests.engine.scenario import ShopDay
from tests.verify.conftest import WAITING
from tests.verify.kafka_log import delete_before

#: The partition that tests of Redis and of topics may damage; it is mended after each.
DAMAGED = 3

Record = tuple[bytes | None, bytes]


def check(day: ShopDay, partition: int = DAMAGED) -> Report:
    return verify(day.bench.settings, [partition])


def differences(report: Report) -> list[tuple[str, str, str]]:
    return [(each.subject, each.kind, each.name) for each in report.differences]


# --- nothing is damaged


def test_all_agree_after_a_whole_day(day: ShopDay) -> None:
    report = verify(day.bench.settings)
    assert report.differences == []
    assert report.agree
    assert report.events == sum(day.bench.published.values())
    assert report.states.compared == day.customers + 1
    assert report.triggers.compared == len(day.expected) == 3 * day.customers
    assert report.dead_letters.compared == day.bench.settings.partitions
    assert report.timers.compared == 1
    assert report.partitions.compared == len(report.seqs) == day.bench.settings.partitions
    assert report.journal.compared == sum(report.seqs.values()) > 3 * len(report.seqs)
    assert report.unprocessed == 0


def test_the_command_prints_a_table_and_exits_0(day: ShopDay) -> None:
    done = run_cli(day.bench.settings, "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All agree." in done.stdout
    assert f"{sum(day.bench.published.values())} events in" in done.stdout


def test_the_command_s_json(day: ShopDay) -> None:
    done = run_cli(day.bench.settings, "verify", "--json", "--partition", "0", "-p", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["agree"] is True
    assert (report["missing"], report["extra"], report["different"]) == (0, 0, 0)
    assert set(report["seqs"]) == {"0", "1"}
    assert report["states"]["compared"] > 0


def test_a_partition_that_does_not_exist_is_refused(day: ShopDay) -> None:
    done = run_cli(day.bench.settings, "verify", "--partition", "8")
    assert done.returncode == 1
    assert "this stack has 0 to 7" in done.stderr


def test_without_the_key_of_the_codes_it_says_so(day: ShopDay) -> None:
    settings = day.bench.settings.model_copy(
        update={"code_key": type(day.bench.settings.code_key)("")}
    )
    done = run_cli(settings, "verify")
    assert done.returncode == 1
    assert "HUITOU_CODE_KEY" in done.stderr


def test_codes_of_another_key_are_left_out(day: ShopDay) -> None:
    """The journal names the key; a process with a newer one cannot make the old codes again."""
    secret = type(day.bench.settings.code_key)("another")
    rotated = day.bench.settings.model_copy(update={"code_key": secret, "code_key_id": "2"})
    assert verify(rotated, [DAMAGED]).agree
    wrong = day.bench.settings.model_copy(update={"code_key": secret})
    report = verify(wrong, [DAMAGED])
    assert report.triggers.different == report.triggers.compared > 0
    assert "data.offer.code: log" in report.differences[0].detail


# --- Redis is damaged


@pytest.fixture
def keys(day: ShopDay) -> PartitionKeys:
    return day.bench.store.keys(DAMAGED)


@contextmanager
def mended(store: "redis.Redis", *names: str) -> Iterator[None]:
    """Puts these keys back as they were."""
    before = {name: store.dump(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            store.delete(name)
            if value is not None:
                store.restore(name, 0, value)


def a_customer(day: ShopDay, partition: int = DAMAGED) -> str:
    """State key of a customer of the partition."""
    partitions = day.bench.settings.partitions
    return next(
        f"shop/{name}"
        for _, name in day.names()
        if partition_of(name.encode(), partitions) == partition
    )


def state_of(day: ShopDay, keys: PartitionKeys, customer: str) -> CustomerState:
    held = day.bench.redis.get(keys.state(customer))
    assert isinstance(held, bytes)
    return decode(held)


def test_an_altered_state_is_found_and_explained(day: ShopDay, keys: PartitionKeys) -> None:
    store, customer = day.bench.redis, a_customer(day)
    with mended(store, keys.state(customer)):
        state = state_of(day, keys, customer)
        state.browsing.actions.view += 1
        store.set(keys.state(customer), encode(state))
        report = check(day)
        assert differences(report) == [("state", "different", customer)]
        assert report.differences[0].detail == "browsing.actions.view: log 3, found 4"
        done = run_cli(day.bench.settings, "verify", "-p", str(DAMAGED))
    assert done.returncode == 1
    assert f"different state {customer} (partition {DAMAGED}): browsing.actions.view" in done.stdout
    assert "They do not agree." in done.stdout
    assert check(day).agree


def test_a_state_altered_where_people_do_not_look(day: ShopDay, keys: PartitionKeys) -> None:
    store, customer = day.bench.redis, a_customer(day)
    with mended(store, keys.state(customer)):
        state = state_of(day, keys, customer)
        state.seen = bytes(len(state.seen))
        store.set(keys.state(customer), encode(state))
        assert differences(check(day)) == [("state", "different", customer)]


def test_a_missing_an_unreadable_and_an_extra_state(day: ShopDay, keys: PartitionKeys) -> None:
    store, customer, stranger = day.bench.redis, a_customer(day), "shop/stranger"
    with mended(store, keys.state(customer), keys.state(stranger)):
        store.rename(keys.state(customer), keys.state(stranger))
        assert differences(check(day)) == [
            ("state", "missing", customer), ("state", "extra", stranger),
        ]  # fmt: skip
        store.rename(keys.state(stranger), keys.state(customer))
        store.set(keys.state(customer), b"no state")
        report = check(day)
    assert differences(report) == [("state", "different", customer)]
    assert "cannot be read" in report.differences[0].detail


def test_altered_timers(day: ShopDay) -> None:
    store, customer = day.bench.redis, f"shop/{WAITING}"
    partition = partition_of(WAITING.encode(), day.bench.settings.partitions)
    timers = day.bench.store.keys(partition).timers
    with mended(store, timers):
        store.zincrby(timers, 1, customer)
        assert differences(check(day, partition)) == [("timer", "different", customer)]
        store.zrem(timers, customer)
        assert differences(check(day, partition)) == [("timer", "missing", customer)]
    others = a_customer(day, partition)
    with mended(store, timers):
        store.zadd(timers, {others: 1, "shop/stranger": 2})
        assert differences(check(day, partition)) == [
            ("timer", "extra", others), ("timer", "extra", "shop/stranger"),
        ]  # fmt: skip
    assert check(day, partition).agree


@pytest.mark.parametrize(
    "field", ["count:{}shop.clicks:applied", "count:{}shop.clicks:duplicate", "offset:{}shop.carts"]
)
def test_altered_counters_and_offsets(day: ShopDay, keys: PartitionKeys, field: str) -> None:
    name = field.format(day.bench.prefix)
    with mended(day.bench.redis, keys.meta):
        day.bench.redis.hincrby(keys.meta, name, 1)
        report = check(day)
    assert [(each.subject, each.kind) for each in report.differences] == [
        ("partition", "different")
    ]
    assert report.differences[0].detail.startswith(f"{name}: log ")


def test_a_redis_that_lost_a_partition_is_found(day: ShopDay, keys: PartitionKeys) -> None:
    store = day.bench.redis
    names = [key.decode() for key in store.scan_iter(match=f"{keys.base}*", count=1_000)]
    with mended(store, *names):
        store.delete(*names)
        report = check(day)
    (found,) = report.differences
    assert (found.subject, found.kind) == ("journal", "different")
    assert "Redis stands at seq 0, but commits up to" in found.detail
    assert not report.agree


def test_a_redis_of_another_lineage_is_found(day: ShopDay, keys: PartitionKeys) -> None:
    with mended(day.bench.redis, keys.meta):
        day.bench.redis.hset(keys.meta, "chain", "00" * 16)
        report = check(day)
    assert "two lineages" in report.differences[0].detail


def test_a_commit_that_is_never_published_is_found(day: ShopDay, keys: PartitionKeys) -> None:
    with mended(day.bench.redis, keys.meta):
        day.bench.redis.hincrby(keys.meta, "seq", 1)
        report = verify(day.bench.settings, [DAMAGED], patience=2.0)
    assert "start a worker" in report.differences[0].detail
    assert not report.agree


# --- shop.triggers is damaged


class Rewritable:
    """A partition of a topic whose records a test may replace; ``mend`` puts the first ones back."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._kafka = settings.kafka_bootstrap
        self._topic = settings.topic_prefix + topic
        self._place = (self._topic, DAMAGED)
        with LogReader(self._kafka) as reader:
            start, end = reader.log_starts([self._place]), reader.stable_ends([self._place])
            records = reader.read_range(*self._place, start[self._place], end[self._place])
        self.records: list[Record] = [(record.key, record.value or b"") for record in records]

    def replace(self, records: list[Record]) -> None:
        with LogReader(self._kafka) as reader:
            end = reader.high_watermarks([self._place])[self._place]
        delete_before(self._kafka, *self._place, end)
        self.append(records)

    def append(self, records: list[Record]) -> None:
        producer = Producer({"bootstrap.servers": self._kafka})
        for key, value in records:
            producer.produce(self._topic, value, key=key, partition=DAMAGED)
        assert producer.flush(20) == 0

    def mend(self) -> None:
        self.replace(self.records)


@pytest.fixture
def triggers(day: ShopDay) -> Iterator[Rewritable]:
    topic = Rewritable(day.bench.settings, TRIGGERS)
    yield topic
    topic.mend()


def altered(record: Record, change: Callable[[dict[str, Any]], None]) -> Record:
    key, value = record
    event = json.loads(value)
    change(event)
    return key, msgspec.json.encode(event)


def name_of(record: Record) -> str:
    return str(json.loads(record[1])["id"])


def test_a_missing_trigger_is_found(day: ShopDay, triggers: Rewritable) -> None:
    first, *others = triggers.records
    triggers.replace(others)
    report = check(day)
    assert differences(report) == [("trigger", "missing", name_of(first))]
    assert report.triggers.compared == len(triggers.records)
    assert not report.agree


def test_an_extra_trigger_is_found(day: ShopDay, triggers: Rewritable) -> None:
    extra = altered(triggers.records[0], lambda event: event.update(id="stranger"))
    triggers.append([extra])
    report = check(day)
    assert differences(report) == [("trigger", "extra", "stranger")]
    assert "no commit issued" in report.differences[0].detail
    assert not report.agree


def test_a_trigger_that_was_published_twice_is_found(day: ShopDay, triggers: Rewritable) -> None:
    again = triggers.records[-1]
    triggers.append([again])
    report = check(day)
    assert differences(report) == [("trigger", "extra", name_of(again))]
    assert "published again" in report.differences[0].detail


def test_a_record_that_is_no_trigger_is_found(day: ShopDay, triggers: Rewritable) -> None:
    triggers.append([(b"c", b"no json")])
    ((subject, kind, name),) = differences(check(day))
    assert (subject, kind) == ("trigger", "extra")
    assert f"[{DAMAGED}]@" in name


CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "data.offer.value": lambda event: event["data"]["offer"].update(value=99),
    "data.offer.code": lambda event: event["data"]["offer"].update(code="GUESSED"),
    "data.seq": lambda event: event["data"].update(seq=event["data"]["seq"] + 1),
    "data.cause.offset": lambda event: event["data"]["cause"].update(offset=99),
    "data.cause.type": lambda event: event["data"].update(cause={"type": "timer", "due": 1}),
    "data.customer_id": lambda event: event["data"].update(customer_id="another"),
    "time": lambda event: event.update(time="2020-01-01T00:00:00Z"),
    "new": lambda event: event.update(new=1),
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_changed_trigger_is_found_and_its_field_named(
    day: ShopDay, triggers: Rewritable, field: str
) -> None:
    first, *others = triggers.records
    triggers.replace([altered(first, CHANGES[field]), *others])
    report = check(day)
    assert differences(report) == [("trigger", "different", name_of(first))]
    assert f"{field}: log " in report.differences[0].detail


def test_a_trigger_under_another_key_is_found(day: ShopDay, triggers: Rewritable) -> None:
    first, *others = triggers.records
    triggers.replace([(b"another", first[1]), *others])
    report = check(day)
    assert differences(report) == [("trigger", "different", name_of(first))]
    assert "key: log" in report.differences[0].detail


def test_triggers_in_another_order_are_the_same_triggers(
    day: ShopDay, triggers: Rewritable
) -> None:
    triggers.replace(triggers.records[::-1])
    assert check(day).agree


# --- the journal is damaged


@pytest.fixture
def journal(day: ShopDay) -> Iterator[Rewritable]:
    topic = Rewritable(day.bench.settings, JOURNAL)
    yield topic
    topic.mend()


def rows_of(journal: Rewritable) -> list[JournalRow]:
    return [decode_row(value) for _, value in journal.records]


def rechained(rows: list[JournalRow]) -> list[Record]:
    """The rows with each naming the one before it, as a forger would leave them."""
    records: list[Record] = []
    previous = rows[0].previous
    for row in rows:
        raw = encode_row(msgspec.structs.replace(row, previous=previous))
        previous = chain(raw)
        records.append((None, raw))
    return records


def explained(report: Report) -> str:
    return "\n".join(map(str, report.differences))


@pytest.mark.parametrize("removed", [0, 1])
def test_a_gap_in_the_journal_is_found(day: ShopDay, journal: Rewritable, removed: int) -> None:
    journal.replace([*journal.records[:removed], *journal.records[removed + 1 :]])
    report = check(day)
    found = report.differences[0]
    assert (found.subject, found.kind) == ("journal", "missing")
    assert f"row seq {removed + 1} is missing: found seq {removed + 2}" in found.detail
    assert not report.agree


def test_a_broken_chain_is_found(day: ShopDay, journal: Rewritable) -> None:
    rows = rows_of(journal)
    rows[1] = msgspec.structs.replace(rows[1], previous=bytes(range(16)))
    journal.replace([(None, encode_row(row)) for row in rows])
    assert "seq 2" in explained(check(day))
    assert "two lineages" in explained(check(day))


def with_slice(rows: list[JournalRow], topic: str) -> int:
    """The first row with records of the topic."""
    return next(
        at
        for at, row in enumerate(rows)
        for part in row.slices
        if part.topic.endswith(topic) and part.count
    )


def replaced_slice(rows: list[JournalRow], topic: str, **changes: Any) -> list[JournalRow]:
    at = with_slice(rows, topic)
    slices = [
        msgspec.structs.replace(part, **{name: change(part) for name, change in changes.items()})
        if part.topic.endswith(topic)
        else part
        for part in rows[at].slices
    ]
    return [*rows[:at], msgspec.structs.replace(rows[at], slices=slices), *rows[at + 1 :]]


def test_offsets_passed_over_are_found(day: ShopDay, journal: Rewritable) -> None:
    rows = replaced_slice(
        rows_of(journal), "shop.orders",
        start=lambda part: part.start + 1, count=lambda part: part.count - 1,
    )  # fmt: skip
    journal.replace(rechained(rows))
    report = check(day)
    assert report.journal.missing >= 1
    assert "offsets [0, 1) were passed over" in explained(report)


def test_offsets_processed_twice_are_found(day: ShopDay, journal: Rewritable) -> None:
    rows = rows_of(journal)
    at = with_slice(rows, "shop.orders")
    again = [part for part in rows[at].slices if part.topic.endswith("shop.orders")]
    rows[at + 1] = msgspec.structs.replace(rows[at + 1], slices=[*rows[at + 1].slices, *again])
    journal.replace(rechained(rows))
    report = check(day)
    assert report.journal.extra >= 1
    assert "were processed again" in explained(report)


def test_records_that_are_not_the_ones_processed_are_found(
    day: ShopDay, journal: Rewritable
) -> None:
    rows = replaced_slice(rows_of(journal), "shop.orders", crc=lambda part: part.crc ^ 1)
    journal.replace(rechained(rows))
    assert "are not the ones that seq" in explained(check(day))
    rows = replaced_slice(rows_of(journal), "shop.orders", count=lambda part: part.count + 1)
    journal.replace(rechained(rows))
    assert "the log holds" in explained(check(day))


@pytest.mark.parametrize("field", ["states", "rows"])
def test_a_digest_that_does_not_match_is_found(
    day: ShopDay, journal: Rewritable, field: str
) -> None:
    rows = rows_of(journal)
    rows[0] = msgspec.structs.replace(rows[0], **{field: bytes(16)})
    journal.replace(rechained(rows))
    report = check(day)
    assert report.journal.different >= 1
    assert f"{field}: log " in explained(report)
    assert "written by this build" in explained(report)


def test_a_timer_that_never_fired_or_fired_early_is_found(
    day: ShopDay, journal: Rewritable
) -> None:
    rows = rows_of(journal)
    at, fired = next((at, row.fired) for at, row in enumerate(rows) if row.fired is not None)
    late = msgspec.structs.replace(fired, due=fired.due + 1)
    journal.replace(
        rechained([*rows[:at], msgspec.structs.replace(rows[at], fired=late), *rows[at + 1 :]])
    )
    assert "none was pending" in explained(check(day))
    clock = msgspec.structs.replace(rows[at].clock, watermark=fired.due - 1)
    journal.replace(
        rechained([*rows[:at], msgspec.structs.replace(rows[at], clock=clock), *rows[at + 1 :]])
    )
    assert "before the watermark" in explained(check(day))


def test_a_record_that_is_no_journal_row_is_found(day: ShopDay, journal: Rewritable) -> None:
    journal.replace([journal.records[0], (None, b"no row")])
    assert "this is no journal row" in explained(check(day))


def test_after_all_this_damage_the_day_is_whole_again(day: ShopDay) -> None:
    assert verify(day.bench.settings).agree
