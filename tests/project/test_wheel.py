"""The built wheel works alone in an empty environment, with the locked dependencies."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Building, downloading about 60 packages on a slow line, and a broker's start.
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs in ``cwd``, away from this tree; its output is in the failure."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**own, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (
        f"{command} exited with {done.returncode}\n{done.stdout}{done.stderr}"
    )
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("huitou-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with nothing but the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("alone")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    pip = (folder / "venv/bin/python", "-m", "pip", "--disable-pip-version-check", "install", "-q")
    run(*pip, "--require-hashes", "-r", ROOT / "requirements.lock", cwd=folder)
    run(*pip, "--no-deps", wheel, cwd=folder)
    return folder / "venv/bin"


def test_it_holds_every_file_of_the_packages(wheel: Path) -> None:
    wanted = {
        str(path.relative_to(ROOT))
        for package in ("schemas", "producers", "streams")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == wanted


def test_its_dependencies_are_complete(installed: Path, tmp_path: Path) -> None:
    run(installed / "python", "-m", "pip", "--disable-pip-version-check", "check", cwd=tmp_path)


def test_faust_finds_the_transport(installed: Path, tmp_path: Path) -> None:
    code = "from faust.transport import by_name; print(by_name('bundle').__module__)"
    done = run(installed / "python", "-c", code, cwd=tmp_path)
    assert done.stdout.strip() == "streams.engine.transport"


def test_its_command_helps(installed: Path, tmp_path: Path) -> None:
    assert "demo" in run(installed / "huitou", "--help", cwd=tmp_path).stdout
    version = run(installed / "huitou", "--version", cwd=tmp_path).stdout
    assert version.startswith("huitou ")


def test_its_demo_loses_nothing(installed: Path, tmp_path: Path) -> None:
    """Exit code 0: nothing lost, and the log, folded again, agrees with Redis and the coupons."""
    summary = tmp_path / "summary.json"
    run(
        installed / "huitou", "demo", "--seconds", "20", "--summary", summary, cwd=tmp_path,
        XDG_STATE_HOME=str(tmp_path),
    )  # fmt: skip
    counted = json.loads(summary.read_text(encoding="utf-8"))
    assert counted["events_published"] > 0
    assert counted["events_applied"] > 0
    assert sum(counted["triggers"].values()) > 0
    assert counted["lost"] == 0


def test_it_runs_a_stack_and_makes_the_topics(installed: Path, tmp_path: Path) -> None:
    """Kafka's pom and log settings and the topic catalogue came along."""
    huitou, folder = installed / "huitou", str(tmp_path / "stack")
    try:
        run(huitou, "stack", "up", "--dir", folder, cwd=tmp_path)
        shown = run(huitou, "stack", "env", "--json", "--dir", folder, cwd=tmp_path).stdout
        run(huitou, "topics", "create", cwd=tmp_path, **json.loads(shown))
    finally:
        run(huitou, "stack", "down", "--dir", folder, cwd=tmp_path)
