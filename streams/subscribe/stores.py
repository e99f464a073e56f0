"""What was handled already: the protocol, and SQLite, Redis and PostgreSQL as its implementations.

Each remembers an id for ``retention``. At that bound the id is forgotten: a trigger that comes again
even later (a group whose offsets were set back, say) is handled again. ``name`` parts subscribers that
share a store.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from streams.subscribe.errors import StoreUnavailableError

if TYPE_CHECKING:
    from psycopg import Connection

#: A group that stands still longer than this is rare, and 30 days of ids are some 100 bytes each.
RETENTION: Final = timedelta(days=30)
#: Ids forgotten by one call of ``remember``, so that none of them takes long.
_FORGOTTEN_AT_ONCE: Final = 1_000
_ANSWER_SECONDS: Final = 30.0


class DeduplicatingStore(Protocol):
    """Ids of triggers that were handled. Blocking; one call at a time, from any thread.

    Shared by all members of a group (Redis, PostgreSQL), it also covers what moves between them; a
    store of one process (SQLite) covers what that process sees again. All methods raise
    StoreUnavailableError.
    """

    def known(self, ids: Sequence[str]) -> set[str]:
        """Those of ``ids`` that were remembered within the retention."""

    def remember(self, ids: Sequence[str]) -> None:
        """Keeps ``ids``; once it returned they survive a crash as far as the store does."""

    def close(self) -> None:
        """Lets go of the connection."""


class SqliteStore:
    """A file of one process; every ``remember`` is synced to disk."""

    def __init__(
        self,
        path: Path,
        name: str,
        *,
        retention: timedelta = RETENTION,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path, self._name, self._now = path, name, now
        self._retention = retention.total_seconds()
        try:
            # The subscriber calls it from its own thread, one call at a time.
            self._file = sqlite3.connect(
                path, timeout=_ANSWER_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS handled_triggers (subscriber TEXT NOT NULL, "
                "trigger_id TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (subscriber, trigger_id)) "
                "WITHOUT ROWID"
            )
            self._file.execute(
                "CREATE INDEX IF NOT EXISTS handled_triggers_at ON handled_triggers (subscriber, at)"
            )
        except sqlite3.Error as error:
            raise StoreUnavailableError(str(path), error) from error

    def known(self, ids: Sequence[str]) -> set[str]:
        since = self._now() - self._retention
        try:
            return {
                one
                for one in set(ids)
                if self._file.execute(
                    "SELECT 1 FROM handled_triggers WHERE subscriber = ? AND trigger_id = ? AND at >= ?",
                    (self._name, one, since),
                ).fetchone()
            }
        except sqlite3.Error as error:
            raise StoreUnavailableError(str(self._path), error) from error

    def remember(self, ids: Sequence[str]) -> None:
        now = self._now()
        try:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                self._file.executemany(
                    "INSERT INTO handled_triggers VALUES (?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
                    [(self._name, one, now) for one in ids],
                )
                self._file.execute(
                    "DELETE FROM handled_triggers WHERE subscriber = ?1 AND trigger_id IN (SELECT "
                    "trigger_id FROM handled_triggers WHERE subscriber = ?1 AND at < ?2 LIMIT ?3)",
                    (self._name, now - self._retention, _FORGOTTEN_AT_ONCE),
                )
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreUnavailableError(str(self._path), error) from error

    def close(self) -> None:
        self._file.close()


class RedisStore:
    """A key an id, with the retention as its expiry. What Redis loses is handled again if it comes again."""

    def __init__(
        self, url: str, name: str, *, prefix: str = "subscriber:", retention: timedelta = RETENTION
    ) -> None:
        from redis import Redis

        self._begin = f"{prefix}{name}:"
        self._milliseconds = round(retention.total_seconds() * 1000)
        self._redis = Redis.from_url(url, socket_timeout=_ANSWER_SECONDS)

    def known(self, ids: Sequence[str]) -> set[str]:
        from redis.exceptions import RedisError

        try:
            with self._redis.pipeline(transaction=False) as asked:
                for one in ids:
                    asked.exists(self._begin + one)
                return {one for one, found in zip(ids, asked.execute(), strict=True) if found}
        except RedisError as error:
            raise StoreUnavailableError("in Redis", error) from error

    def remember(self, ids: Sequence[str]) -> None:
        from redis.exceptions import RedisError

        try:
            with self._redis.pipeline(transaction=False) as told:
                for one in ids:
                    told.set(self._begin + one, b"", px=self._milliseconds)
                told.execute()
        except RedisError as error:
            raise StoreUnavailableError("in Redis", error) from error

    def close(self) -> None:
        self._redis.close()


class PostgresStore:
    """A table ``handled_triggers``, which it makes (needs ``huitou[query]`` or psycopg)."""

    def __init__(self, url: str, name: str, *, retention: timedelta = RETENTION) -> None:
        self._url, self._name, self._retention = url, name, retention
        self._connection: Connection | None = None
        self._run(
            "CREATE TABLE IF NOT EXISTS handled_triggers (subscriber text NOT NULL, trigger_id text "
            "NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (subscriber, trigger_id))",
            (),
        )
        self._run(
            "CREATE INDEX IF NOT EXISTS handled_triggers_at ON handled_triggers (subscriber, at)",
            (),
        )

    def known(self, ids: Sequence[str]) -> set[str]:
        found = self._run(
            "SELECT trigger_id FROM handled_triggers WHERE subscriber = %s AND trigger_id = ANY(%s) "
            "AND at >= now() - %s",
            (self._name, list(ids), self._retention),
        )
        return {str(row[0]) for row in found}

    def remember(self, ids: Sequence[str]) -> None:
        self._run(
            "INSERT INTO handled_triggers SELECT %s, one, now() FROM unnest(%s::text[]) AS one "
            "ON CONFLICT (subscriber, trigger_id) DO UPDATE SET at = excluded.at",
            # Sorted: two members that write the same ids lock them in one order. Once: a statement
            # may touch a row only once.
            (self._name, sorted(set(ids))),
        )
        self._run(
            "DELETE FROM handled_triggers WHERE subscriber = %s AND trigger_id IN (SELECT trigger_id "
            "FROM handled_triggers WHERE subscriber = %s AND at < now() - %s LIMIT %s)",
            (self._name, self._name, self._retention, _FORGOTTEN_AT_ONCE),
        )

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, statement: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        """One statement in a transaction of its own; again on a new connection where the old one is gone."""
        import psycopg

        for last in (False, True):
            try:
                if self._connection is None:
                    self._connection = psycopg.connect(
                        self._url, autocommit=True, connect_timeout=int(_ANSWER_SECONDS)
                    )
                with closing(self._connection.cursor()) as cursor:
                    cursor.execute(statement.encode(), values or None)
                    return cursor.fetchall() if cursor.description else []
            except psycopg.Error as error:
                broken = self._connection is None or self._connection.broken
                self.close()
                if last or not broken:
                    raise StoreUnavailableError("in PostgreSQL", error) from error
        raise AssertionError("the second round returns or raises")


def open_store(url: str, name: str) -> DeduplicatingStore:
    """The store of sqlite:///PATH, redis://... or postgresql://...; raises ValueError for another URL."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and rest != "/":
        return SqliteStore(Path(rest[1:]), name)
    if scheme in ("redis", "rediss"):
        return RedisStore(url, name)
    if scheme in ("postgresql", "postgres"):
        return PostgresStore(url, name)
    raise ValueError(
        "a deduplicating store is sqlite:///PATH, redis://HOST:PORT/DB or postgresql://USER@HOST/DATABASE"
    )
