"""What is installed is exactly what the lock files say, wherever it comes from."""

import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-image.lock", "requirements-dev.lock")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)(?: ; [^\\]+)? \\$")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked(name: str) -> dict[str, str]:
    """Package -> version of a lock file."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {match[1]: match[2] for match in map(PINNED.match, lines) if match}


def requirement(text: str) -> str:
    """The normalized name in a requirement, as ``redis`` in ``redis[hiredis]>=5``."""
    found = re.match(r"[A-Za-z0-9._-]+", text)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_pinned_package_its_hash_or_a_comment(lock: str) -> None:
    """So no index, no link to a host and nothing without a hash can hide in it."""
    kinds = (PINNED, re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$"), re.compile(r"^\s*#"))
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not any(kind.match(line) for kind in kinds)] == []
    assert [line for line in lines if "://" in line] == []
    assert all(
        following.startswith("    --hash=")
        for line, following in itertools.pairwise(lines)
        if PINNED.match(line)
    )


def test_every_dependency_is_locked() -> None:
    metadata = project()
    assert {requirement(text) for text in metadata["project"]["dependencies"]} <= set(
        locked("requirements.lock")
    )
    extras = itertools.chain(*metadata["project"]["optional-dependencies"].values())
    assert {requirement(text) for text in [*metadata["dependency-groups"]["dev"], *extras]} <= set(
        locked("requirements-dev.lock")
    )


def test_development_runs_on_the_versions_that_are_shipped() -> None:
    for shipped in ("requirements.lock", "requirements-image.lock"):
        assert locked(shipped).items() <= locked("requirements-dev.lock").items()


def test_the_image_has_the_extras_of_its_commands() -> None:
    extras = project()["project"]["optional-dependencies"]
    wanted = {
        requirement(text) for name in ("archive", "query", "webhook") for text in extras[name]
    }
    assert wanted <= set(locked("requirements-image.lock"))
    assert locked("requirements.lock").items() <= locked("requirements-image.lock").items()


def test_faust_is_pinned_exactly() -> None:
    """The transport overrides its internals."""
    version = locked("requirements.lock")["faust-streaming"]
    assert f"faust-streaming=={version}" in project()["project"]["dependencies"]
