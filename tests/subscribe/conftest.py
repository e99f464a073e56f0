"""A topic of triggers of the test's own, and a PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.query.postgres import PostgreSQL
from tests.subscribe.publishing import Triggers


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    with PostgreSQL() as started:
        yield started


@pytest.fixture
def triggers(kafka: str, prefix: str) -> Triggers:
    """Of four partitions."""
    return Triggers(kafka, f"{prefix}shop.triggers", 4)
