"""The query store of a run, which the sinks fill: a PostgreSQL server, or a file in SQLite's WAL mode."""

import sqlite3
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal, Protocol

import psycopg

from streams.query.connecting import ADVISORY_LOCK
from tests.query.postgres import PostgreSQL

Kind = Literal["postgresql", "sqlite"]
KINDS: Final[tuple[Kind, ...]] = ("sqlite", "postgresql")
_DATABASE = "faults"


class StoreMissing(Exception):
    """Its server's programs are not installed; the message says what to do."""


class QueryStoreServer(Protocol):
    """What a fault and the judge need to know of either kind."""

    #: Of the server; None of a file.
    port: int | None

    def start(self) -> None: ...
    def stop(self) -> None: ...

    def url(self, port: int | None = None) -> str:
        """As people write it; ``port``: by this way."""

    def kill9(self) -> None:
        """The server dies in one moment; of a file there is none."""

    def start_again(self) -> None:
        """After ``kill9``."""

    def locked(self, seconds: float) -> bool:
        """Whether somebody has the right to write and keeps it for so long."""


class StoreServer:
    """A PostgreSQL of the run's own."""

    def __init__(self) -> None:
        try:
            self._server = PostgreSQL()
        except AssertionError as error:
            raise StoreMissing(f"{error}; or take the other store: --store sqlite") from None
        self.port: int | None = self._server.port
        self._running = ExitStack()

    def start(self) -> None:
        self._running.enter_context(self._server)
        self._server.database(_DATABASE)

    def stop(self) -> None:
        self._running.close()

    def url(self, port: int | None = None) -> str:
        return f"postgresql://huitou@127.0.0.1:{port or self.port}/{_DATABASE}"

    def kill9(self) -> None:
        self._server.kill9()

    def start_again(self) -> None:
        self._server.start()

    def locked(self, seconds: float) -> bool:
        with psycopg.connect(self.url()) as connection:
            connection.execute(f"SET lock_timeout = {round(seconds * 1_000)}")
            try:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,))
            except psycopg.errors.LockNotAvailable:
                return True
            finally:
                connection.rollback()
        return False


class StoreFile:
    """A file in ``folder``."""

    port: int | None = None

    def __init__(self, folder: Path) -> None:
        self._file = folder / "query.sqlite"

    def start(self) -> None:
        """There is no server; a sink makes the file."""

    def stop(self) -> None:
        """There is no server."""

    def url(self, port: int | None = None) -> str:
        return f"sqlite:///{self._file}"

    def kill9(self) -> None:
        """There is no server."""

    def start_again(self) -> None:
        """There is no server."""

    def locked(self, seconds: float) -> bool:
        connection = sqlite3.connect(self._file, timeout=seconds, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname not in ("SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT"):
                raise
            return True
        finally:
            connection.close()
        return False


def query_store(kind: Kind, folder: Path) -> QueryStoreServer:
    """Not started yet. Raises StoreMissing."""
    return StoreServer() if kind == "postgresql" else StoreFile(folder)
