"""The local stack: comes up, keeps its data, stops only what it started, minds its neighbours."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from confluent_kafka.admin import AdminClient, NewTopic

from streams.local.errors import LocalStackError, StartError
from streams.local.ports import is_free, pick
from streams.local.process import Identity
from streams.local.redis import RedisProcess
from streams.local.stack import GivenStack, LocalStack, choose_stack
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack beside the session's, which these tests may kill and restart."""
    with LocalStack(tmp_path_factory.mktemp("own")) as started:
        yield started


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisProcess]:
    """A lone Redis, for what is true of any server of the stack."""
    process = RedisProcess(tmp_path / "redis", pick(1)[0])
    yield process
    process.kill9()


def topics(bootstrap: str) -> set[str]:
    return set(AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=60).topics)


def client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, decode_responses=True)


def test_redis_is_as_durable_as_the_engine_demands(own: LocalStack) -> None:
    with client(own.redis_url) as connection:
        wanted = {"appendonly": "yes", "maxmemory-policy": "noeviction", "save": ""}
        assert {name: connection.config_get(name)[name] for name in wanted} == wanted


def test_kafka_does_not_make_topics_by_itself(own: LocalStack, prefix: str) -> None:
    admin = AdminClient({"bootstrap.servers": own.kafka})
    admin.list_topics(f"{prefix}mistyped", timeout=60)
    assert f"{prefix}mistyped" not in topics(own.kafka)


def test_a_start_of_what_runs_changes_nothing(own: LocalStack) -> None:
    before = (own.kafka_process.pid, own.redis_process.pid)
    with LocalStack(own.folder) as again:
        assert (again.kafka_process.pid, again.redis_process.pid) == before
        assert again.environment() == own.environment()
    assert (own.kafka_process.pid, own.redis_process.pid) == before, "it stopped what it found"


def test_data_and_addresses_survive_a_restart_and_a_kill(own: LocalStack, prefix: str) -> None:
    address = (own.kafka, own.redis_url)
    admin = AdminClient({"bootstrap.servers": own.kafka})
    admin.create_topics([NewTopic(f"{prefix}kept", 3)])[f"{prefix}kept"].result(60)
    with client(own.redis_url) as connection:
        connection.set(f"{prefix}kept", "yes")
    own.stop()
    assert not own.kafka_process.running
    assert not own.redis_process.running
    own.start()
    own.kafka_process.kill9()
    own.kafka_process.start()
    own.redis_process.restart()
    assert (own.kafka, own.redis_url) == address
    assert f"{prefix}kept" in topics(own.kafka)
    with client(own.redis_url) as connection:
        assert connection.get(f"{prefix}kept") == "yes"


def test_two_stacks_run_side_by_side(own: LocalStack, stack: object, kafka: str) -> None:
    assert own.kafka != kafka
    assert topics(own.kafka) is not None
    assert topics(kafka) is not None


def test_the_code_key_is_made_once_and_is_its_owners(own: LocalStack) -> None:
    key = own.environment()["HUITOU_CODE_KEY"]
    assert len(bytes.fromhex(key)) == 32
    assert LocalStack(own.folder).environment()["HUITOU_CODE_KEY"] == key
    assert stat.S_IMODE((own.folder / "code_key").stat().st_mode) == 0o600


def test_a_stopped_stack_moves_away_from_ports_that_others_took(tmp_path: Path) -> None:
    ports = dict(zip(("kafka", "controller", "redis"), pick(3), strict=True))
    (tmp_path / "stack.json").write_text(json.dumps(ports), encoding="utf-8")
    with socket.create_server(("127.0.0.1", ports["redis"])), LocalStack(tmp_path) as moved:
        assert moved.redis_process.port != ports["redis"]
        assert topics(moved.kafka) is not None


def test_a_taken_port_base_is_refused_with_the_port(tmp_path: Path) -> None:
    base = pick(1)[0]
    with (
        socket.create_server(("127.0.0.1", base)),
        pytest.raises(LocalStackError, match=f"Port {base} is taken"),
    ):
        LocalStack(tmp_path, base).start()


def test_ports_are_drawn_below_those_of_outgoing_connections() -> None:
    assert all(port < 32_768 and is_free(port) for port in pick(3))


def test_a_stale_pid_file_is_nobodys(server: RedisProcess) -> None:
    """The pid was given to another process: it must be neither taken for the server nor ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        server.folder.mkdir(parents=True)
        stale = {"pid": bystander.pid, "started": "another boot:1"}
        (server.folder / "pid.json").write_text(json.dumps(stale), encoding="utf-8")
        assert not server.running
        assert not server.stop()
        assert bystander.poll() is None
        assert server.start()
        assert server.running
        bystander.communicate(b"\n")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_broken_pid_file_is_no_server(server: RedisProcess, content: str) -> None:
    server.folder.mkdir(parents=True)
    (server.folder / "pid.json").write_text(content, encoding="utf-8")
    assert not server.running


def test_a_killed_server_is_seen_to_be_gone(server: RedisProcess) -> None:
    server.start()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: not server.running, message="the zombie to count as gone")
    assert server.start()


def test_a_frozen_server_is_ended_by_force(server: RedisProcess) -> None:
    server.start()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    assert server.stop(timeout=0.2)
    assert not server.running


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(server: RedisProcess) -> None:
    manifest = server.data / "appendonlydir" / "appendonly.aof.manifest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("no manifest", encoding="utf-8")
    with pytest.raises(StartError, match="ended while it started") as raised:
        server.start()
    assert "AOF MANIFEST FILE ERROR" in str(raised.value)
    assert not server.running


def test_another_server_on_the_port_is_not_taken_for_this_one(server: RedisProcess) -> None:
    server.start()
    other = RedisProcess(server.folder.parent / "other", server.port)
    with pytest.raises(StartError, match=f"another process has port {server.port}"):
        other.start()
    assert server.running


def test_a_zombie_has_no_identity() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        wait_for(lambda: Identity.of(child.pid) is None, message="the child to become a zombie")


def test_a_dying_process_is_there_until_its_last_thread_is_gone() -> None:
    """A killed broker's main thread is a zombie while other threads still hold its ports."""
    code = (
        "import ctypes, sys, threading\n"
        "threading.Thread(target=sys.stdin.read).start()\n"
        "ctypes.CDLL(None).pthread_exit(None)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as child:
        main_thread = Path(f"/proc/{child.pid}/stat")
        wait_for(lambda: ") Z " in main_thread.read_text(encoding="utf-8"), message="its zombie")
        assert Identity.of(child.pid) is not None
        child.kill()
        wait_for(lambda: Identity.of(child.pid) is None, message="all of it to be gone")


def test_given_servers_are_used_and_only_both_together(tmp_path: Path) -> None:
    kafka, redis_url = {"KAFKA_BOOTSTRAP": "host:9092"}, {"REDIS_URL": "redis://host/1"}
    given = choose_stack(tmp_path, environment=kafka | redis_url)
    assert isinstance(given, GivenStack)
    assert (given.kafka, given.redis_url) == ("host:9092", "redis://host/1")
    with pytest.raises(LocalStackError, match="REDIS_URL is not"):
        choose_stack(tmp_path, environment=kafka)
    with pytest.raises(LocalStackError, match="KAFKA_BOOTSTRAP is not"):
        choose_stack(tmp_path, environment=redis_url)
    assert isinstance(choose_stack(tmp_path, environment={}), LocalStack)
