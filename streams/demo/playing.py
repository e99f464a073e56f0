"""The demo's source at work, in a thread of its own."""

import threading
import time

from producers.bulk import BulkPublisher
from producers.cluster import Cluster
from producers.delivered import Delivered
from producers.playback import Playback
from producers.source import Feed, Progress
from streams.demo.latency import AppendTimes, DemoClock


class Playing:
    """A thread that takes the clock over, plays a feed, and hands the clock back."""

    def __init__(
        self,
        cluster: Cluster,
        feed: Feed,
        clock: DemoClock,
        appended: AppendTimes,
        seconds: float | None,
        stop: threading.Event,
    ) -> None:
        self._publisher = BulkPublisher(cluster, client_id="huitou-demo", on_delivered=appended.add)
        self._playback = Playback(feed, rate=clock.rate)
        self._clock = clock
        self._seconds = seconds
        self._stop = stop
        self._progress = Progress(time_ms=feed.start_ms)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)

    def start(self) -> None:
        """Events flow from here on, until ``stop`` is set or the seconds are over."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """False once everything sent has its delivery report and the clock is handed back.

        Raises what ended the source, if it was an error.
        """
        if self._failure is not None:
            raise self._failure
        return self._thread.is_alive()

    def join(self) -> None:
        """Waits for the end, also of a source that fails."""
        self._thread.join()

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self._progress

    @property
    def delivered(self) -> Delivered:
        """What got delivery reports; changes while it runs."""
        return self._publisher.delivered

    def _run(self) -> None:
        try:
            with self._clock:
                deadline = None if self._seconds is None else time.monotonic() + self._seconds
                self._progress = self._playback.run(
                    self._publisher, self._clock, deadline, self._show, self._stop
                )
        except BaseException as error:  # noqa: BLE001 - raised again by whoever asks
            self._failure = error

    def _show(self, progress: Progress) -> None:
        self._progress = progress
