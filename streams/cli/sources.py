"""What the commands that send events share: their stack, their stop signals, how they say errors."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Final

import typer
from rich.console import Console

from producers.cluster import Cluster
from producers.errors import ProducerError
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
