"""Both databases: a SQLite file, and a PostgreSQL server of the tests' own."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streams.query.connecting import Database, store_url
from streams.query.migrating import bring_up
from streams.settings import Settings
from tests.query.postgres import PostgreSQL

BOTH = ["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A server for the whole run; every test has databases of its own."""
    with PostgreSQL() as started:
        yield started


@pytest.fixture(params=BOTH)
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives the URL of a store that is not made yet, another one each time."""

    def new() -> str:
        name = secrets.token_hex(6)
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path / name}.sqlite"
        server: PostgreSQL = request.getfixturevalue("postgresql")
        return server.database(name)

    return new


def open_store(url: str) -> Database:
    """The database of a URL as people write it."""
    return Database(store_url(Settings(), url))


@pytest.fixture
def database(new_store: Callable[[], str]) -> Iterator[Database]:
    """An empty store with this build's tables."""
    opened = open_store(new_store())
    bring_up(opened)
    yield opened
    opened.close()
