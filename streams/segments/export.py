"""Writes a shop's customers as CSV or JSON lines, whole or not at all."""

import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from streams.segments.members import Member

Form = Literal["csv", "json"]
COLUMNS = (
    "shop_id", "customer_id", "as_of", "segment", "r", "f", "m", "recency_days", "orders", "amount",
    "lifecycle", "tier", "net_orders", "net_amount", "currency",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a customer must be; empty: anything. ``unknown`` is asked for like a name."""

    segments: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()

    def has(self, one: Member) -> bool:
        """Whether the customer is wanted."""
        return (
            (not self.segments or one.segment in self.segments)
            and (not self.stages or (one.lifecycle or "unknown") in self.stages)
            and (not self.tiers or (one.tier or "unknown") in self.tiers)
        )


@dataclass(slots=True)
class Exported:
    """How many customers there were, and how many were written, by segment."""

    customers: int = 0
    written: Counter[str] = field(default_factory=Counter)


def write(
    out: IO[str],
    members: Iterable[Member],
    wanted: Wanted,
    constants: dict[str, str],
    form: Form,
    cell: Callable[[str], str] = str,
) -> Exported:
    """Write the customers that are ``wanted``; ``constants``: shop_id, as_of and currency of each row.

    What is not known is empty in CSV and null in JSON. ``cell`` turns a text into what CSV gets.
    """
    done = Exported()
    table = csv.writer(out, lineterminator="\n")
    if form == "csv":
        table.writerow(COLUMNS)
    for one in members:
        done.customers += 1
        if not wanted.has(one):
            continue
        done.written[one.segment] += 1
        row = {**_row(one), **constants}
        if form == "json":
            out.write(json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False) + "\n")
        else:
            values = (row[name] for name in COLUMNS)
            table.writerow([cell(v) if isinstance(v, str) else v for v in values])
    return done


def _row(one: Member) -> dict[str, Any]:
    scores = one.rfm
    return {
        "customer_id": one.customer_id,
        "segment": one.segment,
        "r": scores.r,
        "f": scores.f,
        "m": scores.m,
        "recency_days": scores.recency_days,
        "orders": scores.orders,
        "amount": None if scores.unknown_amounts else scores.amount,
        "lifecycle": one.lifecycle,
        "tier": one.tier,
        "net_orders": one.net_orders,
        "net_amount": one.net_amount,
    }


@contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """A file that becomes ``path`` once all is written; after an error ``path`` is what it was.

    Raises OSError.
    """
    # Beside it, since a rename must stay on one file system; of this process, since two may write at once.
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with beside.open("w", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            beside.unlink()
        raise
