"""The console command: quick to help, clear when something is wrong, and `huitou stack` itself."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from streams.cli.main import COMMANDS, load

HUITOU = (sys.executable, "-m", "streams.cli.main")


def huitou(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command with neither KAFKA_BOOTSTRAP nor REDIS_URL, but what is given."""
    own = {k: v for k, v in os.environ.items() if k not in ("KAFKA_BOOTSTRAP", "REDIS_URL")}
    return subprocess.run(
        [*HUITOU, *arguments],
        env={**own, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def test_help_names_every_command() -> None:
    done = huitou("--help")
    assert done.returncode == 0
    assert [name for name in COMMANDS if f" {name} " not in done.stdout] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there(name: str) -> None:
    assert callable(load(name))


def test_help_imports_no_command() -> None:
    code = (
        "import sys, typer.testing, streams.cli.main as main\n"
        "assert typer.testing.CliRunner().invoke(main.app, ['--help']).exit_code == 0\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200
    )
    heavy = {"faust", "confluent_kafka", "kafka", "redis", "msgspec", "pydantic"}
    assert heavy & set(done.stdout.split()) == set()


_LOGGING = """
import structlog
from streams.cli.main import COMMANDS, Command, run

def command() -> None:
    structlog.get_logger().info("not said")
    structlog.get_logger().warning("said")
    print("the answer")

COMMANDS["logging"] = Command("__main__:command", "", "")
run("logging", [])
"""


def test_standard_output_is_for_the_answer_whatever_is_logged() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOGGING], capture_output=True, text=True, check=False, timeout=200
    )
    assert done.stdout == "the answer\n"
    assert "said" in done.stderr
    assert "not said" not in done.stderr


def test_an_unknown_command_is_refused() -> None:
    done = huitou("verifi")
    assert done.returncode == 2
    assert "verify" in done.stderr


def test_half_of_the_given_servers_is_refused_without_a_traceback() -> None:
    done = huitou("stack", "up", KAFKA_BOOTSTRAP="127.0.0.1:9")
    assert done.returncode == 1
    assert "REDIS_URL is not" in done.stderr
    assert "Traceback" not in done.stderr


def test_given_servers_are_shown_and_left_alone(tmp_path: Path) -> None:
    given = {
        "KAFKA_BOOTSTRAP": "h:1",
        "REDIS_URL": "redis://h:2/0",
        "XDG_STATE_HOME": str(tmp_path),
    }
    shown = json.loads(huitou("stack", "env", "--json", **given).stdout)
    assert shown["KAFKA_BOOTSTRAP"] == "h:1"
    assert "not this stack's" in huitou("stack", "down", **given).stdout


def test_before_a_first_start_there_is_nothing(tmp_path: Path) -> None:
    folder = ("--dir", str(tmp_path))
    assert huitou("stack", "status", *folder).returncode == 3
    assert huitou("stack", "down", *folder).returncode == 0
    done = huitou("stack", "env", *folder)
    assert done.returncode == 1
    assert "huitou stack up" in done.stderr


def test_a_stack_from_up_to_down(tmp_path: Path) -> None:
    folder = ("--dir", str(tmp_path))
    try:
        first = json.loads(huitou("stack", "up", *folder, "--json").stdout)
        assert first["running"]
        assert json.loads(huitou("stack", "up", *folder, "--json").stdout) == first
        assert huitou("stack", "status", *folder).returncode == 0
        assert exported(huitou("stack", "env", *folder).stdout) == {
            "KAFKA_BOOTSTRAP": first["kafka_bootstrap"],
            "REDIS_URL": first["redis_url"],
            "HUITOU_CODE_KEY": (tmp_path / "code_key").read_text(encoding="utf-8"),
        }
    finally:
        assert huitou("stack", "down", *folder).returncode == 0
    after = huitou("stack", "status", *folder, "--json")
    assert after.returncode == 3
    assert not json.loads(after.stdout)["running"]


def exported(lines: str) -> dict[str, str]:
    """What a shell has in its environment after `eval` of these lines."""
    shown = subprocess.run(
        ["/bin/sh", "-c", 'eval "$1"; env', "sh", lines],
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    variables = dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)
    names = [shlex.split(line)[1].split("=")[0] for line in lines.splitlines()]
    return {name: variables[name] for name in names}


@pytest.mark.parametrize("name", ["stack"])
def test_a_groups_help_is_its_own(name: str) -> None:
    done = huitou(name, "--help")
    assert done.returncode == 0
    assert f"Usage: huitou {name}" in done.stdout
