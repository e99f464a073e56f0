"""Customers on disk, each once and in order, however many there are.

A walk over Redis may meet a customer twice, in no order. To say each once takes a note of all of them: here
in a file, so that memory stays bounded by SQLite's cache.
"""

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final, Literal, Self

from streams.domain.rfm import Rfm
from streams.segments.members import Member

#: Rows written in one statement.
_AT_ONCE: Final = 1_000
#: Of the pages of the file that SQLite keeps in memory, kibibytes.
_CACHE_KIB: Final = 8_192

Measure = Literal["recency_days", "orders", "amount"]
#: Of whom a measure is known. An amount that lacks some orders is only known from below.
_COUNTED: Final[Mapping[Measure, str]] = {
    "recency_days": "SELECT recency_days, COUNT(*) FROM customers WHERE scored = 1 "
    "AND recency_days NOT NULL GROUP BY 1 ORDER BY 1",
    "orders": "SELECT orders, COUNT(*) FROM customers WHERE scored = 1 "
    "AND orders NOT NULL GROUP BY 1 ORDER BY 1",
    "amount": "SELECT amount, COUNT(*) FROM customers WHERE scored = 1 "
    "AND amount NOT NULL AND unknown_amounts = 0 GROUP BY 1 ORDER BY 1",
}


class Spool:
    """A file in a folder of its own, which ``close`` removes."""

    def __init__(self, folder: Path | None = None) -> None:
        """``folder``: where the file is made; None: where temporary files are."""
        self._folder = tempfile.TemporaryDirectory(prefix="huitou-segments-", dir=folder)
        self._rows = sqlite3.connect(Path(self._folder.name) / "customers.sqlite")
        # Nothing is read from it after this process.
        self._rows.execute("PRAGMA journal_mode = OFF")
        self._rows.execute("PRAGMA synchronous = OFF")
        self._rows.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._rows.execute(
            "CREATE TABLE customers (customer_id TEXT PRIMARY KEY, scored INTEGER, recency_days INTEGER, "
            "orders INTEGER, amount INTEGER, unknown_amounts INTEGER, r INTEGER, f INTEGER, m INTEGER, "
            "segment TEXT, lifecycle TEXT, tier TEXT, net_orders INTEGER, net_amount INTEGER) "
            "WITHOUT ROWID"
        )

    def close(self) -> None:
        """Remove the file."""
        self._rows.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, members: Iterable[Member]) -> None:
        """Note ``members``; of one that comes again what comes last."""
        waiting = iter(members)
        while chunk := list(islice(waiting, _AT_ONCE)):
            self._rows.executemany(
                "INSERT OR REPLACE INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(m.customer_id, *m.rfm, *m[2:]) for m in chunk],
            )
            self._rows.commit()

    def __iter__(self) -> Iterator[Member]:
        """All customers by their ids, compared by bytes."""
        for row in self._rows.execute("SELECT * FROM customers ORDER BY customer_id"):
            customer_id, scored, *values = row
            known = None if scored is None else bool(scored)
            yield Member(customer_id, Rfm(known, *values[:8]), *values[8:])

    def __len__(self) -> int:
        (count,) = self._rows.execute("SELECT COUNT(*) FROM customers").fetchone()
        return int(count)

    def known(self, measure: Measure) -> int:
        """How many scored customers have a known ``measure``."""
        return sum(count for _, count in self.counted(measure))

    def counted(self, measure: Measure) -> Iterator[tuple[int, int]]:
        """The known values of ``measure`` among scored customers, rising, each with how many have it."""
        yield from self._rows.execute(_COUNTED[measure])
