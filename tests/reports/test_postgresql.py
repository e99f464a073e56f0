"""The same statements on a real PostgreSQL: fewer histories, the same oracle."""

import secrets
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from streams.query.connecting import Database
from streams.query.migrating import bring_up
from tests.query.conftest import open_store
from tests.query.postgres import PostgreSQL
from tests.reports import checks
from tests.reports.histories import fill
from tests.reports.oracle import Question
from tests.reports.test_figures import anything, questions

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server_store(postgresql: PostgreSQL) -> Iterator[Database]:
    opened = open_store(postgresql.database(secrets.token_hex(6)))
    bring_up(opened)
    yield opened
    opened.close()


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_figures_are_the_same_on_a_server(server_store: Database, check: object) -> None:
    @settings(anything, max_examples=12)
    @given(questions())
    def holds(question: Question) -> None:
        fill(server_store, question.published)
        check(server_store, question)  # type: ignore[operator]

    holds()
