"""Aggregates of one generation as records for another one.

They need not follow their customers: a reader adds and unites partitions, so the days of an old partition go
as they are to the new one of its number, or of the rest of its number where there are fewer. What comes
together there is added and united; a set that is then too large to be exact is estimated from there on.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from streams.domain.aggregated import MAX_FIELDS, MAX_SETS, MAX_SUM, Members, Seen, union
from streams.domain.aggregates.names import is_open
from streams.state.day_codec import pack_days
from streams.state.days import Place, StoredDay, read_days, read_kept, read_places
from streams.state.keys import PartitionKeys

#: Sets of one record, of 12 KB at most each.
SETS_OF_A_RECORD: Final = 16


class MovedDays(NamedTuple):
    """A record without a key: some of a shop's day."""

    place: Place
    value: bytes


def read_moved_days(
    redis: Any, partitions: Sequence[PartitionKeys], kept_days: int
) -> Iterator[MovedDays]:
    """What all of these partitions hold, as one, sorted; nobody writes to them.

    The same values for the same aggregates. Raises redis.RedisError.
    """
    places = {keys: set(read_places(redis, keys)) for keys in partitions}
    kept_from: dict[str, int] = {}
    for keys in partitions:
        for shop_id, first in read_kept(redis, keys).items():
            kept_from[shop_id] = max(kept_from.get(shop_id, 0), first)
    for shop_id, day in set().union(*places.values()):
        kept_from[shop_id] = max(kept_from[shop_id], day - kept_days)
    for place in sorted(set().union(*places.values())):
        if place.day < kept_from[place.shop_id]:
            continue
        holders = [keys for keys in partitions if place in places[keys]]
        days = [read_days(redis, keys, [place]).days[0] for keys in holders]
        for part in _records(days[0] if len(days) == 1 else together(days)):
            yield MovedDays(place, pack_days([(place, part)]))


def together(days: Sequence[StoredDay]) -> StoredDay:
    """The days of one place in several partitions as one partition's, within its bounds."""
    sums: dict[str, int] = {}
    cut = any(day.cut for day in days)
    for name, amount in sorted(item for day in days for item in day.sums.items()):
        after = sums.get(name, 0) + amount
        if (name not in sums and len(sums) >= MAX_FIELDS and is_open(name)) or abs(after) > MAX_SUM:
            cut = True
        else:
            sums[name] = after
    # Those that always have room come first.
    names = sorted({name for day in days for name in day.names}, key=lambda n: (is_open(n), n))
    sets = {
        name: _bounded(union(day.sets[name] for day in days if name in day.sets))
        for name in names[:MAX_SETS]
    }
    return StoredDay(sums, list(sets), sets, cut or len(names) > MAX_SETS)


def _bounded(members: Members) -> Members:
    if members.body:
        return members
    seen = Seen()
    seen.add(members.exact)
    return seen.members()


def _records(day: StoredDay) -> Iterator[StoredDay]:
    names = sorted(day.sets)
    for at in range(0, max(1, len(names)), SETS_OF_A_RECORD):
        some = names[at : at + SETS_OF_A_RECORD]
        sums = {} if at else day.sums
        yield StoredDay(sums, some, {name: day.sets[name] for name in some}, day.cut)
