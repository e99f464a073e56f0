"""`huitou demo` as a user runs it: what it shows, what it counts, and that it leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import redis
from confluent_kafka.admin import AdminClient

from schemas.catalogue import TOPICS
from streams.local.ports import is_free, pick
from streams.local.stack import Stack
from tests.taobao import sample_file
from tests.waiting import wait_for

CAMPAIGNS = ("abandoned-cart", "second-order", "bad-review")


class Demo:
    """One `huitou demo` with a temporary folder of its own; ``output`` is what it printed so far."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.summary = folder / "summary.json"
        self._output = folder / "output"
        own = {k: v for k, v in os.environ.items() if k not in ("KAFKA_BOOTSTRAP", "REDIS_URL")}
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "streams.cli.main", "demo"),
                    *("--summary", str(self.summary), *arguments),
                ],
                env={**own, "TMPDIR": str(self.temporary), "COLUMNS": "200", **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def says(self, words: str, timeout: float) -> None:
        """Waits until the output has ``words``."""

        def said() -> bool:
            if words not in self.output:
                assert self.process.poll() is None, f"ended before {words!r}:\n{self.output}"
                return False
            return True

        wait_for(said, timeout, f"{words!r} in the demo's output")

    def ends(self, timeout: float) -> dict[str, object]:
        """Waits for exit code 0; returns the summary."""
        code = self.process.wait(timeout)
        assert code == 0, self.output
        summary: dict[str, object] = json.loads(self.summary.read_bytes())
        return summary

    def workers(self) -> list[int]:
        """The pids of its worker processes."""
        return [pid for pid, line in _commands(self.process.pid) if b"\0worker" in line]

    def left_behind(self) -> list[str]:
        """What is still there of it: processes and files."""
        mark = str(self.temporary).encode()
        processes = [
            line.decode(errors="replace")
            for pid, line in _commands()
            if mark in line or mark in _link(pid)
        ]
        return [*processes, *map(str, self.temporary.iterdir())]

    def kill(self) -> None:
        """Ends it in order, where a test failed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(60)


def _commands(parent: int | None = None) -> Iterator[tuple[int, bytes]]:
    """(pid, command line) of live processes; ``parent``: its children only."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            status = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if parent is None or int(status[1]) == parent:
            yield int(entry.name), line


def _link(pid: int) -> bytes:
    try:
        return bytes(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return b""


@pytest.fixture
def demos(tmp_path: Path) -> Iterator[list[Demo]]:
    """What a test started; ended with it."""
    started: list[Demo] = []
    yield started
    for demo in started:
        demo.kill()


def given(stack: Stack) -> dict[str, str]:
    return {"KAFKA_BOOTSTRAP": stack.kafka, "REDIS_URL": stack.redis_url}


def adds_up(summary: Mapping[str, object]) -> None:
    """Every record was counted once, and the log folded again agrees."""
    assert summary["events_published"] == (
        int(str(summary["events_applied"]))
        + int(str(summary["duplicates"]))
        + int(str(summary["dead_letters"]))
    )
    assert summary["lost"] == 0
    verified = summary["verify"]
    assert isinstance(verified, dict)
    assert verified["compared"] > 0
    assert [verified[kind] for kind in ("missing", "extra", "different")] == [0, 0, 0]


@pytest.mark.timeout(600)
def test_on_given_servers_it_leaves_nothing(
    stack: Stack, tmp_path: Path, demos: list[Demo]
) -> None:
    demo = Demo(tmp_path, "--seconds", "20", **given(stack))
    demos.append(demo)
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    demo.says("events,", 120)
    while_it_runs = [name for name in admin.list_topics(timeout=60).topics if "demo-" in name]
    assert len(while_it_runs) == len(TOPICS)

    summary = demo.ends(120)

    adds_up(summary)
    assert int(str(summary["events_applied"])) > 500
    assert int(str(summary["duplicates"])) > 0
    assert int(str(summary["dead_letters"])) > 0
    triggers, latency = summary["triggers"], summary["trigger_latency_ms"]
    assert isinstance(triggers, dict)
    assert isinstance(latency, dict)
    assert tuple(triggers) == CAMPAIGNS
    assert triggers["second-order"] > 0
    assert 0 < latency["p50"] <= latency["p99"]
    assert "because of the first order paid" in demo.output
    # A broker lists for a moment what the controller has deleted.
    wait_for(
        lambda: not [name for name in admin.list_topics(timeout=60).topics if "demo-" in name],
        message="the topics to be gone",
    )
    with redis.Redis.from_url(stack.redis_url) as client:
        assert not list(client.scan_iter("huitou-demo-*"))
    assert demo.left_behind() == []


@pytest.mark.timeout(600)
def test_ctrl_c_ends_it_in_order(stack: Stack, tmp_path: Path, demos: list[Demo]) -> None:
    demo = Demo(tmp_path, **given(stack))
    demos.append(demo)
    demo.says("first second-order", 120)
    demo.process.send_signal(signal.SIGINT)
    summary = demo.ends(120)
    adds_up(summary)
    assert "Every event was counted once" in demo.output
    assert demo.left_behind() == []


@pytest.mark.long
@pytest.mark.timeout(400)
def test_in_ninety_seconds_all_campaigns_show(tmp_path: Path, demos: list[Demo]) -> None:
    demo = Demo(tmp_path, "--seconds", "90")
    demos.append(demo)
    summary = demo.ends(300)
    adds_up(summary)
    triggers = summary["triggers"]
    assert isinstance(triggers, dict)
    assert [campaign for campaign in CAMPAIGNS if not triggers[campaign]] == []
    assert summary["restarts"] == 0
    assert demo.left_behind() == []


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_worker_that_is_killed_is_started_again_and_nothing_is_lost(
    tmp_path: Path, demos: list[Demo]
) -> None:
    demo = Demo(tmp_path, "--seconds", "60", "--workers", "2")
    demos.append(demo)
    demo.says("first second-order", 120)
    killed = demo.workers()
    assert len(killed) == 2
    os.kill(killed[0], signal.SIGKILL)
    demo.says("was ended by SIGKILL", 60)

    summary = demo.ends(200)

    adds_up(summary)
    assert summary["restarts"] == 1
    recoveries = summary["recoveries"]
    assert isinstance(recoveries, dict)
    # Each partition at first, and again after the kill.
    assert sum(recoveries.values()) > 8
    assert demo.left_behind() == []


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_recorded_data_set_is_played_whole(tmp_path: Path, demos: list[Demo]) -> None:
    sample = sample_file()
    demo = Demo(tmp_path, "--seconds", "60", "--data", f"taobao:{sample}")
    demos.append(demo)
    summary = demo.ends(300)
    adds_up(summary)
    # Of its 84,475 rows, those inside its nine days and a few beside them; never those of 2015.
    assert 84_440 <= int(str(summary["events_published"])) < 84_475
    assert summary["dead_letters"] == 0
    assert "left out: 1 unreadable" in demo.output
    assert "far off in time" in demo.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--data", "taobao:/nowhere.csv"), "/nowhere.csv cannot be played"),
        (("--data", "mars"), "'mars' is neither simulator nor taobao:PATH"),
    ],
)
def test_data_that_cannot_be_played_is_told_before_anything_starts(
    tmp_path: Path, demos: list[Demo], arguments: tuple[str, ...], sentence: str
) -> None:
    refused(Demo(tmp_path, *arguments), demos, sentence)


def test_a_port_that_is_taken_is_named(tmp_path: Path, demos: list[Demo]) -> None:
    # Not an ephemeral port: outgoing connections of whoever runs beside take those after it.
    port = next(
        base for base in iter(lambda: pick(1)[0], None) if all(map(is_free, range(base, base + 9)))
    )
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        refused(Demo(tmp_path, "--port-base", str(port)), demos, f"Port {port} is taken")


def test_a_machine_without_java_is_told_what_to_install(tmp_path: Path, demos: list[Demo]) -> None:
    # A PATH with redis-server only, and no package manager that could help.
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("redis-server",):
        found = next(
            Path(folder) / name
            for folder in os.environ["PATH"].split(os.pathsep)
            if (Path(folder) / name).exists()
        )
        (tools / name).symlink_to(found)
    refused(Demo(tmp_path, PATH=str(tools)), demos, "java 17 or newer")


def refused(demo: Demo, demos: list[Demo], sentence: str) -> None:
    """It ends with exit code 1 and that sentence, without a traceback, and leaves nothing."""
    demos.append(demo)
    assert demo.process.wait(60) == 1
    assert sentence in demo.output
    assert "Traceback" not in demo.output
    assert demo.left_behind() == []
