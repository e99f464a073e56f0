"""A store in a file, for all tests of a module: what is in it each test writes anew."""

from collections.abc import Iterator

import pytest

from streams.query.connecting import Database
from streams.query.migrating import bring_up
from tests.query.conftest import open_store, postgresql

__all__ = ["postgresql"]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('reports') / 'query.sqlite'}")
    bring_up(opened)
    yield opened
    opened.close()
