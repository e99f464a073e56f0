"""What a live report asks of Redis: every day of every partition once, whatever it shows."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis

from streams.domain.aggregated import PartitionAggregates
from streams.domain.increments import Increments, member_of
from streams.domain.shop import day_of_date
from streams.query.connecting import Database
from streams.repair.snapshot_days import stored_day
from streams.reports.answer import Answer, answer
from streams.reports.live import has_counted
from streams.reports.model import Asked
from streams.reports.period import Period
from streams.reports.read_once import ReadOnce
from streams.reports.registry import REPORTS
from streams.state.aggregates import RedisAggregates
from streams.state.days import DAYS_AT_A_TIME, Place, load_days
from streams.state.keys import PartitionKeys
from tests.reports.traffic_histories import FIRST, ZONE

PARTITIONS = 3
DAYS = 30
#: Round trips that hold all days, each with one script a partition.
ROUND_TRIPS = -(-DAYS // DAYS_AT_A_TIME)


class _Settings:
    def __init__(self, prefix: str) -> None:
        self.redis_prefix, self.partitions = prefix, PARTITIONS


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    opened = redis.Redis.from_url(redis_url)
    yield opened
    opened.close()


@pytest.fixture
def live(client: Any, prefix: str) -> RedisAggregates:
    """A month in which each partition has a visitor a day of one of two sources."""
    first = day_of_date(FIRST)
    for number in range(PARTITIONS):
        partition = PartitionAggregates()
        for at in range(DAYS):
            added, day = Increments(), first + at
            member = member_of(f"c{number}")
            added.add("s", day, "visits", 2)
            added.add("s", day, "views", 2)
            added.see("s", day, "visitors", member)
            source = ("search", "live")[at % 2]
            added.add("s", day, f"visits|source|{source}", 2)
            added.see("s", day, f"visitors|source|{source}", member)
            partition.apply(added)
        days = [(Place(*place), stored_day(day)) for place, day in partition.days.items()]
        load_days(client, PartitionKeys(prefix, number), partition.kept_from, days)
    return RedisAggregates(client, _Settings(prefix))


def asked_as_the_command_does(
    store: Database, live: RedisAggregates, name: str, by: str | None, compare: Any = None
) -> Answer:
    period = Period(FIRST, FIRST + timedelta(days=DAYS - 1), ZONE)
    asked = Asked("s", period, by, live=ReadOnce(live))
    with store.reading() as connection:
        said = answer(connection, REPORTS[name], asked, compare)
    assert has_counted(asked)
    return said


def scripts(client: Any) -> int:
    return int(client.info("commandstats").get("cmdstat_eval_ro", {}).get("calls", 0))


@pytest.mark.parametrize(
    ("name", "by", "periods"),
    [
        ("funnel", None, 1), ("funnel", "day", 1), ("funnel", "source", 1), ("overview", "day", 1),
        ("sources", "source", 2), ("overview", "day", 2),
    ],
)  # fmt: skip
def test_a_report_reads_every_day_of_every_partition_once(
    store: Database, live: RedisAggregates, client: Any, name: str, by: str | None, periods: int
) -> None:
    before = scripts(client)
    compare = "previous" if periods == 2 else None
    said = asked_as_the_command_does(store, live, name, by, compare)
    assert scripts(client) - before == ROUND_TRIPS * PARTITIONS * periods
    whole, *parts = (line.row for line in said.lines)
    assert whole.values["visitors"].number == PARTITIONS
    if by == "day":
        assert [row.values["visitors"].number for row in parts] == [PARTITIONS] * DAYS
    elif by == "source":
        held = {row.key: row.values["visitors"].number for row in parts if row.kind == "part"}
        assert held == {"search": PARTITIONS, "live": PARTITIONS}
