"""The demo without a terminal: a line now and then."""

import time

from rich.console import Console

from schemas.trigger import TriggerEvent
from streams.demo.moments import Moment, Scene, pace
from streams.demo.words import because, promise

#: Seconds between two lines.
INTERVAL = 5.0


class Lines:
    """A View (streams.demo.moments) that only writes lines."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._phase = ""
        self._shown = 0.0
        self._seen: set[str] = set()

    def phase(self, words: str) -> None:
        """One line, with the seconds since the start."""
        if words != self._phase:
            self._phase = words
            self._say(f"[{time.monotonic() - self._began:.0f} s] {words}")

    def begin(self, scene: Scene) -> None:
        """Two lines: what flows, and how fast."""
        self._say(f"{scene.words}, {scene.place}")
        self._say(pace(scene))

    def show(self, moment: Moment) -> None:
        """The first coupon of each campaign at once, figures and the newest coupon now and then."""
        for event in moment.newest:
            if event.data.campaign not in self._seen:
                self._seen.add(event.data.campaign)
                self._say(f"  first {describe(event)}")
        now = time.monotonic()
        if now - self._shown < INTERVAL:
            return
        self._shown = now
        latency = moment.latency
        took = f"p50 {latency['p50']:.0f} ms, p99 {latency['p99']:.0f} ms" if latency else "-"
        self._say(
            f"{moment.elapsed:4.0f} s  {moment.published:,} events, "
            f"{moment.events_per_second:,.0f}/s, {moment.customers:,} customers, "
            f"{moment.coupons:,} coupons, latency {took}, lag {moment.lag:,}"
        )
        if moment.newest:
            self._say(f"  newest {describe(moment.newest[-1])}")

    def note(self, words: str) -> None:
        """As it is."""
        self._say(words)

    def close(self) -> None:
        """Nothing: there is no terminal to give back."""

    def _say(self, words: str) -> None:
        self._console.print(words, markup=False, highlight=False, soft_wrap=True)


def describe(event: TriggerEvent) -> str:
    """A coupon in one line."""
    trigger = event.data
    return (
        f"{trigger.campaign}: {trigger.customer_id} gets {promise(trigger.offer)}, "
        f"because of {because(trigger)}"
    )
