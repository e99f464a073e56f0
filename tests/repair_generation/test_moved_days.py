"""Aggregates on their way into another generation: as they were, whatever the partition counts are."""

from collections.abc import Iterator, Sequence

import pytest
import redis

from schemas.clock import WALL
from schemas.decoding import RawRecord
from schemas.journal import GENESIS, ClockState
from streams.domain.aggregated import EXACT_MEMBERS, MAX_FIELDS
from streams.domain.increments import Increments, member_of
from streams.engine.commit import Fetched, Position, Stamp
from streams.engine.process import PartitionProcessor
from streams.repair.repartition_days import SETS_OF_A_RECORD, read_moved_days
from streams.state.codec import CODEC_VERSION
from streams.state.days import Place, StoredDay, read_days, read_places
from streams.state.increments import pack_increments
from streams.state.redis_store import RedisStore, Refused

START = Position(0, GENESIS)
STAMP = Stamp(1, ClockState(WALL, 1, 0, 1.0, 1), 1, {}, "build", CODEC_VERSION, "config", "1")
KEPT = 400
_PROCESSOR = PartitionProcessor(
    0,
    None,
    None,
    triggers_topic="triggers",
    verdicts_topic="verdicts",
    decisions_topic="decisions",
    deadletters_topic="dead",  # type: ignore[arg-type]
    exchange_topic="exchange",
    partitions=1,
)


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as made:
        yield made


@pytest.fixture
def store(redis_url: str, prefix: str) -> Iterator[RedisStore]:
    made = RedisStore(redis_url, prefix)
    made.load_scripts()
    yield made
    made.close()


def commit(store: RedisStore, number: int, increments: Increments) -> None:
    store.claim(number, 1, "member")
    made = _PROCESSOR.stand(START).finish(STAMP)
    made.increments, made.added = increments, pack_increments(increments)
    assert not isinstance(store.commit([(number, 1, START, made)])[0], Refused)


def moved(store: RedisStore, client: "redis.Redis", olds: Sequence[int], new: int) -> list[bytes]:
    """Move what the old partitions hold, as a repartition does: by records, and commits over them."""
    values = [
        one.value for one in read_moved_days(client, [store.keys(number) for number in olds], KEPT)
    ]
    store.claim(new, 1, "member")
    position = START
    for at in range(0, len(values), 2):
        records = [RawRecord("origin", new, at, 0, None, value) for value in values[at : at + 2]]
        part = Fetched("origin", at, at + len(records), records)
        made = _PROCESSOR.inherit(position, part, {}).finish(STAMP)
        assert not isinstance(store.commit([(new, 1, position, made)])[0], Refused)
        position = made.position
    return values


def held(store: RedisStore, client: "redis.Redis", number: int) -> dict[Place, StoredDay]:
    keys = store.keys(number)
    places = read_places(client, keys)
    return dict(zip(places, read_days(client, keys, places).days, strict=True))


def increments(*customers: str, field: str = "x", day: int = 510) -> Increments:
    made = Increments()
    made.add("shop", day, field, len(customers))
    for customer in customers:
        made.see("shop", day, field, member_of(customer))
    return made


def test_one_partition_goes_as_it_is(store: RedisStore, client: "redis.Redis") -> None:
    """Many sets, exact and estimated ones, and a day of which something was left out."""
    made = increments(*[f"c{number}" for number in range(EXACT_MEMBERS + 1)])
    made.include(increments("anna", day=509))
    for number in range(2 * SETS_OF_A_RECORD):
        made.see("shop", 510, f"s{number}", member_of("anna"))
    for number in range(MAX_FIELDS + 1):
        made.add("other", 510, f"f|x|{number}", 1)
    commit(store, 0, made)
    before = held(store, client, 0)
    assert before[Place("other", 510)].cut
    assert moved(store, client, [0], 5) == moved(store, client, [5], 6)
    assert held(store, client, 5) == held(store, client, 6) == before


def test_two_partitions_become_one(store: RedisStore, client: "redis.Redis") -> None:
    few, many = [[f"{side}{n}" for n in range(300)] for side in "ab"]
    commit(store, 0, increments(*few, "anna"))
    commit(store, 1, increments(*many, "anna"))
    one_more = increments("carl", field="y", day=511)
    commit(store, 2, one_more)
    moved(store, client, [0, 1, 2], 5)
    whole = increments(*few, *many, "anna")
    whole.add("shop", 510, "x", 1)  # anna was added in both
    whole.include(one_more)
    commit(store, 6, whole)
    assert held(store, client, 5) == held(store, client, 6)
    assert held(store, client, 5)[Place("shop", 510)].sets["x"].body


def test_what_one_of_them_no_longer_keeps_is_left(store: RedisStore, client: "redis.Redis") -> None:
    commit(store, 0, increments("anna", day=100))
    commit(store, 1, increments("anna", day=501))
    moved(store, client, [0, 1], 5)
    assert list(held(store, client, 5)) == [Place("shop", 501)]
