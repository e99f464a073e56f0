"""`huitou publish`: CloudEvents as JSON lines into the topics that their types name."""

import io
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from producers.bulk import BulkPublisher
from producers.clock import clock_holder
from producers.publish import (
    PublishReport,
    Refused,
    decompressed,
    publish_lines,
    publish_unchecked,
    read_lines,
)
from schemas.catalogue import UPSTREAM_TOPICS
from streams.cli.sources import Json, errors, on_terminal, output, said_errors, stack_cluster


def publish(
    file: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="JSON lines, also gzip; - is standard input.")
    ] = "-",
    allow_invalid: Annotated[
        bool, typer.Option(help="Send every line as it is to --topic: tests of dead letters.")
    ] = False,
    topic: Annotated[
        str | None, typer.Option(help=f"For --allow-invalid: {', '.join(UPSTREAM_TOPICS)}.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Send each valid line to the topic of its type, in the order of the file.

    Refused lines go to standard error with their numbers; exit code 1 when there are any.
    """
    if allow_invalid != (topic is not None):
        raise typer.BadParameter("--allow-invalid and --topic belong together")
    if topic is not None and topic not in UPSTREAM_TOPICS:
        raise typer.BadParameter(f"--topic is one of {', '.join(UPSTREAM_TOPICS)}")
    if file != "-" and not Path(file).is_file():
        raise typer.BadParameter(f"no file {file}")
    with said_errors("publish"):
        report = _publish(file, topic)
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
    else:
        output.print(_table(report))
    if report.refused:
        raise typer.Exit(1)


def _publish(file: str, topic: str | None) -> PublishReport:
    cluster = stack_cluster()
    publisher = BulkPublisher(cluster, client_id="huitou-publish", linger_ms=20)
    with ExitStack() as closing:
        raw = closing.enter_context(_opened(file))
        progress = closing.enter_context(_Progress(raw, None if file == "-" else _size(file)))
        lines = read_lines(decompressed(raw))
        if topic is not None:
            return publish_unchecked(lines, publisher, topic, on_progress=progress.show)
        holder = clock_holder(cluster)
        return publish_lines(
            lines,
            publisher,
            latest_ms=0 if holder is None else holder.until,
            on_refused=_say_refused,
            on_progress=progress.show,
        )


def _opened(file: str) -> io.BufferedReader:
    if file == "-":
        return os.fdopen(sys.stdin.fileno(), "rb", closefd=False)
    return Path(file).open("rb")


def _size(file: str) -> int:
    return Path(file).stat().st_size


def _say_refused(refused: Refused) -> None:
    where = f" at {refused.field}" if refused.field else ""
    errors.print(
        f"line {refused.line}: {refused.reason}{where}: {refused.detail}",
        markup=False,
        soft_wrap=True,
    )


class _Progress:
    """A bar over the bytes of the file, or a count of a pipe's lines; nothing without a terminal."""

    def __init__(self, raw: io.BufferedReader, size: int | None) -> None:
        self._raw = raw if size else None
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeElapsedColumn(),
            console=errors,
            transient=True,
            disable=not on_terminal(),
        )
        self._task = self._bar.add_task("", total=size)

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, report: PublishReport) -> None:
        if self._bar.disable:
            return
        self._bar.update(
            self._task,
            description=f"{report.accepted:,} accepted, {report.refused:,} refused",
            completed=self._raw.tell() if self._raw else 0,
        )


def _table(report: PublishReport) -> Table:
    table = Table("", "Lines", box=None)
    table.columns[1].justify = "right"
    for topic, count in sorted(report.by_topic.items()):
        table.add_row(f"accepted by {topic}", f"{count:,}")
    for reason, count in sorted(report.by_reason.items()):
        table.add_row(f"refused: {reason}", f"{count:,}")
    table.add_row("read", f"{report.lines:,}")
    return table
