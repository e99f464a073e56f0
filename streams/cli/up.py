"""`huitou up`: stack, topics and workers together, until Ctrl-C."""

import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from streams.cli import topics
from streams.cli.stack import Folder, PortBase
from streams.local.stack import choose_stack
from streams.supervisor import Supervisor

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(
    workers: Annotated[int, typer.Option(min=1, help="How many worker processes.")] = 1,
    folder: Folder = None,
    port_base: PortBase = None,
    metrics_port: Annotated[
        int,
        typer.Option(
            help="The first worker's /metrics; the next have the next ones. 0: free ones."
        ),
    ] = 8000,
    logs: Annotated[
        Path | None, typer.Option(help="A folder for the workers' logs, in place of the terminal.")
    ] = None,
) -> None:
    """Start the stack, create the topics, run workers and restart those that end. Ctrl-C ends all.

    What was running before stays running; the data stays.
    """
    asked_to_end = threading.Event()
    for number in _SIGNALS:
        signal.signal(number, lambda *_: asked_to_end.set())
    with choose_stack(folder, port_base) as stack:
        # What is called here and the workers read their settings from the environment.
        os.environ.update(stack.environment())
        topics.create()
        with Supervisor(workers, {}, metrics_port=metrics_port, log_folder=logs):
            typer.echo(f"Kafka {stack.kafka}, Redis {stack.redis_url}; Ctrl-C ends")
            asked_to_end.wait()
            typer.echo("Ending: the workers drain, then stops what was started here", err=True)
