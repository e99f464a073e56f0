"""Toxiproxy: TCP proxies whose connections are cut, slowed down or left open at one end only.

Its server is a Go program; the first use builds it into a cache folder of the user's.
"""

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Literal, Self

from tests.waiting import wait_for

#: The last version that Go 1.19 builds, which is Debian 12's.
VERSION: Final = "v2.5.0"
MODULE: Final = f"github.com/Shopify/toxiproxy/v2/cmd/server@{VERSION}"
_HOST: Final = "127.0.0.1"
_BUILD_SECONDS: Final = 600.0
_START_SECONDS: Final = 60.0

#: Which way data goes: ``upstream`` to the server, ``downstream`` to the client.
Stream = Literal["upstream", "downstream"]
_BOTH: Final[tuple[Stream, ...]] = ("upstream", "downstream")


class ToxiproxyError(Exception):
    """It cannot be built, or refused what it was asked; the message says what to do."""


def executable() -> Path:
    """The server's program; built by `go install` where the cache has none, which takes a minute.

    Raises ToxiproxyError without Go, or with the last words of a build that failed.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = caches / "huitou" / f"toxiproxy-{VERSION}" / "server"
    if not program.exists():
        _build(program)
    return program


def _build(program: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise ToxiproxyError(
            "faults of the network need toxiproxy, which Go builds, and go is not on PATH: install it "
            "(Debian, Ubuntu: apt-get install golang-go)"
        )
    print(
        f"Building toxiproxy {VERSION} with go: about a minute, once", file=sys.stderr, flush=True
    )
    program.parent.mkdir(parents=True, exist_ok=True)
    # Moved into place when it is whole, so that one that exists is complete.
    with tempfile.TemporaryDirectory(dir=program.parent) as made:
        done = subprocess.run(
            [go, "install", MODULE],
            env={**os.environ, "GOBIN": made},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise ToxiproxyError(f"`go install {MODULE}` failed:\n{done.stderr[-2_000:]}")
        Path(made, "server").replace(program)


class Proxy:
    """One proxy, by its name; what is done to it holds for connections that are open and for new ones."""

    def __init__(self, server: "Toxiproxy", name: str) -> None:
        self._server = server
        self._name = name

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Every connection is closed, and new ones are refused."""
        self._enable(False)
        try:
            yield
        finally:
            self._enable(True)

    @contextmanager
    def slow(self, delay_ms: int, jitter_ms: int) -> Iterator[None]:
        """All data comes so much later, in both directions."""
        attributes = {"latency": delay_ms, "jitter": jitter_ms}
        up, down = (self._toxic("latency", way, attributes) for way in _BOTH)
        with up, down:
            yield

    @contextmanager
    def half_open(self, *lost: Stream) -> Iterator[None]:
        """Connections stay, and what is sent in these directions is lost; at the end they are closed."""
        with ExitStack() as toxics:
            for stream in lost:
                toxics.enter_context(self._toxic("timeout", stream, {"timeout": 0}))
            yield

    def _enable(self, enabled: bool) -> None:
        self._server.ask("POST", f"/proxies/{self._name}", {"enabled": enabled})

    @contextmanager
    def _toxic(self, kind: str, stream: Stream, attributes: Mapping[str, int]) -> Iterator[None]:
        path, name = f"/proxies/{self._name}/toxics", f"{kind}-{stream}"
        wanted = {"name": name, "type": kind, "stream": stream, "attributes": dict(attributes)}
        self._server.ask("POST", path, wanted)
        try:
            yield
        finally:
            self._server.ask("DELETE", f"{path}/{name}")


class Toxiproxy:
    """A server with ``port`` for its orders; runs between ``start`` and ``stop``."""

    def __init__(self, port: int, log: Path) -> None:
        self._port = port
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Blocks until it takes orders. Raises ToxiproxyError."""
        program = executable()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-host", _HOST, "-port", str(self._port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "LOG_LEVEL": "error"},
                start_new_session=True,
            )
        wait_for(self._answers, _START_SECONDS, f"toxiproxy to take orders; its log: {self._log}")
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_START_SECONDS)

    def proxy(self, name: str, port: int, upstream: int) -> Proxy:
        """A new one that listens on ``port`` and leads to the server on ``upstream``, up or not."""
        listen, leads_to = f"{_HOST}:{port}", f"{_HOST}:{upstream}"
        self.ask("POST", "/proxies", {"name": name, "listen": listen, "upstream": leads_to})
        return Proxy(self, name)

    def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> None:
        """One order. Raises ToxiproxyError with its answer, OSError where it gives none."""
        # Not urllib: that would go through the proxy of the environment.
        connection = http.client.HTTPConnection(_HOST, self._port, timeout=60.0)
        try:
            connection.request(method, path, json.dumps(body or {}))
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 300:
            raise ToxiproxyError(f"toxiproxy answered {answer.status} to {method} {path}: {text}")

    def _answers(self) -> bool:
        try:
            self.ask("GET", "/proxies")
        except OSError:
            return False
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
