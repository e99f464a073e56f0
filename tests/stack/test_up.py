"""`huitou up`: stack, topics and workers from one command, which ends all of it in order."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from streams.local.process import Identity
from streams.local.stack import LocalStack
from tests.waiting import wait_for

#: Two workers join one group, and one of them must be restarted.
pytestmark = pytest.mark.timeout(600)


def metrics_ports(log: Path) -> list[int]:
    """The port of each worker that wrote to this log, in order of their starts."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    found = [re.search(r'"metrics_port": ?(\d+)', line) for line in lines]
    return [int(match[1]) for match in found if match]


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def worker_of(log: Path, starts: int) -> int:
    """The port of the ready worker that was started here as the ``starts``-th."""
    wait_for(lambda: len(metrics_ports(log)) >= starts, 240, f"start {starts} in {log}")
    port = metrics_ports(log)[-1]
    wait_for(lambda: is_ready(port), 240, f"the worker of {log} to be ready")
    return port


def children(pid: int) -> dict[int, int]:
    """HUITOU_SLOT -> pid of the workers that ``pid`` runs."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="utf-8").split():
            variables = Path(f"/proc/{child}/environ").read_text(encoding="utf-8").split("\0")
            slots = [
                line.partition("=")[2] for line in variables if line.startswith("HUITOU_SLOT=")
            ]
            found.update({int(slot): int(child) for slot in slots})
    return found


def test_it_starts_everything_restarts_a_killed_worker_and_ends_in_order(tmp_path: Path) -> None:
    logs, folder = tmp_path / "logs", tmp_path / "stack"
    own = {k: v for k, v in os.environ.items() if k not in ("KAFKA_BOOTSTRAP", "REDIS_URL")}
    command = [sys.executable, "-m", "streams.cli.main", "up", "--workers", "2"]
    with subprocess.Popen(
        [*command, "--metrics-port", "0", "--dir", folder, "--logs", logs],
        env={**own, "HUITOU_PARTITIONS": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as up:
        try:
            for slot in (0, 1):
                worker_of(logs / f"worker-{slot}.log", 1)
            sink = logs / "sink.log"
            wait_for(lambda: sink.exists() and "filling" in sink.read_text(), 240, "the sink")
            workers = children(up.pid)
            os.kill(workers[1], signal.SIGKILL)
            worker_of(logs / "worker-1.log", 2)
        finally:
            up.send_signal(signal.SIGINT)
            output, _ = up.communicate(timeout=100)
    assert up.returncode == 0, output
    assert "created shop.clicks" in output
    assert "worker 1 was ended by SIGKILL" in output
    assert "worker 0" not in output, "it was to drain, not to be killed"
    assert not re.search(r"^sink (was|ended|did|refuses)", output, re.MULTILINE), "nor the sink"
    assert (folder / "query.sqlite").exists()
    assert Identity.of(workers[0]) is None
    stack = LocalStack(folder)
    assert (stack.kafka_process.running, stack.redis_process.running) == (False, False)
    assert json.loads((folder / "stack.json").read_text(encoding="utf-8")), "its data stays"
