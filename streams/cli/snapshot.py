"""`huitou snapshot`: the states of partitions as files, each as of one commit."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from streams.cli.endings import EXIT_USAGE, said_errors

#: Lines of progress: one in so many seconds.
PROGRESS_SECONDS = 5.0


def snapshot(
    to: Annotated[Path, typer.Option("--to", help="Folder of the snapshots; made where absent.")],
    partition: Annotated[
        list[int] | None, typer.Option("--partition", "-p", help="Only these; may be repeated.")
    ] = None,
    patience: Annotated[
        float, typer.Option(min=0.0, help="Seconds a commit may take to be published.")
    ] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Write each partition's states, timers, counters and position into a file, beside running workers.

    `huitou rebuild --from-snapshot DIR` begins with the newest one that fits instead of the log's
    beginning. Run again, it writes only partitions that have moved. Nothing is removed: old files may be.

    \b
    huitou snapshot --to /backup/snapshots
    huitou snapshot --to /backup/snapshots --partition 3 --json
    """
    from streams.settings import Settings

    settings = Settings()
    numbers = numbers_of(partition, settings.partitions, "snapshot")
    began = time.monotonic()
    said = began

    def progress(number: int, states: int) -> None:
        nonlocal said
        if time.monotonic() - said >= PROGRESS_SECONDS:
            said = time.monotonic()
            typer.echo(f"partition {number}: {states:,} states", err=True)

    with said_errors("snapshot"):
        from streams.repair.snapshot import snapshot as run

        taken = list(run(settings, to, numbers, progress, patience))
    seconds = time.monotonic() - began
    if as_json:
        found = {"seconds": round(seconds, 3), "partitions": [asdict(each) for each in taken]}
        typer.echo(json.dumps(found))
        return
    table = Table("partition", "seq", "states", "timers", "MB", "folded in", "")
    for each in taken:
        note = "nothing yet" if each.path is None else "was there" if each.kept else "written"
        table.add_row(
            str(each.partition), f"{each.seq:,}", f"{each.states:,}", f"{each.timers:,}",
            f"{each.bytes / 1e6:,.1f}", f"{each.redone:,} commits", note,
        )  # fmt: skip
    console = Console()
    console.print(table)
    console.print(
        f"{sum(each.states for each in taken):,} states, "
        f"{sum(each.bytes for each in taken) / 1e6:,.1f} MB, in {seconds:.1f} s"
    )


def numbers_of(partitions: list[int] | None, count: int, command: str) -> list[int]:
    """The partitions asked for, all where none is named; ends the command for one that is not there."""
    numbers = sorted(set(partitions)) if partitions else list(range(count))
    wrong = [number for number in numbers if not 0 <= number < count]
    if wrong:
        typer.echo(
            f"huitou {command}: there is no partition {wrong[0]}; they go from 0 to {count - 1}",
            err=True,
        )
        raise typer.Exit(EXIT_USAGE)
    return numbers
