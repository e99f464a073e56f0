"""What the commands that send events share: their stack, their stop signals, how they say errors."""

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Final, NamedTuple, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress
from rich.table import Table

from producers.bulk import BulkPublisher
from producers.clock import ClockOwner
from producers.cluster import Cluster
from producers.delivered import Delivered
from producers.errors import ProducerError
from producers.source import Progress, Source
from streams.settings import Settings

#: What a command exits with that SIGINT or SIGTERM ended, after it handed the clock back.
INTERRUPTED: Final = 130

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]

#: Progress and refusals go here, so that standard output stays a result that can be piped.
errors: Final = Console(stderr=True, highlight=False)
output: Final = Console(highlight=False)


def stack_cluster() -> Cluster:
    """The topics of the stack that the settings name."""
    settings = Settings()
    return Cluster(settings.kafka_bootstrap, settings.topic_prefix)


@contextmanager
def said_errors(command: str) -> Iterator[None]:
    """Errors that say what to do end the command with exit code 1, without a traceback."""
    try:
        yield
    except ProducerError as error:
        errors.print(f"huitou {command}: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; a second SIGINT interrupts as usual."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        stop.set()

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def on_terminal() -> bool:
    """Whether progress is worth drawing."""
    return sys.stderr.isatty()


def parse_rate(speed: str) -> float:
    """Seconds of the source's time in one of wall time; 0 for "max". Raises typer.BadParameter."""
    if speed == "max":
        return 0.0
    try:
        rate = float(speed)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise typer.BadParameter(f"{speed!r} is neither a number above 0 nor max")
    return rate


class Played(NamedTuple):
    """What came of playing a source; ``stopped``: a signal ended it."""

    progress: Progress
    delivered: Delivered
    seconds: float
    stopped: bool


def play(
    source: Source,
    publisher: BulkPublisher,
    clock: ClockOwner | None,
    quiet: bool,
    deadline: float | None = None,
) -> Played:
    """Runs ``source`` to its end, ``deadline`` or a signal, holding ``clock``, and shows it."""
    started = time.monotonic()
    with stop_signals() as stop, nullcontext() if clock is None else clock:
        with _SourceProgress(quiet, started) as shown:
            progress = source.run(publisher, clock, deadline, shown.show, stop)
        return Played(progress, source.delivered, time.monotonic() - started, stop.is_set())


def finish(played: Played, delivered: Path | None, as_json: bool, **more: object) -> None:
    """Writes the summary; exit code 130 where a signal ended the source."""
    progress = played.progress
    if delivered is not None:
        delivered.write_bytes(played.delivered.to_json())
    summary: dict[str, object] = {
        "published": progress.published,
        "delivered": len(played.delivered),
        "by_topic": progress.by_topic,
        "planted": progress.planted,
        **more,
        "time": moment(progress.time_ms),
        "seconds": round(played.seconds, 3),
        "events_per_second": round(progress.published / played.seconds, 1),
        "stopped": played.stopped,
    }
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        table = Table(box=None, show_header=False)
        for name, value in summary.items():
            rows = value.items() if isinstance(value, dict) else [("", value)]
            for detail, figure in rows:
                table.add_row(f"{name.replace('_', ' ')} {detail}".strip(), str(figure))
        output.print(table)
    if played.stopped:
        raise typer.Exit(INTERRUPTED)


def moment(time_ms: int) -> str:
    """A time for people and for JSON: RFC 3339, UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


class _SourceProgress:
    """One line on the terminal: events, their rate, the source's own time."""

    def __init__(self, quiet: bool, started: float) -> None:
        self._started = started
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            console=errors,
            transient=True,
            disable=quiet or not on_terminal(),
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        seconds = time.monotonic() - self._started
        self._bar.update(
            self._task,
            total=progress.total,
            completed=progress.published,
            description=f"{progress.published:,} events, "
            f"{progress.published / max(seconds, 0.001):,.0f}/s, {moment(progress.time_ms)}",
        )
