"""REDIS_URL's forms."""

from typing import Any

import pytest
import redis
from redis.connection import SSLConnection

from streams.state.cluster import Cluster
from streams.state.connection import connect


def seeds(url: str) -> list[tuple[str, int]]:
    client: Any = connect(url)
    assert isinstance(client, Cluster)
    found: list[tuple[str, int]] = client._slots._seeds
    return found


def options(url: str) -> dict[str, Any]:
    client: Any = connect(url)
    found: dict[str, Any] = client._slots._options
    return found


def test_one_server_is_as_redis_py_takes_it() -> None:
    client = connect("redis://:secret@somewhere:7000/3", timeout=2.0)
    assert isinstance(client, redis.Redis)
    made = client.connection_pool.connection_kwargs
    assert (made["host"], made["port"], made["db"], made["password"]) == (
        "somewhere", 7000, 3, "secret",
    )  # fmt: skip
    assert made["socket_timeout"] == 2.0


def test_a_cluster_is_named_by_some_of_its_nodes() -> None:
    assert seeds("redis+cluster://one:7000,two,[::1]:7002/0") == [
        ("one", 7000), ("two", 6379), ("::1", 7002),
    ]  # fmt: skip


def test_credentials_and_options_hold_for_all_nodes() -> None:
    made = options("rediss+cluster://shop:p%40ss@one:7000,two:7001?socket_keepalive=yes")
    assert (made["username"], made["password"]) == ("shop", "p@ss")
    assert made["socket_keepalive"] is True
    assert made["connection_class"] is SSLConnection


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("redis+cluster://", "needs host:port"),
        ("redis+cluster://one,,two", "needs host:port"),
        ("redis+cluster://one:7000/1", "no database but 0"),
        ("cluster://one", "scheme"),
    ],
)
def test_what_is_no_such_url_is_said(url: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        connect(url)


def test_a_command_without_a_slot_is_no_command_of_a_cluster() -> None:
    with connect("redis+cluster://nowhere:1") as client, pytest.raises(ValueError, match="INFO"):
        client.info()
