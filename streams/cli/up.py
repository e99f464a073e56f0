"""`huitou up`: stack, topics, workers and the sink together, until Ctrl-C."""

import importlib.util
import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from streams.cli import topics
from streams.cli.stack import Folder, PortBase
from streams.local.stack import choose_stack
from streams.supervisor import SINK_COMMAND, Supervisor

_STORE_VARIABLE = "HUITOU_QUERY_STORE"
#: The packages of the extra `huitou[query]`.
_STORE_NEEDS = ("sqlalchemy", "alembic", "psycopg")
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
    """Start the stack, create the topics, run workers and `huitou sink`, and restart those that end. Ctrl-C
    ends all.

    What was running before stays running; the data stays. With --dir and without HUITOU_QUERY_STORE the sink
    fills query.sqlite in that folder.
    """
    asked_to_end = threading.Event()
    for number in _SIGNALS:
        signal.signal(number, lambda *_: asked_to_end.set())
    with choose_stack(folder, port_base) as stack:
        # What is called here and the workers read their settings from the environment.
        os.environ.update(stack.environment())
        if folder is not None:
            os.environ.setdefault(_STORE_VARIABLE, f"sqlite:///{folder.resolve() / 'query.sqlite'}")
        topics.create()
        with Supervisor(workers, {}, metrics_port=metrics_port, log_folder=logs, beside=_beside()):
            typer.echo(f"Kafka {stack.kafka}, Redis {stack.redis_url}; Ctrl-C ends")
            asked_to_end.wait()
            typer.echo("Ending: the workers drain, then stops what was started here", err=True)


def _beside() -> dict[str, tuple[str, ...]]:
    """The sink, where what it needs is installed."""
    if missing := [name for name in _STORE_NEEDS if not _is_installed(name)]:
        typer.echo(
            f"No sink: {', '.join(missing)} is not installed, so `huitou orders` finds nothing; "
            "pip install 'huitou[query]'"
        )
        return {}
    return {"sink": SINK_COMMAND}


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:
        # What is in sys.modules without a specification was put there to keep the package out.
        return False
