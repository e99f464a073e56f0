"""The demo on a terminal: figures, campaigns, and coupons as they are issued."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime

from rich import box
from rich.align import Align
from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from streams.demo.moments import Moment, Scene, pace
from streams.demo.words import TITLES, because, promise

#: Lines that everything but the newest coupons takes.
_FIXED_LINES = 20
#: Columns from which on there is room for what a coupon promises.
_WIDE = 120
_FEWEST_COUPONS, _MOST_COUPONS = 1, 20
_NOTES = 3
_STYLES = {"abandoned-cart": "yellow", "second-order": "green", "bad-review": "magenta"}
_SPARKS = "▁▂▃▄▅▆▇█"


class Screen:
    """A View (streams.demo.moments) in the terminal's second screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._phase = ""
        self._scene: Scene | None = None
        self._moment: Moment | None = None
        self._notes: deque[str] = deque(maxlen=_NOTES)
        self._lock = threading.Lock()
        self._live = Live(
            console=console, screen=True, refresh_per_second=8, get_renderable=self.render
        )
        self._live.start()

    def phase(self, words: str) -> None:
        """Beside a spinner."""
        self._phase = words

    def begin(self, scene: Scene) -> None:
        """The figures take the place of the spinner."""
        self._scene = scene

    def show(self, moment: Moment) -> None:
        """With the next refresh."""
        self._moment = moment

    def note(self, words: str) -> None:
        """At the bottom, the first sentence of it; the newest few stay."""
        with self._lock:
            self._notes.append(words.partition("\n")[0].partition(". ")[0])

    def close(self) -> None:
        """Back to the first screen."""
        self._live.stop()

    def render(self) -> RenderableType:
        """The whole screen, as of now."""
        scene, moment = self._scene, self._moment
        if scene is None or moment is None:
            return Align.center(self._starting(), vertical="middle", height=self._console.height)
        return Group(
            self._header(scene, moment),
            tiles(moment),
            self._middle(moment),
            self._coupons(moment),
            self._footer(scene, moment),
        )

    def _starting(self) -> RenderableType:
        waited = time.monotonic() - self._began
        title = Text.assemble(("huitou", "bold"), "  回头客\n", ("the returning customer", "dim"))
        title.justify = "center"
        spinner = Spinner("dots", Text(f" {self._phase}  {waited:.0f} s", "cyan"))
        return Panel(Group(title, Text(), Align.center(spinner)), box=box.ROUNDED, padding=(1, 4))

    def _header(self, scene: Scene, moment: Moment) -> RenderableType:
        left = Text.assemble(("huitou 回头客", "bold"), "  ", (scene.words, ""))
        flowed = f"{moment.elapsed:.0f} s"
        if scene.seconds is not None:
            flowed = f"{min(moment.elapsed, scene.seconds):.0f} of {scene.seconds:.0f} s"
        shop_time = datetime.fromtimestamp(moment.time_ms / 1000).astimezone()
        right = Text.assemble(
            ("in the shop ", "dim"), (f"{shop_time:%Y-%m-%d %H:%M}", "bold"), "   ", (flowed, "dim")
        )
        grid = Table.grid(expand=True, padding=(0, 1))
        grid.add_column(ratio=1, no_wrap=True)
        grid.add_column(justify="right", no_wrap=True)
        grid.add_row(left, right)
        return Group(grid, Text(pace(scene), "dim", no_wrap=True, overflow="ellipsis"), Text())

    def _middle(self, moment: Moment) -> RenderableType:
        grid = Table.grid(expand=True, padding=(0, 1))
        grid.add_column(ratio=1)
        grid.add_column(ratio=2)
        grid.add_row(_outcomes(moment), _campaigns(moment))
        return grid

    def _coupons(self, moment: Moment) -> RenderableType:
        room = self._console.height - _FIXED_LINES - len(self._notes)
        rows = max(_FEWEST_COUPONS, min(_MOST_COUPONS, room))
        table = Table(
            box=box.SIMPLE_HEAD, expand=True, show_edge=False, pad_edge=False, header_style="dim"
        )
        table.add_column("in the shop", no_wrap=True, style="dim")
        table.add_column("customer", no_wrap=True, style="cyan")
        table.add_column("because of", no_wrap=True, ratio=1)
        wide = self._console.width >= _WIDE
        if wide:
            table.add_column("coupon", no_wrap=True)
        table.add_column("code", no_wrap=True, style="bold")
        newest = list(moment.newest)[-rows:]
        for event in reversed(newest):
            trigger = event.data
            table.add_row(
                f"{event.time.astimezone():%H:%M:%S}",
                trigger.customer_id,
                Text(because(trigger), _STYLES.get(trigger.campaign, "")),
                *([promise(trigger.offer)] if wide else []),
                trigger.offer.code if trigger.offer else "",
            )
        for _ in range(rows - len(newest)):
            table.add_row()
        return Panel(table, title="Newest coupons", title_align="left", box=box.ROUNDED)

    def _footer(self, scene: Scene, moment: Moment) -> RenderableType:
        parts: list[str | tuple[str, str]] = []
        for slot, pid in enumerate(moment.pids):
            state = (f"pid {pid}", "green") if pid else ("down, starting again", "bold red")
            parts += [f"worker {slot} ", state, "  "]
        if moment.restarts:
            times = "once" if moment.restarts == 1 else f"{moment.restarts} times"
            parts += [(f"restarted {times}  ", "yellow")]
        parts += [(f"on {scene.place}", "dim")]
        lines = [Text.assemble(*parts, no_wrap=True, overflow="ellipsis")]
        with self._lock:
            lines += [
                Text(f"• {note}", "yellow", no_wrap=True, overflow="ellipsis")
                for note in self._notes
            ]
        lines.append(Text(self._phase, "cyan"))
        return Group(*lines)


def tiles(moment: Moment) -> RenderableType:
    """The main figures, large."""
    latency = moment.latency
    figures = [
        ("events a second", f"{moment.events_per_second:,.0f}", spark(moment.history)),
        ("customers", f"{moment.customers:,}", "with live state"),
        ("coupons", f"{moment.coupons:,}", "once each"),
        (
            "latency",
            f"{latency['p50']:,.0f} ms" if latency else "-",
            f"p99 {latency['p99']:,.0f} ms" if latency else "cause to coupon",
        ),
        ("lag", f"{moment.lag:,}", "under way"),
    ]
    grid = Table.grid(expand=True)
    for _ in figures:
        grid.add_column(ratio=1)
    grid.add_row(
        *(
            Panel(
                Group(_centred(figure, "bold"), _centred(small, "dim")),
                title=title,
                box=box.ROUNDED,
            )
            for title, figure, small in figures
        )
    )
    return grid


def _centred(words: str, style: str) -> Text:
    return Text(words, style, justify="center", no_wrap=True, overflow="ellipsis")


def spark(values: Sequence[float]) -> str:
    """A line of bars, the highest for the greatest value."""
    top = max(values, default=0.0)
    if top <= 0:
        return ""
    return "".join(_SPARKS[int(value / top * (len(_SPARKS) - 1))] for value in values)


def _outcomes(moment: Moment) -> RenderableType:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(ratio=1)
    table.add_column(justify="right")
    rows = [
        ("published", moment.published, ""),
        ("applied", moment.applied, "green"),
        ("duplicates", moment.duplicates, "yellow"),
        ("dead letters", moment.dead_letters, "red"),
    ]
    for name, count, style in rows:
        table.add_row(name, Text(f"{count:,}", style))
    return Panel(table, title="Events", title_align="left", box=box.ROUNDED)


def _campaigns(moment: Moment) -> RenderableType:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(justify="right")
    most = max(moment.by_campaign.values(), default=0)
    for campaign, count in moment.by_campaign.items():
        style = _STYLES.get(campaign, "cyan")
        table.add_row(
            TITLES.get(campaign, campaign), Bar(max(most, 1), 0, count, color=style), f"{count:,}"
        )
    # As high as its neighbour.
    for _ in range(4 - len(moment.by_campaign)):
        table.add_row("", "", "")
    return Panel(table, title="Coupons by campaign", title_align="left", box=box.ROUNDED)
