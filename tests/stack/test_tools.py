"""Programs and jars: taken where they are, else installed or fetched, never by halves."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.local.errors import LocalStackError, MissingToolError
from streams.local.jars import kafka_class_path
from streams.local.tools import JAVA, REDIS, require
from tests.waiting import wait_for

GOOD_MAVEN = """
for a in "$@"; do case $a in -DoutputDirectory=*) out=${a#*=};; esac; done
/bin/mkdir -p "$out"; : > "$out/kafka_2.13-4.1.1.jar"
echo "[INFO] Downloaded from somewhere: kafka (1.5 MB at 3 MB/s)"
"""


class Programs:
    """A folder that is all of PATH, with shell scripts for programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Programs(folder)


def maven(programs: Programs, script: str) -> None:
    programs.write("mvn", f'[ "$1" = --version ] && echo "Apache Maven 3.9.1" && exit\n{script}')


def jar_folders(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "cache/huitou/kafka-4.1.1").iterdir()]


def test_a_program_on_the_path_is_taken(programs: Programs) -> None:
    programs.write("java", """echo 'openjdk version "21.0.4" 2024-07-16' >&2""")
    assert require(JAVA) == str(programs.folder / "java")


def test_a_missing_program_is_named_with_its_package(programs: Programs) -> None:
    with pytest.raises(MissingToolError, match=r"redis-server 7\.0 or newer.*not on PATH.*apt-get"):
        require(REDIS)


def test_a_program_that_is_too_old_is_named_with_its_version(programs: Programs) -> None:
    programs.write("redis-server", "echo 'Redis server v=6.0.16 sha=00000000:0'")
    with pytest.raises(MissingToolError, match=r"found only version 6\.0 at .*/redis-server"):
        require(REDIS)


def test_a_missing_program_is_installed_where_the_user_may(programs: Programs) -> None:
    """By the first of its packages that the release has, here the second."""
    new = programs.folder / "java"
    programs.write("sudo", 'while [ "${1#-}" != "$1" ]; do shift; done; exec "$@"')
    programs.write("true", "exit 0")
    programs.write("apt-get", f"""
        case "$*" in
            *install*openjdk-17-jre-headless*) ;;
            *install*) exit 100;;
            *) exit 0;;
        esac
        case "$*" in *--dry-run*) exit 0;; esac
        echo "#!/bin/sh" > {new}
        echo "echo 'openjdk version \\"17.0.15\\"' >&2" >> {new}
        /bin/chmod +x {new}
    """)  # fmt: skip
    assert require(JAVA) == str(new)


def test_jars_are_fetched_once(programs: Programs, tmp_path: Path) -> None:
    maven(programs, GOOD_MAVEN)
    class_path = kafka_class_path()
    maven(programs, "exit 1")
    assert kafka_class_path() == class_path
    assert (Path(class_path).parent / "kafka_2.13-4.1.1.jar").exists()


def test_a_failed_download_says_why_and_leaves_no_half_cache(
    programs: Programs, tmp_path: Path
) -> None:
    maven(programs, f"{GOOD_MAVEN}\necho 'no route to the repository'; exit 1")
    with pytest.raises(LocalStackError, match="no route to the repository"):
        kafka_class_path()
    assert jar_folders(tmp_path) == []


def test_a_killed_download_leaves_no_half_cache(programs: Programs, tmp_path: Path) -> None:
    started = tmp_path / "started"
    maven(programs, f"{GOOD_MAVEN}\n: > {started}\nread forever < /dev/zero")
    code = "from streams.local.jars import kafka_class_path; kafka_class_path()"
    with subprocess.Popen([sys.executable, "-c", code], start_new_session=True) as fetching:
        wait_for(started.exists, message="the download to be under way")
        os.killpg(fetching.pid, signal.SIGKILL)
    assert all(name.startswith(".part-") for name in jar_folders(tmp_path))
    maven(programs, GOOD_MAVEN)
    kafka_class_path()
    assert [name.startswith("libs-") for name in jar_folders(tmp_path)] == [True]
