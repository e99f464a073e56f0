"""`huitou sink`: fills the query store from the topics."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.endings import EXIT_DOUBT, EXIT_REFUSED, EXIT_USAGE
from streams.cli.options import FromArchive

if TYPE_CHECKING:
    from streams.query.connecting import Database
    from streams.query.metrics import SinkMetrics
    from streams.query.sink import Progress

#: Lines of progress: one in so many seconds, where something was written.
PROGRESS_SECONDS = 5.0

Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        help="sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE; default: HUITOU_QUERY_STORE, "
        "else a file beside the default local stack.",
        show_default=False,
    ),
]


def sink(
    store: Store = None,
    once: Annotated[
        bool, typer.Option("--once", help="End where the topics end now, in place of SIGTERM.")
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, help="Serve /metrics there; 0: on a free port, which is said."
        ),
    ] = None,
    archive: FromArchive = None,
    as_json: Annotated[bool, typer.Option("--json", help="At the end, one JSON object.")] = False,
) -> None:
    """Fill the query store with orders, reviews, profiles, products and more until SIGTERM or Ctrl-C.

    The store is made, and brought up to this build's tables, where that is needed. Each record is in it
    exactly once, whatever ends this process; run it again. Several sinks of one group share the partitions.
    What a customer did until an `erase` in shop.profiles is taken out. With --archive the store is first
    filled with what `huitou archive` has of the topics and retention has cut from them.
    Exit codes: 0 ended in order; 70 a doubt, start it again; 78 refused, do what it says.

    \b
    huitou sink
    huitou sink --metrics-port 8010
    huitou sink --once --json
    huitou sink --store postgresql://huitou@db.example/orders
    huitou sink --once --archive /backup/archive --store sqlite:///orders-2.sqlite
    """
    # Before the group is joined nothing is owned, and a first connection may take its time.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end_before_start)
    began = time.monotonic()
    with opened(store, "sink") as database:
        from streams.operations.logging import configure
        from streams.query.archived import ArchivedHeads
        from streams.query.metrics import SinkMetrics
        from streams.query.migrating import bring_up
        from streams.query.sink import Sink
        from streams.query.store import QueryStore
        from streams.settings import Settings

        settings = Settings()
        configure("warning" if once else settings.log_level)
        metrics = SinkMetrics()
        heads = None if archive is None else ArchivedHeads(archive)
        if metrics_port is not None:
            _serve(metrics, settings.metrics_host, metrics_port)
        bring_up(database)
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        typer.echo(f"filling {database.name}", err=True)
        done = Sink(settings, QueryStore(database), metrics, heads).run(
            stopping.is_set, once=once, progress=_Shown()
        )
    seconds = time.monotonic() - began
    if as_json:
        typer.echo(
            json.dumps({"store": database.name, "seconds": round(seconds, 3), **asdict(done)})
        )
    else:
        typer.echo(
            f"{done.records:,} records{_from_archive(done)} in {done.transactions:,} transactions in "
            f"{seconds:.1f} s, "
            f"{done.passed_over:,} passed over as dead letters"
        )


def _serve(metrics: "SinkMetrics", host: str, port: int) -> None:
    try:
        taken = metrics.serve(host, port)
    except OSError as error:
        raise _end("sink", f"no metrics on {host}:{port}: {error.strerror}", EXIT_USAGE) from None
    typer.echo(f"metrics on http://{host}:{taken}/metrics", err=True)


def _end_before_start(*_: object) -> None:
    os._exit(0)


def _from_archive(progress: "Progress") -> str:
    return f" ({progress.archived:,} from the archive)" if progress.archived else ""


class _Shown:
    """Progress as a line now and then on standard error."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, progress: "Progress") -> None:
        if time.monotonic() - self._said >= PROGRESS_SECONDS:
            self._said = time.monotonic()
            left = f", {progress.behind:,} to go" if progress.behind else ""
            typer.echo(
                f"{progress.records:,} records{_from_archive(progress)} in {progress.transactions:,} "
                "transactions, "
                f"{progress.partitions} partitions{left}",
                err=True,
            )


@contextmanager
def opened(store: str | None, command: str) -> Iterator["Database"]:
    """The database that is asked for, closed afterwards; its errors as a sentence and an exit code."""
    from confluent_kafka import KafkaException

    from streams.engine.log_errors import LogError
    from streams.query.errors import StoreDoubt, StoreRefused
    from streams.settings import Settings

    try:
        from sqlalchemy.exc import SQLAlchemyError

        # For what it imports: a missing package is said before anything is done.
        import streams.query.migrating  # noqa: F401
        from streams.query.connecting import Database, store_url
        from streams.query.failures import is_refused, said

        database = Database(store_url(Settings(), store))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "streams":
            raise
        reason = f"the query store needs {package}: pip install 'huitou[query]'"
        raise _end(command, reason, EXIT_USAGE) from None
    except ValueError as error:
        raise _end(command, error, EXIT_USAGE) from None
    try:
        yield database
    except StoreRefused as error:
        raise _end(command, error, EXIT_REFUSED) from None
    except (StoreDoubt, LogError, KafkaException) as error:
        raise _end(command, error, EXIT_DOUBT) from None
    except SQLAlchemyError as error:
        code = EXIT_REFUSED if is_refused(error) else EXIT_DOUBT
        raise _end(command, f"{database.name}: {said(error)}", code) from None
    finally:
        database.close()


def _end(command: str, error: object, code: int) -> typer.Exit:
    typer.echo(f"huitou {command}: {error}", err=True)
    return typer.Exit(code)
