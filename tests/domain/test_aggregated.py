"""What increments add up to: cut anywhere, in any order of members, and bounded."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.aggregated import (
    EXACT_MEMBERS,
    MAX_FIELDS,
    MAX_SETS,
    MAX_SUM,
    AggregatesInMemory,
    Members,
    PartitionAggregates,
    Seen,
    member_from,
    number_of,
    text_of,
    union,
)
from streams.domain.increments import Increments, member_of

Change = tuple[str, int, str, int]
_changes = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.integers(10, 12),
        st.sampled_from("xyz"),
        st.integers(-5, 5),
    ),
    max_size=30,
)


def increments_of(changes: list[Change]) -> Increments:
    made = Increments()
    for shop, day, field, amount in changes:
        made.add(shop, day, field, amount)
        made.see(shop, day, field, member_of(str(amount)))
    return made


def folded(*commits: list[Change]) -> PartitionAggregates:
    partition = PartitionAggregates()
    for changes in commits:
        partition.apply(increments_of(changes))
    return partition


def figures(partition: PartitionAggregates) -> object:
    return {
        place: (day.sums, {name: seen.members() for name, seen in day.sets.items()}, day.cut)
        for place, day in partition.days.items()
    }


@given(_changes, st.integers(0, 30))
def test_cut_anywhere_it_is_the_same(changes: list[Change], at: int) -> None:
    whole, cut = folded(changes), folded(changes[:at], changes[at:])
    assert figures(whole) == figures(cut)
    both = increments_of(changes[:at])
    both.include(increments_of(changes[at:]))
    gathered = PartitionAggregates()
    gathered.apply(both)
    assert figures(gathered) == figures(whole)


@given(_changes)
def test_partitions_and_days_add_up(changes: list[Change]) -> None:
    days = range(10, 13)
    one = AggregatesInMemory([folded(changes)])
    several = AggregatesInMemory([folded(changes[::2]), folded(changes[1::2])])
    assert several.counts("a", days) == one.counts("a", days)
    assert several.names("a", days) == one.names("a", days)
    assert several.distinct("a", days, ["x", "y"]) == one.distinct("a", days, ["x", "y"])
    assert several.distinct_by_day("a", days, ["x"]) == one.distinct_by_day("a", days, ["x"])
    customers = {str(amount) for shop, _, field, amount in changes if (shop, field) == ("a", "x")}
    assert one.distinct("a", days, ["x"])["x"].number == len(customers)


def test_a_period_counts_a_customer_once() -> None:
    partition = folded([("a", 10, "x", 1), ("a", 11, "x", 1), ("a", 11, "x", 2)])
    read = AggregatesInMemory([partition])
    assert [read.distinct("a", range(10, stop), ["x"])["x"].number for stop in (11, 12)] == [1, 2]
    assert read.distinct_by_day("a", range(10, 12), ["x"])[11]["x"].number == 2
    assert read.distinct("a", range(10, 12), ["none"])["none"].number == 0


@settings(max_examples=25)
@given(st.integers(0, 2 * EXACT_MEMBERS), st.integers(0, 2 * EXACT_MEMBERS))
def test_what_a_set_becomes_depends_on_its_members_alone(first: int, second: int) -> None:
    members = [member_of(str(number)) for number in range(max(first, second))]
    forwards, backwards = Seen(), Seen()
    for part in (members[:first], members[:second]):
        forwards.add(part)
    for part in (members[:second], members[:first]):
        backwards.add(reversed(part))
    assert forwards.members() == backwards.members()
    exact = len(members) <= EXACT_MEMBERS
    found = number_of(forwards.members())
    assert found.exact == exact
    if exact:
        assert found.number == len(members)
    else:
        assert abs(found.number - len(members)) <= 4 * found.error * len(members)


def test_exact_and_estimated_sets_unite() -> None:
    many = Seen()
    many.add(member_of(str(number)) for number in range(EXACT_MEMBERS + 1))
    few = Members(frozenset(member_of(str(number)) for number in range(600, 700)))
    direct = Seen()
    direct.add(member_of(str(n)) for n in (*range(EXACT_MEMBERS + 1), *range(600, 700)))
    assert union([few, many.members(), Members()]) == direct.members()
    assert number_of(union([few, few])).exact


def test_the_bounds_leave_out_what_comes_later_and_say_so() -> None:
    partition = PartitionAggregates()
    first, later = Increments(), Increments()
    for number in range(MAX_FIELDS):
        first.add("a", 10, f"f|x|{number}", 1)
    for number in range(MAX_SETS):
        first.see("a", 10, f"s|x|{number}", member_of("anna"))
    partition.apply(first)
    read = AggregatesInMemory([partition])
    assert read.coverage("a", range(10, 12)).cut == frozenset()
    later.add("a", 10, "f|x|0", 1)
    later.add("a", 10, "o|x|one more", 1)
    later.see("a", 10, "o|x|one more", member_of("anna"))
    later.add("a", 10, "whole", 1)
    later.see("a", 10, "whole|source|live", member_of("anna"))
    partition.apply(later)
    assert len(read.counts("a", range(10, 11))[10]) == MAX_FIELDS + 1
    assert read.counts("a", range(10, 11))[10]["f|x|0"] == 2
    assert len(read.names("a", range(10, 11))) == MAX_SETS + 1
    assert read.coverage("a", range(10, 12)).cut == {10}


def test_a_sum_stays_within_what_is_exact() -> None:
    partition = folded([("a", 10, "x", MAX_SUM)], [("a", 10, "x", 1)])
    read = AggregatesInMemory([partition])
    assert read.counts("a", range(10, 11)) == {10: {"x": MAX_SUM}}
    assert read.coverage("a", range(10, 11)).cut == {10}


def test_days_that_are_dropped_stay_dropped() -> None:
    partition = folded([("a", 9, "x", 1), ("a", 10, "x", 1), ("b", 9, "x", 1)])
    partition.apply(increments_of([("a", 410, "x", 1)]))
    partition.apply(increments_of([("a", 9, "x", -1), ("a", 10, "x", -1)]))
    assert list(partition.days) == [("a", 10), ("b", 9), ("a", 410)]
    assert partition.days["a", 10].sums == {"x": 0}
    assert AggregatesInMemory([partition]).coverage("a", range(9, 11)).kept_from == 10


@given(st.permutations([0, 5, 395, 400, 401, 403, 800]), st.integers(0, 7))
def test_what_is_kept_depends_on_the_days_alone(days: list[int], at: int) -> None:
    changes = [("a", day, "x", 1) for day in days]
    assert figures(folded(changes)) == figures(folded(changes[:at], changes[at:]))
    assert sorted(day for _, day in folded(changes).days) == [400, 401, 403, 800]


@given(st.binary(min_size=8, max_size=8))
def test_a_member_is_a_number_in_redis(member: bytes) -> None:
    assert member_from(text_of(member).encode()) == member
