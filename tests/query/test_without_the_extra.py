"""Where huitou[query] is not installed, the commands say so, and workers run without a sink."""

import subprocess
import sys

import pytest

from streams.cli.endings import EXIT_USAGE

pytestmark = pytest.mark.long


def without(package: str, code: str) -> subprocess.CompletedProcess[str]:
    """Runs ``code`` in a Python that cannot import ``package``."""
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules[{package!r}] = None\n{code}"],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("package", ["sqlalchemy", "alembic", "psycopg"])
@pytest.mark.parametrize("command", [["sink", "--once"], ["orders", "find"]])
def test_what_is_missing_is_said(package: str, command: list[str]) -> None:
    arguments = [*command[1:], "--store", "postgresql://nobody@127.0.0.1:1/none"]
    done = without(package, f"from streams.cli.main import run; run({command[0]!r}, {arguments!r})")
    assert done.returncode == EXIT_USAGE, done.stdout + done.stderr
    assert f"needs {package}: pip install 'huitou[query]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("package", ["sqlalchemy", "alembic", "psycopg"])
def test_up_runs_its_workers_without_a_sink_and_says_so(package: str) -> None:
    done = without(package, "from streams.cli.up import _beside; print(_beside())")
    assert done.stdout.splitlines()[-1] == "{}", done.stderr
    assert f"No sink: {package} is not installed" in done.stdout
