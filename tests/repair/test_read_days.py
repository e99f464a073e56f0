"""Days read at different commits come out as of the last one, whichever was read when."""

from hypothesis import given
from hypothesis import strategies as st

from streams.domain.aggregated import PartitionAggregates
from streams.domain.increments import Increments, member_of
from streams.repair.snapshot_days import ReadDays, stored_day
from streams.state.day_codec import pack_days, unpack_days
from streams.state.days import Place, StoredDay

KEPT = 2

#: Of each commit: (day, amount).
_commits = st.lists(
    st.lists(st.tuples(st.integers(10, 15), st.integers(-3, 3)), max_size=4),
    min_size=1,
    max_size=8,
)


def increments_of(changes: list[tuple[int, int]]) -> Increments:
    made = Increments()
    for day, amount in changes:
        made.add("shop", day, "x", amount)
        made.see("shop", day, "who", member_of(str(amount)))
    return made


def as_of(commits: list[Increments], seq: int) -> PartitionAggregates:
    partition = PartitionAggregates()
    for increments in commits[:seq]:
        partition.apply(increments, KEPT)
    return partition


def days_of(partition: PartitionAggregates) -> dict[Place, StoredDay]:
    return {Place(*place): stored_day(day) for place, day in partition.days.items()}


@given(_commits, st.integers(0, 7), st.lists(st.integers(0, 7), min_size=6, max_size=6))
def test_each_day_is_brought_to_the_last_commit(
    changes: list[list[tuple[int, int]]], listed: int, later: list[int]
) -> None:
    """``listed``: the commit as of which days were listed; ``later``: how long after it each was read."""
    commits = [increments_of(one) for one in changes]
    last = len(commits)
    listed = min(listed, last)
    before = as_of(commits, listed)
    read = ReadDays(listed, dict(before.kept_from), KEPT)
    for place, after in zip(sorted(days_of(before)), later, strict=False):
        seq = min(listed + after, last)
        read.read(seq, place, days_of(as_of(commits, seq)).get(place, StoredDay()))
    for seq, increments in enumerate(commits, 1):
        read.add(seq, increments)
    expected = as_of(commits, last)
    assert dict(read.days()) == days_of(expected)
    assert read.kept_from == expected.kept_from
    packed = pack_days(read.days())
    assert dict(unpack_days(packed)) == days_of(expected)
    assert pack_days(sorted(days_of(expected).items())) == packed
