"""java, mvn and redis-server: from PATH, else from Debian's packages where the user may."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.local.errors import MissingToolError

#: Waits for another apt that runs, as unattended-upgrades does on a fresh machine.
_APT_LOCK_SECONDS = 300


@dataclass(frozen=True)
class Tool:
    """A program the local stack runs, the oldest version that will do, and who packages it."""

    command: str
    version_arguments: tuple[str, ...]
    version_pattern: str
    oldest: tuple[int, ...]
    #: Debian packages that bring it, the first one that exists is installed.
    packages: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return f"{self.command} {'.'.join(map(str, self.oldest))} or newer"


JAVA = Tool(
    "java",
    ("-version",),
    r'version "(\d+)(?:\.(\d+))?',
    (17,),
    ("openjdk-21-jre-headless", "openjdk-17-jre-headless", "openjdk-25-jre-headless"),
)
MAVEN = Tool("mvn", ("--version",), r"Maven (\d+)\.(\d+)", (3, 6), ("maven",))
REDIS = Tool("redis-server", ("--version",), r"v=(\d+)\.(\d+)", (7, 0), ("redis-server",))


def require(tool: Tool) -> str:
    """The path of ``tool``; apt-get installs its package first where that is needed and allowed.

    Blocks while apt-get runs. Raises MissingToolError, which names what to install.
    """
    path, found = _find(tool)
    if path is None and _install(tool):
        path, found = _find(tool)
    if path is None:
        has = f"found only {found}" if found else "it is not on PATH"
        packages = " or ".join(tool.packages)
        raise MissingToolError(
            f"The local stack needs {tool.wanted}, and {has}: install it "
            f"(Debian, Ubuntu: apt-get install {packages}), or set KAFKA_BOOTSTRAP and "
            "REDIS_URL to use servers that run elsewhere."
        )
    return path


def _find(tool: Tool) -> tuple[str | None, str]:
    """Path of a new enough ``tool``, else None with what was found instead."""
    found = ""
    for path in _candidates(tool.command):
        answer = subprocess.run(
            [path, *tool.version_arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        match = re.search(tool.version_pattern, answer.stdout + answer.stderr)
        if match is None:
            continue
        version = tuple(int(part) for part in match.groups() if part is not None)
        if version >= tool.oldest:
            return path, ""
        found = f"version {'.'.join(map(str, version))} at {path}"
    return None, found


def _candidates(command: str) -> list[str]:
    places = []
    if command == "java" and (home := os.environ.get("JAVA_HOME")):
        places.append(str(Path(home, "bin")))
    places.append(os.environ.get("PATH", os.defpath))
    paths = (shutil.which(command, path=place) for place in places)
    return list(dict.fromkeys(path for path in paths if path))


def _install(tool: Tool) -> bool:
    """Whether apt-get brought one of the tool's packages."""
    prefix = _privilege()
    if prefix is None or shutil.which("apt-get") is None:
        return False
    print(f"{tool.command} is missing: installing it with apt-get", file=sys.stderr, flush=True)
    apt = [*prefix, "apt-get", "-qq", "-o", f"DPkg::Lock::Timeout={_APT_LOCK_SECONDS}"]
    _run([*apt, "update"])
    install = [*apt, "install", "-y", "--no-install-recommends"]
    return any(
        _run([*install, package])
        for package in tool.packages
        if _run([*install, "--dry-run", package], quietly=True)  # this release has it
    )


def _run(command: Sequence[str], quietly: bool = False) -> bool:
    """Runs a command of apt's, showing only its errors, ``quietly`` not even those; its success."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if quietly else None,
        env=environment,
        check=False,
    )
    return done.returncode == 0


def _privilege() -> list[str] | None:
    """What to put before a command that needs root; None where this user may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n", "--preserve-env=DEBIAN_FRONTEND"] if asked.returncode == 0 else None
