"""The figures of the Taobao sample, from its rows alone: user, item, category, behaviour, second."""

import csv
import gzip
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

CHINA = timezone(timedelta(hours=8))
#: The sample's own period; a few rows lie outside of it.
FIRST = int(datetime(2017, 11, 25, tzinfo=CHINA).timestamp())
AFTER = int(datetime(2017, 12, 4, tzinfo=CHINA).timestamp())

BEHAVIOURS = ("pv", "fav", "cart", "buy")


class Row(NamedTuple):
    customer: str
    item: str
    category: str
    behaviour: str
    second: int


class SampleFigures(NamedTuple):
    """Customers with at least one view, favourite, cart, purchase; with at least two purchases."""

    rows: int
    viewed: int
    favoured: int
    carted: int
    bought: int
    bought_twice: int


def rows(path: Path) -> Iterator[Row]:
    """The whole rows of a file; a cut line is left out."""
    with gzip.open(path, "rt", newline="") as file:
        for fields in csv.reader(file):
            if (
                len(fields) == len(Row._fields)
                and fields[3] in BEHAVIOURS
                and fields[4].isdecimal()
            ):
                yield Row(fields[0], fields[1], fields[2], fields[3], int(fields[4]))


def figures(sample: Iterable[Row]) -> SampleFigures:
    """Over the rows inside the sample's period."""
    count = 0
    customers: dict[str, set[str]] = {behaviour: set() for behaviour in BEHAVIOURS}
    purchases: dict[str, int] = {}
    for row in sample:
        if FIRST <= row.second < AFTER:
            count += 1
            customers[row.behaviour].add(row.customer)
            if row.behaviour == "buy":
                purchases[row.customer] = purchases.get(row.customer, 0) + 1
    viewed, favoured, carted, bought = (len(customers[behaviour]) for behaviour in BEHAVIOURS)
    twice = sum(number >= 2 for number in purchases.values())
    return SampleFigures(count, viewed, favoured, carted, bought, twice)
