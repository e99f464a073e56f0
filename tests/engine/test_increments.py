"""What commits add to the aggregates: the same wherever they are cut, and nothing for a duplicate."""

import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import CLICKS
from schemas.decoding import RawRecord
from schemas.journal import decode_row
from schemas.trigger import TriggerEvent
from streams.domain.aggregated import PartitionAggregates
from streams.domain.facts import Fact
from streams.domain.fold import CustomerEvent
from streams.domain.increments import Increments, member_of
from streams.domain.shop import ShopSettings, day_of
from streams.domain.state import CustomerState
from streams.engine import draft
from streams.engine.commit import Commit, Fetched, Position, Stamp
from streams.engine.partition import NEW_CLOCK, NEW_POSITION
from streams.state.codec import CODEC_VERSION, decode
from tests.contract.records import APPENDED_MS, event, record
from tests.simulation.worker import FixedDefinitions, make_processors

STAMP = Stamp(1, NEW_CLOCK, APPENDED_MS, {}, "build", CODEC_VERSION, "config", "1")
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)

#: Customer and hours after noon; an event of one customer that comes again is a duplicate.
Click = tuple[int, int]
_clicks = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 40)), max_size=40)


def aggregate(
    increments: Increments,
    state: CustomerState,
    event: CustomerEvent,
    time: int,
    facts: tuple[Fact, ...],
    settings: ShopSettings,
) -> None:
    """Stands in for the definitions, so that what must come of it is known here."""
    assert facts == ()
    day = day_of(time, settings.time_zone)
    increments.add(state.shop_id, day, "clicks", 1)
    increments.add(state.shop_id, day, f"of {event.subject}", 1)
    increments.see(state.shop_id, day, "visitors", member_of(state.customer_id))


@pytest.fixture(autouse=True, scope="module")
def _known_definitions() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draft, "aggregate", aggregate)
        yield


def records(clicks: list[Click]) -> list[RawRecord]:
    made = []
    for offset, (customer, hour) in enumerate(clicks):
        name = f"c{customer}"
        time = (NOON + timedelta(hours=hour)).isoformat()
        click = event(CLICKS, subject=name, id=f"{name}-{hour}", time=time)
        made.append(record(click, key=name.encode(), partition=0, offset=offset))
    return made


def _ms(hour: int) -> int:
    return int((NOON + timedelta(hours=hour)).timestamp() * 1000)


def commits(
    bundles: list[list[RawRecord]], *, adopted: list[TriggerEvent] | None = None
) -> Iterator[Commit]:
    """Bundle by bundle, each in as many commits as the bounds ask for; states go through their bytes."""
    processor, definitions = make_processors(1)[0], FixedDefinitions().current()
    encoded: dict[str, bytes] = {}
    position: Position = NEW_POSITION
    for bundle in bundles:
        if not bundle:
            continue
        part = Fetched(CLICKS, bundle[0].offset, bundle[-1].offset + 1, bundle)
        work = processor.prepare([part], APPENDED_MS)
        states = {key: decode(encoded[key]) for key in work.keys if key in encoded}
        while not work.done:
            made = processor.fold(position, work, states, {}, definitions, adopted=adopted)
            commit = made.finish(STAMP)
            position = commit.position
            encoded |= commit.states
            yield commit


def figures(made: Iterator[Commit]) -> object:
    partition = PartitionAggregates()
    for commit in made:
        partition.apply(commit.increments)
    return {
        place: (day.sums, {name: seen.members() for name, seen in day.sets.items()})
        for place, day in partition.days.items()
    }


def cut(whole: list[RawRecord], at: list[int]) -> list[list[RawRecord]]:
    places = [0, *sorted(place % (len(whole) + 1) for place in at), len(whole)]
    return [whole[first:last] for first, last in itertools.pairwise(places)]


@given(_clicks, st.lists(st.integers(0, 100), max_size=5))
def test_cut_anywhere_it_is_the_same(clicks: list[Click], at: list[int]) -> None:
    whole = records(clicks)
    assert figures(commits([whole])) == figures(commits(cut(whole, at)))


@given(_clicks)
def test_each_event_counts_once(clicks: list[Click]) -> None:
    """Also where all of them come a second time."""
    whole = records(clicks + clicks)
    made = list(commits([whole[: len(clicks)], whole[len(clicks) :]]))
    expected: Counter[int] = Counter()
    for _, hour in set(clicks):
        expected[day_of(_ms(hour), "UTC")] += 1
    partition = PartitionAggregates()
    for commit in made:
        partition.apply(commit.increments)
    found = {day: one.sums["clicks"] for (_, day), one in partition.days.items()}
    assert found == dict(expected)
    visitors = {customer for customer, _ in clicks}
    seen = [one.sets["visitors"].exact for one in partition.days.values()]
    assert set().union(*seen) == {member_of(f"c{customer}") for customer in visitors}


@given(_clicks)
def test_an_adopted_commit_adds_as_much(clicks: list[Click]) -> None:
    whole = records(clicks)
    assert figures(commits([whole])) == figures(commits([whole], adopted=[]))


def test_many_changes_end_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each new day of these makes three changes; the commits say the same together."""
    clicks = [(0, -24 * day) for day in range(300)]
    whole = list(commits([records(clicks)]))
    monkeypatch.setattr(draft, "COMMIT_INCREMENTS", 300)
    several = list(commits([records(clicks)]))
    assert (len(whole), len(several)) == (1, 3)
    assert max(commit.increments.size for commit in several) <= 300 + 3 * 128
    assert figures(iter(whole)) == figures(iter(several))


def test_the_journal_names_what_was_added() -> None:
    (first,) = commits([records([(0, 1), (0, 2)])])
    (second,) = commits([records([(0, 1), (0, 3)])])
    (other_day,) = commits([records([(0, 1), (0, 22)])])
    rows = [decode_row(commit.row) for commit in (first, second, other_day)]
    assert len(rows[0].aggregates) == 16
    assert rows[0].aggregates == rows[1].aggregates != rows[2].aggregates
    dead = record(b"no json", key=b"c", partition=0, offset=0)
    (nothing,) = commits([[dead]])
    assert nothing.counts == {(CLICKS, "dead_letter"): 1}
    assert decode_row(nothing.row).aggregates == b""
    assert nothing.increments.size == 0


def test_rows_of_before_are_read_and_name_nothing() -> None:
    (commit,) = commits([records([(0, 1)])])
    fields = msgspec.msgpack.decode(commit.row)
    old = msgspec.msgpack.encode([1, *fields[1:-2]])
    row = decode_row(old)
    assert (row.version, row.aggregates, row.expired) == (1, b"", None)
    assert row.states == commit.journal.states
