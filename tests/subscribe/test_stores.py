"""One contract for every deduplicating store."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from streams.local.ports import pick
from streams.subscribe import (
    DeduplicatingStore,
    PostgresStore,
    RedisStore,
    SqliteStore,
    StoreUnavailableError,
    open_store,
)
from tests.query.postgres import PostgreSQL
from tests.waiting import wait_for

#: name, retention -> a store; all of one test are the same file or server.
Open = Callable[..., DeduplicatingStore]


@pytest.fixture(params=["sqlite", "redis", "postgresql"])
def open_one(request: pytest.FixtureRequest, tmp_path: Path, prefix: str) -> Iterator[Open]:
    opened: list[DeduplicatingStore] = []
    database = ""
    if request.param == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        database = server.database(prefix.strip("."))

    def open_it(name: str, retention: timedelta = timedelta(days=1)) -> DeduplicatingStore:
        store: DeduplicatingStore
        if request.param == "sqlite":
            store = SqliteStore(tmp_path / "handled.sqlite", name, retention=retention)
        elif request.param == "redis":
            url = request.getfixturevalue("redis_url")
            store = RedisStore(url, name, prefix=prefix, retention=retention)
        else:
            store = PostgresStore(database, name, retention=retention)
        opened.append(store)
        return store

    yield open_it
    for store in opened:
        store.close()


def test_what_was_remembered_is_known_also_to_the_next_one(open_one: Open) -> None:
    store = open_one("a")
    assert store.known([]) == set()
    assert store.known(["t1", "t2"]) == set()
    store.remember(["t1", "t3"])
    store.remember(["t3", "回头客'; --"])
    assert open_one("a").known(["t1", "t2", "t3", "t1", "回头客'; --"]) == {
        "t1",
        "t3",
        "回头客'; --",
    }


def test_subscribers_that_share_a_store_do_not_meet(open_one: Open) -> None:
    open_one("a").remember(["t1"])
    assert open_one("b").known(["t1"]) == set()


def test_an_id_is_forgotten_after_the_retention(open_one: Open) -> None:
    store = open_one("a", timedelta(seconds=0.05))
    store.remember(["t1"])
    wait_for(lambda: store.known(["t1"]) == set(), 120, "t1 to be forgotten")
    store.remember(["t2"])
    store.remember(["t1"])


def test_many_at_once(open_one: Open) -> None:
    store = open_one("a")
    ids = [f"t{number}" for number in range(2_500)]
    store.remember(ids)
    assert store.known([*ids, "x"]) == set(ids)


def test_sqlite_gives_the_room_of_forgotten_ids_back(tmp_path: Path) -> None:
    now = [1_000.0]
    store = SqliteStore(tmp_path / "s", "a", retention=timedelta(seconds=10), now=lambda: now[0])
    store.remember(["t1", "t2"])
    now[0] += 10
    assert store.known(["t1"]) == {"t1"}
    now[0] += 0.5
    assert store.known(["t1"]) == set()
    store.remember(["t3"])
    [count] = store._file.execute("SELECT count(*) FROM handled_triggers").fetchone()
    assert count == 1
    store.close()


def test_postgresql_is_asked_again_after_its_connection_was_cut(
    postgresql: PostgreSQL, prefix: str
) -> None:
    url = postgresql.database(prefix.strip("."))
    store, other = PostgresStore(url, "a"), PostgresStore(url, "a")
    store.remember(["t1"])
    other._run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
               "AND datname = current_database()", ())  # fmt: skip
    assert store.known(["t1"]) == {"t1"}
    store.close()
    other.close()


def test_a_store_that_is_not_there_says_so(tmp_path: Path) -> None:
    (port,) = pick(1)
    with pytest.raises(StoreUnavailableError, match="in Redis"):
        RedisStore(f"redis://127.0.0.1:{port}/0", "a").known(["t1"])
    with pytest.raises(StoreUnavailableError, match="in PostgreSQL"):
        open_store(f"postgresql://nobody@127.0.0.1:{port}/none", "a")
    with pytest.raises(StoreUnavailableError, match="missing"):
        open_store(f"sqlite:///{tmp_path}/missing/file", "a")
    for url in ("", "mysql://x", "sqlite:///", "file"):
        with pytest.raises(ValueError, match="sqlite:///PATH"):
            open_store(url, "a")
