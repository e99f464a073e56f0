"""`huitou archive`: the topics as Parquet files."""

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from streams.cli.endings import EXIT_FOUND, EXIT_USAGE, said_errors

if TYPE_CHECKING:
    from streams.archive.archiver import Archived
    from streams.archive.checking import Checked

#: Lines of progress: one in so many seconds.
PROGRESS_SECONDS = 5.0


def archive(
    to: Annotated[Path, typer.Option("--to", help="Folder of the archive; made where absent.")],
    topic: Annotated[
        list[str] | None, typer.Option("--topic", "-t", help="Only these; may be repeated.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read the archive and hold it against its metadata.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Copy what the topics hold into Parquet files, by topic, partition and day.

    Goes on where the last run ended, killed or not, up to what is published now; runs beside workers.
    `huitou rebuild` and `huitou verify` read what Kafka no longer has from it. Exit 78 when retention
    was faster, which would leave a hole; exit 1 when --check finds damage.

    \b
    huitou archive --to /backup/archive
    huitou archive --to /backup/archive --topic shop.orders
    huitou archive --to /backup/archive --check
    """
    began = time.monotonic()
    if check:
        if topic:
            typer.echo("huitou archive: --check reads all topics; leave --topic out", err=True)
            raise typer.Exit(EXIT_USAGE)
        _check(to, began, as_json)
        return
    from streams.settings import Settings

    with said_errors("archive"):
        from streams.archive.logs import require_parquet

        require_parquet()
        from streams.archive.archiver import archive as run

        settings = Settings()
        topics = [_kafka_name(settings.topic_prefix, name) for name in topic] if topic else None
        done = list(run(settings, to, _Shown(), topics))
    seconds = time.monotonic() - began
    if as_json:
        typer.echo(
            json.dumps({"seconds": round(seconds, 3), "partitions": [asdict(d) for d in done]})
        )
    else:
        _print(done, seconds)


def _kafka_name(prefix: str, name: str) -> str:
    return name if name.startswith(prefix) else prefix + name


class _Shown:
    """Progress as a line now and then on standard error."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, topic: str, partition: int, offset: int, end: int) -> None:
        if time.monotonic() - self._said >= PROGRESS_SECONDS:
            self._said = time.monotonic()
            typer.echo(f"{topic}[{partition}]: offset {offset:,} of {end:,}", err=True)


def _print(done: Iterable["Archived"], seconds: float) -> None:
    topics: dict[str, list[Archived]] = {}
    for part in done:
        topics.setdefault(part.topic, []).append(part)
    table = Table("topic", "partitions", "new records", "new MB", "new files")
    for topic, parts in topics.items():
        table.add_row(
            topic,
            str(len(parts)),
            f"{sum(part.records for part in parts):,}",
            f"{sum(part.bytes for part in parts) / 1e6:,.1f}",
            f"{sum(part.files for part in parts):,}",
        )
    console = Console()
    console.print(table)
    parts = [part for each in topics.values() for part in each]
    for part in parts:
        if part.first > 0:
            console.print(f"{part.topic}[{part.partition}] begins at offset {part.first:,}")
    records = sum(part.records for part in parts)
    size = sum(part.bytes for part in parts)
    console.print(f"{records:,} records ({size / 1e6:,.1f} MB) archived in {seconds:.1f} s")


def _check(root: Path, began: float, as_json: bool) -> None:
    if not root.is_dir():
        typer.echo(f"huitou archive: there is no folder {root}", err=True)
        raise typer.Exit(EXIT_USAGE)
    with said_errors("archive"):
        from streams.archive.logs import require_parquet

        require_parquet()
        from streams.archive.checking import check

        checked: Checked = check(root, _say_file)
    seconds = time.monotonic() - began
    if as_json:
        typer.echo(json.dumps({"seconds": round(seconds, 3), **asdict(checked)}))
    else:
        for damage in checked.damages:
            typer.echo(f"- {damage}")
        typer.echo(
            f"{checked.records:,} records in {checked.files:,} files read in {seconds:.1f} s: "
            f"{len(checked.damages)} damaged"
        )
    if checked.damages:
        raise typer.Exit(EXIT_FOUND)


def _say_file(path: Path) -> None:
    if sys.stderr.isatty():
        typer.echo(f"reading {path.name}", err=True)
