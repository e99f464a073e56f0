"""A PostgreSQL of the tests' own: a cluster in a temporary folder, on a free port, gone afterwards."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import psycopg

from streams.local.ports import pick
from tests.waiting import wait_for

#: Whom the server runs as where the tests run as root, which PostgreSQL refuses.
UNPRIVILEGED = "nobody"
#: The one database for which a password is asked, and no user has one.
GUARDED = "guarded"
_START_SECONDS = 60.0


def programs() -> Path:
    """The folder of initdb and postgres: pg_config's, that of PATH, or Debian's newest."""
    if pg_config := shutil.which("pg_config"):
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        folder = Path(asked.stdout.strip())
        # Debian's pg_config may be of the client library alone.
        if (folder / "initdb").exists():
            return folder
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    if debian:
        return debian[-1].parent
    raise AssertionError(
        "the tests of the query store need PostgreSQL's server programs (Debian, Ubuntu: apt-get "
        "install postgresql)"
    )


class PostgreSQL:
    """As a context manager it runs; ``database`` makes an empty one."""

    def __init__(self) -> None:
        self._programs = programs()
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        # Not below a test's folder, which the unprivileged user could not enter.
        self._folder = Path(tempfile.mkdtemp(prefix="huitou-postgresql-"))
        (self.port,) = pick(1)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._make()
            self.start()
        except BaseException:
            # Without an __exit__ of its own: neither the server nor its folder may stay.
            self.__exit__()
            raise
        return self

    def _make(self) -> None:
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        data = self._folder / "data"
        self._run(
            "initdb", "-D", data, "-U", "huitou", "-A", "trust", "-E", "UTF8", "--no-sync"
        ).check_returncode()
        rules = data / "pg_hba.conf"
        rules.write_text(f"host {GUARDED} all 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")

    def start(self) -> None:
        """Blocks until it answers, again after ``kill9``: what was committed is there."""
        data = self._folder / "data"
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._programs / "postgres", "-D", data, "-p", str(self.port), "-c", "fsync=off",
                    "-c", "listen_addresses=127.0.0.1", "-k", self._folder,
                ],
                stdout=log, stderr=log, cwd=self._folder, **self._as_user(),
            )  # fmt: skip
        wait_for(self._answers, _START_SECONDS, "PostgreSQL to answer")

    def kill9(self) -> None:
        """Ends the server and all of its processes in one moment, as a crash does; ``start`` recovers."""
        assert self._process is not None
        number = self._process.pid
        # Each of its processes leads a group of its own. Stopped first, the server starts no further one.
        os.kill(number, signal.SIGSTOP)
        children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        for each in [number, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        self._process.wait(60)
        # Its port and shared memory are free once the last of them is gone.
        wait_for(lambda: not any(map(_runs, map(int, children))), 60, "the end of PostgreSQL")
        self._process = None

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            # SIGINT: a fast shutdown, which does not wait for clients.
            self._process.send_signal(2)
            self._process.wait(60)
        shutil.rmtree(self._folder)

    def url(self, database: str) -> str:
        return f"postgresql://huitou@127.0.0.1:{self.port}/{database}"

    def database(self, name: str) -> str:
        """The URL of a new, empty database."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self._programs / program, *arguments],
            cwd=self._folder, capture_output=True, check=False, **self._as_user(),
        )  # fmt: skip

    def _as_user(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}


def _runs(number: int) -> bool:
    """Whether the process is there and no zombie that its new parent has yet to bury."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
