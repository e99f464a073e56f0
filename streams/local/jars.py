"""Apache Kafka's jars: fetched once through Maven into a cache that all stacks of a user share."""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

from streams.local import tools
from streams.local.errors import LocalStackError
from streams.local.files import exclusive, user_folder

KAFKA_VERSION = "4.1.1"
_POM = Path(__file__).with_name("pom.xml")
_REPORT_SECONDS = 2.0


def kafka_class_path() -> str:
    """The class path of the broker; fetches the jars first where the cache has none (20 to 60 s).

    Raises LocalStackError when Maven cannot fetch them, MissingToolError when there is no Maven.
    """
    digest = hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]
    folder = user_folder("XDG_CACHE_HOME", ".cache")
    libs = folder / f"kafka-{KAFKA_VERSION}" / f"libs-{digest}"
    # The folder is renamed into place when it is whole, so one that exists is complete.
    if not libs.is_dir():
        with exclusive(folder / "fetch.lock"):
            if not libs.is_dir():
                _fetch(libs)
    return f"{libs}/*"


def _fetch(libs: Path) -> None:
    maven = tools.require(tools.MAVEN)
    libs.parent.mkdir(parents=True, exist_ok=True)
    for killed in libs.parent.glob(".part-*"):
        shutil.rmtree(killed, ignore_errors=True)
    _say(f"Fetching Apache Kafka {KAFKA_VERSION} through Maven (about 45 MB, once)")
    with tempfile.TemporaryDirectory(prefix=".part-", dir=libs.parent) as part:
        target = Path(part, "libs")
        _copy_dependencies(maven, target, Path(part))
        target.rename(libs)
    for old in libs.parent.glob("libs-*"):
        if old != libs:
            shutil.rmtree(old, ignore_errors=True)
    _say(f"Kafka's jars are in {libs}")


def _copy_dependencies(maven: str, target: Path, work: Path) -> None:
    """Runs Maven, counting what it downloads; its last lines are in the error when it fails."""
    # Maven wants to write beside its pom, which may be in a read-only installation.
    pom = shutil.copy(_POM, work / "pom.xml")
    command = [
        maven, "--batch-mode", "--strict-checksums", "--file", str(pom),
        "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={target}",
    ]  # fmt: skip
    last: deque[str] = deque(maxlen=12)
    fetched, kilobytes, reported = 0, 0.0, time.monotonic()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None  # stdout=PIPE gives one
        for line in process.stdout:
            last.append(line.rstrip())
            if match := re.search(r"Downloaded from .*\(([\d.]+) ([kM]?)B at", line):
                fetched += 1
                kilobytes += float(match[1]) * {"": 0.001, "k": 1, "M": 1000}[match[2]]
            if time.monotonic() - reported >= _REPORT_SECONDS:
                reported = time.monotonic()
                _say(f"  {fetched} files, {kilobytes / 1000:.0f} MB")
    if process.returncode != 0 or not any(target.glob(f"kafka_*-{KAFKA_VERSION}.jar")):
        raise LocalStackError(
            f"Maven could not fetch Apache Kafka {KAFKA_VERSION} (exit code {process.returncode}). "
            "Check that it reaches its repository (mirrors and proxies: ~/.m2/settings.xml). "
            "Its last lines:\n" + "\n".join(last)
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
