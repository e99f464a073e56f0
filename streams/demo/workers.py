"""The demo's workers as an operator sees them: their logs, /readyz and /metrics."""

import http.client
import json
import re
from collections import Counter
from pathlib import Path

from streams.local.growing_file import GrowingFile

#: Seconds that a worker may take to answer; it runs on this machine.
_ANSWER_SECONDS = 2.0
_RECOVERIES = re.compile(rb'^shop_recoveries_total\{case="([^"]+)"\} (\S+)$', re.MULTILINE)


class WorkerView:
    """One slot. A worker says its port in its log; one that was restarted says another."""

    def __init__(self, log: Path) -> None:
        self._log = GrowingFile(log)
        self._port: int | None = None
        #: Recoveries of this slot's former processes, and of the present one, by case.
        self._former: Counter[str] = Counter()
        self._present: Counter[str] = Counter()

    @property
    def recoveries(self) -> Counter[str]:
        """By case (docs of shop_recoveries_total), as of the last look."""
        return self._former + self._present

    def ready(self) -> bool:
        """Whether /readyz says that it does all of its work."""
        answer = self._get("/readyz")
        return answer is not None and answer[0] == http.client.OK

    def look(self) -> None:
        """Asks for /metrics; a worker that does not answer changes nothing."""
        answer = self._get("/metrics")
        if answer is not None and answer[0] == http.client.OK:
            self._present = Counter(
                {case.decode(): int(float(n)) for case, n in _RECOVERIES.findall(answer[1])}
            )

    def _get(self, path: str) -> tuple[int, bytes] | None:
        self._follow()
        if self._port is None:
            return None
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _follow(self) -> None:
        """Reads on in the log, for the port of the newest process."""
        for line in self._log.lines():
            if b'"worker starts"' in line:
                said = json.loads(line)
                self._port = int(said["metrics_port"])
                self._former += self._present
                self._present = Counter()


def worker_views(logs: Path, workers: int) -> list[WorkerView]:
    """One view a slot of a Supervisor with ``log_folder`` ``logs``."""
    return [WorkerView(logs / f"worker-{slot}.log") for slot in range(workers)]
