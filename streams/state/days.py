"""Days of a partition's aggregates as Redis holds them, read at one moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streams.domain.aggregated import Members, member_from, text_of
from streams.domain.hyperloglog import from_redis, to_redis
from streams.domain.increments import Increments
from streams.state.keys import CUT, PartitionKeys
from streams.state.script import Script

#: Days of one script: at most some MB of sets, of 12 KB each.
DAYS_AT_A_TIME = 16

_SCRIPT = Script("days").text


class Place(NamedTuple):
    """A shop's day, in days since 1 January 1970 on the shop's clock."""

    shop_id: str
    day: int

    def __str__(self) -> str:
        return f"{self.shop_id}/{self.day}"


@dataclass(slots=True)
class StoredDay:
    """What was asked for of a place; ``names`` of its sets come always."""

    sums: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    sets: dict[str, Members] = field(default_factory=dict)
    #: Whether something was left out at a bound.
    cut: bool = False
    #: The first day that the partition keeps of this shop.
    kept_from: int = 0

    def __bool__(self) -> bool:
        return bool(self.sums or self.names or self.cut)


class Days(NamedTuple):
    """Places of one partition, beside those asked for, and its ``meta`` of the same moment."""

    meta: dict[str, bytes]
    days: list[StoredDay]

    @property
    def seq(self) -> int:
        return int(self.meta.get("seq", b"0"))

    @property
    def aggregated_from(self) -> int:
        """The first commit of which the aggregates were added; of none: the next one."""
        return int(self.meta.get("aggregated_from", self.seq + 1))


def days_command(
    keys: PartitionKeys,
    places: Sequence[Place],
    *,
    sums: bool = True,
    sets: Sequence[str] | None = None,
) -> list[Any]:
    """The command that reads them, read-only.

    ``sets``: which, one that ends in a bar for all whose names begin so; None: all of them.
    """
    asked = "all" if sets is None else "named" if sets else ""
    names = sets or ()
    return [
        "EVAL_RO", _SCRIPT, 1, keys.meta, "sums" if sums else "", asked, len(names), *names,
        *map(str, places),
    ]  # fmt: skip


def parse_days(reply: Any) -> Days:
    """From the answer to ``days_command``. Raises ValueError for foreign values."""
    meta, places = reply
    days = []
    for kept, flat, titles, values in places:
        names = [title.decode() for title in titles]
        cut = CUT in names
        days.append(
            StoredDay(
                {flat[at].decode(): int(flat[at + 1]) for at in range(0, len(flat), 2)},
                sorted(name for name in names if name != CUT),
                {
                    name: _members(value)
                    for name, value in zip(names, values, strict=False)
                    if value is not None
                },
                cut,
                int(kept),
            )
        )
    return Days({meta[at].decode(): meta[at + 1] for at in range(0, len(meta), 2)}, days)


def _members(value: list[bytes] | bytes) -> Members:
    if isinstance(value, bytes):
        return Members(body=from_redis(value))
    return Members(frozenset(map(member_from, value)))


def read_days(redis: Any, keys: PartitionKeys, places: Sequence[Place]) -> Days:
    """All of these places, of one moment. Raises redis.RedisError."""
    return parse_days(redis.execute_command(*days_command(keys, places)))


def read_kept(redis: Any, keys: PartitionKeys) -> dict[str, int]:
    """Shop -> the first day of which its aggregates are kept. Raises redis.RedisError."""
    found: dict[bytes, bytes] = redis.hgetall(keys.kept)
    return {shop_id.decode(): int(first) for shop_id, first in sorted(found.items())}


def read_places(redis: Any, keys: PartitionKeys) -> list[Place]:
    """Every place that has aggregates and is kept, by shop and day. Raises redis.RedisError."""
    found = []
    for shop_id, first in read_kept(redis, keys).items():
        days = map(int, redis.zrange(keys.days(shop_id), 0, -1))
        found += [Place(shop_id, day) for day in days if day >= first]
    return found


def load_days(
    redis: Any,
    keys: PartitionKeys,
    kept_from: Mapping[str, int],
    days: Iterable[tuple[Place, StoredDay]],
) -> None:
    """Write days into a partition that has none. Raises redis.RedisError."""
    for shop_id, first in kept_from.items():
        redis.execute_command("HSET", keys.kept, shop_id, first)
    for place, day in days:
        with redis.pipeline(transaction=False) as pipe:
            pipe.execute_command("ZADD", keys.days(place.shop_id), place.day, place.day)
            if day.sums:
                fields = [part for pair in day.sums.items() for part in pair]
                pipe.execute_command("HSET", keys.sums(*place), *fields)
            names = [*day.sets, CUT] if day.cut else [*day.sets]
            if names:
                pipe.execute_command("SADD", keys.sets(*place), *names)
            for name, members in day.sets.items():
                key = keys.set(*place, name)
                if members.body:
                    pipe.execute_command("SET", key, to_redis(members.body))
                else:
                    pipe.execute_command("SADD", key, *map(text_of, members.exact))
            pipe.execute()


def increments_of(place: Place, day: StoredDay) -> Increments:
    """What makes ``day`` of nothing."""
    made = Increments()
    if day.cut:
        made.cut.add(place)
    if day.sums:
        made.counts[place] = dict(day.sums)
    for name, members in day.sets.items():
        if members.body:
            made.bodies[(*place, name)] = members.body
        else:
            made.members[(*place, name)] = set(members.exact)
    return made
