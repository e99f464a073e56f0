"""What is said of a database's error, and whether trying again can help."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from streams.cli.endings import EXIT_DOUBT, EXIT_REFUSED, EXIT_USAGE
from streams.local.ports import pick
from streams.query.connecting import shown, store_url
from streams.query.failures import said
from streams.settings import Settings
from tests.engine.harness import run_cli
from tests.query import postgres
from tests.query.conftest import open_store
from tests.query.postgres import GUARDED, PostgreSQL

pytestmark = pytest.mark.long


def asked(store: str, code: int) -> str:
    """What `huitou orders find` says of ``store`` on standard error."""
    done = run_cli(Settings(), "orders", "find", "--store", store)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@db/x?password=secret",
        "postgresql://db/x?sslpassword=secret&host=other",
        "postgresql://db/x?one_of_next_year=secret",
    ],
)
def test_no_secret_of_a_url_is_shown(url: str) -> None:
    assert "secret" not in shown(store_url(Settings(), url))


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:secret@db/x?password=secret", "nonsense://me:secret@db/x", "secret",
        "postgresql://me:secret@db:port/x", "sqlite:///x?password=secret", "sqlite:///\udcffsecret",
    ],
)  # fmt: skip
def test_what_is_no_store_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(ValueError, match="the forms are") as error:
        store_url(Settings(), url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("INSERT INTO t VALUES (1, 'anna')", "unique"),
        ("INSERT INTO t VALUES (NULL, 'anna')", "null"),
        ("SELECT CAST('anna' AS integer) FROM t", ""),
    ],
)
def test_no_value_of_a_row_is_in_what_is_said(
    postgresql: PostgreSQL, statement: str, says: str
) -> None:
    database = open_store(postgresql.database(f"said{abs(hash(statement))}"))
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE t (number integer PRIMARY KEY, name text UNIQUE)"))
        connection.execute(text("INSERT INTO t VALUES (1, 'anna')"))
    with pytest.raises(SQLAlchemyError) as error, database.writing() as connection:
        connection.execute(text(statement))
    database.close()
    assert "anna" in str(error.value), "what is to be hidden is there"
    sentence = said(error.value)
    assert says in sentence
    assert "SQLSTATE" in sentence
    assert "anna" not in sentence


def test_a_server_that_refuses_is_not_tried_again(postgresql: PostgreSQL) -> None:
    postgresql.database(GUARDED)
    guarded = postgresql.url(GUARDED)
    assert "no password supplied" in asked(guarded, EXIT_REFUSED)
    wrong = asked(guarded.replace("huitou@", "huitou:secret@"), EXIT_REFUSED)
    assert "password authentication failed" in wrong
    assert "secret" not in wrong
    assert "does not exist" in asked(postgresql.url("nowhere"), EXIT_REFUSED)
    assert "invalid connection option" in asked(f"{guarded}?nonsense=1", EXIT_REFUSED)


def test_a_server_that_is_away_is_a_doubt() -> None:
    (free,) = pick(1)
    assert "refused" in asked(f"postgresql://me@127.0.0.1:{free}/x", EXIT_DOUBT)


def test_a_path_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database")
    below = f"sqlite:///{tmp_path}/file/deeper/query.sqlite"
    done = run_cli(Settings(), "sink", "--once", "--store", below)
    assert done.returncode == EXIT_REFUSED, done.stderr
    assert "cannot be there" in done.stderr
    assert "there is no query store" in asked(below, EXIT_REFUSED)
    assert "not a database" in asked(f"sqlite:///{tmp_path}/file", EXIT_REFUSED)
    assert "unable to open" in asked(f"sqlite:///{tmp_path}", EXIT_REFUSED)
    asked("mysql://db/x", EXIT_USAGE)


def test_a_server_that_does_not_start_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_START_SECONDS", -1.0)
    monkeypatch.setattr(PostgreSQL, "_answers", lambda _: False)
    server = PostgreSQL()
    with pytest.raises(AssertionError, match="PostgreSQL to answer"):
        server.__enter__()
    assert server._process is not None
    assert server._process.poll() is not None
    assert not server._folder.exists()
