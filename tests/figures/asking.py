"""A store that has a data set by the sink's own way of writing, and `huitou report` asked of it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select
from typer.testing import CliRunner

from producers.source import Feed, Record
from schemas.catalogue import ORDERS, PROFILES, REVIEWS, TRIGGERS
from schemas.decoding import RawRecord
from streams.cli.main import app
from streams.query.batch import BatchReader, Slice
from streams.query.migrating import bring_up
from streams.query.store import QueryStore, Stored
from streams.query.tables import order_coupons
from tests.figures.raw import DataSet
from tests.query.conftest import open_store

#: (whole, part or others; its key) -> the figures; a figure that is not known is an ``Unknown``.
Table = dict[tuple[str, str | None], dict[str, Any]]
_BATCH = 1_000


class Unknown:
    """What a figure is that cannot be known; ``least``: the least that it may be, where that is told."""

    def __init__(self, least: object = None) -> None:
        self.least = least

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and self.least == other.least

    def __hash__(self) -> int:
        return hash(self.least)

    def __repr__(self) -> str:
        return f"Unknown({self.least})"


def filled(feed: Feed, file: Path) -> str:
    """The URL of a new SQLite store in ``file`` with the orders of ``feed``."""
    url = f"sqlite:///{file}"
    database = open_store(url)
    bring_up(database)
    store = QueryStore(database)
    store.begin(
        [
            Stored(topic, 0, "id", 0, 0, None, 0, 0)
            for topic in (ORDERS, REVIEWS, PROFILES, TRIGGERS)
        ]
    )
    reader = BatchReader(1, {topic: topic for topic in (ORDERS, PROFILES)})
    sent = (record for record in feed.records() if record.topic in (ORDERS, PROFILES))
    nexts = dict.fromkeys((ORDERS, PROFILES), 0)
    for some in _batches(sent):
        slices = []
        for topic in (ORDERS, PROFILES):
            first = nexts[topic]
            own = [
                RawRecord(topic, 0, offset, each.at_ms, each.key, each.value)
                for offset, each in enumerate((r for r in some if r.topic == topic), first)
            ]
            if own:
                nexts[topic] += len(own)
                slices.append(Slice(topic, 0, first, nexts[topic], own))
        batch = reader.read(slices)
        assert not any(each.passed_over for each in batch.advances)
        store.write(batch)
    database.close()
    return url


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    each = iter(records)
    while some := list(islice(each, _BATCH)):
        yield some


class Reports:
    """`huitou report` of one shop, on its clock; Kafka is away, so nothing but the store answers."""

    def __init__(self, url: str, data: DataSet) -> None:
        self._data = data
        self._environment = {
            "HUITOU_QUERY_STORE": url,
            "HUITOU_TOPIC_PREFIX": "elsewhere.",
            "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        }

    def ask(self, name: str, first: date, last: date, by: str | None = None) -> Table:
        """The rows. Every figure that is null must say why."""
        arguments = [
            "report", name, "--shop", self._data.name, "--from", str(first), "--to", str(last),
            "--time-zone", self._data.zone, "--currency", self._data.currency, "--limit", "1000", "--json",
            *(() if by is None else ("--by", by)),
        ]  # fmt: skip
        done = CliRunner().invoke(app, arguments, env=self._environment)
        assert done.exit_code == 0, done.output
        return table(json.loads(done.stdout))

    def coupons(self) -> list[tuple[str, str, str]]:
        """(customer, order, code) of every coupon that the store has an order with."""
        database = open_store(self._environment["HUITOU_QUERY_STORE"])
        held = order_coupons.c
        with database.reading() as connection:
            found = connection.execute(select(held.customer_id, held.order_id, held.code)).all()
        database.close()
        return [(row[0], row[1], row[2]) for row in found]

    def orders_with(self, code: str) -> list[str]:
        """The orders that `huitou orders find` has with this coupon."""
        arguments = [
            "orders", "find", "--shop", self._data.name, "--coupon", code, "--limit", "1000", "--json",
        ]  # fmt: skip
        done = CliRunner().invoke(app, arguments, env=self._environment)
        assert done.exit_code == 0, done.output
        return [row["order_id"] for row in json.loads(done.stdout)["orders"]]


def table(said: Mapping[str, Any]) -> Table:
    """The rows of a report's JSON."""
    found: Table = {}
    for row in said["rows"]:
        figures = {}
        for name, value in row["figures"].items():
            if value is None:
                assert row["why"][name], (name, row)
                figures[name] = Unknown(row.get("at_least", {}).get(name))
            else:
                figures[name] = value
        key = (row["row"], row["key"])
        assert key not in found, key
        found[key] = figures
    return found
