"""`huitou demo`: everything at once, with a live view, ended by a proof."""

import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

#: What ends the demo in order; a second Ctrl-C ends it at once.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Differences that verify explains, shown at most.
_EXPLAINED = 5


def demo(
    seconds: Annotated[
        float | None,
        typer.Option(min=1, help="About how long all of it takes. Without it: until Ctrl-C."),
    ] = None,
    data: Annotated[
        str,
        typer.Option(
            help="simulator, or taobao:PATH for a file of Taobao's user behaviour sample."
        ),
    ] = "simulator",
    workers: Annotated[int, typer.Option(min=1, help="How many worker processes.")] = 1,
    summary: Annotated[
        Path | None, typer.Option(help="Write what was counted to this file, as JSON.")
    ] = None,
    port_base: Annotated[
        int | None,
        typer.Option(
            help="Kafka on this port, its controller on the next, Redis on the one after, then the "
            "workers' /metrics; without it, on free ports."
        ),
    ] = None,
) -> None:
    """Run a stack, workers and a source of events, and watch coupons being issued.

    The source's clock runs ahead, so that half an hour of an abandoned cart passes in seconds. At
    the end the log is folded again and compared. Exit code 0 only if no event was lost and
    everything agrees. All data of the demo is removed. With KAFKA_BOOTSTRAP and REDIS_URL set, it
    runs on those servers, under names of its own.
    """
    from confluent_kafka import KafkaException
    from redis.exceptions import RedisError

    from producers.errors import ProducerError
    from streams.demo.lines import Lines
    from streams.demo.run import DemoError, Options, run
    from streams.demo.screen import Screen
    from streams.demo.sources import DataError
    from streams.demo.summary import show, write
    from streams.engine.log_errors import LogError
    from streams.state.redis_store import StoreError
    from streams.topics import TopicsError

    if summary is not None and not summary.resolve().parent.is_dir():
        typer.echo(f"huitou demo: there is no folder {summary.resolve().parent}", err=True)
        raise typer.Exit(1)
    console = Console()
    view = Screen(console) if console.is_terminal and not os.environ.get("CI") else Lines(console)
    stop = _stop_on_signals()
    try:
        outcome = run(Options(data, seconds, workers, port_base), view, stop)
    except (
        DataError, DemoError, ProducerError, StoreError, TopicsError, LogError, RedisError,
        KafkaException,
    ) as error:  # fmt: skip
        view.close()
        typer.echo(f"huitou demo: {error}", err=True)
        raise typer.Exit(1) from None
    finally:
        view.close()
    if summary is not None:
        summary.write_bytes(write(outcome.summary))
    show(outcome.summary, outcome.examples, console)
    for difference in outcome.report.differences[:_EXPLAINED]:
        console.print(f"- {difference}", markup=False, highlight=False, soft_wrap=True)
    if not outcome.summary.proved:
        raise typer.Exit(1)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        stop.set()

    for number in _SIGNALS:
        signal.signal(number, on_signal)
    return stop
