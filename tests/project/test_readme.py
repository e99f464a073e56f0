"""The README's commands are there: whoever copies one gets what it says."""

import re
import shlex
from pathlib import Path

from streams.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TARGETS = set(
    re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)


def commands(program: str) -> set[str]:
    """The first word after ``program`` in every code block and code span."""
    code = re.findall(r"```sh\n(.*?)```", README, re.DOTALL) + re.findall(r"`([^`\n]+)`", README)
    words = [shlex.split(line, comments=True) for block in code for line in block.splitlines()]
    return {line[1] for line in words if len(line) > 1 and line[0] == program and line[1][0] != "-"}


def test_every_make_target_it_names_exists() -> None:
    named = commands("make")
    assert {"demo", "test", "check", "test-long"} <= named <= TARGETS


def test_every_huitou_command_it_names_exists() -> None:
    named = commands("huitou")
    assert {"stack", "up", "verify"} <= named <= set(COMMANDS)


def test_ci_runs_what_it_prints() -> None:
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.findall(r"^make .+$", run, re.MULTILINE) == [
        "make check",
        "make check-ops",
        "make test",
        "make faults MINUTES=4 SEED=14471",
        "make test-long",
    ]
