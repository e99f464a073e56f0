"""Connections to the query store: SQLite in WAL mode, or PostgreSQL.

``reading`` sees one moment of the store and never waits for a writer. ``writing`` is one transaction, and
there is one at a time in the whole store: what a batch reads before it writes stays true, and two sinks
cannot interleave. SQLite does so by itself (BEGIN IMMEDIATE); PostgreSQL by an advisory lock that ends with
the transaction.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from streams.local.files import user_folder
from streams.settings import Settings

#: Seconds that a writer waits for the one before it.
LOCK_SECONDS: Final = 30
#: Between two tries to change a file's mode.
_MODE_SECONDS: Final = 0.02
#: Names the right to write in PostgreSQL: "huitou" as a number.
ADVISORY_LOCK: Final = int.from_bytes(b"huitou")
#: A sink that froze in a transaction loses its connection, and with it the lock, after so many seconds:
#: before those who wait for it give up.
_IDLE_SECONDS: Final = 20


def store_url(settings: Settings, given: str | None = None) -> URL:
    """Where the store is: ``given``, else HUITOU_QUERY_STORE, else a file beside the default local stack.

    Raises ValueError for what is neither ``sqlite:///PATH`` nor ``postgresql://...``.
    """
    wanted = given or settings.query_store
    if not wanted:
        file = user_folder("XDG_STATE_HOME", ".local/state") / "query.sqlite"
        return URL.create("sqlite", database=str(file))
    try:
        # An argument that is not UTF-8 has surrogates, which nothing could print.
        wanted.encode()
        url = make_url(wanted)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError, NoSuchModuleError):
        # Not shown: it may hold a password.
        raise ValueError(f"the query store's URL cannot be read; {_FORMS}") from None
    if backend == "sqlite" and url.database and url.database != ":memory:":
        if url.query:
            raise ValueError(f"the URL of a query store's file takes no options; {_FORMS}")
        return url
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise ValueError(f"no query store {shown(url)!r}; {_FORMS}")


def shown(url: URL) -> str:
    """``url`` for people: without its password, and of its options those that hold no secret."""
    options = {name: value for name, value in url.query.items() if name in _SHOWN_OPTIONS}
    return url.set(query=options).render_as_string(hide_password=True)


#: libpq takes a password as an option, too, and will know others that nobody here has heard of.
_SHOWN_OPTIONS: Final = frozenset(
    ("host", "hostaddr", "port", "user", "dbname", "service", "sslmode", "target_session_attrs")
)


_FORMS: Final = (
    "the forms are sqlite:///relative/path, sqlite:////absolute/path and "
    "postgresql://user:password@host:5432/database"
)


class Database:
    """The store's two engines. Nothing is connected before it is used; ``close`` ends what is."""

    def __init__(self, url: URL) -> None:
        self.url = url
        if url.get_backend_name() == "sqlite":
            self._reader, self._writer = _sqlite(url, "BEGIN"), _sqlite(url, "BEGIN IMMEDIATE")
        else:
            self._reader = self._writer = _postgresql(url)

    @property
    def name(self) -> str:
        """The store for people: its URL without secrets."""
        return shown(self.url)

    @property
    def file(self) -> Path | None:
        """The database file; None of PostgreSQL."""
        found = self.url.database
        return Path(found) if self.url.get_backend_name() == "sqlite" and found else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One moment of the store."""
        with self._reader.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed at the end and rolled back by an exception."""
        with self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK}
                )
            yield connection

    @property
    def reader(self) -> Engine:
        """The engine that ``reading`` uses."""
        return self._reader

    @property
    def writer(self) -> Engine:
        """The engine that ``writing`` uses."""
        return self._writer

    def close(self) -> None:
        """Ends all connections; may be called twice."""
        self._reader.dispose()
        self._writer.dispose()


def _sqlite(url: URL, begin: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": LOCK_SECONDS}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: object) -> None:
        # The driver would begin transactions where it sees fit, and none for DDL.
        connection.isolation_level = None
        _write_ahead(connection)
        # A power cut may take the last transactions, never a part of one: their offsets go with them.
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _write_ahead(connection: Any) -> None:
    """Changing a new file's mode takes a lock for which SQLite does not wait by itself."""
    deadline = time.monotonic() + LOCK_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_MODE_SECONDS)


def _postgresql(url: URL) -> Engine:
    # The transaction's lock comes first and its statements see what the writer before it committed: the
    # default level, READ COMMITTED, whatever the server's own default.
    options = (
        f"-c lock_timeout={LOCK_SECONDS}s -c idle_in_transaction_session_timeout={_IDLE_SECONDS}s"
    )
    return create_engine(
        url,
        isolation_level="READ COMMITTED",
        # An error is logged and must not name a customer.
        hide_parameters=True,
        connect_args={"options": options, "application_name": "huitou"},
    )
