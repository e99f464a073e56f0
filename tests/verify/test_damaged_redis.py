"""Verify finds each single thing in Redis that is not as the log says."""

from datetime import UTC, datetime

import pytest

from schemas.partitioner import partition_of
from streams.domain.state import CustomerState
from streams.state.codec import decode, encode
from streams.state.days import Place, read_days, read_places
from streams.state.keys import PartitionKeys
from streams.verify.verify import verify
from tests.engine.harness import run_cli
from tests.engine.scenario import ShopDay
from tests.verify.conftest import WAITING
from tests.verify.damage import DAMAGED, check, differences, mended


@pytest.fixture
def keys(day: ShopDay) -> PartitionKeys:
    return day.bench.store.keys(DAMAGED)


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
    with mended(store, timers):
        store.zadd(timers, {"shop/stranger": 2})
        assert differences(check(day, partition)) == [("timer", "extra", "shop/stranger")]
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
        report = verify(day.bench.settings, [DAMAGED], patience=3.0)
    assert "start a worker" in report.differences[0].detail
    assert not report.agree


def a_day(day: ShopDay, keys: PartitionKeys) -> Place:
    """A shop's day of the partition that has a sum and a set."""
    for place in read_places(day.bench.redis, keys):
        (found,) = read_days(day.bench.redis, keys, [place]).days
        if found.sums and found.sets:
            return place
    raise AssertionError("no such day")


def a_name(place: Place) -> str:
    date = datetime.fromtimestamp(place.day * 86_400, UTC).date()
    return f"{place.shop_id}/{date.isoformat()}"


def test_an_altered_sum_is_found(day: ShopDay, keys: PartitionKeys) -> None:
    store, place = day.bench.redis, a_day(day, keys)
    name = keys.sums(*place)
    field, before = next(iter(store.hgetall(name).items()))
    with mended(store, name):
        store.hincrby(name, field, 1)
        report = check(day)
        assert differences(report) == [("aggregate", "different", a_name(place))]
        detail = f"{field.decode()}: log {int(before)}, found {int(before) + 1}"
        assert report.differences[0].detail == detail
        assert report.aggregates.compared > 0
        store.delete(name)
        assert differences(check(day)) == [("aggregate", "different", a_name(place))]


def test_altered_sets_are_found(day: ShopDay, keys: PartitionKeys) -> None:
    store, place = day.bench.redis, a_day(day, keys)
    (found,) = read_days(store, keys, [place]).days
    title = next(iter(found.sets))
    name, number = keys.set(*place, title), len(found.sets[title].exact)
    with mended(store, name):
        store.sadd(name, 12345)
        report = check(day)
        assert differences(report) == [("aggregate", "different", a_name(place))]
        detail = f"set {title}: log {number} customers, found {number + 1} customers"
        assert report.differences[0].detail == detail
        store.spop(name)
        store.spop(name)
        store.sadd(name, 54321)
        assert differences(check(day)) == [("aggregate", "different", a_name(place))]


def test_days_that_are_missing_or_of_nobody(day: ShopDay, keys: PartitionKeys) -> None:
    store, place = day.bench.redis, a_day(day, keys)
    gone = [keys.sums(*place), keys.sets(*place)]
    gone += [keys.set(*place, n) for n in read_days(store, keys, [place]).days[0].names]
    with mended(store, *gone):
        store.delete(*gone)
        assert differences(check(day)) == [("aggregate", "missing", a_name(place))]
    other = Place(place.shop_id, place.day + 1)
    with mended(store, keys.days(place.shop_id), keys.sums(*other)):
        store.zadd(keys.days(place.shop_id), {str(other.day): other.day})
        store.hset(keys.sums(*other), "clicks", 1)
        assert differences(check(day)) == [("aggregate", "extra", a_name(other))]
