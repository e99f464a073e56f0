"""Whether a worker lives and is ready, over HTTP beside its metrics, on one port.

``/livez`` answers one question: does restarting help? It fails only when the loop or the poll
stands still. ``/readyz`` says whether the worker does all of its work: joined, recovered, Redis
and Kafka reachable, nothing paused. Both answer 200 or 503 with a JSON body that names each reason.
"""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
from prometheus_client.exposition import choose_encoder

from streams.operations.metrics import Metrics

#: What must have beaten lately for the worker to count as alive.
BEATS = ("loop", "poll")
#: What must have been said true for the worker to count as ready.
CONDITIONS = ("joined", "recovered", "redis", "kafka")
#: Seconds without a beat after which a restart is the better worker: three session time-outs.
STALL_SECONDS = 30.0
#: A client that says nothing for so long is dropped, so that it holds no thread.
CLIENT_SECONDS = 10.0


class Report(msgspec.Struct, frozen=True):
    """The body of /livez and /readyz: ``reasons`` is empty exactly when ``ok``."""

    ok: bool
    reasons: list[str]
    #: Seconds since each beat (/livez), or each condition (/readyz).
    details: dict[str, float | bool]


class Health:
    """What the engine says of itself; any thread may write and read. Nothing here blocks.

    ``clock`` gives seconds that only rise. Beats count from the making of this object, so a worker
    that never gets as far as its first poll is found out too.
    """

    def __init__(
        self,
        *,
        stall_after: float = STALL_SECONDS,
        beats: tuple[str, ...] = BEATS,
        conditions: tuple[str, ...] = CONDITIONS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._stall_after = stall_after
        now = clock()
        self._beats = dict.fromkeys(beats, now)
        self._conditions: dict[str, tuple[bool, str]] = dict.fromkeys(conditions, (False, ""))
        #: (topic, None) or ("partition", its number) -> why.
        self._paused: dict[tuple[str, int | None], str] = {}
        self._lock = threading.Lock()

    def beat(self, name: str) -> None:
        """``loop``: the event loop turned; ``poll``: a poll of Kafka came back, empty or not."""
        self._beats[name] = self._clock()

    def set(self, condition: str, ok: bool, reason: str = "") -> None:
        """Says whether ``joined``, ``recovered``, ``redis`` or ``kafka`` holds, and why not."""
        with self._lock:
            self._conditions[condition] = (ok, reason)

    def pause(self, name: str, number: int | None, reason: str) -> None:
        """Names what is not processed: a topic (``number`` None), or "partition" and its number.

        ``reason`` is for the operator: the cause, and the command or the deed that mends it.
        """
        with self._lock:
            self._paused[name, number] = reason

    def resume(self, name: str, number: int | None) -> None:
        """Takes a pause back; of one that is not there, nothing happens."""
        with self._lock:
            self._paused.pop((name, number), None)

    def resume_all(self) -> None:
        """Takes every pause back: the assignment changed and the new owner judges afresh."""
        with self._lock:
            self._paused.clear()

    def live(self) -> Report:
        """Whether every beat came within ``stall_after`` seconds."""
        now = self._clock()
        ages = {name: round(now - at, 3) for name, at in list(self._beats.items())}
        reasons = [
            f"{name}: no progress for {age:.1f} s (limit {self._stall_after:g} s)"
            for name, age in ages.items()
            if age > self._stall_after
        ]
        return Report(not reasons, reasons, dict(ages))

    def ready(self) -> Report:
        """Whether every condition holds and nothing is paused."""
        with self._lock:
            conditions = dict(self._conditions)
            paused = dict(self._paused)
        reasons = [
            f"{name}: {reason or 'not yet'}" for name, (ok, reason) in conditions.items() if not ok
        ]
        for (name, number), reason in paused.items():
            # A partition is paused with all of its topics, a topic in all of the worker's partitions.
            place = f"topic {name}" if number is None else f"{name} {number}"
            reasons.append(f"paused {place}: {reason}")
        return Report(not reasons, reasons, {name: ok for name, (ok, _) in conditions.items()})


class HealthServer:
    """Serves /metrics, /livez and /readyz from a thread of its own; port 0 takes a free one."""

    def __init__(self, health: Health, metrics: Metrics, host: str, port: int) -> None:
        self._health = health
        self._metrics = metrics
        self._address = (host, port)
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        """Binds, serves in the background and returns the port. Raises OSError when it is taken."""
        server = _Server(self._address, _handler(self._health, self._metrics))
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, args=(0.1,), name="health", daemon=True
        )
        self._thread.start()
        return int(server.server_address[1])

    def stop(self) -> None:
        """Stops serving and frees the port; may be called twice. Blocks up to 0.1 s."""
        server, self._server = self._server, None
        if server is None or self._thread is None:
            return
        server.shutdown()
        server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # server_close would wait for clients that keep their connection open.
    block_on_close = False


def _handler(health: Health, metrics: Metrics) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = CLIENT_SECONDS

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, content_type, encode(metrics.registry))
            elif path == "/livez":
                self._report(health.live())
            elif path == "/readyz":
                self._report(health.ready())
            else:
                self._answer(404, "text/plain", b"/metrics /livez /readyz\n")

        do_HEAD = do_GET  # noqa: N815  http.server finds methods by these names

        def _report(self, report: Report) -> None:
            body = msgspec.json.encode(report) + b"\n"
            self._answer(200 if report.ok else 503, "application/json", body)

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def version_string(self) -> str:
            return "huitou"

        def log_message(self, *_: object) -> None:
            """A probe a second is no news."""

    return Handler
